"""The files of Keras's own data sets: on this machine, or fetched and checked."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from neocog.data._datasets._home import download_folder, search_folders
from neocog.data._download import download, download_unchecked
from neocog.exceptions import DownloadError, FileFormatError, message

BASE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MAX_JSON = 2**25


def keras_file(
    folder: str, path: str | os.PathLike[str], name: str, checksum: str, *, base: str = BASE
) -> Path:
    """Return a file of a data set.

    Args:
        folder: the data set's folder below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets`; the
            file may also lie beside it.
        path: what the user gave: a file that exists is taken as it is, else its last part is the name that is
            looked for and downloaded under.
        name: the file's name on the server.
        checksum: SHA-256 (64 digits) or MD5 (32) that a downloaded file must have.
        base: the server's folder.
    """
    given = Path(path).expanduser()
    if given.is_file():
        return given
    known = given.name or name
    for place in search_folders():
        for found in (place / folder / known, place / known):
            if found.is_file():
                return found
    target = download_folder() / folder / known
    if len(checksum) == 64:
        return download(base + name, target, checksum)
    # Keras publishes only the MD5 of the word lists: a file of JSON is read, never run.
    fetched = download_unchecked(base + name, target.with_name(known + ".new"))
    found_sum = hashlib.md5(fetched.read_bytes(), usedforsecurity=False).hexdigest()
    if found_sum != checksum:
        fetched.unlink()
        expected = f"a file with MD5 {checksum}"
        raise DownloadError(message(base + name, expected=expected, got=f"{found_sum}; it is deleted"))
    os.replace(fetched, target)
    return target


def read_word_index(path: Path) -> dict[str, int]:
    """Return a JSON file of words and their numbers.

    Raises:
        FileFormatError: it is something else, or larger than 32 MB.
    """
    if path.stat().st_size > _MAX_JSON:
        raise FileFormatError(message(str(path), expected=f"at most {_MAX_JSON:,} bytes", got="more"))
    try:
        found: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            message(str(path), expected="words and numbers as JSON", got="other text")
        ) from error
    if not isinstance(found, dict) or not all(type(number) is int for number in found.values()):
        raise FileFormatError(message(str(path), expected="words and their numbers", got="other JSON"))
    return found

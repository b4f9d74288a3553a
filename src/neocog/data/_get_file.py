"""`get_file`: one file from the web into the cache, checked, and unpacked where asked for."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from neocog.core import neocog_home, write_text
from neocog.data._archives import MARK, extract_archive
from neocog.data._download import download_unchecked
from neocog.exceptions import ArgumentError, DownloadError, StorageError, message

_HASHES = {"md5": 32, "sha256": 64}
_NOTE = ".neocog"  # beside a fetched file: whether its hash was checked


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Fetch a file over HTTP unless the cache has it, and return its path.

    Give `file_hash` wherever you know it: without one nothing tells whether the file is the one that you
    meant, and a model that was fetched without a hash is not opened by `load_model` and `load_weights`.

    Args:
        fname: name in the cache, without folders; None takes the last part of `origin`'s path.
        origin: `http://` or `https://` address.
        untar: as `extract`, for tar archives (deprecated in Keras).
        md5_hash: MD5 that the file must have (deprecated in Keras; prefer `file_hash`).
        file_hash: SHA-256 (64 hexadecimal digits) or MD5 (32) that the file must have.
        cache_subdir: folder inside the cache.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"` by the length of the hash.
        extract: unpack it, and return the folder that was made, named as the archive without its ending.
        archive_format: `"tar"`, `"zip"`, a list of them, `"auto"`, or None for no archive.
        cache_dir: the cache; `$NEOCOG_HOME` by default, else `~/.neocog`.
        force_download: fetch it even if the cache has it.

    Returns:
        Path of the file, or of the folder with what was unpacked.

    Raises:
        DownloadError: no connection, no such file, or another hash.
        FileFormatError: an archive with links, climbing or absolute names, or out of proportion.
        StorageError: a full or read-only disk.
    """
    address = checked_origin(origin)
    name, unpacked = _names(checked_file_name(fname, address), fname is not None, extract or untar)
    algorithm, wanted = _wanted_hash(file_hash, md5_hash, hash_algorithm)
    folder = _cache_folder(cache_dir, cache_subdir)
    target = folder / name
    if force_download or not _is_right(target, algorithm, wanted):
        _note_path(target).unlink(missing_ok=True)
        _fetch(address, target, algorithm, wanted)
    _write_note(target, known=wanted is not None)
    if extract or untar:
        formats = "tar" if untar and archive_format == "auto" else archive_format
        return str(extract_archive(target, folder / unpacked, formats, checked=wanted is not None))
    return str(target)


def checked_origin(origin: str | None) -> str:
    """Return an address that is `http://` or `https://`; everything else is refused."""
    parts = urlsplit(origin) if isinstance(origin, str) else None
    plain = isinstance(origin, str) and origin.isprintable() and " " not in origin
    if parts is None or not plain or parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ArgumentError(
            message(
                "get_file",
                expected="origin, an http:// or https:// address",
                got=ascii(origin)[:120],
                do="Files on this machine are opened by their path.",
            )
        )
    return str(origin)


def checked_file_name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    """Return a name without folders: the caller's, else the last part of the address, never the server's."""
    given = fname is not None
    name = os.fspath(fname) if fname is not None else PurePosixPath(unquote(urlsplit(origin).path)).name
    bad = not name or name in (".", "..") or len(name) > 200 or not name.isprintable()
    if bad or re.search(r"[/\\:\0]", name) or name.startswith((".", "~")) or name != name.strip():
        raise ArgumentError(
            message(
                "get_file",
                expected="a plain file name without folders",
                got=f"{'fname' if given else 'the address ending in'} {ascii(name)[:80]}",
                do="Name the folder by cache_dir and cache_subdir."
                if given
                else "Give fname, the name that it gets here.",
            )
        )
    return name


def fetched_without_hash(path: str | os.PathLike[str]) -> bool:
    """Return whether `get_file` fetched this file, or the archive around it, with no hash to check it by."""
    path = Path(path)
    notes = [_note_path(path), *(folder / MARK for folder in list(path.absolute().parents)[:8])]
    return any(_read_note(note).startswith("unchecked") for note in notes)


def _read_note(note: Path) -> str:
    try:
        if not note.is_file():
            return ""
        with open(note, encoding="utf-8") as file:
            return file.read(200)
    except (OSError, ValueError):
        return ""


def check_known_file(path: str | os.PathLike[str]) -> None:
    """Raise DownloadError where a model file was fetched by `get_file` without a hash."""
    path = Path(path)
    if fetched_without_hash(path):
        raise DownloadError(
            message(
                str(path),
                expected="a downloaded model whose hash was checked",
                got="one that get_file fetched without file_hash",
                do="Pass its SHA-256 from a source that you trust: get_file(..., file_hash=...).",
            )
        )


def _wanted_hash(file_hash: str | None, md5_hash: str | None, algorithm: str) -> tuple[str, str | None]:
    if md5_hash is not None and file_hash is None:
        file_hash, algorithm = md5_hash, "md5"
    if algorithm not in (*_HASHES, "auto"):
        raise ArgumentError(
            message("get_file", expected="hash_algorithm 'auto', 'sha256' or 'md5'", got=repr(algorithm))
        )
    if file_hash is None:
        return "sha256", None
    text = str(file_hash).strip().lower()
    if algorithm == "auto":
        algorithm = next((name for name, length in _HASHES.items() if length == len(text)), "sha256")
    if not re.fullmatch(rf"[0-9a-f]{{{_HASHES[algorithm]}}}", text):
        raise ArgumentError(
            message(
                "get_file",
                expected=f"file_hash of {_HASHES[algorithm]} hexadecimal digits ({algorithm})",
                got=ascii(file_hash)[:80],
            )
        )
    return algorithm, text


def _cache_folder(cache_dir: str | os.PathLike[str] | None, cache_subdir: str) -> Path:
    base = neocog_home() if cache_dir is None else Path(cache_dir).expanduser()
    steps = re.split(r"[/\\]", str(cache_subdir))
    if ".." in steps or Path(cache_subdir).is_absolute():
        raise ArgumentError(
            message("get_file", expected="cache_subdir inside the cache", got=repr(cache_subdir))
        )
    return base / cache_subdir


def _digest(path: Path, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _is_right(target: Path, algorithm: str, wanted: str | None) -> bool:
    if not target.exists():
        return False
    if not target.is_file():
        raise StorageError(message(str(target), expected="a file in the cache", got="something else"))
    return wanted is None or _digest(target, algorithm) == wanted


def _names(name: str, is_given: bool, unpacks: bool) -> tuple[str, str]:
    """Return the names of the file and of the folder that it is unpacked into: Keras 3's."""
    if not unpacks:
        return name, ""
    if is_given and "." in name:
        return name, f"{name.partition('.')[0]}_extracted"
    return f"{name}_archive", name


def _fetch(address: str, target: Path, algorithm: str, wanted: str | None) -> None:
    """Fetch a file and check it before it takes its name."""
    fresh = target.with_name(f"{target.name}.new")
    for resume in (True, False) if wanted is not None else (False,):
        resumed = fresh.with_name(f"{fresh.name}.part").exists() and resume
        download_unchecked(address, fresh, resume=resume)
        found = wanted if wanted is None else _digest(fresh, algorithm)
        if found == wanted:
            os.replace(fresh, target)
            return
        fresh.unlink()
        if not resumed:
            break
    raise DownloadError(
        message(
            address,
            expected=f"a file with {algorithm.upper()} {wanted}",
            got=f"{found}; what was loaded is deleted",
            do="Try again; if it stays so, the file on the server is another one: do not use it.",
        )
    )


def _note_path(target: Path) -> Path:
    return target.with_name(f".{target.name}{_NOTE}")


def _write_note(target: Path, *, known: bool) -> None:
    """Note beside the file whether its hash was checked; a file that was checked once stays so."""
    note = _note_path(target)
    text = "checked\n" if known or _read_note(note).startswith("checked") else "unchecked\n"
    if _read_note(note) != text:
        write_text(note, text)

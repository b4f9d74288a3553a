"""Files that are whole or not there: written to a temporary name beside the target, synced, renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from neocog.exceptions import NeocogError, StorageError


@contextmanager
def atomic_path(
    target: str | os.PathLike[str], *, named_by: Callable[[Path], Path] | None = None
) -> Iterator[Path]:
    """Give a temporary path beside `target`; on success it replaces `target`, on any error nothing is left.

    Args:
        target: where the file goes.
        named_by: a function from the whole temporary file to where it goes, for names that the content
            decides; `target` then only says in which folder.

    Raises:
        StorageError: the folder is missing, read-only or full; the text says which.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise _storage_error(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target if named_by is None else named_by(temporary))
    except NeocogError:  # some of them are OSErrors that say more
        raise
    except OSError as error:
        raise _storage_error(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write a text file (UTF-8) atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(target: str | os.PathLike[str], data: bytes) -> None:
    """Write a binary file atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _storage_error(target: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{target}: could not be written ({error.strerror or error}). "
        "Check that the folder exists, may be written and has space left."
    )

"""Archives from strangers onto the disk: plain files under plain names, in proportion, and nothing else."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from neocog.exceptions import ArgumentError, FileFormatError, NeocogError, StorageError, message

_MAX_MEMBERS = 2_000_000  # ImageNet has 1.3 million
_MAX_READ = 2**24  # headers are far smaller; contents are copied in small pieces
_SMALL = 64 * 2**20  # below this, any packing does no harm
_MAX_RATIO = 25  # pictures shrink by nothing, texts to a tenth
MARK = ".neocog_extracted"  # in the folder: what it was unpacked from, and whether its hash was checked
_UNSAFE = "Do not use this archive."
# All that it would refuse is refused before; Python 3.11.4 brought it.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
_PACKINGS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}


def extract_archive(
    archive: Path, folder: Path, formats: str | Sequence[str] | None = "auto", *, checked: bool = False
) -> Path:
    """Unpack a tar (plain, gzip, bzip2, xz) or zip into a folder and return it.

    Everything is looked at before the first file is written, and unpacked beside the folder first: a refused
    or broken archive leaves nothing. What was unpacked from the same archive before is kept.

    Args:
        archive: the file.
        folder: where its contents go; made if needed.
        formats: `"auto"`, `"tar"`, `"zip"`, a list of them; None or an empty list for none.
        checked: whether the archive's hash was checked, which is noted in the folder.

    Raises:
        FileFormatError: links, devices, climbing or absolute names, double names, bombs; or it is no archive.
        StorageError: a full or read-only disk.
    """
    where = str(archive)
    kind = _kind(archive, formats)
    note = f"{'checked' if checked else 'unchecked'} {archive.stat().st_size} {archive.stat().st_mtime_ns}"
    if _noted(folder) == note:
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name[:40]}.", dir=folder.parent) as temporary:
            with _faults_reported(where):
                (_unpack_zip if kind == "zip" else _unpack_tar)(where, archive, Path(temporary))
            _move_into(Path(temporary), folder)
        (folder / MARK).write_text(note, encoding="utf-8")
    except NeocogError:
        raise
    except OSError as error:
        raise StorageError(
            f"{folder}: could not be unpacked into ({error.strerror or error}). "
            "Check its space and permissions."
        ) from error
    return folder


def _kind(archive: Path, formats: str | Sequence[str] | None) -> str:
    if formats == "auto":
        formats = ("tar", "zip")
    wanted = [formats] if isinstance(formats, str) else list(formats or ())
    unknown = [name for name in wanted if name not in ("tar", "zip")]
    if unknown:
        raise ArgumentError(
            message("get_file", expected="archive_format 'auto', 'tar' or 'zip'", got=repr(unknown[0]))
        )
    with open(archive, "rb") as file:
        head = file.read(512)
    packed = any(head.startswith(start) for start in _PACKINGS)
    kind = "zip" if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else None
    kind = "tar" if packed or head[257:262] == b"ustar" else kind
    if kind is None or kind not in wanted:
        got = f"a {kind} archive" if kind else "something else"
        raise FileFormatError(
            message(str(archive), expected=f"an archive ({' or '.join(wanted) or 'none asked for'})", got=got,
                    do="Call get_file without extract, or give archive_format.")
        )  # fmt: skip
    return kind


class _Names:
    """The members that were looked at: their names, number and total size, each within bounds."""

    def __init__(self, where: str, packed_size: int) -> None:
        self._where = where
        self._seen: set[str] = set()
        self.total = 0
        self._limit = max(_SMALL, _MAX_RATIO * packed_size)

    def check(self, name: str, size: int, kind: str) -> None:
        steps = re.split(r"[/\\]", name)
        key = name.rstrip("/").lower()
        self.total += max(size, 0) + 512
        got = None
        if kind not in ("file", "folder"):
            got = f"{ascii(name)[:80]}, {kind}"
        elif not key or ".." in steps or not _plain(name):
            got = f"the name {ascii(name)[:80]}, which leads elsewhere"
        elif key in self._seen and kind == "file":
            got = f"two members called {ascii(name)[:80]}"
        elif self.total > self._limit or size < 0:
            got = f"contents of {self.total:,} bytes or more, out of proportion to the archive"
        elif len(self._seen) >= _MAX_MEMBERS:
            got = f"more than {_MAX_MEMBERS} members"
        if got is not None:
            raise FileFormatError(message(self._where, expected="plain files", got=got, do=_UNSAFE))
        self._seen.add(key)


def _plain(name: str) -> bool:
    leads_away = name[:1] in "/\\~" or re.match("[A-Za-z]:", name)
    return not leads_away and len(name) < 1000 and all(ord(letter) >= 32 for letter in name)


class _Limited(io.RawIOBase):
    """An unpacked stream that ends with an error beyond a size, and never reads much at once."""

    def __init__(self, where: str, stream: IO[bytes], limit: int) -> None:
        self._where = where
        self._stream = stream
        self._limit = limit

    def _check(self, wanted: bool) -> None:
        if not wanted:
            raise FileFormatError(
                message(self._where, expected="plain files",
                        got=f"contents of more than {self._limit:,} bytes, out of proportion to the archive",
                        do=_UNSAFE)
            )  # fmt: skip

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes."""
        self._check(size is not None and 0 <= size <= _MAX_READ)
        data = self._stream.read(size or 0)
        self._check(self._stream.tell() <= self._limit)
        return data

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a place in the unpacked data."""
        self._check(whence == 0 and position <= self._limit)
        return self._stream.seek(position)

    def tell(self) -> int:
        """Return the place in the unpacked data."""
        return self._stream.tell()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be gone back in."""
        return True


def _unpack_tar(where: str, archive: Path, folder: Path) -> None:
    size = archive.stat().st_size
    with open(archive, "rb") as file:
        start = file.read(6)
        file.seek(0)
        packing = next((open_ for head, open_ in _PACKINGS.items() if start.startswith(head)), None)
        stream = file if packing is None else packing(file)
        limited = _Limited(where, stream, max(_SMALL, _MAX_RATIO * size) + 2**20)
        with tarfile.open(fileobj=limited, mode="r:") as tar:
            names = _Names(where, size)
            for member in tar:
                names.check(member.name, member.size, _tar_kind(member))
            _check_room(where, folder, names)
            for member in tar.getmembers():
                tar.extract(member, folder, set_attrs=False, **_FILTER)


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    if member.issparse():
        return "a sparse file"
    if member.isreg():
        return "file"
    return "folder" if member.isdir() else "a device or pipe"


def _check_room(where: str, folder: Path, names: _Names) -> None:
    """Raise StorageError where the disk has no room for what the archive holds."""
    free = shutil.disk_usage(folder).free
    if names.total > free:
        raise StorageError(
            message(where, expected=f"{names.total:,} bytes of free space to unpack it", got=f"{free:,}")
        )


def _unpack_zip(where: str, archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        names = _Names(where, archive.stat().st_size)
        for member in packed.infolist():
            mode = member.external_attr >> 16
            kind = "folder" if member.is_dir() else "file"
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "a link" if stat.S_ISLNK(mode) else "a device or pipe"
            if member.flag_bits & 0x1:
                kind = "an encrypted member"
            if member.orig_filename != member.filename:
                kind = "a member of two names"
            names.check(member.filename, member.file_size, kind)
        _check_room(where, folder, names)
        for member in packed.infolist():
            target = folder.joinpath(*(step for step in member.filename.split("/") if step not in ("", ".")))
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(member) as source, open(target, "xb") as file:
                shutil.copyfileobj(source, file, 2**18)


@contextmanager
def _faults_reported(where: str) -> Iterator[None]:
    try:
        yield
    except NeocogError:
        raise
    except (
        tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError,
        FileExistsError, NotADirectoryError, IsADirectoryError, gzip.BadGzipFile,
    ) as error:  # fmt: skip
        raise FileFormatError(
            message(where, expected="an undamaged archive", got=f"a fault ({str(error)[:160]})",
                    do="Delete it and get it again.")
        ) from error  # fmt: skip


def _noted(folder: Path) -> str | None:
    try:
        return (folder / MARK).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _move_into(source: Path, target: Path) -> None:
    """Move a tree of plain files into a folder that may be there; links in the way are not followed."""
    if target.is_symlink():
        raise StorageError(message(str(target), expected="a folder", got="a link", do="Remove it."))
    target.mkdir(exist_ok=True)
    for entry in sorted(os.scandir(source), key=lambda item: item.name):
        if entry.is_dir(follow_symlinks=False) and (target / entry.name).exists():
            _move_into(Path(entry.path), target / entry.name)
        else:
            os.replace(entry.path, target / entry.name)

"""Zip files from strangers: a short directory, plain names, known sizes; members are read in memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO

from neocog.exceptions import FileFormatError, message

_MAX_MEMBERS = 1000
_MAX_DIRECTORY = 2**20
_SMALL = 2**20  # below this, packing more tightly than `_MAX_RATIO` does no harm
_MAX_RATIO = 20  # weights shrink to nine tenths or so, JSON to a tenth
_UNSAFE = "Do not use this file, or write it again with the program that made it."

_END = struct.Struct("<4s4H2LH")
_LOCATOR_SIZE, _END64_SIZE = 20, 56


def open_zip(where: str, file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip whose directory is short and whose members have ordinary names and sizes.

    Raises:
        FileFormatError: too many members; double, absolute or climbing names; encrypted members, unknown
            packing, members that would grow out of proportion; or it is damaged.
    """
    _check_directory_size(where, file)
    try:
        archive = zipfile.ZipFile(file)
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        UnicodeDecodeError,
        struct.error,
    ) as error:
        raise _damaged(where, error) from error
    seen: set[str] = set()
    for member in archive.infolist():
        got = _fault(member, seen)
        seen.add(member.filename.lower())
        if got is not None:
            raise FileFormatError(
                message(where, expected="plain members of a model file", got=got, do=_UNSAFE)
            )
    return archive


def read_member(where: str, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a member's bytes; its size must be at most `limit`, its checksum right."""
    member = archive.getinfo(name)
    if member.file_size > limit:
        raise FileFormatError(
            message(where, expected=f"{name} of at most {limit} bytes", got=member.file_size, do=_UNSAFE)
        )
    try:
        with archive.open(member) as stream:
            data = stream.read(member.file_size + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        raise _damaged(f"{where}, {name}", error) from error
    if len(data) != member.file_size:
        raise _damaged(f"{where}, {name}", f"{len(data)} bytes in place of {member.file_size}")
    return data


def _fault(member: zipfile.ZipInfo, seen: set[str]) -> str | None:
    name = member.orig_filename
    if name.lower() in seen:
        return f"two members called {name!r}"
    steps = name.removesuffix("/").split("/")
    if any(step in ("", ".", "..") for step in steps) or any(letter in name for letter in (":", "\\", "\0")):
        return f"the name {name[:80]!r}, which leads elsewhere"
    if member.flag_bits & 0x1:
        return f"an encrypted member ({name!r})"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"a member packed by method {member.compress_type} ({name!r})"
    if member.file_size > _SMALL and member.file_size > _MAX_RATIO * member.compress_size:
        return f"{name!r}, which would grow from {member.compress_size} to {member.file_size} bytes"
    return None


def _check_directory_size(where: str, file: BinaryIO) -> None:
    """Read the end record alone: `zipfile` would read a directory of any size into memory."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _LOCATOR_SIZE - _END64_SIZE)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    if len(tail) < _END.size:
        raise _damaged(where, "it is too short")
    signature, *_, members, directory, _, comment = _END.unpack(tail[-_END.size :])
    if signature != b"PK\x05\x06" or comment:
        raise _damaged(where, "its end record is missing: it was cut off, or something was appended")
    before = tail[: -_END.size]
    if before[-_LOCATOR_SIZE:][:4] == b"PK\x06\x07":
        end64 = before[:-_LOCATOR_SIZE][-_END64_SIZE:]
        if len(end64) < _END64_SIZE or end64[:4] != b"PK\x06\x06":
            raise _damaged(where, "its zip64 end record is missing")
        members, directory = struct.unpack("<2Q", end64[32:48])
    if members > _MAX_MEMBERS or directory > _MAX_DIRECTORY:
        raise FileFormatError(
            message(
                where,
                expected=f"at most {_MAX_MEMBERS} members",
                got=f"{members} in {directory} bytes",
                do=_UNSAFE,
            )
        )


def _damaged(where: str, error: object) -> FileFormatError:
    return FileFormatError(
        message(
            where,
            expected="an undamaged zip file",
            got=f"a fault ({str(error)[:200]})",
            do="Get the file again.",
        )
    )

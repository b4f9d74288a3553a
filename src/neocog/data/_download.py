"""Downloads that resume, are checked before use, and are whole or not there."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.exceptions import ArgumentError, DownloadError, StorageError, message

_CHUNK = 1 << 18
_RETRY_STATUS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """How long to try: seconds without a byte, tries, seconds before the second one, bytes at most."""

    timeout: float
    tries: int
    pause: float
    max_bytes: int


class _Interrupted(Exception):
    """The transfer broke off and may be tried again."""


def download(
    url: str,
    target: str | os.PathLike[str],
    sha256: str,
    *,
    timeout: float = 30.0,
    tries: int = 4,
    pause: float = 1.0,
    max_bytes: int = 2 * 2**30,
    progress: bool | None = None,
) -> Path:
    """Fetch a file over HTTP, check it, and put it in its place.

    An interrupted transfer leaves `target` + `.part` and goes on from there the next time, where the server
    allows it. The file takes its name only after its checksum was right.

    Args:
        url: `http://` or `https://` address.
        target: where the file goes; its folder is made. A file that is there and right is kept.
        sha256: the checksum that it must have, 64 hexadecimal digits.
        timeout: seconds without a byte before a try fails.
        tries: how often to try; each goes on where the last one stopped.
        pause: seconds before the second try, doubled for each further one.
        max_bytes: a larger file is refused.
        progress: show the progress on stderr; None does so on a terminal when it takes more than two seconds.

    Returns:
        The path of the file.

    Raises:
        DownloadError: no connection, no such file, or another checksum (what was loaded is deleted then).
        StorageError: a full or read-only disk.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise ArgumentError(message("download", expected="an http:// or https:// address", got=repr(url)))
    target = Path(target).expanduser()
    part = target.with_name(target.name + ".part")
    limits = _Limits(timeout=timeout, tries=tries, pause=pause, max_bytes=max_bytes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and file_sha256(target) == sha256.lower():
            return target
        _fetch(url, part, limits, _Meter(target.name, progress))
        found = file_sha256(part)
        if found != sha256.lower():
            part.unlink()
            raise DownloadError(
                message(
                    url,
                    expected=f"a file with SHA-256 {sha256.lower()}",
                    got=f"{found}; what was loaded is deleted",
                    do="Try again; if it stays so, the file on the server has changed.",
                )
            )
        os.replace(part, target)
    except (DownloadError, StorageError):
        raise
    except OSError as error:
        raise _storage_error(target, error) from error
    return target


def download_unchecked(url: str, target: str | os.PathLike[str], *, resume: bool = False) -> Path:
    """Fetch a file of which no checksum is known; as `download`, without the check.

    Args:
        url: `http://` or `https://` address.
        target: where the file goes; replaced if it exists.
        resume: go on from what an earlier call left; only where the result is checked afterwards.
    """
    target = Path(target)
    part = target.with_name(target.name + ".part")
    limits = _Limits(timeout=30.0, tries=4, pause=1.0, max_bytes=2**37)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not resume:
            part.unlink(missing_ok=True)
        _fetch(url, part, limits, _Meter(target.name, None))
        os.replace(part, target)
    except (DownloadError, StorageError):
        raise
    except OSError as error:
        raise _storage_error(target, error) from error
    return target


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows a server to other web addresses alone; `urllib` would go to `ftp://` as well."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Return the next request."""
        if not newurl.lower().startswith(("http://", "https://")):
            raise DownloadError(
                message(req.full_url, expected="http:// or https:// addresses", got=ascii(newurl)[:120])
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request, timeout: float) -> Any:
    return urllib.request.build_opener(_WebOnly).open(request, timeout=timeout)


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(url: str, part: Path, limits: _Limits, meter: _Meter) -> None:
    """Fill `part`, trying again after faults that may pass."""
    fault = ""
    for attempt in range(limits.tries):
        if attempt:
            time.sleep(limits.pause * 2 ** (attempt - 1))
        try:
            _transfer(url, part, limits, meter)
            return
        except _Interrupted as error:
            fault = str(error)
        finally:
            meter.end()
    kept = part.stat().st_size if part.exists() else 0
    raise DownloadError(
        message(
            url,
            expected="a complete transfer",
            got=f"{fault} ({limits.tries} tries)",
            do=f"Check the connection and run it again: it goes on after {kept:,} bytes.",
        )
    )


def _transfer(url: str, part: Path, limits: _Limits, meter: _Meter) -> None:
    """Load what `part` lacks in one request.

    Raises:
        _Interrupted: when it broke off or the server is busy.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "neocog", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with _open(request, limits.timeout) as response:
            resumed = response.status == 206 and _range_start(response) == have
            if response.status == 206 and not resumed:
                part.unlink(missing_ok=True)
                raise _Interrupted("another range than the one asked for")
            if not resumed:
                have = 0  # the server sends the whole file
            length = response.headers.get("Content-Length")
            total = have + int(length) if length and length.isdigit() else None
            _check_room(url, part, have, total, limits)
            _copy(response, part, have, total, url, limits, meter)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            part.unlink()  # what is there is longer than the file: start anew
            raise _Interrupted("a range that the server does not have") from error
        if error.code in _RETRY_STATUS:
            raise _Interrupted(f"HTTP status {error.code}") from error
        raise DownloadError(
            message(url, expected="the file", got=f"HTTP status {error.code} {error.reason}")
        ) from error
    except urllib.error.URLError as error:
        raise _Interrupted(f"no connection ({error.reason})") from error
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        raise _Interrupted(f"a broken connection ({error or type(error).__name__})") from error


def _copy(
    response: Any, part: Path, have: int, total: int | None, url: str, limits: _Limits, meter: _Meter
) -> None:
    with open(part, "r+b" if have else "wb") as file:
        file.seek(have)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            have += len(chunk)
            if have > limits.max_bytes:
                raise DownloadError(_too_large(url, limits))
            meter.show(have, total)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have < total:
        raise _Interrupted(f"the connection closed after {have:,} of {total:,} bytes")


def _range_start(response: Any) -> int | None:
    """Return where the sent range begins: `Content-Range: bytes 100-199/200` gives 100."""
    value = str(response.headers.get("Content-Range", "")).removeprefix("bytes ").partition("-")[0]
    return int(value) if value.isdigit() else None


def _check_room(url: str, part: Path, have: int, total: int | None, limits: _Limits) -> None:
    if total is None:
        return
    if total > limits.max_bytes:
        raise DownloadError(_too_large(url, limits))
    free = shutil.disk_usage(part.parent).free
    if total - have > free:
        raise StorageError(
            message(
                str(part.parent),
                expected=f"{total - have:,} bytes of free space",
                got=f"{free:,}",
                do="Free some, or set NEOCOG_HOME to a folder on another disk.",
            )
        )


def _too_large(url: str, limits: _Limits) -> str:
    return message(url, expected=f"a file of at most {limits.max_bytes:,} bytes", got="a larger one")


def _storage_error(target: Path, error: OSError) -> StorageError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    got = "a full disk" if full else (error.strerror or str(error))
    do = "Free some space" if full else "Check its permissions"
    do += ", or set NEOCOG_HOME to another folder."
    return StorageError(message(str(target), expected="a place that can be written", got=got, do=do))


class _Meter:
    """One line on stderr: how much of a file is there, and how fast it comes."""

    def __init__(self, name: str, wanted: bool | None) -> None:
        self._name = name
        self._wanted = sys.stderr.isatty() if wanted is None else wanted
        self._patience = 2.0 if wanted is None else 0.0
        self._began = self._last = time.monotonic()
        self._shown = False

    def show(self, have: int, total: int | None) -> None:
        """Write the line anew, five times a second at most."""
        now = time.monotonic()
        if not self._wanted or now - self._began < self._patience or now - self._last < 0.2:
            return
        self._last = now
        self._shown = True
        share = "" if total is None else f" of {total / 1e6:.1f} ({100 * have / total:.0f} %)"
        sys.stderr.write(f"\r{self._name}: {have / 1e6:.1f}{share} MB ")
        sys.stderr.flush()

    def end(self) -> None:
        """Close the line."""
        if self._shown:
            sys.stderr.write("\n")
            self._shown = False

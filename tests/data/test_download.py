"""Downloads against a server on loopback that breaks off, ignores ranges, lies and refuses."""

from __future__ import annotations

import errno
import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from neocog.data import download, file_sha256
from neocog.exceptions import ArgumentError, DownloadError, StorageError

CONTENT = np.random.RandomState(0).bytes(900_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A server whose behaviour a test sets, with the ranges that it was asked for."""

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True  # whether it knows Range
    break_after: list[int] = field(default_factory=list)  # bytes to send before each early end
    status: list[int] = field(default_factory=list)  # statuses to answer first
    shift: int = 0  # how far off a range it sends
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if state.status:
                self.send_error(state.status.pop(0))
                return
            start = int(wanted[6:-1]) if wanted and state.ranges else 0
            if start > len(state.content):
                self.send_error(416)
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                first = start + state.shift
                self.send_header(
                    "Content-Range", f"bytes {first}-{len(state.content) - 1}/{len(state.content)}"
                )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.break_after.pop(0)] if state.break_after else body)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}/set.bin"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_file_arrives_whole_and_is_kept(server, tmp_path):
    target = tmp_path / "deep" / "set.bin"
    assert download(server.url, target, SHA.upper(), pause=0) == target
    assert target.read_bytes() == CONTENT
    assert [p.name for p in target.parent.iterdir()] == ["set.bin"]
    download(server.url, target, SHA, pause=0)
    assert server.asked == [None]
    target.write_bytes(b"damaged")
    download(server.url, target, SHA, pause=0)
    assert file_sha256(target) == SHA


def test_an_interrupted_transfer_goes_on_where_it_stopped(server, tmp_path):
    server.break_after = [300_000, 100_000]
    download(server.url, tmp_path / "set.bin", SHA, pause=0)
    assert server.asked == [None, "bytes=300000-", "bytes=400000-"]
    assert file_sha256(tmp_path / "set.bin") == SHA


def test_it_goes_on_in_the_next_run_too(server, tmp_path):
    server.break_after = [300_000]
    with pytest.raises(DownloadError, match=r"closed after 300,000 of 900,000.*goes on after 300,000 bytes"):
        download(server.url, tmp_path / "set.bin", SHA, tries=1)
    assert not (tmp_path / "set.bin").exists()
    assert (tmp_path / "set.bin.part").stat().st_size == 300_000
    download(server.url, tmp_path / "set.bin", SHA, tries=1)
    assert server.asked[1] == "bytes=300000-"
    assert file_sha256(tmp_path / "set.bin") == SHA


def test_a_server_without_ranges_sends_everything_again(server, tmp_path):
    server.ranges = False
    server.break_after = [300_000]
    download(server.url, tmp_path / "set.bin", SHA, pause=0)
    assert file_sha256(tmp_path / "set.bin") == SHA
    (tmp_path / "other.bin.part").write_bytes(b"x" * 2_000_000)  # longer than the file
    download(server.url, tmp_path / "other.bin", SHA, pause=0)
    assert file_sha256(tmp_path / "other.bin") == SHA


def test_a_part_that_does_not_fit_starts_anew(server, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(b"x" * 2_000_000)
    download(server.url, tmp_path / "set.bin", SHA, pause=0)
    assert server.asked == ["bytes=2000000-", None]
    server.shift = 5
    (tmp_path / "b.bin.part").write_bytes(CONTENT[:10])
    download(server.url, tmp_path / "b.bin", SHA, pause=0)
    assert file_sha256(tmp_path / "b.bin") == SHA


def test_a_complete_part_is_used(server, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(CONTENT)
    download(server.url, tmp_path / "set.bin", SHA, pause=0)
    assert file_sha256(tmp_path / "set.bin") == SHA


def test_a_wrong_checksum_is_refused_and_deleted(server, tmp_path):
    wrong = "0" * 64
    with pytest.raises(DownloadError, match=f"SHA-256 {wrong}, got {SHA}; what was loaded is deleted"):
        download(server.url, tmp_path / "set.bin", wrong, pause=0)
    assert list(tmp_path.iterdir()) == []


def test_statuses(server, tmp_path):
    server.status = [404]
    with pytest.raises(DownloadError, match="HTTP status 404"):
        download(server.url, tmp_path / "set.bin", SHA, pause=0)
    assert len(server.asked) == 1
    server.status = [503, 429]
    download(server.url, tmp_path / "set.bin", SHA, pause=0)
    server.status = [500] * 9
    with pytest.raises(DownloadError, match=r"HTTP status 500 \(3 tries\)"):
        download(server.url, tmp_path / "other.bin", SHA, tries=3, pause=0)


def test_no_server_and_no_http(tmp_path):
    with pytest.raises(DownloadError, match="no connection"):
        download("http://127.0.0.1:9/x", tmp_path / "x", SHA, tries=2, pause=0, timeout=2)
    for address in ("file:///etc/passwd", "ftp://a/b", "x"):
        with pytest.raises(ArgumentError, match="http"):
            download(address, tmp_path / "x", SHA)


def test_a_file_that_is_too_large_is_refused(server, tmp_path):
    with pytest.raises(DownloadError, match="at most 1,000 bytes"):
        download(server.url, tmp_path / "set.bin", SHA, max_bytes=1000, pause=0)


def test_a_full_and_a_read_only_disk(server, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())
        with pytest.raises(StorageError, match=r"900,000 bytes of free space, got 10\. Free some"):
            download(server.url, tmp_path / "set.bin", SHA, pause=0)
    for code, text in (
        (errno.ENOSPC, "a full disk. Free some space"),
        (errno.EROFS, "Read-only file system"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", _raiser(OSError(code, "Read-only file system")))
            with pytest.raises(StorageError, match=text):
                download(server.url, tmp_path / "set.bin", SHA, pause=0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="NEOCOG_HOME"):
        download(server.url, tmp_path / "file" / "set.bin", SHA, pause=0)


def _raiser(error: Exception):
    def function(*args: object) -> None:
        raise error

    return function


def test_progress_is_one_line_on_stderr(server, tmp_path, capsys, monkeypatch):
    download(server.url, tmp_path / "a", SHA, pause=0)
    assert capsys.readouterr().err == ""
    clock = iter(np.arange(0, 1000, 0.5))
    monkeypatch.setattr("neocog.data._download.time.monotonic", lambda: float(next(clock)))
    download(server.url, tmp_path / "b", SHA, pause=0, progress=True)
    text = capsys.readouterr().err
    assert "\rb: 0.9 of 0.9 (100 %) MB \n" in text


def test_reading_in_pieces_keeps_every_byte(server, tmp_path):
    server.break_after = [1] * 3 + [262_144, 262_145]
    download(server.url, tmp_path / "set.bin", SHA, pause=0, tries=10)
    assert io.BytesIO((tmp_path / "set.bin").read_bytes()).getvalue() == CONTENT

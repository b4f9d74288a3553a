"""`get_file` against a server on loopback: what is fetched, checked and unpacked, and what is refused."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from neocog.data import _archives, check_known_file
from neocog.exceptions import ArgumentError, DownloadError, FileFormatError, NeocogError
from neocog.utils import get_file


class Server:
    """Files by path, redirects, and the paths that were asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            state.asked.append(self.path)
            if self.path in state.redirects:
                self.send_response(302)
                self.send_header("Location", state.redirects[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = state.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Disposition", 'attachment; filename="../../evil.sh"')
            self.end_headers()
            self.wfile.write(body)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for info, data in members:
            info.size = info.size or len(data)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_it_is_fetched_once_under_its_own_name(server: Server, tmp_path: Path) -> None:
    server.files["/a/data.csv?x=1"] = b"1,2"
    path = get_file(origin=f"{server.url}/a/data.csv?x=1")
    assert path == str(tmp_path / "home" / "datasets" / "data.csv")
    assert Path(path).read_bytes() == b"1,2"
    assert get_file("data.csv", f"{server.url}/a/data.csv?x=1") == path
    assert len(server.asked) == 1
    assert not list(tmp_path.rglob("evil*"))
    other = get_file("b", f"{server.url}/a/data.csv?x=1", cache_dir=tmp_path / "x", cache_subdir="models")
    assert other == str(tmp_path / "x" / "models" / "b")


def test_hashes_are_checked_and_stale_files_fetched_anew(server: Server, tmp_path: Path) -> None:
    old, new = b"old", b"new content"
    server.files["/m.keras"] = old
    path = Path(get_file(origin=f"{server.url}/m.keras"))
    server.files["/m.keras"] = new
    for wanted, algorithm in ((sha(new), "auto"), (hashlib.md5(new).hexdigest(), "md5")):
        path.write_bytes(old)
        got = get_file(origin=f"{server.url}/m.keras", file_hash=wanted, hash_algorithm=algorithm)
        assert got == str(path)
        assert path.read_bytes() == new
    assert get_file("m.keras", f"{server.url}/m.keras", md5_hash=hashlib.md5(new).hexdigest()) == str(path)
    asked = len(server.asked)
    with pytest.raises(DownloadError, match=r"SHA256 0{64}, got .*; what was loaded is deleted"):
        get_file(origin=f"{server.url}/m.keras", file_hash="0" * 64)
    assert path.read_bytes() == new  # what was there stays
    assert len(server.asked) == asked + 1
    get_file(origin=f"{server.url}/m.keras", force_download=True)
    assert len(server.asked) == asked + 2


def test_a_model_fetched_without_a_hash_is_not_opened(server: Server) -> None:
    import neocog as keras

    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    body = _saved(model, ".keras")
    server.files["/m.keras"] = body
    path = Path(get_file("m.keras", f"{server.url}/m.keras"))
    for open_it in (keras.models.load_model, model.load_weights, model.load_torch_weights):
        with pytest.raises(DownloadError, match=r"without file_hash\. Pass its SHA-256"):
            open_it(path)
    assert get_file("m.keras", f"{server.url}/m.keras", file_hash=sha(body)) == str(path)
    keras.models.load_model(path)
    archive = zip_of(("m.keras", body))
    server.files["/models.zip"] = archive
    folder = Path(get_file("models.zip", f"{server.url}/models.zip", extract=True))
    with pytest.raises(DownloadError, match="without file_hash"):
        check_known_file(folder / "m.keras")
    folder = Path(get_file("models.zip", f"{server.url}/models.zip", extract=True, file_hash=sha(archive)))
    keras.models.load_model(folder / "m.keras")


def _saved(model: object, suffix: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m{suffix}")  # type: ignore[attr-defined]
        return Path(f"{folder}/m{suffix}").read_bytes()


@pytest.mark.parametrize(
    "origin",
    [
        "file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", "", None, "http://", "gopher://x/y",
        "data:,x", "http://127.0.0.1/a b", "HTTPS:x", "http:///x", "jar:file:///x",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(origin: str | None, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="http:// or https:// address"):
        get_file("x", origin, cache_dir=tmp_path)
    assert names(tmp_path) == []


BAD_NAMES = ["../x", "/tmp/x", "a/b", "a\\b", "..", ".", "C:x", ".hidden", "a\nb", "x" * 300, " x"]


@pytest.mark.parametrize("fname", BAD_NAMES)
def test_names_with_folders_are_refused(fname: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="plain file name"):
        get_file(fname, "http://127.0.0.1:9/x", cache_dir=tmp_path)


@pytest.mark.parametrize("path", ["/", "/..", "/a/..%5cevil", "/%00"])
def test_names_from_addresses_are_plain(path: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="Give fname"):
        get_file(origin=f"http://127.0.0.1:9{path}", cache_dir=tmp_path)
    with pytest.raises(ArgumentError, match="cache_subdir"):
        get_file("x", "http://127.0.0.1:9/x", cache_dir=tmp_path, cache_subdir="../out")


def test_redirects_lead_to_the_web_alone(server: Server) -> None:
    server.files["/there"] = b"ok"
    server.redirects["/here"] = "/there"
    assert Path(get_file(origin=f"{server.url}/here")).read_bytes() == b"ok"
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.redirects["/away"] = target
        with pytest.raises(NeocogError, match=r"http:// or https://|not allowed"):
            get_file(origin=f"{server.url}/away")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_are_unpacked_as_keras_does(mode: str, server: Server, tmp_path: Path) -> None:
    data = tar_of([(entry("photos", tarfile.DIRTYPE), b""), (entry("photos/a.txt"), b"A")], mode)
    server.files["/photos.tgz"] = data
    home = tmp_path / "home" / "datasets"
    assert get_file(origin=f"{server.url}/photos.tgz", extract=True) == str(home / "photos.tgz")
    assert get_file("p.tar.gz", f"{server.url}/photos.tgz", untar=True) == str(home / "p_extracted")
    assert get_file("photos", f"{server.url}/photos.tgz", untar=True) == str(home / "photos")
    assert (home / "photos" / "photos" / "a.txt").read_text() == "A"
    (home / "photos" / "mine.txt").write_text("kept")
    assert get_file("photos", f"{server.url}/photos.tgz", untar=True) == str(home / "photos")
    assert (home / "photos" / "mine.txt").read_text() == "kept"


@pytest.mark.filterwarnings("ignore:Python 3.14 will:DeprecationWarning")
def test_a_python_whose_tarfile_has_no_filters(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Debian 12's own, 3.11.2: what a filter would refuse is refused before."""
    extract = tarfile.TarFile.extract

    def as_it_was(tar: tarfile.TarFile, member: Any, path: Any, set_attrs: bool = True) -> None:
        extract(tar, member, path, set_attrs)

    monkeypatch.setattr(tarfile.TarFile, "extract", as_it_was)
    monkeypatch.setattr(_archives, "_FILTER", {})
    server.files["/a.tar"] = tar_of([(entry("photos/a.txt"), b"A")])
    folder = Path(get_file("a", f"{server.url}/a.tar", untar=True))
    assert (folder / "photos" / "a.txt").read_text() == "A"
    server.files["/b.tar"] = tar_of([(entry("../b.txt"), b"B")])
    with pytest.raises(FileFormatError):
        get_file("b", f"{server.url}/b.tar", untar=True)


def test_zips_are_unpacked(server: Server) -> None:
    server.files["/z.zip"] = zip_of(("a/", b""), ("a/b.txt", b"B"), ("c.txt", b"C"))
    folder = Path(get_file("z.zip", f"{server.url}/z.zip", extract=True, archive_format="zip"))
    assert folder.name == "z_extracted"
    assert (folder / "a" / "b.txt").read_text() == "B"
    with pytest.raises(FileFormatError, match="got a zip archive"):
        get_file("z.zip", f"{server.url}/z.zip", extract=True, archive_format="tar")


def link_in_zip() -> bytes:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zip_of((info, b"/etc/passwd"))


def huge_pax() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("x")
        info.pax_headers = {"comment": "x" * (80 * 2**20)}
        archive.addfile(info)
    return buffer.getvalue()


ARCHIVES = {
    "cve_2025_12060_link": (lambda: tar_of([(entry("l", tarfile.SYMTYPE, "/etc"), b"")]), "a link"),
    "cve_2025_12638_hard_link": (
        lambda: tar_of([(entry("l", tarfile.LNKTYPE, "/etc/passwd"), b"")]),
        "a link",
    ),
    "inner_link": (lambda: tar_of([(entry("l", tarfile.SYMTYPE, "a"), b"")]), "a link"),
    "climbing": (lambda: tar_of([(entry("a/../../x"), b"x")]), "leads elsewhere"),
    "absolute": (lambda: tar_of([(entry("/tmp/neocog_x"), b"x")]), "leads elsewhere"),
    "device": (lambda: tar_of([(entry("d", tarfile.CHRTYPE), b"")]), "a device"),
    "pipe": (lambda: tar_of([(entry("d", tarfile.FIFOTYPE), b"")]), "a device"),
    "double": (lambda: tar_of([(entry("a"), b"1"), (entry("A"), b"2")]), "two members"),
    "bomb": (lambda: tar_of([(entry("a"), b"\0" * 100 * 2**20)]), "proportion"),
    "bombs": (lambda: tar_of([(entry(f"a{i}"), b"\0" * 5 * 2**20) for i in range(20)]), "proportion"),
    "huge_pax": (huge_pax, "proportion"),
    "cut": (lambda: tar_of([(entry("a"), b"x" * 5000)])[:-40], "undamaged|fault"),
    "zip_link": (link_in_zip, "a link"),
    "zip_climbing": (lambda: zip_of(("../x", b"x")), "leads elsewhere"),
    "zip_absolute": (lambda: zip_of(("/tmp/neocog_x", b"x")), "leads elsewhere"),
    "zip_backslash": (lambda: zip_of(("a\\..\\..\\x", b"x")), "leads elsewhere"),
    "zip_bomb": (lambda: zip_of(("a", b"\0" * 100 * 2**20)), "proportion"),
    "zip_double": (lambda: zip_of(("a", b"1"), ("A", b"2")), "two members"),
    "no_archive": (lambda: b"hello", "something else"),
}


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_hostile_archives_leave_nothing(name: str, server: Server, tmp_path: Path) -> None:
    make, says = ARCHIVES[name]
    server.files["/x.bin"] = make()
    began = time.perf_counter()
    with pytest.raises(FileFormatError, match=says):
        get_file("x.bin", f"{server.url}/x.bin", extract=True)
    assert time.perf_counter() - began < 10
    assert names(tmp_path) == ["home/datasets/.x.bin.neocog", "home/datasets/x.bin"]
    assert not Path("/tmp/neocog_x").exists()


def test_what_lies_in_the_way_is_not_followed(server: Server, tmp_path: Path) -> None:
    server.files["/z.zip"] = zip_of(("a/b.txt", b"B"))
    outside = tmp_path / "outside"
    outside.mkdir()
    home = tmp_path / "home" / "datasets" / "z_extracted"
    home.mkdir(parents=True)
    (home / "a").symlink_to(outside)
    with pytest.raises(NeocogError):
        get_file("z.zip", f"{server.url}/z.zip", extract=True)
    assert names(outside) == []

"""IMDB, Reuters, the two sets of houses and CIFAR-100: small files in their formats, and hostile ones."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import hashlib
import io
import json
import pickle
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.data._datasets import _cifar100, _imdb, _keras_files
from neocog.data._datasets._plain_objects import read_plain
from neocog.datasets import boston_housing, california_housing, cifar100, imdb, reuters
from neocog.exceptions import ArgumentError, DownloadError, FileFormatError


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty machine: no data anywhere."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home" / "datasets"


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, Path]]:
    """A server on loopback and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/", folder
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def rows(count: int, seed: int) -> np.ndarray:
    draw = np.random.RandomState(seed)
    found = np.empty(count, dtype=object)
    for index in range(count):
        found[index] = [int(word) for word in draw.zipf(1.4, draw.randint(1, 40)).clip(1, 90_000)]
    return found


def write_imdb(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"x_train": rows(30, 0), "y_train": np.arange(30) % 2, "x_test": rows(20, 1)}
    np.savez(path, **arrays, y_test=np.arange(20) % 2)


def write_reuters(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, x=rows(50, 2), y=np.arange(50) % 46)


def real_keras(module: str, path: Path, monkeypatch) -> object:
    """Keras's own module, reading our file instead of the web's."""
    source = getattr(keras.src.datasets, module)
    monkeypatch.setattr(source, "get_file", lambda *args, **kwargs: str(path))
    return source


def same(ours: object, theirs: object) -> bool:
    pairs = [(a, b) for mine, other in zip(ours, theirs) for a, b in zip(mine, other)]
    return all(len(a) == len(b) and [*map(list_of, a)] == [*map(list_of, b)] for a, b in pairs)


def list_of(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value


OPTIONS = [
    {},
    {"num_words": 500},
    {"num_words": 100, "skip_top": 5, "maxlen": 25, "seed": 7},
    {"start_char": None, "oov_char": None, "num_words": 50},
    {"start_char": None, "index_from": None, "num_words": 50},
    {"start_char": 9, "oov_char": 8, "index_from": 10, "num_words": 40, "maxlen": 30},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_imdb_and_reuters_answer_as_keras(home, monkeypatch, options):
    write_imdb(home / "imdb" / "imdb.npz")
    theirs = real_keras("imdb", home / "imdb" / "imdb.npz", monkeypatch).load_data(**options)
    ours = imdb.load_data(**options)
    assert same(ours, theirs)
    assert all(type(row) is list for row in ours[0][0])
    write_reuters(home / "reuters.npz")  # beside the folders, as in Keras's cache
    source = real_keras("reuters", home / "reuters.npz", monkeypatch)
    for split in (0.2, 0.33):
        assert same(
            reuters.load_data(test_split=split, **options), source.load_data(test_split=split, **options)
        )
    assert not same(reuters.load_data(seed=1), source.load_data(seed=2))  # the comparison can fail


@pytest.mark.parametrize(
    ("ours", "name", "width"),
    [(boston_housing, "boston_housing", 13), (california_housing, "california_housing", 8)],
)
def test_houses_answer_as_keras(home, monkeypatch, ours, name, width):
    draw = np.random.RandomState(0)
    path = home / name / f"{name}.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x=draw.rand(700, width), y=draw.rand(700))
    source = real_keras(name, path, monkeypatch)
    for options in ({}, {"test_split": 0.37, "seed": 3}, {"test_split": 0}):
        assert same(ours.load_data(**options), source.load_data(**options))
    with pytest.raises(ArgumentError, match="test_split from 0 to below 1"):
        ours.load_data(test_split=1.0)
    if name.startswith("cal"):
        assert same(ours.load_data("small"), source.load_data("small"))
        with pytest.raises(ArgumentError, match="version"):
            ours.load_data("medium")


def test_words_and_topics(home, monkeypatch, server):
    assert reuters.get_label_names() == keras.datasets.reuters.get_label_names()
    url, folder = server
    words = json.dumps({"the": 1, "and": 2, "d'être": 3}).encode()
    (folder / "imdb_word_index.json").write_bytes(words)
    monkeypatch.setattr(_keras_files, "download_unchecked", _at(_keras_files.download_unchecked, url))
    with pytest.raises(DownloadError, match="MD5 bfafd718"):
        imdb.get_word_index()
    assert not list(home.rglob("*.json*"))
    monkeypatch.setattr(_imdb, "INDEX_MD5", hashlib.md5(words).hexdigest())
    assert imdb.get_word_index() == {"the": 1, "and": 2, "d'être": 3}
    (folder / "imdb_word_index.json").unlink()
    assert imdb.get_word_index()["and"] == 2  # kept
    bad = home / "imdb" / "imdb_word_index.json"
    for text in ("[1]", '{"a": "b"}', "{", "[" * 100_000):
        bad.write_text(text)
        with pytest.raises(FileFormatError, match=r"imdb_word_index\.json"):
            imdb.get_word_index()


def test_files_are_fetched_and_checked(home, monkeypatch, server):
    url, folder = server
    write_imdb(folder / "imdb.npz")
    monkeypatch.setattr(_keras_files, "download", _at(_keras_files.download, url))
    with pytest.raises(DownloadError, match="SHA-256 69664113"):
        imdb.load_data()
    monkeypatch.setattr(_imdb, "SHA256", hashlib.sha256((folder / "imdb.npz").read_bytes()).hexdigest())
    (x_train, y_train), _ = imdb.load_data(num_words=100)
    assert (len(x_train), y_train.shape) == (30, (30,))
    assert (home / "imdb" / "imdb.npz").is_file()
    assert len(imdb.load_data(path=folder / "imdb.npz")[1][0]) == 20
    with pytest.warns(DeprecationWarning, match="write num_words"):
        imdb.load_data(nb_words=100)


def _at(fetch, url: str):
    return lambda address, target, *rest: fetch(url + address.rpartition("/")[2], target, *rest)


@given(
    st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), max_size=8),
    st.sampled_from((2, 3, 4, 5)),
)
def test_streams_of_numpy_are_read(lists, protocol):
    array = np.empty(len(lists), dtype=object)
    for index, row in enumerate(lists):
        array[index] = row
    found = read_plain(pickle.dumps(array, protocol), "x")
    assert found.shape == array.shape
    assert found.tolist() == lists


def test_images_of_a_dict_are_read():
    table = {
        b"data": np.arange(24, dtype=np.uint8).reshape(4, 6),
        b"fine_labels": [3, 1, 2, 0],
        b"n": [b"a.png"],
    }
    for protocol in (2, 3, 4):
        found = read_plain(pickle.dumps(table, protocol), "x")
        np.testing.assert_array_equal(found[b"data"], table[b"data"])
        assert found[b"fine_labels"] == [3, 1, 2, 0]


class Attack:
    """Writes a file when pickle's own reader meets it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


HOSTILE = {
    "a class": pickle.dumps(Path("x"), 2),
    "a set": pickle.dumps({1, 2}, 4),
    "an old call": b"cos\nsystem\n(S'true'\ntR.",
    "a stacked name": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "an instance": b"(i__main__\nX\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent name": b"Px\n.",
    "a word alone": b"cnumpy\nndarray\n.",
    "a call of a word": b"cnumpy\nndarray\n)R.",
    "a type of objects": b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00V9K\x00K\x01\x87R.",
    "half a stream": pickle.dumps(rows(3, 0))[:-20],
    "nothing": b"",
    "an empty stack": b".",
    "deep tuples": b"K\x01" + b"\x85" * 5 + b"R.",
    "a wrong mark": b"(0e.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_streams_are_refused(name):
    with pytest.raises(FileFormatError, match="evil: expected"):
        read_plain(HOSTILE[name], "evil")


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_one_error(data):
    with suppress(FileFormatError):
        read_plain(data, "x")


@given(st.integers(0, 400), st.integers(0, 255))
def test_changed_streams_give_a_value_or_one_error(place, byte):
    data = bytearray(pickle.dumps(rows(8, 3), 2))
    data[place % len(data)] = byte
    with suppress(FileFormatError):
        read_plain(bytes(data), "x")


def test_hostile_archives_are_refused(home, tmp_path):
    mark = tmp_path / "mark"
    evil = np.array([Attack(mark)], dtype=object)
    path = home / "reuters" / "reuters.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x=evil, y=np.zeros(1))
    with pytest.raises(FileFormatError, match=r"(posix|nt)\.mkdir"):
        reuters.load_data()
    assert not mark.exists()
    for x in (np.array([None, [1]], dtype=object), np.array([[1], ["a"]], dtype=object)):
        np.savez(path, x=x, y=np.zeros(len(x)))
        with pytest.raises(FileFormatError):
            reuters.load_data()
    np.savez(path, x=rows(3, 0), y=np.zeros(4))
    with pytest.raises(FileFormatError, match="as many labels"):
        reuters.load_data()
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("x.npy", "w", force_zip64=True) as member:
        for _ in range(520):
            member.write(bytes(2**20))
    with pytest.raises(FileFormatError, match="at most 536,870,912 bytes"):
        reuters.load_data()
    path.write_bytes(b"not a zip")
    with pytest.raises(FileFormatError, match=r"an \.npz archive with x, y"):
        reuters.load_data()


def cifar_part(count: int, seed: int) -> dict[bytes, object]:
    draw = np.random.RandomState(seed)
    return {
        b"data": draw.randint(0, 256, (count, 3072)).astype(np.uint8),
        b"fine_labels": draw.randint(0, 100, count).tolist(),
        b"coarse_labels": draw.randint(0, 20, count).tolist(),
        b"filenames": [b"x.png"] * count,
    }


def test_cifar100(home, monkeypatch, server):
    url, folder = server
    parts = {"train": cifar_part(6, 0), "test": cifar_part(4, 1)}
    with tarfile.open(folder / "cifar-100-python.tar.gz", "w:gz") as archive:
        for name, part in parts.items():
            data = pickle.dumps(part, 2)
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    checksum = hashlib.sha256((folder / "cifar-100-python.tar.gz").read_bytes()).hexdigest()
    monkeypatch.setattr(_cifar100, "URL", url + "cifar-100-python.tar.gz")
    with pytest.raises(DownloadError, match="SHA-256 85cd44d0"):
        cifar100.load_data()
    monkeypatch.setattr(_cifar100, "SHA256", checksum)
    for mode in ("fine", "coarse"):
        for (x, y), part in zip(cifar100.load_data(mode), parts.values()):
            np.testing.assert_array_equal(x.transpose(0, 3, 1, 2).reshape(len(x), -1), part[b"data"])
            assert y[:, 0].tolist() == part[f"{mode}_labels".encode()]
            assert (x.dtype, y.shape[1], x.shape[1:]) == (np.uint8, 1, (32, 32, 3))
    assert (len(cifar100.CLASS_NAMES), cifar100.CLASS_NAMES[8]) == (100, "bicycle")
    with pytest.raises(ArgumentError, match="label_mode"):
        cifar100.load_data("medium")
    unpacked = home / "cifar100" / "cifar-100-python"
    unpacked.mkdir()
    for name, part in parts.items():
        (unpacked / name).write_bytes(pickle.dumps(part, 2))
    assert cifar100.load_data()[0][0].shape == (6, 32, 32, 3)
    bad = [(b"fine_labels", [100] * 6), (b"fine_labels", [1]), (b"data", b"x"), (b"data", np.zeros((6, 9)))]
    for key, value in bad:
        (unpacked / "train").write_bytes(pickle.dumps({**parts["train"], key: value}, 2))
        with pytest.raises(FileFormatError, match="train"):
            cifar100.load_data()

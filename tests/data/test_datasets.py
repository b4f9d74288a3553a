"""The sets by name: formats read strictly, places searched in order, real files where they are at hand."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from drawn import photo, tree
from PIL import Image

import neocog.datasets
from neocog.data import DATASETS, dataset
from neocog.data._datasets import _cifar10, _idx, _mnist
from neocog.datasets import cats_vs_dogs, cifar10, digits, fashion_mnist, mnist
from neocog.exceptions import ArgumentError, DataError, DownloadError, FileFormatError, UnknownNameError


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty machine: no data anywhere, and no way out."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    return tmp_path


def real(name: str) -> bool:
    roots = [os.environ.get("NEOCOG_DATA", ""), os.path.join(os.environ.get("NEOCOG_HOME", ""), "datasets")]
    return any(root and os.path.isdir(os.path.join(root, name)) for root in roots)


def needs(name: str):
    reason = f"no {name} below NEOCOG_DATA or NEOCOG_HOME/datasets"
    return lambda test: pytest.mark.data(pytest.mark.skipif(not real(name), reason=reason)(test))


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder: Path, count: int = 3) -> None:
    folder.mkdir(parents=True)
    for name in _mnist.CHECKSUMS:
        array = (
            np.full((count, 28, 28), 7, np.uint8) if "images" in name else np.arange(count, dtype=np.uint8)
        )
        (folder / name).write_bytes(gzip.compress(idx(array)))


def test_digits():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, x_test.shape) == ((1438, 8, 8), (359, 8, 8))
    assert (x_train.dtype, y_train.dtype, x_train.max()) == (np.uint8, np.uint8, 16)
    assert np.bincount(y_test).min() >= 34
    again = digits.load_data()
    assert np.array_equal(again[0][0], x_train)
    assert len(digits.load_data(test_fraction=0.5)[1][1]) in range(890, 910)
    with pytest.raises(ArgumentError, match="test_fraction"):
        digits.load_data(test_fraction=1)


def test_the_table_of_names():
    assert list(DATASETS) == ["digits", "mnist", "fashion_mnist", "cifar10", "cats_vs_dogs"]
    assert dataset("Fashion-MNIST").name == "fashion_mnist"
    assert dataset("cats-vs-dogs").path is cats_vs_dogs.path
    with pytest.raises(UnknownNameError, match="Did you mean 'digits'"):
        dataset("digit")
    assert set(neocog.datasets.__all__) >= set(DATASETS)
    for name in ("mnist", "fashion_mnist", "cifar10"):
        assert len(DATASETS[name].class_names) == 10


def test_places_are_searched_in_order(home):
    write_mnist(home / "user" / ".neocog" / "datasets" / "mnist", 1)
    assert len(mnist.load_data()[0][0]) == 1
    write_mnist(home / "home" / "datasets" / "mnist", 2)
    assert len(mnist.load_data("mnist.npz")[0][0]) == 2
    write_mnist(home / "data" / "mnist", 3)
    (x, y), (x_test, _) = mnist.load_data()
    assert (x.shape, y.tolist(), x_test.dtype) == ((3, 28, 28), [0, 1, 2], np.uint8)
    assert x.flags.writeable


def test_what_is_missing_is_downloaded_from_the_official_address(home, monkeypatch):
    asked = []

    def fetch(url, target, sha256):
        asked.append((url, sha256))
        target.parent.mkdir(parents=True, exist_ok=True)
        array = np.zeros((2, 28, 28), np.uint8) if "images" in url else np.zeros(2, np.uint8)
        target.write_bytes(gzip.compress(idx(array)))

    monkeypatch.setattr(_idx, "download", fetch)
    assert fashion_mnist.load_data()[0][0].shape == (2, 28, 28)
    first = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"
    assert asked[0] == (first, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84")
    assert len(asked) == 4
    assert (home / "home" / "datasets" / "fashion-mnist" / "train-labels-idx1-ubyte.gz").exists()
    fashion_mnist.load_data()
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (gzip.compress(struct.pack(">IIII", 2049, 1, 2, 2) + b"1234"), "magic 2051, got 2049"),
        (gzip.compress(b""), "magic 2051, got an empty file"),
        (gzip.compress(struct.pack(">IIII", 2051, 2, 2, 2) + b"1234"), "8 bytes for sizes .*, got 4 bytes"),
        (gzip.compress(struct.pack(">IIII", 2051, 1, 2, 2) + b"12345"), "got more bytes"),
        (gzip.compress(struct.pack(">IIII", 2051, 2**31, 2**31, 9)), "at most"),
        (gzip.compress(struct.pack(">III", 2051, 1, 2)), "magic 2051"),
        (b"plain bytes", "a whole gzip file"),
        (gzip.compress(idx(np.zeros((9, 99, 99), np.uint8)))[:40], "a whole gzip file"),
    ],
)
def test_idx_files_are_read_strictly(tmp_path, data, text):
    (tmp_path / "x.gz").write_bytes(data)
    with pytest.raises(FileFormatError, match=text):
        _idx.read_idx(tmp_path / "x.gz", 3)


def test_images_and_labels_must_agree(home):
    write_mnist(home / "data" / "mnist", 3)
    labels = home / "data" / "mnist" / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.zeros(2, np.uint8))))
    with pytest.raises(DataError, match="as many labels as images"):
        mnist.load_data()


def binary_cifar() -> dict[str, bytes]:
    draw = np.random.RandomState(0)
    rows = np.zeros((10_000, _cifar10._ROW), np.uint8)  # mostly zeros: the archive is written fast
    rows[:20] = draw.randint(0, 10, (20, _cifar10._ROW))
    names = [f"data_batch_{n}.bin" for n in range(1, 6)] + ["test_batch.bin"]
    return {name: np.roll(rows, shift, 0).tobytes() for shift, name in enumerate(names)}


def archive_of(files: dict[str, bytes], prefix: str = "cifar-10-batches-bin/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_the_official_cifar10_is_read_in_memory(home):
    files = binary_cifar()
    folder = home / "data" / "cifar10"
    folder.mkdir(parents=True)
    extra = {**files, "../../escape.txt": b"x", "readme.html": b"y"}
    (folder / "cifar-10-binary.tar.gz").write_bytes(archive_of(extra))
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == (
        (50000, 32, 32, 3),
        (50000, 1),
        (10000, 32, 32, 3),
        (10000, 1),
    )
    row = np.frombuffer(files["data_batch_1.bin"], np.uint8)[: _cifar10._ROW]
    assert y[0, 0] == row[0]
    assert x[0, 2, 5].tolist() == [row[1 + 1024 * c + 2 * 32 + 5] for c in range(3)]
    assert sorted(p.name for p in home.rglob("*") if p.is_file()) == ["cifar-10-binary.tar.gz"]
    (folder / "cifar-10-batches-bin").mkdir()
    for name, data in files.items():
        (folder / "cifar-10-batches-bin" / name).write_bytes(data)
    assert np.array_equal(cifar10.load_data()[0][0], x)


def test_a_damaged_cifar10_is_refused(home, monkeypatch):
    folder = home / "data" / "cifar10"
    folder.mkdir(parents=True)
    target = folder / "cifar-10-binary.tar.gz"
    target.write_bytes(archive_of({"data_batch_1.bin": b"short"}))
    with pytest.raises(FileFormatError, match="no data_batch_1"):
        cifar10.load_data()
    target.write_bytes(b"no archive")
    with pytest.raises(FileFormatError, match=r"a whole \.tar\.gz"):
        cifar10.load_data()
    target.write_bytes(archive_of(binary_cifar())[:50_000])
    with pytest.raises(FileFormatError, match=r"a whole \.tar\.gz"):
        cifar10.load_data()
    target.unlink()
    monkeypatch.setattr(_cifar10, "download", lambda url, path, sha256: target)
    target.write_bytes(b"other")
    target.rename(folder / "other.gz")
    monkeypatch.setattr(_cifar10, "download", lambda url, path, sha256: folder / "other.gz")
    with pytest.raises(FileFormatError, match=_cifar10.MD5):
        cifar10.load_data()


def packed(path: Path, **changes: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo(32, 32)).save(buffer, "JPEG")
    one = np.frombuffer(buffer.getvalue(), np.uint8)
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "test"):
        arrays[f"{part}_jpeg"] = np.concatenate([one, one])
        arrays[f"{part}_offsets"] = np.array([0, len(one), 2 * len(one)])
        arrays[f"{part}_labels"] = np.array([3, 9], np.uint8)
    np.savez(path, **{**arrays, **changes})


def test_the_packed_cifar10(home):
    path = home / "data" / "cifar10" / "cifar10_jpeg.npz"
    path.parent.mkdir(parents=True)
    packed(path)
    (x, y), _ = cifar10.load_data()
    assert (x.shape, y.tolist()) == ((2, 32, 32, 3), [[3], [9]])
    assert np.abs(x[1].astype(int) - photo(32, 32)).mean() < 4
    for changes, text in [
        ({"train_offsets": np.array([0, 5, 5])}, "rising offsets"),
        ({"train_offsets": np.array([0, -5, 10**9])}, "rising offsets"),
        ({"train_labels": np.array([3, 11], np.uint8)}, "labels from 0 to 9"),
        ({"train_jpeg": np.array([{}, {}], dtype=object)}, "the packed CIFAR-10"),
    ]:
        packed(path, **changes)
        with pytest.raises((FileFormatError, DataError), match=text):
            cifar10.load_data()
    path.write_bytes(b"no zip")
    with pytest.raises(FileFormatError, match="the packed CIFAR-10"):
        cifar10.load_data()


def test_cats_vs_dogs_says_where_to_put_them(home):
    with pytest.raises(DataError, match=r"data/cats-vs-dogs or .*licence.*Get them from https"):
        cats_vs_dogs.path()
    tree(home / "data" / "cats_vs_dogs" / "train", {"cat": 1, "dog": 1})
    assert cats_vs_dogs.path() == home / "data" / "cats_vs_dogs"
    assert cats_vs_dogs.path("train").name == "train"
    with pytest.raises(DataError, match="the test photographs"):
        cats_vs_dogs.path("test")
    with pytest.raises(ArgumentError, match="split"):
        cats_vs_dogs.path("dev")
    (home / "data" / "cats_vs_dogs" / "validation").mkdir()
    (home / "data" / "cats_vs_dogs" / "test").mkdir()
    assert [p.name for p in cats_vs_dogs.load_data()] == ["train", "validation", "test"]


def test_without_a_network_the_error_is_clear(home, monkeypatch):
    monkeypatch.setattr(_mnist, "BASE", "http://127.0.0.1:9/")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DownloadError, match="no connection"):
        mnist.load_data()


@needs("mnist")
def test_real_mnist():
    (x, y), (x_test, y_test) = mnist.load_data()
    assert (x.shape, y.shape, x_test.shape) == ((60000, 28, 28), (60000,), (10000, 28, 28))
    assert np.bincount(y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert y[:5].tolist() == [5, 0, 4, 1, 9]
    assert y_test[:3].tolist() == [7, 2, 1]


@needs("fashion-mnist")
def test_real_fashion_mnist():
    (x, y), (_, y_test) = fashion_mnist.load_data()
    assert x.mean() == pytest.approx(72.9404, abs=1e-4)
    assert x.std() == pytest.approx(90.0212, abs=1e-4)
    assert np.bincount(y).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10


@needs("cifar10")
@pytest.mark.slow
def test_real_cifar10():
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert (x.shape, x_test.shape, y.shape) == ((50000, 32, 32, 3), (10000, 32, 32, 3), (50000, 1))
    assert np.bincount(y.ravel()).tolist() == [5000] * 10
    assert y_test.dtype == np.uint8


@needs("cats-vs-dogs")
def test_real_cats_vs_dogs():
    train, validation, test = cats_vs_dogs.load_data()
    assert [len(list(folder.rglob("*.jpg"))) for folder in (train, validation, test)] == [2000, 500, 500]

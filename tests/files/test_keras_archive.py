"""`.keras` files: what is written, and every hostile zip refused."""

from __future__ import annotations

import io
import random
import struct
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from saving_files import branches, same_values, values

from neocog.exceptions import ArgumentTypeError, FileFormatError, NeocogError, StorageError
from neocog.files import load_weights_h5, read_keras_archive, weights_h5_bytes, write_keras_archive

CONFIG = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": []}}
NAMES = ["metadata.json", "config.json", "model.weights.h5"]


def written(folder: Path) -> bytes:
    write_keras_archive(folder / "m.keras", CONFIG, weights_h5_bytes(branches()))
    return (folder / "m.keras").read_bytes()


def test_it_comes_back(tmp_path: Path) -> None:
    layer = branches()
    write_keras_archive(tmp_path / "m.keras", CONFIG, weights_h5_bytes(layer), {"note": "한글"})
    archive = read_keras_archive(tmp_path / "m.keras")
    assert archive.config == CONFIG
    assert archive.metadata["keras_version"] == "3.15.1"
    assert archive.metadata["note"] == "한글"
    assert "neocog_version" in archive.metadata
    other = branches()
    load_weights_h5(other, archive.weights)
    assert same_values(values(layer), values(other))
    assert read_keras_archive((tmp_path / "m.keras").read_bytes()).config == CONFIG


def test_members_are_stored_in_keras_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(written(tmp_path))) as archive:
        assert archive.namelist() == NAMES
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


def test_what_real_keras_wrote_is_read(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(str(tmp_path / "m.keras"))
    archive = read_keras_archive(tmp_path / "m.keras")
    assert archive.config["class_name"] == "Sequential"
    assert archive.weights.startswith(b"\x89HDF")


def remade(data: bytes, **changes: Any) -> bytes:
    """The same zip with other members: name to bytes, None to leave one out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.update(changes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return buffer.getvalue()


def renamed(data: bytes, old: str, new: str) -> bytes:
    assert len(old) == len(new)
    return data.replace(old.encode(), new.encode())


def twice(data: bytes) -> bytes:
    buffer = io.BytesIO(data)
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", "{}")
    return buffer.getvalue()


def packed(data: bytes, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    base = remade(data, **{name: None})
    buffer = io.BytesIO(base)
    with zipfile.ZipFile(buffer, "a", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def many(data: bytes) -> bytes:
    return remade(data, **{f"assets/{number}": b"" for number in range(1500)})


def long_names(data: bytes) -> bytes:
    return remade(data, **{f"assets/{number}/" + "x" * 60_000: b"" for number in range(20)})


def zip64_lie(data: bytes) -> bytes:
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**50, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)
    return data[:-22] + end + locator + data[-22:]


def spoiled(data: bytes) -> bytes:
    at = data.index(b"\x89HDF") + 200
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def encrypted(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + b"\x01" + data[at + 9 :]


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "two of one name": (twice, "two members called 'config.json'"),
    "same but for case": (lambda d: remade(d, **{"CONFIG.json": b"{}"}), "two members called"),
    "climbing name": (lambda d: remade(d, **{"assets/../../x": b""}), "leads elsewhere"),
    "absolute name": (lambda d: remade(d, **{"/etc/passwd": b""}), "leads elsewhere"),
    "drive": (lambda d: remade(d, **{"C:/x": b""}), "leads elsewhere"),
    "backslash": (lambda d: remade(d, **{"assets\\..\\x": b""}), "leads elsewhere"),
    "zero in a name": (lambda d: renamed(d, "metadata.json", "metadata\0json"), "leads elsewhere|fault"),
    "other members": (lambda d: remade(d, **{"run.py": b"print()"}), "no members but"),
    "a pickle inside": (lambda d: remade(d, **{"data.pkl": b"\x80\x04."}), "no members but"),
    "no config": (lambda d: remade(d, **{"config.json": None}), "the member config.json"),
    "npz weights": (
        lambda d: remade(d, **{"model.weights.h5": None, "model.weights.npz": b""}), "weights_format='h5'",
    ),
    "zip bomb": (lambda d: packed(d, "model.weights.h5", bytes(50_000_000)), "would grow from"),
    "config bomb": (lambda d: packed(d, "config.json", b" " * 10**7), "would grow from"),
    "large config": (lambda d: remade(d, **{"config.json": b" " * 2 * 10**7}), "at most 16777216 b"),
    "large metadata": (lambda d: remade(d, **{"metadata.json": b" " * 2 * 10**6}), "at most 1048576 bytes"),
    "other packing": (lambda d: packed(d, "config.json", b"{}" * 9, zipfile.ZIP_LZMA), "packed by method 14"),
    "many members": (many, "at most 1000 members"),
    "long directory": (long_names, "at most 1000 members, got 23 in"),
    "zip64 lie": (zip64_lie, "at most 1000 members"),
    "bad checksum": (spoiled, "Bad CRC"),
    "encrypted": (encrypted, "an encrypted member"),
    "appended": (lambda d: d + b"more", "end record is missing"),
    "comment": (lambda d: d[:-2] + b"\x04\x00more", "end record is missing"),
    "cut": (lambda d: d[:-40], "end record is missing"),
    "only a start": (lambda d: d[:10], "too short"),
    "config is a list": (lambda d: remade(d, **{"config.json": b"[]"}), "expected a JSON object, got list"),
    "config is no json": (lambda d: remade(d, **{"config.json": b"{"}), "expected JSON"),
    "config is deep": (lambda d: remade(d, **{"config.json": b"[" * 10_000}), "levels deep|JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    attack, text = HOSTILE[name]
    data = attack(written(tmp_path))
    path = tmp_path / "evil.keras"
    path.write_bytes(data)
    before = sorted(tmp_path.rglob("*"))
    for source in (path, data):
        started = time.perf_counter()
        with pytest.raises(FileFormatError, match=text):
            read_keras_archive(source)
        assert time.perf_counter() - started < 2
    assert sorted(tmp_path.rglob("*")) == before


def test_members_packed_in_proportion_are_read(tmp_path: Path) -> None:
    data = packed(written(tmp_path), "config.json", b'{"class_name": "Sequential"}' + b" " * 1000)
    assert read_keras_archive(data).config == {"class_name": "Sequential"}
    with_assets = remade(data, **{"assets/layers/lookup/vocabulary.txt": b"a\nb"})
    assert read_keras_archive(with_assets).config == {"class_name": "Sequential"}


def test_mutated_files_raise_nothing_but_our_errors(tmp_path: Path) -> None:
    data = written(tmp_path)
    draw = random.Random(11)
    for _ in range(1000):
        mutated = bytearray(data)
        # The directory and the headers are where a zip is fragile: half of the changes go there.
        low = 4 if draw.random() < 0.5 else data.index(b"PK\x01\x02")
        for _ in range(draw.choice((1, 2, 5))):
            mutated[draw.randrange(low, len(mutated))] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
        try:
            archive = read_keras_archive(bytes(mutated))
            load_weights_h5(branches(), archive.weights)
        except NeocogError:
            pass


def test_values_without_plain_form_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match=r'config\.json, "config\.tags": expected numbers'):
        write_keras_archive(tmp_path / "m.keras", {"config": {"tags": {1}}}, b"")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        read_keras_archive(tmp_path / "none.keras")

"""HDF5 files made to read elsewhere, to fill the memory or to crash: each is refused, no weight changes."""

from __future__ import annotations

import io
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from saving_files import branches, randomize, same_values, values

from neocog.exceptions import FileFormatError, NeocogError
from neocog.files import load_weights_h5, save_weights_h5, weights_h5_bytes


def soft_dataset(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars/0"] = h5py.SoftLink("/shared/vars/0")


def soft_group(file: h5py.File, folder: Path) -> None:
    del file["_last"]
    file["_last"] = h5py.SoftLink("/shared")


def external_dataset(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars/0"] = h5py.ExternalLink(str(folder / "secret.h5"), "/shared/vars/0")


def external_group(file: h5py.File, folder: Path) -> None:
    del file["blocks"]
    file["blocks"] = h5py.ExternalLink(str(folder / "secret.h5"), "/blocks")


def external_beside(file: h5py.File, folder: Path) -> None:
    file["blocks/more"] = h5py.ExternalLink(str(folder / "secret.h5"), "/blocks")


def external_storage(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    (folder / "secret.bin").write_bytes(np.ones(3, "float32").tobytes())
    file["_last/vars"].create_dataset("0", (3,), "float32", external=[(str(folder / "secret.bin"), 0, 12)])


def virtual(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "_last/vars/0", (3,))
    file["_last/vars"].create_virtual_dataset("0", layout)


def huge_shape(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset("0", (2**40,), "float32", chunks=(1024,), compression="gzip")


def huge_chunk(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset(
        "0",
        (3,),
        "float32",
        maxshape=(None,),
        chunks=(2**26,),
        compression="gzip",
        data=np.ones(3, "float32"),
    )


def never_stored(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset("0", (3,), "float32")


def texts(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset("0", data=["a", "b", "c"], dtype=h5py.string_dtype())


def references(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset("0", data=[file.ref] * 3, dtype=h5py.ref_dtype)


def compound(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_dataset("0", data=np.zeros(3, [("a", "f4"), ("b", "f4")]))


def empty_space(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"]["0"] = h5py.Empty("f4")


def group_for_dataset(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars"].create_group("0")


def dataset_for_group(file: h5py.File, folder: Path) -> None:
    del file["_last"]
    file["_last"] = np.ones(3)


def named_type(file: h5py.File, folder: Path) -> None:
    del file["_last/vars/0"]
    file["_last/vars/0"] = np.dtype("f4")


def maze(file: h5py.File, folder: Path) -> None:
    first = file.create_group("maze")
    for number in range(40):
        first[f"again{number}"] = first  # each a hard link to its own group


def many_members(file: h5py.File, folder: Path) -> None:
    for number in range(25_000):
        file.create_group(f"many/{number}")


HOSTILE: list[tuple[Callable[..., None], str]] = [
    (soft_dataset, "a soft link"),
    (soft_group, "a soft link"),
    (external_dataset, "an external link"),
    (external_group, "an external link"),
    (external_beside, "an external link"),
    (external_storage, "external file"),
    (virtual, "virtual data set"),
    (huge_shape, r"expected chunks that fit|expected shape \(3,\)"),
    (huge_chunk, "chunks that fit"),
    (never_stored, "0 stored"),
    (texts, "expected numbers"),
    (references, "expected numbers"),
    (compound, "expected numbers"),
    (empty_space, "empty data space"),
    (group_for_dataset, "expected a data set, got Group"),
    (dataset_for_group, "expected a group, got Dataset"),
    (named_type, "expected a data set, got Datatype"),
    (maze, "maze of links"),
    (many_members, "at most"),
]


@pytest.mark.parametrize(("attack", "text"), HOSTILE, ids=lambda item: getattr(item, "__name__", None))
def test_it_is_refused_and_nothing_changes(attack: Callable[..., None], text: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.weights.h5"
    save_weights_h5(randomize(branches()), path)
    save_weights_h5(randomize(branches()), tmp_path / "secret.h5")
    with h5py.File(path, "a") as file:
        attack(file, tmp_path)
    layer = branches()
    before = values(layer)
    tracemalloc.start()
    started = time.perf_counter()
    for skip in (False, True):
        with pytest.raises(NeocogError, match=text):
            load_weights_h5(layer, path, skip_mismatch=skip and attack is not huge_shape)
    assert time.perf_counter() - started < 5  # both tries, under any load
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert same_values(before, values(layer))


def test_a_user_defined_link_is_refused() -> None:
    # h5py cannot write one, so its kind (64 or more) is simulated.
    import neocog.files._h5_guard as guard

    class Links:
        def exists(self, name: bytes) -> bool:
            return True

        def get_info(self, name: bytes) -> Any:
            return type("Info", (), {"type": 70})

    group = type("Group", (), {"id": type("Id", (), {"links": Links()}), "name": "/"})
    with pytest.raises(FileFormatError, match="a user-defined link"):
        guard.child("x.h5", group, "layer")


def test_mutated_files_raise_nothing_but_our_errors() -> None:
    data = weights_h5_bytes(randomize(branches()))
    draw = random.Random(7)
    layer = branches()
    refused = 0
    for _ in range(400):
        mutated = bytearray(data)
        for _ in range(draw.choice((1, 2, 8))):
            mutated[draw.randrange(8, len(mutated))] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
        if draw.random() < 0.2:
            del mutated[draw.randrange(8, len(mutated)) :]
        try:
            load_weights_h5(layer, bytes(mutated))
        except NeocogError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("cut", [9, 100, 0.5, 0.99])
def test_cut_files_are_refused(cut: float) -> None:
    data = weights_h5_bytes(branches())
    with pytest.raises(FileFormatError, match="undamaged HDF5"):
        load_weights_h5(branches(), data[: int(cut if cut > 1 else cut * len(data))])


def test_reading_opens_no_other_file(tmp_path: Path) -> None:
    import os

    fifo = tmp_path / "pipe.h5"
    os.mkfifo(fifo)  # opening it would wait for ever
    with pytest.raises(FileFormatError, match="not a regular file"):
        load_weights_h5(branches(), fifo)
    buffer = io.BytesIO(weights_h5_bytes(branches()))
    with h5py.File(buffer, "a") as file:
        del file["_last"]
        file["_last"] = h5py.ExternalLink(str(fifo), "/x")
    with pytest.raises(FileFormatError, match="external link"):
        load_weights_h5(branches(), buffer.getvalue())


def test_a_heap_without_end_is_refused() -> None:
    # libhdf5 walks it for ever: the free space of the heap of texts says that it is 0 bytes long.
    data = bytearray(weights_h5_bytes(branches()))
    heap = data.index(b"GCOL")
    place = heap + 16
    while data[place : place + 2] != b"\0\0":
        place += 16 + -(-int.from_bytes(data[place + 8 : place + 16], "little") // 8) * 8
    for size in (0, 2**40):
        data[place + 8 : place + 16] = size.to_bytes(8, "little")
        with pytest.raises(FileFormatError, match="heap of texts whose sizes don't add up"):
            load_weights_h5(branches(), bytes(data))


def test_numbers_of_another_width_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "narrow.weights.h5"
    settings = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    settings.set_sizes(4, 4)
    h5py.h5f.create(bytes(path), fcpl=settings).close()
    with pytest.raises(FileFormatError, match="addresses and lengths"):
        load_weights_h5(branches(), path)

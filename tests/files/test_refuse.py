"""Pickles and other people's formats: told apart by their bytes and refused with what to do."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from neocog.exceptions import FileFormatError, StorageError
from neocog.files import Format, expect_format, format_of, load_state, load_weights_h5, read_keras_archive


class Trap:
    """Unpickling it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def torch_file(obj: Any, **kwargs: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(obj, buffer, **kwargs)
    return buffer.getvalue()


def numpy_archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def tar_of(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def refused(mark: Path) -> dict[str, tuple[bytes, str]]:
    trap = Trap(mark)
    return {
        "pickle 5": (pickle.dumps(trap, 5), "a pickle, which can run code"),
        "pickle 2": (pickle.dumps(trap, 2), "a pickle, which can run code"),
        "pickle 0": (b"cos\nsystem\n(S'true'\ntR.", "a pickle, which can run code"),
        "pickle 0 list": (pickle.dumps([trap], 0), "a pickle, which can run code"),
        "torch": (torch_file({"w": torch.ones(2)}), "a torch.save file.*weights_only=True"),
        "torch object": (torch_file([trap]), "a torch.save file"),
        "torch before 1.6": (torch_file([trap], _use_new_zipfile_serialization=False), "a torch.save file"),
        "npz": (numpy_archive(w=np.ones(2)), "a NumPy archive.*set_weights"),
        "npy of objects": (npy(np.array([1, None], object)), "a NumPy array"),
        "joblib": (gzip.compress(pickle.dumps(trap)), "a compressed file"),
        "tar": (tar_of(pickle.dumps(trap)), "a tar archive"),
        "empty": (b"", "an empty file"),
        "text": (b"hello, this is text", "something unknown"),
    }


KINDS = sorted(refused(Path("unused")))
READERS = [
    ("m.keras", read_keras_archive),
    ("m.weights.h5", lambda path: load_weights_h5(torch.nn.Linear(1, 1), path)),
    ("m.safetensors", lambda path: load_state(torch.nn.Linear(1, 1), path)),
]


@pytest.mark.parametrize(("name", "read"), READERS, ids=[name for name, _ in READERS])
@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_refuses_it(kind: str, name: str, read: Any, tmp_path: Path) -> None:
    data, text = refused(tmp_path / "mark")[kind]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileFormatError, match=f"{name}: expected an? .* file, got {text}"):
        read(tmp_path / name)
    assert not (tmp_path / "mark").exists()


def test_the_trap_would_have_sprung(tmp_path: Path) -> None:
    pickle.loads(refused(tmp_path / "mark")["pickle 5"][0])  # noqa: S301 - our own, to show that it bites
    assert (tmp_path / "mark").exists()


def test_saved_model_folders_and_other_folders(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="got a folder"):
        read_keras_archive(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(FileFormatError, match=r"got a TensorFlow SavedModel.*model.save"):
        read_keras_archive(tmp_path)


def test_our_formats_under_a_wrong_name_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.keras", "w") as file:
        file["x"] = 1
    with pytest.raises(FileFormatError, match=r"expected a .keras file, got an HDF5 file.*ends in \.h5"):
        read_keras_archive(tmp_path / "m.keras")
    expect_format(tmp_path / "m.keras", Format.HDF5)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.keras", "KERAS"),
        ("a.weights.h5", "HDF5"),
        ("w.01-0.5.hdf5", "HDF5"),
        ("A.H5", "HDF5"),
        ("a.safetensors", "SAFETENSORS"),
    ],
)
def test_the_suffix_says_the_format(name: str, wanted: str) -> None:
    assert format_of(name).name == wanted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.pt", "stands for a torch.save file"),
        ("m.pkl", "stands for a pickle"),
        ("m.npz", "stands for a NumPy archive"),
        ("m", "got ''"),
        ("m.txt", "Give the file one of these names"),
    ],
)
def test_other_suffixes_are_refused_with_advice(name: str, text: str) -> None:
    with pytest.raises(FileFormatError, match=text):
        format_of(name)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        expect_format(tmp_path / "none.h5", Format.HDF5)
    with pytest.raises(FileFormatError, match="a device or pipe"):
        expect_format("/dev/zero", Format.HDF5)
    with pytest.raises(StorageError, match="could not be read"):
        expect_format("a\0b.h5", Format.HDF5)

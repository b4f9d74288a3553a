"""A full or read-only disk leaves what was there, and nothing half-written beside it."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from saving_files import branches, same_values, values
from torch import nn

from neocog.exceptions import FileFormatError, ShapeError, StorageError
from neocog.files import (
    load_model_folder,
    load_weights_h5,
    read_model_config,
    save_model_folder,
    save_state,
    save_weights_h5,
    write_keras_archive,
)

WRITERS: dict[str, Callable[[nn.Module, Path], Any]] = {
    "m.weights.h5": save_weights_h5,
    "m.safetensors": save_state,
    "m.keras": lambda module, path: write_keras_archive(path, {"config": {}}, bytes(200_000)),
}


def module() -> nn.Module:
    return nn.Linear(300, 100)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: the kernel refuses the write, as on a full disk."""
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("size", [0, 10_000, 100_000])
def test_a_write_that_fails_midway_leaves_the_old_file(name: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"what was there")
    with disk_of(size), pytest.raises(StorageError, match=f"{name}: could not be written .*space left"):
        WRITERS[name](module(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"what was there"
    WRITERS[name](module(), path)  # and works again when there is space
    assert path.stat().st_size > 100_000


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_at_the_end_leaves_the_old_file(
    name: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / name
    path.write_bytes(b"what was there")
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StorageError, match="No space left on device"):
        WRITERS[name](module(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"what was there"


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_is_a_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="could not be written"):
        WRITERS[name](module(), tmp_path / "file" / name)


def test_h5_writing_leaves_the_weights_alone(tmp_path: Path) -> None:
    layer = branches()
    before = values(layer)
    save_weights_h5(layer, tmp_path / "deep" / "folder" / "m.weights.h5")
    load_weights_h5(layer, tmp_path / "deep" / "folder" / "m.weights.h5")
    assert same_values(before, values(layer))


# --- a model as a folder ---


def build(config: dict[str, Any]) -> nn.Module:
    return nn.Linear(config["inputs"], config["units"])


def test_a_model_folder_comes_back(tmp_path: Path) -> None:
    linear = nn.Linear(3, 2)
    save_model_folder(
        {"inputs": 3, "units": 2, "classes": ("고양이", "개")}, linear, tmp_path / "run", {"epoch": "4"}
    )
    assert sorted(os.listdir(tmp_path / "run")) == ["model.json", "model.safetensors"]
    assert read_model_config(tmp_path / "run") == {"inputs": 3, "units": 2, "classes": ["고양이", "개"]}
    other = load_model_folder(tmp_path / "run", build)
    assert torch.equal(other.weight, linear.weight)


def test_files_of_two_models_are_told_apart(tmp_path: Path) -> None:
    save_model_folder({"inputs": 3, "units": 2, "rate": 1}, nn.Linear(3, 2), tmp_path / "a")
    save_model_folder({"inputs": 3, "units": 2, "rate": 2}, nn.Linear(3, 2), tmp_path / "b")
    os.replace(tmp_path / "a" / "model.json", tmp_path / "b" / "model.json")
    with pytest.raises(FileFormatError, match="of one model, got files of two"):
        load_model_folder(tmp_path / "b", build)


def test_a_folder_without_a_model_and_a_wrong_build(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError, match=r"model.json: could not be read .*Check that the folder holds a model"
    ):
        load_model_folder(tmp_path, build)
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(FileFormatError, match="expected a JSON object, got list"):
        read_model_config(tmp_path)
    save_model_folder({"inputs": 3, "units": 2}, nn.Linear(3, 2), tmp_path)
    with pytest.raises(ShapeError, match="of another shape"):
        load_model_folder(tmp_path, lambda config: nn.Linear(9, 2))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(StorageError, match="there is no such file"):
        load_model_folder(tmp_path, build)

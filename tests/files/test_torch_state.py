"""Weights of torch models: by name, by map, in order; what differs is reported, nothing half loaded."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentTypeError, FileFormatError, ShapeError, StorageError
from neocog.files import load_torch_state, read_torch_state


def theirs() -> nn.Module:
    torch.manual_seed(3)
    model = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(3, 4, 3, stride=2, padding=1), norm=nn.BatchNorm2d(4), act=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=nn.Linear(4, 5),
        )
    )  # fmt: skip
    with torch.no_grad():
        model.norm.running_mean.uniform_(-1, 1)
        model.norm.running_var.uniform_(0.5, 2)
    return model.eval()


def ours() -> Any:
    return keras.Sequential([
        layers.Input((9, 9, 3)), layers.ZeroPadding2D(1), layers.Conv2D(4, 3, strides=2),
        layers.BatchNormalization(epsilon=1e-5), layers.ReLU(), layers.GlobalAveragePooling2D(),
        layers.Dense(5),
    ])  # fmt: skip


def assert_same(model: Any, other: nn.Module) -> None:
    data = np.random.default_rng(0).normal(size=(3, 9, 9, 3)).astype("float32")
    with torch.no_grad():
        want = other(torch.from_numpy(data).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(model.predict(data, verbose=0), want, atol=1e-5)


MAP = {"conv": "conv2d", "norm": "batch_normalization", "head": "dense"}


@pytest.mark.parametrize(
    "mapping", [None, MAP, lambda name: MAP[name.split(".")[0]] + name[name.index(".") :]]
)
def test_it_predicts_the_same_afterwards(mapping: Any) -> None:
    model, other = ours(), theirs()
    report = model.load_torch_weights(other.state_dict(), mapping)
    assert (report.missing, report.unexpected) == ((), ())
    assert_same(model, other)


@pytest.mark.parametrize("wrap", ["plain", "checkpoint", "parallel", "old", "safetensors"])
def test_files_of_all_kinds(wrap: str, tmp_path: Path) -> None:
    model, other = ours(), theirs()
    state: Any = dict(other.state_dict())
    path = tmp_path / "w.pth"
    mapping = None
    if wrap == "safetensors":  # they keep no order
        path, mapping = tmp_path / "w.safetensors", MAP
        save_file(state, path)
        with pytest.raises(ShapeError, match="keep names, not their order"):
            model.load_torch_weights(path)
    elif wrap == "checkpoint":
        torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}}, path)
    elif wrap == "parallel":
        torch.save({f"module.{name}": value for name, value in state.items()}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=wrap == "plain")
    model.load_torch_weights(path, mapping)
    assert_same(model, other)


def test_our_own_names_come_first() -> None:
    first, second = ours(), ours()
    second.load_torch_weights(first.state_dict())
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_what_differs_is_named_and_nothing_changes() -> None:
    model, state = ours(), dict(theirs().state_dict())
    before = model.get_weights()
    with pytest.raises(
        ShapeError, match=r"expected 8 tensors, to go in order, got 7 under other names \(conv.weight"
    ):
        load_torch_state(model, {name: value for name, value in state.items() if name != "head.bias"})
    with pytest.raises(ShapeError, match=r"1 missing \(dense.bias\)"):
        load_torch_state(model, {k: v for k, v in state.items() if k != "head.bias"}, MAP)
    with pytest.raises(ShapeError, match=r"1 unexpected \(extra\)"):
        load_torch_state(model, {**state, "extra": torch.ones(1)}, MAP)
    wrong = {**state, "head.weight": torch.ones(7, 4)}
    with pytest.raises(
        ShapeError, match=r"head.weight \(7, 4\) torch.float32, the model's dense.weight is \(5, 4\)"
    ):
        load_torch_state(model, wrong)
    with pytest.raises(ShapeError, match="of another shape or type"):
        load_torch_state(model, wrong, MAP, strict=False)
    with pytest.raises(ArgumentTypeError, match="one tensor for each name"):
        load_torch_state(model, state, lambda name: "dense.bias")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    report = load_torch_state(
        model, {"head.bias": torch.full((5,), 7.0), "x": torch.ones(1)}, MAP, strict=False
    )
    assert "conv2d.weight" in report.missing
    assert report.unexpected == ("x",)
    assert float(model.layers[-1].get_weights()[1][0]) == 7.0


def test_what_holds_objects_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "mark",))

    torch.save({"w": torch.ones(1), "trap": Trap()}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Trap()))
    torch.save(nn.Linear(1, 1), tmp_path / "c.pt")
    for name in "abc":
        with pytest.raises(FileFormatError, match=r"tensors alone.*could run code"):
            read_torch_state(tmp_path / f"{name}.pt")
    assert not (tmp_path / "mark").exists()
    with pytest.raises(StorageError, match="there is no such file"):
        read_torch_state(tmp_path / "none.pt")
    (tmp_path / "d.safetensors").write_bytes(b"nothing")
    with pytest.raises(FileFormatError):
        read_torch_state(tmp_path / "d.safetensors")


@pytest.mark.parametrize("state", [{}, [1], {"epoch": 3}, 7])
def test_what_is_no_state_is_refused(state: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="names to tensors"):
        load_torch_state(nn.Linear(1, 1), state)

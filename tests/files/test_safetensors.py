"""Weights as safetensors: round trips, shared tensors, and errors that say which tensors do not fit."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from saving_files import branches, randomize, same_values, values
from torch import nn

from neocog._version import __version__
from neocog.exceptions import ArgumentTypeError, FileFormatError, ShapeError, StorageError
from neocog.files import load_state, read_metadata, save_state

TYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def test_a_network_comes_back_with_its_memory_layout(tmp_path: Path) -> None:
    module = network().to(memory_format=torch.channels_last)
    save_state(module, tmp_path / "m.safetensors", {"epoch": "3"})
    other = network().to(memory_format=torch.channels_last)
    report = load_state(other, tmp_path / "m.safetensors")
    assert report.missing == report.unexpected == ()
    assert same_values(values(module), values(other))
    assert other[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert report.metadata == {"format": "pt", "epoch": "3", "neocog_version": __version__}


@given(st.lists(st.integers(0, 3), max_size=3), st.sampled_from(TYPES))
def test_every_shape_and_type_comes_back(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], dtype: torch.dtype
) -> None:
    path = tmp_path_factory.mktemp("state") / "m.safetensors"
    module, other = nn.Module(), nn.Module()
    module.register_buffer("w", (torch.rand(shape) * 9).to(dtype))
    other.register_buffer("w", torch.zeros(shape, dtype=dtype))
    save_state(module, path)
    load_state(other, path)
    assert torch.equal(module.w, other.w)


def test_torch_and_safetensors_read_it(tmp_path: Path) -> None:
    module = network()
    save_state(module, tmp_path / "m.safetensors")
    other = network()
    other.load_state_dict(load_file(tmp_path / "m.safetensors"))
    assert same_values(values(module), values(other))
    save_file(network().state_dict(), tmp_path / "theirs.safetensors")
    load_state(module, tmp_path / "theirs.safetensors")


def test_neocog_layers_too(tmp_path: Path) -> None:
    layer = randomize(branches())
    save_state(layer, tmp_path / "m.safetensors")
    other = branches()
    load_state(other, tmp_path / "m.safetensors")
    assert same_values(values(layer), values(other))


class Tied(nn.Module):
    def __init__(self, tie: bool) -> None:
        super().__init__()
        self.one = nn.Linear(3, 3)
        self.other = nn.Linear(3, 3)
        if tie:
            self.other.weight = self.one.weight
            self.again = self.one


@pytest.mark.parametrize("tie", [True, False])
def test_shared_tensors_are_written_once_and_come_back(tie: bool, tmp_path: Path) -> None:
    module = Tied(True)
    save_state(module, tmp_path / "m.safetensors")
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        assert sorted(file.keys()) == ["one.bias", "one.weight", "other.bias"]
    other = Tied(tie)
    load_state(other, tmp_path / "m.safetensors")
    assert torch.equal(other.other.weight, module.one.weight)
    assert torch.equal(other.one.bias, module.one.bias)


def test_shared_tensors_are_found_without_our_note(tmp_path: Path) -> None:
    save_file({name: torch.ones(3, 3) for name in ("other.weight",)}, tmp_path / "m.safetensors")
    module = Tied(True)
    report = load_state(module, tmp_path / "m.safetensors", strict=False)
    assert set(report.missing) == {"one.bias", "other.bias", "again.bias"}
    assert torch.equal(module.one.weight, torch.ones(3, 3))


def test_a_view_into_a_larger_tensor_is_written_alone(tmp_path: Path) -> None:
    module = nn.Module()
    module.register_buffer("part", torch.arange(1000.0)[10:12])
    save_state(module, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").stat().st_size < 400


def test_what_does_not_fit_is_listed_and_nothing_changes(tmp_path: Path) -> None:
    state = network().state_dict()
    state["3.weight"] = torch.zeros(5, 4)
    state["1.running_mean"] = torch.zeros(4, dtype=torch.int64)
    state["9.weight"] = torch.zeros(1)
    del state["0.weight"], state["0.bias"]
    save_file(state, tmp_path / "m.safetensors")
    module = network()
    before = values(module)
    with pytest.raises(ShapeError) as caught:
        load_state(module, tmp_path / "m.safetensors")
    text = str(caught.value)
    assert "2 missing (0.weight, 0.bias)" in text
    assert "1 unexpected (9.weight)" in text
    assert "2 of another shape or type" in text
    assert "3.weight (5, 4), the model's is (2, 4)" in text
    assert "1.running_mean of type I64, the model's is torch.float32" in text
    with pytest.raises(ShapeError, match="2 of another shape"):
        load_state(module, tmp_path / "m.safetensors", strict=False)
    assert same_values(before, values(module))


def test_not_strict_reports_the_rest(tmp_path: Path) -> None:
    save_file({"3.bias": torch.ones(2), "head": torch.ones(1)}, tmp_path / "m.safetensors")
    module = network()
    report = load_state(module, tmp_path / "m.safetensors", strict=False)
    assert len(report.missing) == 8
    assert report.unexpected == ("head",)
    assert torch.equal(module[3].bias, torch.ones(2))


def test_many_wrong_names_are_counted(tmp_path: Path) -> None:
    save_file({f"t{number}": torch.ones(1) for number in range(40)}, tmp_path / "m.safetensors")
    with pytest.raises(ShapeError, match=r"40 unexpected \(t0, t1, t10, t11, t12, …\)"):
        load_state(nn.Module(), tmp_path / "m.safetensors")


def header(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


BROKEN = {
    "cut header": header(b'{"a"', 400),
    "huge header": header(b'{"a": 1}', 99_000_000),
    "no json": header(b"{not json at all}"),
    "beyond the end": header(
        json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    ),
    "overlap": header(
        json.dumps(
            {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in "ab"}
        ).encode()
    ) + bytes(4),
    "shape disagrees": header(
        json.dumps({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}}).encode()
    ) + bytes(4),
    "deep": header(b'{"a":' * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(BROKEN[name])
    for read in (lambda: load_state(network(), path), lambda: read_metadata(path)):
        with pytest.raises(FileFormatError, match="undamaged safetensors"):
            read()


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    save_state(network(), tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(data[:-7])
    with pytest.raises(FileFormatError, match="undamaged safetensors"):
        load_state(network(), tmp_path / "m.safetensors")


def test_a_hostile_note_on_shared_tensors_does_no_harm(tmp_path: Path) -> None:
    for note in ("[" * 100_000, "17", '{"0.weight": "0.bias"}'):
        save_file(network().state_dict(), tmp_path / "m.safetensors", {"neocog_shared": note})
        load_state(network(), tmp_path / "m.safetensors")
    state = network().state_dict()
    del state["0.weight"]
    save_file(state, tmp_path / "m.safetensors", {"neocog_shared": '{"0.weight": "0.bias"}'})
    with pytest.raises(ShapeError, match=r"0.weight \(4,\), the model's is"):
        load_state(network(), tmp_path / "m.safetensors")


def test_missing_files_and_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        load_state(network(), tmp_path / "none.safetensors")
    with pytest.raises(ArgumentTypeError, match="metadata of texts, got 'epoch': 3"):
        save_state(network(), tmp_path / "m.safetensors", {"epoch": 3})  # type: ignore[dict-item]

    class Odd(nn.Module):
        def get_extra_state(self) -> object:
            return {"anything": object()}

    with pytest.raises(ArgumentTypeError, match='state "_extra_state": expected a tensor, got dict'):
        save_state(Odd(), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []

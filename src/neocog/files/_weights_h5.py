"""Weight files in HDF5, in Keras 3's layout: `.weights.h5`, and the same inside `.keras`.

A layer's weights lie at `<path>/vars/<number>`, in Keras's layouts (kernels HWIO); `vars` names the layer in
an attribute. Layers without weights have an empty `vars`.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog._version import __version__
from neocog.core import write_bytes
from neocog.exceptions import FileFormatError, NotBuiltError, ShapeError, message
from neocog.files._groups import WeightGroup, WeightLike, weight_groups
from neocog.files._h5_guard import (
    Search,
    checked_dataset,
    child,
    damage_reported,
    member_names,
    read_values,
    subgroup,
)
from neocog.files._refuse import Format, check_signature, expect_format

_OLD_LAYERS = "_layer_checkpoint_dependencies"  # what Keras 2.12 and 2.13 called `layers`


def save_weights_h5(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write all weights of a built module as `.weights.h5`, whole or not at all; Keras 3 reads it.

    Args:
        module: layer, model or plain torch module.
        path: where to; replaced if it exists.

    Raises:
        NotBuiltError: the module has no weights yet.
        StorageError: full or read-only disk, missing permission; what was there stays.
    """
    write_bytes(path, weights_h5_bytes(module))


def weights_h5_bytes(module: nn.Module) -> bytes:
    """Return what `save_weights_h5` writes. Costs memory for one more copy of the weights."""
    import h5py

    if getattr(module, "built", True) is False:
        where = getattr(module, "label", type(module).__name__)
        raise NotBuiltError(
            message(
                where,
                expected="weights to save",
                got="a model that is not built",
                do="Call it on data first.",
            )
        )
    # In memory, because HDF5 that meets a full disk while closing a file leaves it open and broken.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["neocog_version"] = __version__
        for group in weight_groups(module):
            target = file.require_group(f"{group.path}/vars" if group.path else "vars")
            if group.name is not None:
                target.attrs["name"] = group.name
            for number, weight in enumerate(group.weights):
                _write_values(target, str(number), weight)
    return buffer.getvalue()


def _write_values(target: Any, key: str, weight: WeightLike) -> None:
    values = weight.numpy()
    if weight.value.dtype == torch.bfloat16:  # as Keras has it: two opaque bytes and a note
        bits = (np.ascontiguousarray(values, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
        target.create_dataset(key, data=bits.reshape(values.shape).view("V2"))
        target[key].attrs["dtype"] = "bfloat16"
    else:
        target.create_dataset(key, data=values)


def load_weights_h5(
    module: nn.Module,
    source: str | os.PathLike[str] | bytes,
    *,
    skip_mismatch: bool = False,
    where: str | None = None,
) -> list[str]:
    """Read a file in Keras 3's layout into a built module of the same architecture: all of it or nothing.

    Args:
        module: layer, model or plain torch module.
        source: path, or the bytes of a file.
        skip_mismatch: leave layers as they are, with a warning, where the file has other shapes or nothing.
        where: how error texts name the file; the path by default.

    Returns:
        The paths of the layers that were skipped.

    Raises:
        ShapeError: the file belongs to another architecture.
        FileFormatError: it is no such file, damaged, or has links, external or virtual data.
        StorageError: it cannot be read.
    """
    where = where or ("weights" if isinstance(source, bytes) else str(source))
    found = _Matches(where=where)
    groups = weight_groups(module)
    with damage_reported(where), _opened(where, source) as file:
        _refuse_other_layouts(where, file)
        for group in groups:
            found.match(file, group)
        found.look_for_others(file, groups)
        found.report(skip_mismatch)
        arrays = [read_values(dataset) for _, dataset in found.pairs]
    for (weight, _), array in zip(found.pairs, arrays, strict=True):
        weight.assign(array)
    return found.skipped


@contextmanager
def _opened(where: str, source: str | os.PathLike[str] | bytes) -> Iterator[Any]:
    import h5py

    if isinstance(source, bytes):
        check_signature(where, source[:512], Format.HDF5)
        with h5py.File(io.BytesIO(source), "r") as file:
            yield file
    else:
        expect_format(source, Format.HDF5)
        with h5py.File(Path(source), "r", locking=False) as file:
            yield file


def _refuse_other_layouts(where: str, file: Any) -> None:
    attributes = set(file.attrs.keys())
    legacy = {"layer_names", "layer_names0", "model_config"} & attributes
    if legacy or file.id.links.exists(b"model_weights"):
        raise FileFormatError(
            message(
                where,
                expected="weights in Keras 3's layout",
                got="the older .h5 layout of Keras 1 and 2",
                do="Open it in Keras 3 and call save_weights('model.weights.h5').",
            )
        )


@dataclass(kw_only=True)
class _Matches:
    """What of a file fits which weight, and what does not fit."""

    where: str
    pairs: list[tuple[WeightLike, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def match(self, file: Any, group: WeightGroup) -> None:
        """Find the data sets of one layer; nothing is read but their headers."""
        stored = subgroup(self.where, file, _place(file, f"{group.path}/vars" if group.path else "vars"))
        names = [] if stored is None else member_names(self.where, stored)
        if stored is None and not group.weights:
            return
        if len(names) != len(group.weights):
            got = "nothing" if not names else f"{len(names)} arrays"
            shapes = ", ".join(f"{weight.name} {weight.shape}" for weight in group.weights[:6])
            self._problem(group, f"{group.label}: expected {len(group.weights)} arrays ({shapes}), got {got}")
            return
        pairs = []
        for number, weight in enumerate(group.weights):
            dataset = checked_dataset(self.where, stored, str(number))
            if dataset is None or tuple(dataset.shape) != weight.shape:
                got = "nothing" if dataset is None else f"shape {tuple(dataset.shape)}"
                self._problem(
                    group, f'{group.label}, "{weight.name}": expected shape {weight.shape}, got {got}'
                )
                return
            pairs.append((weight, dataset))
        self.pairs.extend(pairs)

    def _problem(self, group: WeightGroup, text: str) -> None:
        self.problems.append(text)
        self.skipped.append(group.path)

    def look_for_others(self, file: Any, groups: list[WeightGroup]) -> None:
        """Note weights in the file that no layer of the model takes; optimizers' states are no weights."""
        search = Search(self.where)
        known: dict[str, set[str]] = {"": {"vars"}}
        for group in groups:
            steps = group.path.split("/") if group.path else []
            for depth, step in enumerate(steps):
                known.setdefault("/".join(steps[:depth]), set()).add(step)
            known.setdefault(group.path, set()).add("vars")
        for path, expected in known.items():
            parent = subgroup(self.where, file, _place(file, path))
            for name in [] if parent is None else member_names(self.where, parent):
                if name in expected or name.endswith("optimizer") or name == _OLD_LAYERS:
                    continue
                if search.holds_data(child(self.where, parent, name)):
                    self.problems.append(f'"{path}/{name}": holds weights, but the model has no such layer')

    def report(self, skip_mismatch: bool) -> None:
        """Raise or warn, once, with the first few problems."""
        if not self.problems:
            return
        count = len(self.problems)
        text = f"{self.where}: does not fit the model in {count} place{'s' if count > 1 else ''}: "
        text += "; ".join(self.problems[:4]) + ("; …" if count > 4 else "")
        if not skip_mismatch:
            raise ShapeError(
                f"{text}. Build the model that the file was saved from, or pass skip_mismatch=True."
            )
        warnings.warn(f"{text}. These layers keep their weights.", UserWarning, stacklevel=4)


def _place(file: Any, path: str) -> str:
    """Return where a path lies in this file: old files say otherwise for `layers`."""
    if not file.id.links.exists(_OLD_LAYERS.encode()):
        return path
    return "/".join(_OLD_LAYERS if step == "layers" else step for step in path.split("/"))

"""Weight files in HDF5, in Keras 3's layout: `.weights.h5`, and the same inside `.keras`.

A layer's weights lie at `<path>/vars/<number>`, in Keras's layouts (kernels HWIO); `vars` names the layer in
an attribute. Layers without weights have an empty `vars`.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from neocog._version import __version__
from neocog.core import write_bytes
from neocog.exceptions import FileFormatError, ShapeError, message
from neocog.files._built import check_built
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
from neocog.files._h5_store import opened, take_variables, write_values
from neocog.files._legacy_h5 import Leftover, has_legacy_layout

_OLD_LAYERS = "_layer_checkpoint_dependencies"  # what Keras 2.12 and 2.13 called `layers`


def save_weights_h5(module: nn.Module, path: str | os.PathLike[str], optimizer: Any = None) -> None:
    """Write all weights of a built module as `.weights.h5`, whole or not at all; Keras 3 reads it.

    Args:
        module: layer, model or plain torch module.
        path: where to; replaced if it exists.
        optimizer: its variables are filed too, as those of a compiled model in Keras.

    Raises:
        NotBuiltError: the module has no weights yet.
        StorageError: full or read-only disk, missing permission; what was there stays.
    """
    write_bytes(path, weights_h5_bytes(module, optimizer))


def weights_h5_bytes(module: nn.Module, optimizer: Any = None) -> bytes:
    """Return what `save_weights_h5` writes. Costs memory for one more copy of the weights."""
    import h5py

    check_built(module)
    # In memory, because HDF5 that meets a full disk while closing a file leaves it open and broken.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["neocog_version"] = __version__
        for group in weight_groups(module):
            target = file.require_group(f"{group.path}/vars" if group.path else "vars")
            if group.name is not None:
                target.attrs["name"] = group.name
            for key, weight in _to_write(group).items():
                write_values(target, key, weight)
        if optimizer is not None:
            target = file.require_group("optimizer/vars")
            target.attrs["name"] = optimizer.name
            for number, variable in enumerate(optimizer.variables):
                write_values(target, str(number), variable)
    return buffer.getvalue()


def _to_write(group: WeightGroup) -> dict[str, Any]:
    if not group.own_form:
        return {str(number): weight for number, weight in enumerate(group.weights)}
    store: dict[str, Any] = {}
    group.module.save_own_variables(store)  # type: ignore[operator]
    return store


def load_weights_h5(
    module: nn.Module,
    source: str | os.PathLike[str] | bytes,
    *,
    skip_mismatch: bool = False,
    where: str | None = None,
    optimizer: Any = None,
    leftover: Leftover | None = None,
) -> list[str]:
    """Read a file in Keras 3's layout into a built module of the same architecture: all of it or nothing.

    Args:
        module: layer, model or plain torch module.
        source: path, or the bytes of a file.
        skip_mismatch: leave layers as they are, with a warning, where the file has other shapes or nothing.
        where: how error texts name the file; the path by default.
        optimizer: takes its variables from the file too, where they are there and fit.
        leftover: layers that the file may have and the model not; what was found is noted there.

    Returns:
        The paths of the layers that were skipped.

    Raises:
        ShapeError: the file belongs to another architecture.
        FileFormatError: it is no such file, damaged, or has links, external or virtual data.
        StorageError: it cannot be read.
    """
    where = where or ("weights" if isinstance(source, bytes) else str(source))
    found = _Matches(where=where, leftover=leftover)
    groups = weight_groups(module)
    with damage_reported(where), opened(where, source) as file:
        _refuse_other_layouts(where, file)
        for group in groups:
            found.match(file, group)
        found.look_for_others(file, groups)
        found.report(skip_mismatch)
        arrays = [read_values(dataset) for _, dataset in found.pairs]
        stores = [(group, _read_store(where, file, group)) for group in groups if group.own_form]
        for (weight, _), array in zip(found.pairs, arrays, strict=True):
            weight.assign(array)
        if optimizer is not None:
            take_variables(where, optimizer, _numbered(where, file, "optimizer/vars"))
    for group, store in stores:
        group.module.load_own_variables(store)  # type: ignore[operator]
    return found.skipped


def _read_store(where: str, file: Any, group: WeightGroup) -> dict[str, Any]:
    """Return the arrays of a layer that reads them itself; as large as they are stored."""
    stored = subgroup(where, file, _place(file, f"{group.path}/vars" if group.path else "vars"))
    names = [] if stored is None else member_names(where, stored)
    return {name: read_values(checked_dataset(where, stored, name)) for name in names}


def _numbered(where: str, file: Any, path: str) -> list[Any]:
    """Return the data sets "0", "1", … of a group; nothing is read but their headers."""
    stored = subgroup(where, file, path)
    count = 0 if stored is None else len(member_names(where, stored))
    found = [checked_dataset(where, stored, str(number)) for number in range(count)]
    return [dataset for dataset in found if dataset is not None]


def _refuse_other_layouts(where: str, file: Any) -> None:
    if has_legacy_layout(file):
        raise FileFormatError(
            message(
                where,
                expected="weights in Keras 3's layout",
                got="Keras's older .h5 layout",
                do="Load it with model.load_weights.",
            )
        )


@dataclass(kw_only=True)
class _Matches:
    """What of a file fits which weight, and what does not fit."""

    where: str
    pairs: list[tuple[WeightLike, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    leftover: Leftover | None = None

    def match(self, file: Any, group: WeightGroup) -> None:
        """Find the data sets of one layer; nothing is read but their headers."""
        stored = subgroup(self.where, file, _place(file, f"{group.path}/vars" if group.path else "vars"))
        names = [] if stored is None else member_names(self.where, stored)
        if group.own_form or (stored is None and not group.weights):
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
                if self._is_leftover(parent, name):
                    continue
                if search.holds_data(child(self.where, parent, name)):
                    self.problems.append(f'"{path}/{name}": holds weights, but the model has no such layer')

    def _is_leftover(self, parent: Any, name: str) -> bool:
        """Note a layer that the model may lack, by the name that the user gave it."""
        stored = subgroup(self.where, parent, f"{name}/vars") if self.leftover is not None else None
        label = None if stored is None else stored.attrs.get("name")
        if self.leftover is None or not isinstance(label, str) or label not in self.leftover.names:
            return False
        self.leftover.found[label] = [
            tuple(each.shape) for each in _numbered(self.where, parent, f"{name}/vars")
        ]
        return True

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

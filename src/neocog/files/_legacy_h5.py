"""Keras's older `.h5`: `model_config`, `training_config` and groups of weights named after the layers.

Written as Keras 3 writes it, so that it opens there; read from Keras 2 and 3: names that end in `:0`, lists
in pieces, weights in order or by name.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from neocog._version import __version__
from neocog.core import to_snake_case
from neocog.exceptions import FileFormatError, ShapeError, message
from neocog.files._built import check_built
from neocog.files._config_json import decode_config, encode_config
from neocog.files._groups import WeightLike, own_weights
from neocog.files._h5_guard import checked_dataset, damage_reported, read_values, subgroup
from neocog.files._h5_store import opened, take_variables, write_values
from neocog.files._h5_text import read_text, read_texts, write_texts
from neocog.files._keras_archive import KERAS_VERSION

_TOP = "top_level_model_weights"


@dataclass(frozen=True, slots=True)
class Leftover:
    """Layers that a file may have and the model not: the classifier of a network that is wanted without.

    Attributes:
        names: of such layers, as the user gave them.
        found: those that the file had, with the shapes of their weights.
    """

    names: frozenset[str]
    found: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyModel:
    """What an older `.h5` says of a model beside its weights.

    Attributes:
        config: class and configuration; None where the file holds weights alone.
        training_config: the settings of `compile`, or None.
        keras_version: which Keras wrote it.
    """

    config: dict[str, Any] | None
    training_config: dict[str, Any] | None
    keras_version: str


def legacy_h5_bytes(
    model: Any,
    config: Mapping[str, Any] | None = None,
    training_config: Mapping[str, Any] | None = None,
    optimizer: Any = None,
) -> bytes:
    """Return a model in the older layout; without `config`, its weights alone.

    Args:
        model: has `layers`, whose weights are filed under their names.
        config: class and configuration.
        training_config: the settings of `compile`.
        optimizer: its variables are filed too.

    Raises:
        NotBuiltError: the model has no weights yet.
    """
    import h5py

    check_built(model)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["neocog_version"] = __version__
        group = file
        if config is not None:
            file.attrs["keras_version"] = KERAS_VERSION.encode()
            file.attrs["backend"] = b"torch"
            file.attrs["model_config"] = encode_config(config, "model_config").encode()
            if training_config is not None:
                file.attrs["training_config"] = encode_config(training_config, "training_config").encode()
            group = file.create_group("model_weights")
        _write_layers(group, model)
        if optimizer is not None:
            named = [(f"{optimizer.name}/{one.path}", one) for one in optimizer.variables]
            _write_weights(file.create_group("optimizer_weights"), named)
    return buffer.getvalue()


def _write_layers(group: Any, model: Any) -> None:
    layers = legacy_layers(model)
    write_texts(group, "layer_names", [name for name, _ in layers])
    group.attrs["backend"] = b"torch"
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    for name, weights in sorted(layers, key=lambda pair: pair[0]):
        _write_weights(group.create_group(name), [(_path(weight, name), weight) for weight in weights])
    own = _ordered(own_weights(model))
    _write_weights(group.create_group(_TOP), [(_path(weight, "model"), weight) for weight in own])


def _path(weight: WeightLike, layer: str) -> str:
    return str(getattr(weight, "path", None) or f"{layer}/{weight.name}")


def _write_weights(group: Any, named: Iterable[tuple[str, Any]]) -> None:
    names: list[str] = []
    taken: set[str] = set()
    for path, weight in named:
        steps = [step for step in path.split("/") if step not in ("", ".", "..")]
        name, number = "/".join(steps), 0
        # a name is free where no other is the same, lies in it or around it
        while any(name == t or name.startswith(f"{t}/") or t.startswith(f"{name}/") for t in taken):
            number += 1
            name = "/".join([*steps[:-1], f"{steps[-1]}_{number}"])
        taken.add(name)
        names.append(name)
        write_values(group, name, weight)
    write_texts(group, "weight_names", names)


def legacy_layers(model: Any) -> list[tuple[str, list[WeightLike]]]:
    """Return name and weights of each layer of a model: trainable ones first, as Keras has them."""
    found: list[tuple[str, list[WeightLike]]] = []
    names: set[str] = set()
    for layer in getattr(model, "layers", []):
        given = getattr(layer, "name", None)
        base = given if isinstance(given, str) else to_snake_case(type(layer).__name__)
        name, number = base, 0
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.add(name)
        weights = getattr(layer, "weights", None)
        found.append((name, _ordered(own_weights(layer) if weights is None else weights)))
    return found


def _ordered(weights: Iterable[Any]) -> list[Any]:
    return sorted(weights, key=lambda weight: not weight.value.requires_grad)


def is_legacy_h5(source: str | os.PathLike[str] | bytes, where: str | None = None) -> bool:
    """Return whether an HDF5 file has the older layout."""
    with damage_reported(where or str(source)), opened(where or str(source), source) as file:
        return has_legacy_layout(file)


def has_legacy_layout(file: Any) -> bool:
    """Return whether an open HDF5 file has the older layout."""
    attributes = set(file.attrs.keys())
    marks = {"layer_names", "layer_names0", "model_config"} & attributes
    return bool(marks) or bool(file.id.links.exists(b"model_weights"))


def read_legacy_h5(path: str | os.PathLike[str]) -> LegacyModel:
    """Return what an older `.h5` says of its model.

    Raises:
        FileFormatError: it is damaged.
        StorageError: it cannot be read.
    """
    where = str(path)
    with damage_reported(where), opened(where, path) as file:
        config = read_text(where, file, "model_config")
        training = read_text(where, file, "training_config")
        version = read_text(where, file, "keras_version") or "1"
    return LegacyModel(
        config=_json(where, "model_config", config),
        training_config=_json(where, "training_config", training),
        keras_version=version,
    )


def _json(where: str, name: str, text: str | None) -> dict[str, Any] | None:
    value = None if text is None else decode_config(text, f"{where}, {name}")
    if value is not None and not isinstance(value, dict):
        raise FileFormatError(message(f"{where}, {name}", expected="a JSON object", got=type(value).__name__))
    return value


@dataclass
class _Matches:
    where: str
    pairs: list[tuple[WeightLike, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def match(self, name: str, weights: list[WeightLike], stored: list[Any]) -> None:
        """Pair a layer's weights with data sets, or note why not."""
        shapes = [tuple(weight.shape) for weight in weights]
        got = [tuple(dataset.shape) for dataset in stored]
        if shapes == got:
            self.pairs.extend(zip(weights, stored, strict=True))
            return
        self.skipped.append(name)
        self.problems.append(f'layer "{name}": expected weights of shapes {shapes[:6]}, got {got[:6]}')

    def report(self, skip_mismatch: bool) -> None:
        """Raise or warn, once, with the first few problems."""
        if not self.problems:
            return
        text = f"{self.where}: does not fit the model: {'; '.join(self.problems[:4])}"
        text += "; …" if len(self.problems) > 4 else ""
        if not skip_mismatch:
            raise ShapeError(
                f"{text}. Build the model that the file was saved from, or pass by_name=True or "
                "skip_mismatch=True."
            )
        warnings.warn(f"{text}. These layers keep their weights.", UserWarning, stacklevel=5)


def load_legacy_weights(
    model: Any,
    source: str | os.PathLike[str],
    *,
    by_name: bool = False,
    skip_mismatch: bool = False,
    leftover: Leftover | None = None,
) -> list[str]:
    """Read weights in the older layout into a built model: all of them or none.

    Args:
        model: has `layers`.
        source: the file.
        by_name: give each layer the weights filed under its name; others stay as they are. By default layers
            take them in order, or by name where all names are the same.
        skip_mismatch: leave layers as they are, with a warning, where numbers or shapes differ.
        leftover: layers that the file may have and the model not; what was found is noted there.

    Returns:
        The names of the layers that were skipped.

    Raises:
        ShapeError: the file belongs to another architecture.
        FileFormatError: it is damaged, or has links, external or virtual data.
    """
    where = str(source)
    check_built(model)
    found = _Matches(where)
    with damage_reported(where), opened(where, source) as file:
        group = (
            file
            if read_texts(where, file, "layer_names") is not None
            else _group(where, file, "model_weights")
        )
        stored = _stored_layers(where, group)
        layers = [(name, weights) for name, weights in legacy_layers(model) if weights]
        if leftover is not None:
            for name in (leftover.names & stored.keys()) - {name for name, _ in layers}:
                leftover.found[name] = [tuple(dataset.shape) for dataset in stored.pop(name)]
        if by_name or sorted(stored) == sorted(name for name, _ in layers):
            for name, weights in layers:
                if name in stored:
                    found.match(name, weights, stored[name])
        elif len(stored) != len(layers):
            found.problems.append(f"expected {len(layers)} layers with weights, got {len(stored)}")
        else:
            for (name, weights), filed in zip(layers, stored.values(), strict=True):
                found.match(name, weights, filed)
        _match_top(found, where, group, model)
        found.report(skip_mismatch)
        arrays = [read_values(dataset) for _, dataset in found.pairs]
    for (weight, _), array in zip(found.pairs, arrays, strict=True):
        weight.assign(array)
    return found.skipped


def _match_top(found: _Matches, where: str, group: Any, model: Any) -> None:
    top = subgroup(where, group, _TOP)
    own = _ordered(own_weights(model))
    if top is not None and (own or read_texts(where, top, "weight_names")):
        found.match("the model itself", own, _stored_weights(where, top))


def _group(where: str, file: Any, name: str) -> Any:
    group = subgroup(where, file, name)
    if group is None:
        raise FileFormatError(message(where, expected=f"the group {name}", got="none", do="It is damaged."))
    return group


def _stored_layers(where: str, group: Any) -> dict[str, list[Any]]:
    """Return the data sets of each layer that has some, in order; only their headers are looked at."""
    stored: dict[str, list[Any]] = {}
    for name in read_texts(where, group, "layer_names") or []:
        if name in stored:
            raise FileFormatError(message(where, expected="each layer once", got=f"{name[:80]!r} twice"))
        weights = _stored_weights(where, _group(where, group, name))
        if weights:
            stored[name] = weights
    return stored


def _stored_weights(where: str, group: Any) -> list[Any]:
    found = []
    for name in read_texts(where, group, "weight_names") or []:
        parent, _, last = name.rpartition("/")
        inner = subgroup(where, group, parent)
        dataset = None if inner is None else checked_dataset(where, inner, last)
        if dataset is None:
            got = "nothing"
            raise FileFormatError(message(f"{where}, {name[:80]!r}", expected="a data set", got=got))
        found.append(dataset)
    return found


def load_legacy_optimizer(optimizer: Any, source: str | os.PathLike[str]) -> None:
    """Give a built optimizer the variables in an older `.h5`; those of another are left alone, with a
    warning.
    """
    where = str(source)
    with damage_reported(where), opened(where, source) as file:
        group = subgroup(where, file, "optimizer_weights")
        if group is not None:
            take_variables(where, optimizer, _stored_weights(where, group))

"""What models, layers, losses and optimizers keep in plain attributes and change while they train.

A counter in a `train_step`, a weight that a loss raises, a buffer that no file holds, and settings of
neocog's own parts that a callback changes (a dropout's rate, a momentum, which layers train): the rest of a
run depends on them. What did not change since the run began is left alone: it is as today's script says.
"""

from __future__ import annotations

import dis
import inspect
import types
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from neocog.core import generator_state, is_generator, tree_flatten
from neocog.files import is_storable
from neocog.optimizers import MultiOptimizer, Optimizer
from neocog.training._put_back import put_back
from neocog.training._snapshot_own import copied, more_optimizers
from neocog.training._trainable import is_users


class OwnAttributes:
    """Looks at a model when a run begins, and says later what is no longer as it was.

    Attributes are those that the code of the user's classes sets, where they are plain data; the buffers
    of modules of the user's and torch's that their state leaves out; the arguments of neocog's layers, losses
    and optimizers, where they are kept under their names as plain data; and which weights train.

    Args:
        model: built and compiled.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._before = {
            where: {name: _mark(value) for name, value in values.items()}
            for where, _, values in self._parts()
        }

    def changed(self) -> dict[str, dict[str, Any]]:
        """Return copies of what has changed, by the path of the part and the attribute."""
        found: dict[str, dict[str, Any]] = {}
        for where, _, values in self._parts():
            before = self._before.get(where, {})
            new = {
                name: copied(value)
                for name, value in values.items()
                if name not in before or before[name] != _mark(value)
            }
            if new:
                found[where] = new
        return found

    def restore(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Put back what `changed` returned."""
        for where, owner, _ in list(self._parts()):
            put_back(owner, changed.get(where, {}))

    def _parts(self) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Give path, object and attributes of what is the user's own."""
        kept = {id(value) for value in (*self.model.parameters(), *self.model.buffers())}
        for path, module in self.model.named_modules():
            found = _settings(module)
            if not type(module).__module__.startswith("neocog."):
                left_out = module._non_persistent_buffers_set
                found |= {name: module._buffers[name] for name in left_out if name in module._buffers}
                found |= _attributes(module, kept)
            yield f"model.{path}", module, found
        for name, value in self.model.named_parameters():
            yield f"weight.{name}", value, {"requires_grad": value.requires_grad}
        for name, optimizer in [("", self.model.optimizer), *more_optimizers(self.model)]:
            for number, inner in enumerate(_without_wrappers(optimizer)):
                yield f"optimizer.{name}.{number}", inner, _settings(inner)
        yield from self._losses(kept)

    def _losses(self, kept: set[int]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        settings = self.model.compile_settings
        losses = [settings.loss_argument] if callable(settings.loss_argument) else settings.loss_argument
        for number, loss in enumerate(tree_flatten(losses)):
            if hasattr(loss, "__dict__") and not isinstance(
                loss, (types.FunctionType, type, torch.nn.Module)
            ):
                yield f"loss.{number}", loss, {**_settings(loss), **_attributes(loss, kept)}


def _without_wrappers(optimizer: Any) -> list[Any]:
    """Return the rules that move weights, without what scales their loss or shares the weights out."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    found = inner.optimizers if isinstance(inner, MultiOptimizer) else [inner]
    return [one for one in found if one is not None]


def _settings(owner: Any) -> dict[str, Any]:
    """Return the constructor's arguments that a part of neocog's keeps under their names, where plain."""
    kind: Any = type(owner)
    names = _arguments(kind)
    if isinstance(owner, Optimizer):
        names |= _set_by_user(kind)  # of an optimizer of the user's, whose tensors are slots
    return {name: value for name, value in vars(owner).items() if name in names and _is_setting(value)}


@lru_cache(maxsize=256)
def _arguments(kind: type) -> frozenset[str]:
    """Return what the constructors of neocog's classes take, and where a layer keeps `trainable`."""
    own = [cls for cls in kind.__mro__ if cls.__module__.startswith("neocog.") and "__init__" in vars(cls)]
    found = {name for cls in own for name in inspect.signature(vars(cls)["__init__"]).parameters}
    return frozenset({*found, "_trainable"} - {"self", "name", "dtype"}) if own else frozenset()


def _is_setting(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(part is None or isinstance(part, (bool, int, float, str)) for part in parts)


def _attributes(owner: Any, kept: set[int]) -> dict[str, Any]:
    """Return the attributes that the user's code sets, but for those that hold what is kept anyway."""
    kind: Any = type(owner)
    names = _set_by_user(kind)
    own = {name: value for name, value in vars(owner).items() if name in names and is_storable(value)}
    return {
        name: value
        for name, value in own.items()
        if not any(id(leaf) in kept for leaf in tree_flatten(value))
    }


@lru_cache(maxsize=256)
def _set_by_user(kind: type) -> frozenset[str]:
    """Return the names that the code of a class sets, without those that neocog's and torch's code sets."""
    own: set[str] = set()
    known = {"training"}
    for cls in kind.__mro__:
        (own if is_users(cls) else known).update(_names_set(cls))
    return frozenset(own - known)


def _names_set(cls: type) -> Iterator[str]:
    for value in vars(cls).values():
        for part in (value, getattr(value, "__func__", None), getattr(value, "fset", None)):
            if isinstance(part, types.FunctionType):
                yield from _stored(part.__code__)


def _stored(code: types.CodeType) -> Iterator[str]:
    yield from (step.argval for step in dis.get_instructions(code) if step.opname == "STORE_ATTR")
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _stored(inner)


@dataclass(eq=False)
class _Seen:
    """A tensor as it was: the same object with the same version."""

    tensor: torch.Tensor
    version: int | None

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, _Seen) and self.tensor is other.tensor
        return same and self.version is not None and self.version == other.version  # type: ignore[attr-defined]


def _mark(value: Any) -> Any:
    """Return what differs wherever a value does, without a copy of large ones."""
    if isinstance(value, torch.Tensor):
        return _Seen(value, None if value.is_inference() else value._version)
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), zlib.crc32(np.ascontiguousarray(value).tobytes())
    if isinstance(value, Mapping):
        return [(key, _mark(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return [_mark(item) for item in value]
    if is_generator(value):
        return _mark(generator_state(value))
    return frozenset(value) if isinstance(value, (set, frozenset)) else value

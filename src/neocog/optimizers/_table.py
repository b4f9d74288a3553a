"""The variables of an optimizer with their slots, sorted into the groups that kernels work on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from neocog.core import floatx, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.optimizers._groups import Batch, Group, can_fuse, like_parameter
from neocog.optimizers._values import Layout, OptimizerVariable, parameter_of


class VariableTable:
    """What an optimizer keeps of its variables.

    Attributes:
        references: the variables as the caller gave them.
        params: the torch tensors behind them.
        names: their names, empty where they have none.
        layouts: how Keras sees them.
        slots: lists of tensors by name.
        native: names of the slots that stand in the parameters' own layout, one a variable.
        order: (name, position) of all slots as Keras would list them.
        groups: variables of one device and type.
        foreign: whether some parameter is of a subclass of torch's.
    """

    def __init__(self) -> None:
        self.references: list[Any] = []
        self.params: list[torch.Tensor] = []
        self.names: list[str] = []
        self.layouts: list[Layout] = []
        self.slots: dict[str, list[torch.Tensor]] = {}
        self.native: list[str] = []
        self.order: list[tuple[str, int]] = []
        self.groups: list[Group] = []
        self.foreign = False
        self._fuses = False
        self._index: dict[int, int] = {}
        self._excluded: set[int] = set()
        self._excluded_names: re.Pattern[str] | None = None
        self.factors: dict[str, float] = {}  # shares of the learning rate by beginning of paths

    def fill(self, where: str, variables: Sequence[Any]) -> None:
        """Take the variables.

        Raises:
            ArgumentError: one is listed twice.
        """
        names = [name_of(variable) for variable in variables]
        references = [item[1] if isinstance(item, tuple) else item for item in variables]
        params = [parameter_of(reference) for reference in references]
        if len({id(param) for param in params}) != len(params):
            raise ArgumentError(message(where, expected="each variable once", got="one listed twice"))
        self.references, self.params, self.names = references, params, names
        self.layouts = [Layout.of(reference) for reference in references]
        self._index = {id(param): index for index, param in enumerate(params)}

    def same_as(self, variables: Sequence[Any]) -> bool:
        """Whether `variables` are the ones of the table, in the same order."""
        given = [parameter_of(item[1] if isinstance(item, tuple) else item) for item in variables]
        return [id(param) for param in given] == [id(param) for param in self.params]

    def position(self, variable: Any) -> int | None:
        """Return the position of a variable, or None for an unknown one."""
        if isinstance(variable, OptimizerVariable) and variable.position is not None:
            return variable.position
        return self._index.get(id(parameter_of(variable)))

    def label(self, index: int) -> str:
        """Return what error texts call a variable."""
        return self.names[index] or f"variable {index}"

    def make_slots(self, block: Mapping[str, float]) -> None:
        """Make one slot a variable for each name of `block`, filled with its number."""
        for name, first in block.items():
            self.slots[name] = [torch.full_like(p, first, requires_grad=False) for p in self.params]
            self.native.append(name)
        self.order += [(name, index) for index in range(len(self.params)) for name in block]

    def add(
        self,
        shape: Sequence[int],
        name: str,
        path: str,
        initializer: str | float | Callable[..., Any] = "zeros",
        dtype: Any = None,
    ) -> OptimizerVariable:
        """Make one slot of its own shape, for rules written one variable at a time."""
        device = self.params[0].device if self.params else None
        kind = torch_dtype(dtype or floatx())
        if callable(initializer):
            values = torch.as_tensor(initializer(tuple(shape), dtype=kind)).to(device, kind)
        else:
            first = {"zeros": 0.0, "ones": 1.0}.get(initializer, initializer)  # type: ignore[arg-type]
            values = torch.full(tuple(shape), float(first), dtype=kind, device=device)
        slot = OptimizerVariable.over(values, path)
        slots = self.slots.setdefault(name, [])
        slots.append(slot)
        self.order.append((name, len(slots) - 1))
        return slot

    def exclude(self, variables: Iterable[Any], names: Iterable[str]) -> None:
        """Leave variables out of weight decay, by themselves or by patterns in their names."""
        self._excluded = {id(parameter_of(variable)) for variable in variables}
        patterns = sorted(set(names))
        self._excluded_names = re.compile("|".join(patterns)) if patterns else None
        if self.params:
            self.regroup(self._fuses)

    def decays(self, index: int) -> bool:
        """Whether weight decay applies to a variable."""
        if id(self.params[index]) in self._excluded:
            return False
        return self._excluded_names is None or self._excluded_names.search(self.names[index]) is None

    def factor(self, index: int) -> float:
        """Return a variable's share of the rate: by the longest key that a part of its path begins with."""
        if not self.factors:
            return 1.0
        path = str(getattr(self.references[index], "path", None) or self.names[index])
        found = max((key for key in self.factors if f"/{key}" in f"/{path}"), key=len, default=None)
        return 1.0 if found is None else self.factors[found]

    def share_rates(self, factors: Mapping[str, float]) -> None:
        """Take shares of the learning rate by beginning of paths, in place of those before."""
        self.factors = dict(factors)
        if self.params:
            self.regroup(self._fuses)

    def regroup(self, fuses: bool) -> None:
        """Sort the variables by device, type, kernel and rate; slots follow parameters that moved."""
        self._fuses = fuses
        buckets: dict[tuple[torch.device, torch.dtype, bool, float], list[int]] = {}
        for index, param in enumerate(self.params):
            key = (param.device, param.dtype, fuses and can_fuse(param), self.factor(index))
            buckets.setdefault(key, []).append(index)
        for name in self.native:
            pairs = zip(self.slots[name], self.params, strict=True)
            self.slots[name] = [like_parameter(slot, param) for slot, param in pairs]
        self.groups = [
            Group(
                indices,
                [self.params[i] for i in indices],
                {name: [self.slots[name][i] for i in indices] for name in self.native},
                [self.decays(i) for i in indices],
                key[2],
                len(indices) == len(self.params),
                key[3],
            )
            for key, indices in buckets.items()
        ]
        self.foreign = any(type(param) not in (nn.Parameter, torch.Tensor) for param in self.params)

    def batches(self, grads: Sequence[torch.Tensor | None]) -> list[Batch]:
        """Return the work of one update, a batch for each group that has gradients."""
        if any(group.moved() for group in self.groups):
            self.regroup(self._fuses)
        batches = [group.batch(grads) for group in self.groups]
        return [batch for batch in batches if batch is not None]

    def single(self, index: int, variable: torch.Tensor, gradient: torch.Tensor) -> Batch:
        """Return a batch of one variable, given and updated in Keras's layout."""
        layout = self.layouts[index]
        slots = {name: [layout.view(self.slots[name][index])] for name in self.native}
        return Batch([index], [variable], [gradient], slots, [])


def name_of(variable: Any) -> str:
    """Return a variable's name: Keras's, that of a (name, parameter) pair, or nothing."""
    if isinstance(variable, tuple):
        return str(variable[0])
    return str(getattr(variable, "name", None) or "")


def path_of(variable: Any, index: int | None) -> str:
    """Return the name that slots are called after, without slashes."""
    path = getattr(variable, "path", None) or name_of(variable) or f"variable_{index or 0}"
    return str(path).replace("/", "_").replace(":", "_")

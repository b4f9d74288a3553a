"""An optimizer's state, for snapshots (a dict of tensors and numbers) and for Keras's files (arrays)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.optimizers._table import path_of
from neocog.optimizers._values import OptimizerVariable

if TYPE_CHECKING:
    from neocog.optimizers._base import OptimizerBase


def dump(optimizer: OptimizerBase) -> dict[str, Any]:
    """Return the state; its tensors are the optimizer's own, not copies."""
    slots = optimizer._table.slots
    return {
        "iterations": optimizer._iterations,
        "learning_rate": optimizer._rate.base(optimizer._iterations),
        "scalars": dict(optimizer._scalars),
        "rate_factors": optimizer.rate_factors,
        "slots": {
            name: [t.detach().as_subclass(torch.Tensor) for t in tensors] for name, tensors in slots.items()
        },
    }


def load(optimizer: OptimizerBase, state: Mapping[str, Any]) -> None:
    """Overwrite the state of a built optimizer.

    Raises:
        ArgumentError: the state belongs to another kind of optimizer, or to other variables.
        ShapeError: a slot has another shape.
    """
    where = f'optimizer "{optimizer.name}"'
    own = optimizer._table.slots
    given = state.get("slots", {})
    _same(where, "slots", sorted(own), sorted(given))
    _same(where, "numbers", sorted(optimizer._scalars), sorted(state.get("scalars", {})))
    for name, tensors in own.items():
        _same(where, f"{name} slots", len(tensors), len(given[name]))
        for index, (tensor, new) in enumerate(zip(tensors, given[name], strict=True)):
            if tuple(tensor.shape) != tuple(new.shape):
                expected = f"{name} {index} of shape {tuple(tensor.shape)}"
                raise ShapeError(message(where, expected=expected, got=tuple(new.shape)))
    with torch.no_grad():
        for name, tensors in own.items():
            for tensor, new in zip(tensors, given[name], strict=True):
                tensor.copy_(torch.as_tensor(new))
    optimizer._scalars.update({key: float(value) for key, value in state.get("scalars", {}).items()})
    if "rate_factors" in state:
        optimizer.set_rate_factors(state["rate_factors"])
    optimizer._iterations = int(state["iterations"])
    if optimizer._rate.is_number and "learning_rate" in state:
        optimizer.learning_rate = float(state["learning_rate"])


def _same(where: str, what: str, expected: Any, got: Any) -> None:
    if expected != got:
        raise ArgumentError(
            message(
                where,
                expected=f"a state with {what} {expected}",
                got=got,
                do="Load the state of an optimizer of the same class and arguments, built on the same model.",
            )
        )


def variables(optimizer: OptimizerBase) -> list[OptimizerVariable]:
    """Return all variables in Keras's order and layouts; assigning to one changes the optimizer."""
    table = optimizer._table
    found = [
        OptimizerVariable.over(
            torch.tensor(optimizer._iterations),
            "iteration",
            on_assign=lambda value: setattr(optimizer, "_iterations", int(value)),
        )
    ]
    if optimizer._rate.is_number and not optimizer._rate.decay:  # files hold a decay as a schedule
        found.append(
            OptimizerVariable.over(
                torch.tensor(optimizer._rate.value, dtype=torch.float32),
                "learning_rate",
                on_assign=lambda value: setattr(optimizer, "learning_rate", float(value)),
            )
        )
    for name, index in table.order:
        slot = table.slots[name][index]
        if isinstance(slot, OptimizerVariable):
            found.append(slot)
        else:
            path = f"{path_of(table.references[index], index)}_{name}"
            found.append(OptimizerVariable.over(table.layouts[index].view(slot), path))
    for name in optimizer._scalars:
        found.append(_number(optimizer._scalars, name))
    return found


def _number(numbers: dict[str, float], name: str) -> OptimizerVariable:
    return OptimizerVariable.over(
        torch.tensor(numbers[name], dtype=torch.float32),
        name,
        on_assign=lambda value: numbers.update({name: float(value)}),
    )


def save_own(optimizer: OptimizerBase, store: MutableMapping[str, Any]) -> None:
    """Write the variables into `store` under "0", "1", …, as Keras's files hold them."""
    for index, variable in enumerate(variables(optimizer)):
        store[str(index)] = variable.numpy()


def load_own(optimizer: OptimizerBase, store: Mapping[str, Any]) -> None:
    """Read what `save_own` wrote; a store of another length is left alone, with a warning."""
    own = variables(optimizer)
    if len(store) != len(own):
        warnings.warn(
            message(
                f'optimizer "{optimizer.name}"',
                expected=f"{len(own)} variables",
                got=f"{len(store)} in the file",
                do="The optimizer starts afresh.",
            ),
            UserWarning,
            stacklevel=4,
        )
        return
    assign_all(own, [store[str(index)] for index in range(len(own))])


def assign_all(own: Sequence[OptimizerVariable], values: Sequence[Any]) -> None:
    """Assign values one by one, after all shapes were checked."""
    for variable, value in zip(own, values, strict=True):
        if tuple(variable.shape) != tuple(getattr(value, "shape", ())):
            raise ShapeError(
                message(
                    f'optimizer variable "{variable.path}"',
                    expected=f"values of shape {tuple(variable.shape)}",
                    got=tuple(getattr(value, "shape", ())),
                )
            )
    for variable, value in zip(own, values, strict=True):
        variable.assign(value)

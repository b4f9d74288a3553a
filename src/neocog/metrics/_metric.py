"""The base of all metrics: named state, updates without gradients, results as tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import torch

from neocog import initializers
from neocog.core import auto_name, dtype_name, no_gradients, torch_dtype
from neocog.exceptions import ArgumentError, NeocogError, message
from neocog.metrics._registry import METRICS
from neocog.metrics._state import Variable

State = dict[str, torch.Tensor]


def _without_gradients(update: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `update_state` so that state follows the predictions' device and no graph is kept."""

    @functools.wraps(update)
    def update_state(self: Metric, *args: Any, **kwargs: Any) -> Any:
        self._follow(args, kwargs)
        if torch.is_grad_enabled():
            with no_gradients():
                return update(self, *args, **kwargs)
        return update(self, *args, **kwargs)

    return update_state


@METRICS.register("metric")
class Metric:
    """A quantity accumulated over batches: subclasses make state, update it and compute a result from it.

    State is made with `add_variable` (or `add_weight`) in the constructor or at the first update.
    `update_state` runs without gradients and should stay on the device: no `.item()`, no `bool(tensor)`.

    Args:
        dtype: type of the state and the result; default the default float.
        name: key of the metric in logs; default the class's name in snake case.

    Example:
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.best = self.add_weight(name="best", initializer="zeros")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.best.assign(torch.maximum(self.best, y_pred.max()))
        ...     def result(self):
        ...         return self.best
        >>> float(Largest()(None, torch.tensor([1.0, 4.0])))
        4.0
    """

    # "up" or "down": whether a larger value is better; None where the class cannot tell.
    _direction: ClassVar[str | None] = None
    _device: torch.device | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in cls.__dict__:
            cls.update_state = _without_gradients(cls.__dict__["update_state"])  # type: ignore[method-assign]

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._dtype = dtype_name(_policy_dtype(dtype))
        self._variables: dict[str, Variable] = {}

    @property
    def dtype(self) -> str:
        """The type of the state, by name."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """All state, that of metrics kept as attributes included."""
        return [variable for _, variable in self._named_variables()]

    weights = variables

    def add_variable(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a state tensor.

        Args:
            shape: its shape; default a scalar.
            initializer: name or object of `initializers`, or a function `(shape, dtype)`; default zeros.
            dtype: its type; default the metric's.
            aggregation: how the values of several processes become one: `"sum"`, as in all built-in metrics,
                `"mean"`, or `"only_first_replica"`.
            name: its key in `state_dict`; default `variable`, `variable_1`, …
        """
        if "_variables" not in self.__dict__:
            raise NeocogError(
                message(
                    type(self).__name__,
                    expected="super().__init__() to have run",
                    got="add_variable before it",
                    do="Call super().__init__(name=name) first in __init__.",
                )
            )
        kind = torch_dtype(dtype or self._dtype)
        data = _initial_value(type(self).__name__, initializer, tuple(shape), kind)
        with torch.inference_mode(False):
            variable = Variable(data.detach().clone().to(self._device))
        variable.aggregation = aggregation
        self._variables[_free_key(self._variables, name or "variable")] = variable
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Make a state tensor; the older name of `add_variable`."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def _add_sum(self, shape: Any = (), name: str | None = None) -> Variable:
        """Make a state tensor for sums, zeros at first: of float64 where the metric is of floats.

        Sums of float32 numbers are then the same to the metric's own digits in any order: however often they
        are read on the way, however many processes share the samples.
        """
        wide = torch_dtype(self._dtype).is_floating_point
        return self.add_variable(shape, dtype="float64" if wide else None, name=name)

    def _own(self, result: torch.Tensor) -> torch.Tensor:
        """Return a result, computed from sums, in the metric's type."""
        return result.to(torch_dtype(self._dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take one batch into account: usually `(y_true, y_pred, sample_weight=None)`."""
        raise NotImplementedError(f"{type(self).__name__} has no update_state: define it.")

    def take_later(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> bool:
        """Keep a small batch, to be looked at before anything is read; return whether it was kept."""
        return False

    def result(self) -> Any:
        """Return the value so far as a tensor, or a dict of tensors."""
        raise NotImplementedError(f"{type(self).__name__} has no result: define it.")

    def reset_state(self) -> None:
        """Forget all batches: every state tensor becomes zero."""
        for variable in self.variables:
            variable.zero_()

    def reset_states(self) -> None:
        """Forget all batches; the older name of `reset_state`."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update with one batch and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def state_dict(self) -> State:
        """Return a copy of the state by name."""
        return {name: variable.detach().clone() for name, variable in self._named_variables()}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over a state that `state_dict` returned.

        Raises:
            ArgumentError: names are missing or left over, or a shape differs.
        """
        self.reset_state()
        self._restore(state)
        own = dict(self._named_variables())
        if set(own) != set(state):
            raise ArgumentError(
                message(
                    f'{type(self).__name__} "{self.name}"',
                    expected=f"a state with {sorted(own)}",
                    got=sorted(state),
                    do="Load the state of a metric of the same class and arguments.",
                )
            )
        for name, variable in own.items():
            if tuple(variable.shape) != tuple(state[name].shape):
                raise ArgumentError(
                    message(
                        f'{type(self).__name__} "{self.name}"',
                        expected=f"{name} of shape {tuple(variable.shape)}",
                        got=tuple(state[name].shape),
                    )
                )
            variable.copy_(state[name])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a metric from `get_config`'s result."""
        return cls(**config)

    def _restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Make state that is otherwise made at the first update, with the shapes in `state`."""

    def _settle(self) -> None:
        """Move what is kept as Python numbers into the state tensors."""

    def _named_variables(self) -> Iterator[tuple[str, Variable]]:
        self._settle()
        yield from self._variables.items()
        for attribute, value in vars(self).items():
            inner = value if isinstance(value, (list, tuple)) else (value,)
            for index, metric in enumerate(inner):
                if isinstance(metric, Metric):
                    prefix = attribute if metric is value else f"{attribute}.{index}"
                    yield from ((f"{prefix}.{name}", var) for name, var in metric._named_variables())

    def _follow(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Move the state to the device of the last tensor of an update: the predictions or the weights."""
        for value in reversed((*args, *kwargs.values())):
            if isinstance(value, torch.Tensor):
                device = value.device
                if device != self._device:
                    self._device = device
                    for variable in self._variables.values():
                        variable.place(device)
                return

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _policy_dtype(dtype: Any) -> Any:
    """Return the state's type under a mixed-precision policy's name: always a full float."""
    if isinstance(dtype, str) and dtype.startswith("mixed_"):
        return "float32"
    return dtype


def _initial_value(where: str, initializer: Any, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    if initializer is None or initializer == "zeros":
        return torch.zeros(shape, dtype=dtype)
    make = initializer if inspect.isfunction(initializer) else initializers.get(initializer)
    if not callable(make):
        raise ArgumentError(
            message(where, expected="an initializer, or a function (shape, dtype)", got=repr(initializer))
        )
    return torch.as_tensor(make(shape, dtype=dtype), dtype=dtype)


def _free_key(taken: Mapping[str, Any], name: str) -> str:
    key, number = name, 0
    while key in taken:
        number += 1
        key = f"{name}_{number}"
    return key

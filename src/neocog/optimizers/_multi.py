"""Several optimizers for one model, each for some of its variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

import torch

from neocog.core import auto_name, custom_object_scope
from neocog.exceptions import ArgumentError, ArgumentTypeError, NotBuiltError, message
from neocog.optimizers._loss_scale import LossScaleOptimizer
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._registry import OPTIMIZERS, deserialize, serialize
from neocog.optimizers._table import name_of
from neocog.optimizers._values import OptimizerVariable, StepCount, parameter_of


@OPTIMIZERS.register()
class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer a variable gets, by its path.

    Args:
        default_optimizer: for variables that no key names.
        optimizer_map: optimizers by path, or by regular expression of whole paths (`"encoder/.*"`).

    Example:
        >>> from neocog.optimizers import SGD, Adam
        >>> chosen = OptimizerMap(SGD(0.1), {"head/.*": Adam()})
        >>> type(chosen["head/kernel"]).__name__, type(chosen["base/kernel"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            got = type(default_optimizer).__name__
            raise ArgumentTypeError(message("OptimizerMap", expected="a default optimizer", got=got))
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            got = type(optimizer_map).__name__
            raise ArgumentTypeError(message("OptimizerMap", expected="optimizer_map to be a dict", got=got))
        self.default_optimizer = default_optimizer
        self._held: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._held:
            return self._held[key]
        found = [pattern for pattern in self._held if re.fullmatch(pattern, key)]
        if len(found) > 1:
            expected = f"one optimizer for {key!r}"
            raise ArgumentError(message("OptimizerMap", expected=expected, got=f"those of {found}"))
        return self._held[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ArgumentError(message("OptimizerMap", expected="a path as key", got=repr(key)))
        if key in self._held:
            raise ArgumentError(message("OptimizerMap", expected="each key once", got=f"{key!r} again"))
        _check_inner("OptimizerMap", optimizer)
        self._held[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __call__(self, variable: Any) -> Optimizer:
        """Return the optimizer of a variable."""
        return self[str(getattr(variable, "path", None) or name_of(variable))]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "default_optimizer": serialize(self.default_optimizer),
            "optimizer_map": {key: serialize(optimizer) for key, optimizer in self._held.items()},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Return the map that `get_config` described."""
        with custom_object_scope(custom_objects or {}):
            held = {key: deserialize(value) for key, value in config["optimizer_map"].items()}
            return cls(deserialize(config["default_optimizer"]), held)


@OPTIMIZERS.register()
class MultiOptimizer:
    """Updates each variable by the optimizer that a map names for it.

    Learning rates are those of `optimizers`; the whole has none.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer.
        loss_scale_factor: for all of them.
        name: name; made up when None.

    Example:
        >>> from neocog.optimizers import SGD
        >>> fast, slow = SGD(0.5), SGD(0.25)
        >>> optimizer = MultiOptimizer(lambda variable: fast if variable.ndim > 1 else slow)
        >>> kernel, bias = torch.nn.Parameter(torch.ones(1, 1)), torch.nn.Parameter(torch.ones(1))
        >>> optimizer.apply([torch.ones(1, 1), torch.ones(1)], [kernel, bias])
        >>> kernel.item(), bias.item()
        (0.5, 0.75)
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            expected, got = "an OptimizerMap or a function of a variable", type(optimizer_map).__name__
            raise ArgumentTypeError(message("MultiOptimizer", expected=expected, got=got))
        self._map = optimizer_map
        self.optimizers: list[Optimizer] = []
        self.name = name or auto_name("MultiOptimizer")
        self.built = False
        self._loss_scale_factor = loss_scale_factor
        self._iterations = 0
        self._references: list[Any] = []
        self._owners: dict[int, int] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in [*optimizer_map._held.values(), optimizer_map.default_optimizer]:
                self._take(optimizer)

    def _take(self, optimizer: Any) -> int:
        """Return the number of an optimizer, a new one taken in."""
        _check_inner("MultiOptimizer", optimizer)
        for number, known in enumerate(self.optimizers):
            if known is optimizer:
                return number
        optimizer.loss_scale_factor = self._loss_scale_factor
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    def build(self, variables: Iterable[Any]) -> None:
        """Give each optimizer its variables."""
        if self.built:
            return
        self._references = list(variables)
        shares: dict[int, list[Any]] = {}
        for variable in self._references:
            plain = variable[1] if isinstance(variable, tuple) else variable
            number = self._take(self._map(variable if isinstance(self._map, OptimizerMap) else plain))
            self._owners[id(parameter_of(plain))] = number
            shares.setdefault(number, []).append(variable)
        for number, share in shares.items():
            self.optimizers[number].build(share)
        self.built = True

    @property
    def learning_rate(self) -> Any:
        """None: each of `optimizers` has its own."""
        raise AttributeError("MultiOptimizer: it has no learning rate itself; read one of its `optimizers`.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("MultiOptimizer: set the learning rate of one of its `optimizers`.")

    @property
    def iterations(self) -> StepCount:
        """Number of steps done."""
        return StepCount(self._iterations)

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._iterations = int(value)

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

    @property
    def use_ema(self) -> bool:
        """Whether some optimizer keeps averages."""
        return any(optimizer.use_ema for optimizer in self.optimizers)

    @property
    def variables(self) -> list[OptimizerVariable]:
        """The step count, then the variables of each optimizer."""
        own = OptimizerVariable.over(torch.tensor(self._iterations), "iteration", on_assign=self._set_count)
        rate = OptimizerVariable.over(torch.tensor(0.0), "learning_rate")  # Keras files one of 0
        return [own, rate, *(variable for optimizer in self.optimizers for variable in optimizer.variables)]

    def _set_count(self, value: Any) -> None:
        self._iterations = int(value)

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times `loss_scale_factor`."""
        return loss if self._loss_scale_factor is None else loss * self._loss_scale_factor

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Update the variables by their gradients, each by its optimizer.

        Raises:
            ArgumentError: there are not as many gradients as variables.
            NotBuiltError: no variables were ever given.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._references if trainable_variables is None else list(trainable_variables)
        if not self.built:
            if trainable_variables is None:
                raise NotBuiltError(message(self.name, expected="variables", got="none", do="Call build."))
            self.build(variables)
        if len(grads) != len(self._references):
            expected = f"one gradient for each of {len(self._references)} variables"
            raise ArgumentError(message(self.name, expected=expected, got=len(grads)))
        shares: dict[int, tuple[list[Any], list[Any]]] = {}
        for grad, variable in zip(grads, variables, strict=True):
            plain = variable[1] if isinstance(variable, tuple) else variable
            number = self._owners[id(parameter_of(plain))]
            share = shares.setdefault(number, ([], []))
            share[0].append(grad)
            share[1].append(plain)
        for number, share in shares.items():
            self.optimizers[number].apply(*share)
        self._iterations += 1

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> StepCount:
        """Update by (gradient, variable) pairs and return the number of steps done."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def step(self) -> None:
        """Update all variables by the `grad` that `backward` left on them."""
        for optimizer in self.optimizers:
            if optimizer.built:
                optimizer.step()
        self._iterations += 1

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all variables."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Put moving averages in the variables' place, where an optimizer keeps them."""
        for variable in var_list:
            optimizer = self.optimizers[self._owners[id(parameter_of(variable))]]
            optimizer.finalize_variable_values([variable])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all of `variables`."""
        if not self.built:
            raise NotBuiltError(message(self.name, expected="variables", got="none", do="Call build."))
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; a function as map has no form in files."""
        if not isinstance(self._map, OptimizerMap):
            raise ArgumentTypeError(
                message(self.name, expected="an OptimizerMap to write into a file", got="a function")
            )
        described = serialize(self._map)
        return {"optimizer_map": described, "loss_scale_factor": self.loss_scale_factor, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Return the optimizer that `get_config` described."""
        with custom_object_scope(custom_objects or {}):
            return cls(**{**config, "optimizer_map": OPTIMIZERS.make(config["optimizer_map"])})

    def state_dict(self) -> dict[str, Any]:
        """Return the count and the states of all optimizers."""
        return {"iterations": self._iterations, "inner": [one.state_dict() for one in self.optimizers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state_dict` returned."""
        self._iterations = int(state["iterations"])
        for optimizer, inner in zip(self.optimizers, state["inner"], strict=True):
            optimizer.load_state_dict(inner)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write `variables` as arrays under "0", "1", …."""
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote."""
        self.set_weights([store[str(index)] for index in range(len(store))])


def _check_inner(where: str, optimizer: Any) -> None:
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)) or not isinstance(optimizer, Optimizer):
        got = type(optimizer).__name__
        raise ArgumentError(message(where, expected="an optimizer that wraps no others", got=got))

"""One of torch's own optimizers with the verbs of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from neocog.core import to_snake_case
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.optimizers._exchange import exchanged
from neocog.optimizers._values import LearningRate, StepCount, parameter_of
from neocog.optimizers.schedules._base import check_rate


class TorchOptimizer:
    """A `torch.optim.Optimizer` that `compile` was given; its rule, groups and state stay torch's.

    Args:
        optimizer: already holds the parameters.

    Raises:
        ArgumentTypeError: `optimizer` is no torch optimizer.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = TorchOptimizer(torch.optim.SGD([weight], lr=0.5))
        >>> weight.sum().backward()
        >>> optimizer.step()
        >>> weight.item(), optimizer.iterations
        (0.5, 1)
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise ArgumentTypeError(
                message(type(self).__name__, expected="a torch.optim.Optimizer", got=repr(optimizer))
            )
        self.optimizer = optimizer
        self.name = to_snake_case(type(optimizer).__name__)
        self.built = True
        self._iterations = 0

    @property
    def iterations(self) -> StepCount:
        """Number of steps done."""
        return StepCount(self._iterations)

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._iterations = int(value)

    @property
    def learning_rate(self) -> LearningRate:
        """Rate of the first parameter group; setting it scales all groups alike."""
        return LearningRate(float(self.optimizer.param_groups[0]["lr"]), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        new = check_rate(type(self).__name__, "learning_rate", value)
        first = float(self.optimizer.param_groups[0]["lr"])
        for group in self.optimizer.param_groups:
            old = group["lr"]
            rate = new * float(old) / first if first else new
            if isinstance(old, torch.Tensor):
                old.fill_(rate)
            else:
                group["lr"] = rate

    @property
    def params(self) -> list[torch.Tensor]:
        """All parameters, group after group."""
        return [param for group in self.optimizer.param_groups for param in group["params"]]

    @property
    def fused(self) -> bool:
        """Whether every group asks for torch's fused kernels."""
        return all(bool(group.get("fused")) for group in self.optimizer.param_groups)

    def build(self, variables: Iterable[Any]) -> None:
        """Do nothing: torch optimizers are made with their parameters."""

    def step(self) -> None:
        """Update all parameters by their `grad`."""
        self.optimizer.step()
        self._iterations += 1

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        self.optimizer.zero_grad(set_to_none=set_to_none)

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Set the gradients of the given variables and do a step.

        Raises:
            ArgumentError: there is not one gradient for each variable, or a variable is not the optimizer's.
        """
        grads = exchanged(list(grads))
        known = {id(param) for param in self.params}
        given = self.params if trainable_variables is None else map(parameter_of, trainable_variables)
        params = list(given)
        if len(grads) != len(params) or any(id(param) not in known for param in params):
            raise ArgumentError(
                message(
                    type(self).__name__,
                    expected="one gradient for each of its variables",
                    got=f"{len(grads)} gradients for {len(params)} variables",
                    do="Make the torch optimizer with the parameters of this model.",
                )
            )
        for param in self.params:
            param.grad = None
        for param, grad in zip(params, grads, strict=True):
            param.grad = grad
        self.step()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> StepCount:
        """Update by (gradient, variable) pairs and return the number of steps done."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss as it is."""
        return loss

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Do nothing: there are no averages."""

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps and torch's own state."""
        return {"iterations": self._iterations, "torch": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state_dict` returned."""
        self.optimizer.load_state_dict(dict(state["torch"]))
        self._iterations = int(state["iterations"])

    def __repr__(self) -> str:
        return f"<TorchOptimizer {type(self.optimizer).__name__}>"

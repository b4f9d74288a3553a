"""Loss scaling: gradients too small for half precision are scaled up, and back before the update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Self

import numpy as np
import torch

from neocog.core import auto_name, check_int, check_number, custom_object_scope
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.optimizers._exchange import exchanged
from neocog.optimizers._registry import OPTIMIZERS, deserialize, serialize

_INNER = ("clipnorm", "clipvalue", "ema_overwrite_frequency", "global_clipnorm",
          "gradient_accumulation_steps", "loss_scale_factor", "use_ema", "weight_decay")  # fmt: skip


@OPTIMIZERS.register()
class LossScaleOptimizer:
    """Wrap an optimizer so that training in float16 loses no small gradients.

    The loss is multiplied by a scale and the gradients divided by it. Where a gradient is not finite, the
    update is left out and the scale halved; after so many updates without that it is doubled.

    Args:
        inner_optimizer: the optimizer that updates.
        initial_scale: first scale.
        dynamic_growth_steps: updates after which the scale doubles.
        name: name; made up when None.
        **kwargs: what Keras writes into files: an optimizer's options at their defaults, and `dynamic=True`.

    Example:
        >>> from neocog.optimizers import SGD
        >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=8.0)
        >>> optimizer.build([weight])
        >>> optimizer.scale_loss(weight.sum()).backward()
        >>> optimizer.step()
        >>> weight.item()
        0.5

    Reference:
        Micikevicius et al., Mixed Precision Training, 2018.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        where = "LossScaleOptimizer"
        kwargs = {key: value for key, value in kwargs.items() if key not in ("learning_rate", "ema_momentum")}
        if not kwargs.pop("dynamic", True) or any(kwargs.get(key) for key in _INNER):
            do = "Set such options, and a fixed loss_scale_factor, on the inner optimizer."
            raise ArgumentError(message(where, expected="a dynamic scale alone", got=sorted(kwargs), do=do))
        if set(kwargs) - set(_INNER):
            expected = "inner_optimizer, initial_scale and dynamic_growth_steps"
            raise ArgumentTypeError(message(where, expected=expected, got=sorted(kwargs)))
        if not hasattr(inner_optimizer, "step"):
            raise ArgumentTypeError(message(where, expected="an optimizer", got=repr(inner_optimizer)))
        self.inner_optimizer = inner_optimizer
        inner_optimizer.loss_scale_factor = None
        self.initial_scale = check_number(where, "initial_scale", initial_scale, minimum=0)
        self.dynamic_growth_steps = check_int(where, "dynamic_growth_steps", dynamic_growth_steps, minimum=1)
        self.name = name or auto_name(where)
        self.dynamic_scale = self.initial_scale
        self.step_counter = 0

    def __getattr__(self, name: str) -> Any:
        if name == "inner_optimizer":
            raise AttributeError(name)
        return getattr(self.inner_optimizer, name)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """Number of updates done by the inner optimizer."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, value: int) -> None:
        self.inner_optimizer.iterations = value

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times the scale."""
        return loss * self.dynamic_scale

    def step(self) -> None:
        """Update by the `grad` that `backward` left on the variables; not where one of them is not finite."""
        with torch.no_grad():
            grads = [param.grad for param in self.inner_optimizer._table.params if param.grad is not None]
            if self._finite(grads):
                torch._foreach_div_(grads, self.dynamic_scale)
                self.inner_optimizer.step()
                self._count()

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Update the variables by their scaled gradients; not where one of them is not finite."""
        grads = exchanged(list(grads))
        variables = None if trainable_variables is None else list(trainable_variables)
        if variables is not None and not self.inner_optimizer.built:
            self.inner_optimizer.build(variables)
        if self._finite([grad for grad in grads if grad is not None]):
            scaled = [None if grad is None else grad / self.dynamic_scale for grad in grads]
            self.inner_optimizer.apply(scaled, variables)
            self._count()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Update by (scaled gradient, variable) pairs and return the number of steps done."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def _finite(self, grads: Sequence[torch.Tensor]) -> bool:
        """Return whether all gradients are finite (one sync); halve the scale where they are not."""
        if not grads or bool(torch.stack([grad.isfinite().all() for grad in grads]).all()):
            return True
        self.step_counter, self.dynamic_scale = 0, self.dynamic_scale * 0.5
        return False

    def _count(self) -> None:
        self.step_counter += 1
        if self.step_counter >= self.dynamic_growth_steps:
            self.step_counter, self.dynamic_scale = 0, self.dynamic_scale * 2.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with Keras's keys."""
        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Return the optimizer that `get_config` described."""
        known = dict(config)
        with custom_object_scope(custom_objects or {}):
            known["inner_optimizer"] = deserialize(known["inner_optimizer"])
        return cls(**known)

    def state_dict(self) -> dict[str, Any]:
        """Return the scale, its count, and the inner optimizer's state."""
        own = {"dynamic_scale": self.dynamic_scale, "step_counter": self.step_counter}
        return {**own, "inner": self.inner_optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state_dict` returned."""
        self.dynamic_scale, self.step_counter = float(state["dynamic_scale"]), int(state["step_counter"])
        self.inner_optimizer.load_state_dict(state["inner"])

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the variables as arrays under "0", "1", … in Keras's order: own four, then the inner ones."""
        inner: dict[str, Any] = {}
        self.inner_optimizer.save_own_variables(inner)
        own = [np.int32(0), np.float32(0.0), np.int32(self.step_counter), np.float32(self.dynamic_scale)]
        for key, value in enumerate([*own, *(inner[str(number)] for number in range(len(inner)))]):
            store[str(key)] = value

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote."""
        self.step_counter, self.dynamic_scale = int(store["2"][()]), float(store["3"][()])
        inner = {str(int(key) - 4): store[key] for key in store if int(key) >= 4}
        self.inner_optimizer.load_own_variables(inner)

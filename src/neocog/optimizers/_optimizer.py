"""The base of all optimizers: one update, from gradients to constraints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch.autograd.graph import increment_version

from neocog.core import no_gradients, to_tensor
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.optimizers import _accumulators, _gradients
from neocog.optimizers._base import OptimizerBase
from neocog.optimizers._exchange import exchanged
from neocog.optimizers._groups import Batch
from neocog.optimizers._table import name_of, path_of
from neocog.optimizers._values import LearningRate, OptimizerVariable, StepCount, parameter_of

_NO_CONTEXT = nullcontext()


class Optimizer(OptimizerBase):
    """Base of all optimizers; your own override `build`, `update_step` and `get_config`, as in Keras.

    Args:
        learning_rate: a number of 0 or more, a schedule, or a function without arguments.
        weight_decay: decoupled: before each update, variable −= variable · weight_decay · learning rate.
        clipnorm: largest L2 norm of each gradient.
        clipvalue: largest absolute value of each element.
        global_clipnorm: largest L2 norm of all gradients together.
        use_ema: keep an exponential moving average of the variables; default False.
        ema_momentum: weight of the old average; default 0.99.
        ema_overwrite_frequency: iterations after which the average replaces the variables; None: at the end.
        loss_scale_factor: gradients are divided by it; `scale_loss` multiplies the loss by it.
        gradient_accumulation_steps: update once in so many steps, by the mean of their gradients; 2 or more.
        name: default: the class's, in snake case.

    Raises:
        ArgumentError: a number is out of its range, or two kinds of clipping are asked for.
        ArgumentTypeError: an argument is unknown.

    Example:
        >>> class Plain(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * gradient)
        >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
        >>> Plain(0.5).apply([torch.tensor([1.0])], [weight])
        >>> weight.item()
        0.5
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._one_by_one = cls.update_step is not Optimizer.update_step

    def _begin_update(self) -> None:
        """Called once an update, before the batches."""

    def _update(self, batch: Batch, rate: float) -> None:
        raise NotImplementedError(
            f"{type(self).__name__}: expected the optimizer to override update_step, it does not."
        )

    def _decay_and_update(self, batch: Batch, rate: float) -> None:
        if self.weight_decay and batch.decayed:
            torch._foreach_mul_(batch.decayed, 1.0 - self.weight_decay * rate)
        if self._one_by_one:
            self._update_one_by_one(batch)
        else:
            self._update(batch, rate)

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Update the variables by their gradients, and put constrained ones back where they may be.

        Args:
            grads: one gradient a variable; None leaves the variable as it is, with a warning.
            trainable_variables: the variables, in the order of `grads`; the first call builds the optimizer
                on them. Left out: all that the optimizer was built on.

        Raises:
            ArgumentError: the variables are not those of `build`, or no variable has a gradient.
            NotBuiltError: no variables were ever given.
            ShapeError: a gradient has another shape than its variable.
        """
        grads = exchanged(list(grads))
        if not grads:
            return
        if trainable_variables is not None:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
        elif self.built:
            variables = self._table.references
        else:
            raise self._not_built()
        if len(grads) != len(variables):
            expected = f"one gradient for each of {len(variables)} variables"
            raise ArgumentError(message(self._where(), expected=expected, got=len(grads)))
        self._advance(self._arranged(grads, variables))
        _accumulators.constrain(variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> StepCount:
        """Update by (gradient, variable) pairs and return the number of steps done."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return StepCount(self._iterations)

    def step(self) -> None:
        """Update all variables by the `grad` that `backward` left on them, as a torch optimizer does.

        Raises:
            NotBuiltError: the optimizer has no variables yet.
        """
        if not self.built:
            raise self._not_built()
        if self.on_device is not None:
            self.on_device.step()
        elif not self._advance([param.grad for param in self._table.params]):
            self._warn_once("no variable has a gradient: call loss.backward() before", ["step()"])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all variables, or fill them with zeros."""
        for param in self._table.params:
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad = torch.zeros_like(param.grad)

    def _arranged(self, grads: Sequence[Any], variables: Sequence[Any]) -> list[torch.Tensor | None]:
        """Return the gradients in the order of `build`, checked, None where there is none."""
        arranged: list[torch.Tensor | None] = [None] * len(self._table.params)
        missing = []
        for grad, variable in zip(grads, variables, strict=True):
            index = self._table.position(variable)
            if index is None:
                raise self._other_variables(name_of(variable) or "an unknown one")
            if grad is None:
                missing.append(self._table.label(index))
            else:
                arranged[index] = self._checked(grad, index)
        if len(missing) == len(grads):
            raise ArgumentError(message(self._where(), expected="a gradient for some variable", got="none"))
        if missing:
            self._warn_once("there are no gradients for", missing)
        return arranged

    def _checked(self, grad: Any, index: int) -> torch.Tensor:
        param = self._table.params[index]
        if not isinstance(grad, torch.Tensor):
            grad = to_tensor(getattr(grad, "value", grad))
        if grad.shape != param.shape:
            where = f"{self._where()}, {self._table.label(index)}"
            expected = f"a gradient of shape {tuple(param.shape)}"
            raise ShapeError(message(where, expected=expected, got=tuple(grad.shape)))
        if grad.dtype is not param.dtype or grad.device != param.device:
            grad = grad.to(param.device, param.dtype)
        return grad  # type: ignore[no-any-return]

    def _advance(self, grads: Sequence[torch.Tensor | None]) -> bool:
        """Do one step; False where no variable has a gradient. Everything stays on the device: no sync."""
        self._load_pending()
        rate = self._rate.at(self._iterations)
        plain = torch._C.DisableTorchFunctionSubclass() if self._table.foreign else _NO_CONTEXT
        with no_gradients(), plain:
            batches = self._table.batches(grads)
            if not batches:
                return False
            if self.loss_scale_factor:
                for batch in batches:
                    batch.grads = list(torch._foreach_div(batch.grads, self.loss_scale_factor))
            steps = self.gradient_accumulation_steps
            if steps and (self._iterations + 1) % steps:
                _accumulators.add_gradients(batches)
            else:
                self._update_all(batches, rate)
            if self.use_ema:
                self._average()
        self._iterations += 1
        return True

    def _update_all(self, batches: list[Batch], rate: float) -> None:
        if self.gradient_accumulation_steps:
            _accumulators.mean_gradients(batches, self.gradient_accumulation_steps)
        if self.clipnorm:
            _gradients.clip_by_norm(batches, self.clipnorm)
        elif self.global_clipnorm:
            _gradients.clip_by_global_norm(batches, self.global_clipnorm)
        elif self.clipvalue:
            _gradients.clip_by_value(batches, self.clipvalue)
        self._begin_update()
        for batch in batches:
            self._decay_and_update(batch, rate * batch.factor)
            if batch.fused and batch.slots:  # torch's fused kernels leave versions as they are
                increment_version(next(iter(batch.slots.values()))[0])  # an update that fails now has begun
        if self.gradient_accumulation_steps:
            _accumulators.clear_gradients(self._table.groups)

    def _average(self) -> None:
        updates = self._updates()
        frequency = self.ema_overwrite_frequency
        overwrite = bool(frequency) and (updates + 1) % frequency == 0  # type: ignore[operator]
        _accumulators.average(self._table.groups, self.ema_momentum if updates else 0.0, overwrite)

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Replace the variables by their moving averages where `use_ema` keeps them."""
        if not self.use_ema:
            return
        for variable in var_list:
            index = self._get_variable_index(variable)
            with torch.no_grad():
                parameter_of(variable).copy_(self._table.slots["average"][index])

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _update_one_by_one(self, batch: Batch) -> None:
        rate = LearningRate(self._rate.at(self._iterations) * batch.factor, self)
        for index, param, grad in zip(batch.indices, batch.params, batch.grads, strict=True):
            layout = self._table.layouts[index]
            path = path_of(self._table.references[index], index)
            variable = OptimizerVariable.over(layout.view(param), path, index)
            self.update_step(layout.view(grad), variable, rate)

    def update_step(self, gradient: torch.Tensor, variable: Any, learning_rate: Any) -> None:
        """Update one variable, in place; a rule of your own overrides it.

        Args:
            gradient: of the loss, in the shape that Keras gives the variable.
            variable: a tensor with `assign`, `assign_add`, `assign_sub`; writing to it writes to the model.
            learning_rate: a float.
        """
        index = self._get_variable_index(variable)
        self._update(self._table.single(index, variable, gradient), float(learning_rate))

    def _get_variable_index(self, variable: Any) -> int:
        index = self._table.position(variable)
        if index is None:
            raise self._other_variables(name_of(variable) or "an unknown one")
        return index

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> OptimizerVariable:
        """Make a slot of any shape; `initializer`: "zeros", "ones", a number or a function."""
        return self._table.add(shape, name or "var", name or "var", initializer, dtype)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> OptimizerVariable:
        """Make a slot of the shape and type of a model variable."""
        name = name or "var"
        path = f"{path_of(reference_variable, self._table.position(reference_variable))}_{name}"
        shape, dtype = tuple(reference_variable.shape), parameter_of(reference_variable).dtype
        return self._table.add(shape, name, path, initializer, dtype)

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make slots for all variables: a list for one name, a tuple of lists for several."""
        names = [name] if isinstance(name, str) else list(name)
        firsts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: tuple[list[OptimizerVariable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for slots, slot_name, first in zip(made, names, firsts, strict=True):
                slots.append(self.add_variable_from_reference(variable, slot_name, first))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Any, value: Any) -> None:
        """Overwrite a variable or a slot."""
        variable.assign(value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """Add to a variable or a slot."""
        variable.assign_add(value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtract from a variable or a slot."""
        variable.assign_sub(value)

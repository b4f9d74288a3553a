"""Rules that divide by accumulated squares: Adagrad and Adadelta."""

from __future__ import annotations

from typing import Any, Unpack

import torch

from neocog.optimizers import _roots
from neocog.optimizers._checks import check_epsilon, check_fraction, check_positive
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("adagrad")
class Adagrad(Optimizer):
    """w −= lr · g / √(a + epsilon), a ← a + g².

    Epsilon stands inside the root, where torch has it outside.

    Args:
        learning_rate: default 0.001.
        initial_accumulator_value: first value of a, 0 or more; default 0.1.
        epsilon: default 1e-7.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Adagrad(0.1, initial_accumulator_value=0.0).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.9

    Reference:
        Duchi et al., "Adaptive subgradient methods", JMLR 12, 2011
    """

    _own_arguments = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.initial_accumulator_value = check_positive(
            where, "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = check_epsilon(where, epsilon)

    def _fuses(self) -> bool:
        return True

    @property
    def fused(self) -> bool:
        """Whether torch's fused kernels do the update."""
        return super().fused and all(map(_roots.takes, self._table.groups))

    def _blocks(self) -> list[dict[str, float]]:
        return [{"accumulator": self.initial_accumulator_value}]

    def _update(self, batch: Batch, rate: float) -> None:
        sums, grads = batch.slots["accumulator"], batch.grads
        if _roots.takes(batch):
            with_epsilon = _roots.scaled_sums(sums, 1.0, self.epsilon)
            torch._foreach_addcmul_(sums, grads, grads, 1.0)
            _roots.add_and_move(batch, with_epsilon, rate)
            return
        torch._foreach_addcmul_(sums, grads, grads, 1.0)
        divisors = torch._foreach_add(sums, self.epsilon)
        torch._foreach_sqrt_(divisors)
        torch._foreach_addcdiv_(batch.params, grads, divisors, -rate)


@OPTIMIZERS.register("adadelta")
class Adadelta(Optimizer):
    """w += lr · d, d = −√(D + epsilon) / √(a + epsilon) · g, with a and D moving averages of g² and d².

    Args:
        learning_rate: default 0.001; the paper's is 1.
        rho: decay of the averages; default 0.95.
        epsilon: default 1e-7.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Adadelta(1.0, rho=0.75, epsilon=1e-6).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.998

    Reference:
        Zeiler, "ADADELTA", 2012, https://arxiv.org/abs/1212.5701
    """

    _own_arguments = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-7,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = check_fraction(type(self).__name__, "rho", rho)
        self.epsilon = check_epsilon(type(self).__name__, epsilon)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}]

    def _update(self, batch: Batch, rate: float) -> None:
        squares, moves = batch.slots["accumulated_grad"], batch.slots["accumulated_delta_var"]
        track_squares(squares, batch.grads, self.rho)
        deltas = torch._foreach_add(moves, self.epsilon)
        torch._foreach_sqrt_(deltas)
        torch._foreach_mul_(deltas, batch.grads)
        divisors = torch._foreach_add(squares, self.epsilon)
        torch._foreach_sqrt_(divisors)
        torch._foreach_div_(deltas, divisors)
        track_squares(moves, deltas, self.rho)
        torch._foreach_add_(batch.params, deltas, alpha=-rate)

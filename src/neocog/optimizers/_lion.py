"""Lion, which moves by signs."""

from __future__ import annotations

from typing import Any, Unpack

import torch

from neocog.optimizers._checks import check_fraction, refuse
from neocog.optimizers._groups import Batch
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("lion")
class Lion(Optimizer):
    """w −= lr · sign(beta_1 · m + (1 − beta_1) · g), then m ← beta_2 · m + (1 − beta_2) · g.

    Args:
        learning_rate: default 0.001.
        beta_1: above 0; default 0.9.
        beta_2: default 0.99.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Lion(0.25).apply([torch.full((1,), 3.0)], [weight])
        >>> weight.item()
        0.75

    Reference:
        Chen et al., "Symbolic discovery of optimization algorithms", 2023, https://arxiv.org/abs/2302.06675
    """

    _own_arguments = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.beta_1 = check_fraction(where, "beta_1", beta_1)
        self.beta_2 = check_fraction(where, "beta_2", beta_2)
        if not self.beta_1:
            raise refuse(where, "beta_1 above 0", beta_1)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0}]

    def _update(self, batch: Batch, rate: float) -> None:
        means, grads = batch.slots["momentum"], batch.grads
        # in Keras's order of operations: a sign shows every rounding
        directions = torch._foreach_mul(means, self.beta_1)
        torch._foreach_add_(directions, grads, alpha=1.0 - self.beta_1)
        torch._foreach_sign_(directions)
        torch._foreach_add_(batch.params, directions, alpha=-rate)
        torch._foreach_mul_(means, self.beta_2)
        torch._foreach_add_(means, grads, alpha=1.0 - self.beta_2)

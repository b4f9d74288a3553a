"""AdamW that needs no schedule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import torch

from neocog.core import check_int
from neocog.optimizers._checks import check_epsilon, check_fraction, correction, refuse
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("schedulefreeadamw")
class ScheduleFreeAdamW(Optimizer):
    """z −= α · g / (√(v / (1 − beta_2ᵗ)) + epsilon); x ← mean of all z; w = (1 − beta_1) · z + beta_1 · x.

    v is a moving average of g², α the learning rate, which grows over the first `warmup_steps`. As in Keras
    on torch, x is told from w and the new z, where the paper takes the old one.

    Args:
        learning_rate: default 0.0025.
        beta_1: share of the mean in the weights, above 0; default 0.9.
        beta_2: decay of v; default 0.999.
        epsilon: default 1e-8.
        warmup_steps: updates over which the rate grows from 0; default 0.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> ScheduleFreeAdamW(0.25).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.75

    Reference:
        Defazio et al., "The road less scheduled", 2024, https://arxiv.org/abs/2405.15682
    """

    _own_arguments = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.beta_1 = check_fraction(where, "beta_1", beta_1)
        self.beta_2 = check_fraction(where, "beta_2", beta_2)
        self.epsilon = check_epsilon(where, epsilon)
        self.warmup_steps = check_int(where, "warmup_steps", warmup_steps, minimum=0)
        if not self.beta_1:
            raise refuse(where, "beta_1 above 0", beta_1)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def build(self, variables: Iterable[Any]) -> None:
        """Make the slots; z begins where the variables are."""
        fresh = not self.built
        super().build(variables)
        if fresh:
            with torch.no_grad():
                for group in self._table.groups:
                    torch._foreach_copy_(group.slots["momentum"], group.params)

    def _update(self, batch: Batch, rate: float) -> None:
        points, squares = batch.slots["momentum"], batch.slots["velocity"]
        step = self._updates() + 1
        if self.warmup_steps:
            rate *= min(step / self.warmup_steps, 1.0)
        track_squares(squares, batch.grads, self.beta_2)
        roots = torch._foreach_div(squares, correction(self.beta_2, step, batch.exact))
        torch._foreach_sqrt_(roots)
        torch._foreach_add_(roots, self.epsilon)
        torch._foreach_addcdiv_(points, batch.grads, roots, -rate)
        share = 1.0 - self.beta_1
        means = torch._foreach_sub(batch.params, torch._foreach_mul(points, share))
        torch._foreach_mul_(means, (1.0 - 1.0 / step) / self.beta_1)
        torch._foreach_add_(means, points, alpha=1.0 / step)
        torch._foreach_mul_(means, self.beta_1)
        torch._foreach_add_(means, points, alpha=share)
        torch._foreach_copy_(batch.params, means)

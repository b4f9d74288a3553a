"""LAMB, layer-wise adaptive moments for large batches."""

from __future__ import annotations

from typing import Any, Unpack

import torch

from neocog.optimizers._checks import check_epsilon, check_fraction, correction
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track, track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("lamb")
class Lamb(Optimizer):
    """w −= lr · ‖w‖ / ‖d‖ · d, d = m̂ / (√v̂ + epsilon), m̂ and v̂ Adam's; the ratio is 1 where a norm is 0.

    Args:
        learning_rate: default 0.001.
        beta_1: decay of m; default 0.9.
        beta_2: decay of v; default 0.999.
        epsilon: default 1e-7.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.full((1,), 2.0))
        >>> Lamb(0.1).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        1.8

    Reference:
        You et al., "Large batch optimization for deep learning", 2019, https://arxiv.org/abs/1904.00962
    """

    _own_arguments = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.beta_1 = check_fraction(where, "beta_1", beta_1)
        self.beta_2 = check_fraction(where, "beta_2", beta_2)
        self.epsilon = check_epsilon(where, epsilon)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def _update(self, batch: Batch, rate: float) -> None:
        means, squares, grads = batch.slots["momentum"], batch.slots["velocity"], batch.grads
        step = self._updates() + 1
        track(means, grads, self.beta_1)
        track_squares(squares, grads, self.beta_2)
        divisors = torch._foreach_div(squares, correction(self.beta_2, step, batch.exact))
        torch._foreach_sqrt_(divisors)
        torch._foreach_add_(divisors, self.epsilon)
        updates = torch._foreach_div(means, correction(self.beta_1, step, batch.exact))
        torch._foreach_div_(updates, divisors)
        ratios = []
        for weight, size in zip(torch._foreach_norm(batch.params), torch._foreach_norm(updates), strict=True):
            usable = (weight > 0) & (size > 0)
            ratios.append(torch.where(usable, weight / size, 1.0))  # on the device: no sync
        torch._foreach_mul_(updates, ratios)
        torch._foreach_add_(batch.params, updates, alpha=-rate)

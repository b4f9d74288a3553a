"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any, Unpack

import torch

from neocog.optimizers._checks import check_epsilon, check_fraction, correction, refuse
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track, track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions, SharedOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("adam")
class Adam(Optimizer):
    """w −= α · m / (√v + epsilon), α = lr · √(1 − beta_2ᵗ) / (1 − beta_1ᵗ).

    m and v are moving averages of g and g². Epsilon stands beside the uncorrected √v (the paper's "epsilon
    hat"), where torch has it after the correction.

    Args:
        learning_rate: default 0.001.
        beta_1: decay of m; default 0.9.
        beta_2: decay of v; default 0.999.
        epsilon: default 1e-7.
        amsgrad: divide by the largest v so far; default False.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Adam(0.1).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.9

    Reference:
        Kingma and Ba, "Adam", 2014, https://arxiv.org/abs/1412.6980; Reddi et al., 2018, for amsgrad
    """

    _own_arguments = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.beta_1 = check_fraction(where, "beta_1", beta_1)
        self.beta_2 = check_fraction(where, "beta_2", beta_2)
        self.epsilon = check_epsilon(where, epsilon)
        self.amsgrad = amsgrad

    def _fuses(self) -> bool:
        return self.beta_1 < 1.0 and self.beta_2 < 1.0

    def _blocks(self) -> list[dict[str, float]]:
        largest = [{"velocity_hat": 0.0}] if self.amsgrad else []
        return [{"momentum": 0.0, "velocity": 0.0}, *largest]

    def _alpha(self, rate: float, exact: bool) -> float:
        step = self._updates() + 1
        first = correction(self.beta_1, step, exact)
        return rate * math.sqrt(correction(self.beta_2, step, exact)) / first if first else math.nan

    def _decay_and_update(self, batch: Batch, rate: float) -> None:
        if self.weight_decay and batch.fused and batch.decayed is batch.params:
            alpha = self._alpha(rate, batch.exact)
            if alpha:
                self.fused_update(batch, alpha, self.weight_decay * rate / alpha)
                return
        super()._decay_and_update(batch, rate)

    def _update(self, batch: Batch, rate: float) -> None:
        alpha = self._alpha(rate, batch.exact)
        if batch.fused:
            self.fused_update(batch, alpha, 0.0)
            return
        means, squares, grads = batch.slots["momentum"], batch.slots["velocity"], batch.grads
        track(means, grads, self.beta_1)
        track_squares(squares, grads, self.beta_2)
        if self.amsgrad:
            torch._foreach_maximum_(batch.slots["velocity_hat"], squares)
            squares = batch.slots["velocity_hat"]
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, self.epsilon)
        torch._foreach_addcdiv_(batch.params, means, roots, -alpha)

    def fused_update(self, batch: Batch, alpha: float | torch.Tensor, weight_decay: float) -> None:
        """Update by torch's kernel; at a far step its own corrections are 1."""
        kernel = torch._fused_adamw_ if weight_decay else torch._fused_adam_
        kernel(
            batch.params,
            batch.grads,
            batch.slots["momentum"],
            batch.slots["velocity"],
            batch.slots["velocity_hat"] if self.amsgrad else [],
            batch.far_steps(),
            lr=alpha,
            beta1=self.beta_1,
            beta2=self.beta_2,
            weight_decay=weight_decay,
            eps=self.epsilon,
            amsgrad=self.amsgrad,
            maximize=False,
        )


@OPTIMIZERS.register("adamw")
class AdamW(Adam):
    """Adam with decoupled weight decay: w −= w · weight_decay · lr before Adam's update.

    Args:
        learning_rate: default 0.001.
        weight_decay: default 0.004.
        beta_1: decay of m; default 0.9.
        beta_2: decay of v; default 0.999.
        epsilon: default 1e-7.
        amsgrad: divide by the largest v so far; default False.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range, or weight_decay is None.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> AdamW(0.1, weight_decay=0.5).apply([torch.zeros(1)], [weight])
        >>> round(weight.item(), 4)
        0.95

    Reference:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2017, https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **kwargs: Unpack[SharedOptions],
    ) -> None:
        if weight_decay is None:
            raise refuse(type(self).__name__, "weight_decay to be a number", weight_decay)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)

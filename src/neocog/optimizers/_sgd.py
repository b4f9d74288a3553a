"""Gradient descent, with momentum or Nesterov's."""

from __future__ import annotations

from typing import Any, Unpack

import torch

from neocog.optimizers._checks import check_fraction
from neocog.optimizers._groups import Batch
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("sgd")
class SGD(Optimizer):
    """w −= lr · g; with momentum: v ← momentum · v − lr · g, w += v (Nesterov: w += momentum · v − lr · g).

    The velocity holds the rate: after a change of the rate, old gradients keep the old one.

    Args:
        learning_rate: default 0.01.
        momentum: 0 to 1; default 0.
        nesterov: default False.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> for _ in range(2):
        ...     optimizer.apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 6)
        0.71

    Reference:
        Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013
    """

    _own_arguments = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = check_fraction(type(self).__name__, "momentum", momentum)
        self.nesterov = nesterov

    def _fuses(self) -> bool:
        return True

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0}] if self.momentum else []

    def _update(self, batch: Batch, rate: float) -> None:
        if not self.momentum:
            if batch.fused:
                fused_sgd(batch.params, batch.grads, [], rate=rate)
            else:
                torch._foreach_add_(batch.params, batch.grads, alpha=-rate)
            return
        velocities, grads = batch.slots["momentum"], batch.grads
        if batch.fused and not self.nesterov:
            # v ← momentum · v + (1 − dampening) · g and w −= rate · v, with 1 − dampening = −lr and rate = −1
            fused_sgd(batch.params, grads, velocities, -1.0, self.momentum, dampening=1.0 + rate)
        elif batch.fused:
            scaled = list(torch._foreach_mul(grads, -rate))
            fused_sgd(batch.params, scaled, velocities, -1.0, self.momentum, nesterov=True)
        else:
            torch._foreach_mul_(velocities, self.momentum)
            torch._foreach_add_(velocities, grads, alpha=-rate)
            if self.nesterov:
                torch._foreach_add_(batch.params, grads, alpha=-rate)
            torch._foreach_add_(batch.params, velocities, alpha=self.momentum if self.nesterov else 1.0)


def fused_sgd(
    params: list[torch.Tensor],
    grads: list[torch.Tensor],
    velocities: list[torch.Tensor],
    rate: float | torch.Tensor,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
) -> None:
    torch._fused_sgd_(
        params,
        grads,
        velocities,
        weight_decay=0.0,
        momentum=momentum,
        lr=rate,
        dampening=dampening,
        nesterov=nesterov,
        maximize=False,
        is_first_step=False,
    )

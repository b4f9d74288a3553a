"""RMSprop."""

from __future__ import annotations

import math
from typing import Any, Unpack

import torch

from neocog.optimizers import _roots
from neocog.optimizers._checks import check_epsilon, check_fraction
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track, track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("rmsprop")
class RMSprop(Optimizer):
    """w −= lr · g / √(v + epsilon), v the moving average of g².

    With momentum: b ← momentum · b + lr · g / √(v + epsilon), w −= b. Centered: v − ḡ² stands for v, ḡ the
    moving average of g. Epsilon stands inside the root, where torch has it outside.

    Args:
        learning_rate: default 0.001.
        rho: decay of the averages; default 0.9.
        momentum: default 0.
        epsilon: default 1e-7.
        centered: divide by the estimated deviation instead of the root mean square; default False.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> RMSprop(0.1, rho=0.75).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.8

    Reference:
        Tieleman and Hinton, "Lecture 6.5", 2012
    """

    _own_arguments = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.rho = check_fraction(where, "rho", rho)
        self.momentum = check_fraction(where, "momentum", momentum)
        self.epsilon = check_epsilon(where, epsilon)
        self.centered = centered

    def _fuses(self) -> bool:
        return self.rho < 1.0 and not self.momentum and not self.centered

    @property
    def fused(self) -> bool:
        """Whether torch's fused kernels do the update."""
        return super().fused and all(map(_roots.takes, self._table.groups))

    def _blocks(self) -> list[dict[str, float]]:
        blocks = [{"velocity": 0.0}]
        if self.momentum:
            blocks.append({"momentum": 0.0})
        if self.centered:
            blocks.append({"average_gradient": 0.0})
        return blocks

    def _update(self, batch: Batch, rate: float) -> None:
        squares, grads = batch.slots["velocity"], batch.grads
        if _roots.takes(batch):
            # v + epsilon over 1 − rho: so the kernel's g² has the weight 1 − rho.
            torch._foreach_mul_(squares, self.rho)
            sums = _roots.scaled_sums(squares, 1.0 / (1.0 - self.rho), self.epsilon)
            torch._foreach_addcmul_(squares, grads, grads, 1.0 - self.rho)
            _roots.add_and_move(batch, sums, rate / math.sqrt(1.0 - self.rho))
            return
        track_squares(squares, grads, self.rho)
        divisors = torch._foreach_add(squares, self.epsilon)
        if self.centered:
            means = batch.slots["average_gradient"]
            track(means, grads, self.rho)
            torch._foreach_addcmul_(divisors, means, means, -1.0)
        torch._foreach_sqrt_(divisors)
        if self.momentum:
            steps = batch.slots["momentum"]
            torch._foreach_mul_(steps, self.momentum)
            torch._foreach_addcdiv_(steps, grads, divisors, rate)
            torch._foreach_add_(batch.params, steps, alpha=-1.0)
        else:
            torch._foreach_addcdiv_(batch.params, grads, divisors, -rate)

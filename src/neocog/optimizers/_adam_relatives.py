"""Adam's relatives: Adamax (infinity norm) and Nadam (Nesterov's momentum)."""

from __future__ import annotations

import math
from typing import Any, Unpack

import torch

from neocog.optimizers._checks import check_epsilon, check_fraction, correction, rounded
from neocog.optimizers._groups import Batch
from neocog.optimizers._moments import track, track_squares
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


class _Moments(Optimizer):
    """The arguments that both take."""

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


@OPTIMIZERS.register("adamax")
class Adamax(_Moments):
    """w −= lr / (1 − beta_1ᵗ) · m / (u + epsilon), u ← max(beta_2 · u, |g|), m the moving average of g.

    Args:
        learning_rate: default 0.001.
        beta_1: decay of m; default 0.9.
        beta_2: decay of u; default 0.999.
        epsilon: default 1e-7.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Adamax(0.1).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.9

    Reference:
        Kingma and Ba, "Adam", 2014, section 7.1, https://arxiv.org/abs/1412.6980
    """

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "norm": 0.0}]

    def _update(self, batch: Batch, rate: float) -> None:
        means, norms, grads = batch.slots["momentum"], batch.slots["norm"], batch.grads
        track(means, grads, self.beta_1)
        torch._foreach_mul_(norms, self.beta_2)
        torch._foreach_maximum_(norms, torch._foreach_abs(grads))
        divisors = torch._foreach_add(norms, self.epsilon)
        factor = correction(self.beta_1, self._updates() + 1, batch.exact)
        torch._foreach_addcdiv_(batch.params, means, divisors, -rate / factor if factor else math.nan)


@OPTIMIZERS.register("nadam")
class Nadam(_Moments):
    """w −= lr · m̂ / (√v̂ + epsilon), m̂ = u₊ · m / (1 − U · u₊) + (1 − u) · g / (1 − U), v̂ = v / (1 − beta_2ᵗ).

    u = beta_1 · (1 − 0.96ᵗ / 2) is the momentum of step t, u₊ that of the next one, U the product so far.

    Args:
        learning_rate: default 0.001.
        beta_1: the momentum that u tends to, and the decay of m; default 0.9.
        beta_2: decay of v; default 0.999.
        epsilon: default 1e-7.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Nadam(0.1).apply([torch.ones(1)], [weight])
        >>> weight.item() < 0.91
        True

    Reference:
        Dozat, "Incorporating Nesterov momentum into Adam", 2016
    """

    def build(self, variables: Any) -> None:
        """Make the slots for `variables`, and the product of momenta."""
        super().build(variables)
        self._scalars.setdefault("u_product", 1.0)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def _momentum(self, step: int) -> float:
        return self.beta_1 * (1.0 - 0.5 * 0.96**step)

    def _begin_update(self) -> None:
        self._scalars["u_product"] *= self._momentum(self._updates() + 1)

    def _update(self, batch: Batch, rate: float) -> None:
        means, squares, grads = batch.slots["momentum"], batch.slots["velocity"], batch.grads
        step = self._updates() + 1
        now, following = self._momentum(step), self._momentum(step + 1)
        product = self._scalars["u_product"]
        track(means, grads, self.beta_1)
        track_squares(squares, grads, self.beta_2)
        # √v̂ + epsilon = (√v + epsilon · √c) / √c with c = 1 − beta_2ᵗ
        root = math.sqrt(correction(self.beta_2, step, batch.exact))
        divisors = torch._foreach_sqrt(squares)
        torch._foreach_add_(divisors, self.epsilon * root)
        from_mean = rounded(following / (1.0 - product * following), batch.exact)
        from_grad = rounded((1.0 - now) / (1.0 - product), batch.exact)
        torch._foreach_addcdiv_(batch.params, means, divisors, -rate * root * from_mean)
        torch._foreach_addcdiv_(batch.params, grads, divisors, -rate * root * from_grad)

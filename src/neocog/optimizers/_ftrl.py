"""Follow the regularized leader."""

from __future__ import annotations

from typing import Any, Unpack

import torch

from neocog.core import check_number
from neocog.optimizers._checks import check_positive
from neocog.optimizers._groups import Batch
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("ftrl")
class Ftrl(Optimizer):
    """w = (clip(z, −l1, l1) − z) / (nᵖ / lr + 2 · (l2 + beta / (2 · lr))), p = −learning_rate_power.

    n ← n + g² and z ← z + g + 2 · shrinkage · w − (nᵖ − n_beforeᵖ) / lr · w.

    Args:
        learning_rate: default 0.001.
        learning_rate_power: 0 or less; default -0.5.
        initial_accumulator_value: first n, 0 or more; default 0.1.
        l1_regularization_strength: 0 or more; default 0.
        l2_regularization_strength: 0 or more; default 0.
        l2_shrinkage_regularization_strength: 0 or more; default 0.
        beta: default 0.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> Ftrl(0.1, initial_accumulator_value=0.0).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        -0.1

    Reference:
        McMahan et al., "Ad click prediction", 2013
    """

    _own_arguments = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.learning_rate_power = check_number(
            where, "learning_rate_power", learning_rate_power, maximum=0.0
        )
        self.initial_accumulator_value = check_positive(
            where, "initial_accumulator_value", initial_accumulator_value
        )
        self.l1_regularization_strength = check_positive(
            where, "l1_regularization_strength", l1_regularization_strength
        )
        self.l2_regularization_strength = check_positive(
            where, "l2_regularization_strength", l2_regularization_strength
        )
        self.l2_shrinkage_regularization_strength = check_positive(
            where, "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = check_positive(where, "beta", beta)

    def _blocks(self) -> list[dict[str, float]]:
        return [{"accumulator": self.initial_accumulator_value, "linear": 0.0}]

    def _update(self, batch: Batch, rate: float) -> None:
        params, sums, linears = batch.params, batch.slots["accumulator"], batch.slots["linear"]
        # a tensor, as in Keras: the difference of powers shows every rounding
        power = [torch.tensor(-self.learning_rate_power, dtype=params[0].dtype)] * len(params)
        before = torch._foreach_pow(sums, power)
        torch._foreach_addcmul_(sums, batch.grads, batch.grads, 1.0)
        after = torch._foreach_pow(sums, power)
        steps = torch._foreach_sub(after, before)
        torch._foreach_div_(steps, rate)
        torch._foreach_mul_(steps, params)
        grads = batch.grads
        if self.l2_shrinkage_regularization_strength:
            grads = list(
                torch._foreach_add(grads, params, alpha=2.0 * self.l2_shrinkage_regularization_strength)
            )
        torch._foreach_add_(linears, torch._foreach_sub(grads, steps))
        torch._foreach_div_(after, rate)
        torch._foreach_add_(after, 2.0 * self.l2_regularization_strength + self.beta / rate)
        strength = self.l1_regularization_strength
        clipped = torch._foreach_clamp_min(torch._foreach_clamp_max(linears, strength), -strength)
        torch._foreach_sub_(clipped, linears)
        torch._foreach_div_(clipped, after)
        torch._foreach_copy_(params, clipped)

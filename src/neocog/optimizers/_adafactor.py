"""Adafactor, which keeps rows and columns instead of matrices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import torch

from neocog.core import check_number
from neocog.optimizers._checks import check_epsilon
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("adafactor")
class Adafactor(Optimizer):
    """w −= α · u / max(1, rms(u) / clip_threshold), u = g / √v, v from averages of g² over rows and columns.

    α = max(epsilon_2, rms(w)) · min(lr, 1 / √t).

    Args:
        learning_rate: default 0.001.
        beta_2_decay: the averages' decay is 1 − t ^ beta_2_decay; default -0.8.
        epsilon_1: added to g²; default 1e-30.
        epsilon_2: smallest scale of a weight; default 1e-3.
        clip_threshold: default 1.
        relative_step: bound the rate by 1 / √t; default True (without effect, as in Keras).
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> Adafactor(0.1).apply([torch.ones(1)], [weight])
        >>> round(weight.item(), 4)
        0.9

    Reference:
        Shazeer and Stern, "Adafactor", 2018, https://arxiv.org/abs/1804.04235
    """

    _own_arguments = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        where = type(self).__name__
        self.beta_2_decay = check_number(where, "beta_2_decay", beta_2_decay)
        self.epsilon_1 = check_epsilon(where, epsilon_1, "epsilon_1")
        self.epsilon_2 = check_epsilon(where, epsilon_2, "epsilon_2")
        self.clip_threshold = check_number(where, "clip_threshold", clip_threshold, minimum=0.0)
        self.relative_step = relative_step

    def build(self, variables: Iterable[Any]) -> None:
        """Make rows, columns and velocities, in Keras's layout."""
        if self.built:
            super().build(variables)
            return
        super().build(variables)
        self._rows: list[Any] = []
        self._columns: list[Any] = []
        self._squares: list[Any] = []
        for reference in self._table.references:
            shape, dtype = tuple(reference.shape), reference.dtype
            factored = len(shape) >= 2
            self._rows.append(self.add_variable(shape[:-1] if factored else (), dtype=dtype, name="row"))
            columns = (*shape[:-2], shape[-1]) if factored else ()
            self._columns.append(self.add_variable(columns, dtype=dtype, name="column"))
            self._squares.append(self.add_variable_from_reference(reference, name="velocity"))

    def update_step(self, gradient: torch.Tensor, variable: Any, learning_rate: Any) -> None:
        """Update one variable, in Keras's layout."""
        index = self._get_variable_index(variable)
        rows, columns, squares = self._rows[index], self._columns[index], self._squares[index]
        step = float(self._updates() + 1)
        decay = 1.0 - step**self.beta_2_decay
        rate = min(float(learning_rate), step**-0.5)
        alpha = torch.clamp(_rms(variable), min=self.epsilon_2) * rate
        squared = torch.square(gradient) + self.epsilon_1
        if gradient.ndim >= 2:
            rows.copy_(decay * rows + (1.0 - decay) * squared.mean(-1))
            columns.copy_(decay * columns + (1.0 - decay) * squared.mean(-2))
            scaled = rows / rows.mean(-1, keepdim=True)
            squares.copy_(scaled.unsqueeze(-1) * columns.unsqueeze(-2))
        else:
            squares.copy_(decay * squares + (1.0 - decay) * squared)
        update = gradient / torch.sqrt(squares)
        update = update / torch.clamp(_rms(update) / self.clip_threshold, min=1.0)
        variable.sub_(alpha * update)


def _rms(values: torch.Tensor) -> torch.Tensor:
    return torch.sqrt(torch.square(values).mean())

"""Muon: orthogonal steps for matrices, Adam for everything else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import torch

from neocog.core import check_int
from neocog.optimizers._checks import check_epsilon, check_fraction, check_positive, correction
from neocog.optimizers._groups import Batch
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import SharedOptions
from neocog.optimizers._registry import OPTIMIZERS


@OPTIMIZERS.register("muon")
class Muon(Optimizer):
    """w −= lr · rms_rate · √max(rows, columns) · orthogonalized(momentum) for matrices, Adam for the rest.

    Matrices whose path has "embedding" in it, or a pattern of `exclude_layers`, take Adam's update too.

    Args:
        learning_rate: default 0.001.
        adam_beta_1: Adam's; default 0.9.
        adam_beta_2: Adam's; default 0.999.
        adam_weight_decay: decay of the variables that Adam updates; default 0.004.
        epsilon: Adam's; default 1e-7.
        weight_decay: decay of the matrices; default 0.004.
        exclude_layers: patterns in the paths of matrices that Adam updates; default none.
        exclude_embeddings: Adam updates embeddings; default True.
        muon_a: coefficient of the iteration; default 3.4445.
        muon_b: coefficient of the iteration; default -4.775.
        muon_c: coefficient of the iteration; default 2.0315.
        adam_lr_ratio: Adam's rate is the rate times it; default 1.
        momentum: default 0.95.
        ns_steps: number of Newton-Schulz iterations; default 5.
        nesterov: default True.
        rms_rate: None leaves the update unscaled; default 0.2.
        kwargs: see `Optimizer`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> weight = torch.nn.Parameter(torch.eye(2))
        >>> Muon(0.1).apply([torch.eye(2)], [weight])
        >>> bool(weight[0, 0] < 1)
        True

    Reference:
        Jordan et al., "Muon", 2024; Liu et al., 2025, https://arxiv.org/abs/2502.16982
    """

    _own_arguments = (
        "adam_beta_1",
        "adam_beta_2",
        "epsilon",
        "exclude_layers",
        "muon_a",
        "muon_b",
        "muon_c",
        "adam_lr_ratio",
        "momentum",
        "ns_steps",
        "nesterov",
        "exclude_embeddings",
        "adam_weight_decay",
        "rms_rate",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float | None = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Unpack[SharedOptions],
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        where = type(self).__name__
        self.adam_beta_1 = check_fraction(where, "adam_beta_1", adam_beta_1)
        self.adam_beta_2 = check_fraction(where, "adam_beta_2", adam_beta_2)
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = check_epsilon(where, epsilon)
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = check_positive(where, "adam_lr_ratio", adam_lr_ratio)
        self.momentum = check_fraction(where, "momentum", momentum)
        self.ns_steps = check_int(where, "ns_steps", ns_steps, minimum=0)
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def build(self, variables: Iterable[Any]) -> None:
        """Make a momentum for each variable, and a velocity for those that Adam updates."""
        if self.built:
            super().build(variables)
            return
        super().build(variables)
        self._means: list[Any] = []
        self._squares: list[Any] = []
        for index, reference in enumerate(self._table.references):
            self._means.append(self.add_variable_from_reference(reference, name="momentum"))
            by_adam = self._takes_adam(index, reference)
            slot = self.add_variable_from_reference(reference, name="velocity") if by_adam else None
            self._squares.append(slot)

    def _takes_adam(self, index: int, reference: Any) -> bool:
        path = str(getattr(reference, "path", None) or self._table.names[index])
        if len(reference.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(re.search(pattern, path) for pattern in self.exclude_layers)

    def _decay_and_update(self, batch: Batch, rate: float) -> None:
        decayed = {id(param) for param in batch.decayed}
        for index, param in zip(batch.indices, batch.params, strict=True):
            decay = self.weight_decay if self._squares[index] is None else self.adam_weight_decay
            if decay and id(param) in decayed:
                param.mul_(1.0 - decay * rate)
        self._update_one_by_one(batch)

    def update_step(self, gradient: torch.Tensor, variable: Any, learning_rate: Any) -> None:
        """Update one variable, in Keras's layout."""
        index = self._get_variable_index(variable)
        mean, square = self._means[index], self._squares[index]
        if square is not None:
            self._adam_step(gradient, variable, float(learning_rate) * self.adam_lr_ratio, mean, square)
            return
        mean.mul_(self.momentum).add_(gradient)
        direction = gradient + self.momentum * mean if self.nesterov else mean
        update = self._orthogonalized(direction)
        scale = 1.0 if self.rms_rate is None else self.rms_rate * math.sqrt(max(update.shape))
        variable.sub_(update, alpha=float(learning_rate) * scale)

    def _adam_step(self, gradient: torch.Tensor, variable: Any, rate: float, mean: Any, square: Any) -> None:
        exact = gradient.dtype is torch.float64
        step = self._updates() + 1
        first, second = (correction(beta, step, exact) for beta in (self.adam_beta_1, self.adam_beta_2))
        mean.lerp_(gradient, 1.0 - self.adam_beta_1)
        square.mul_(self.adam_beta_2).addcmul_(gradient, gradient, value=1.0 - self.adam_beta_2)
        variable.addcdiv_(mean, torch.sqrt(square) + self.epsilon, value=-rate * math.sqrt(second) / first)

    def _orthogonalized(self, matrix: torch.Tensor) -> torch.Tensor:
        """Return a near-orthogonal matrix with `matrix`'s singular vectors, by Newton-Schulz iterations."""
        tall = matrix.shape[0] > matrix.shape[1]
        x: torch.Tensor = matrix.T if tall else matrix
        x = x / (torch.linalg.vector_norm(x) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if tall else x

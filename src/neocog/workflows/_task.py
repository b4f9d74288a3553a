"""What a model is to say of an image: which head, loss, metrics and words follow from it, decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neocog import layers, metrics
from neocog.data import TASKS
from neocog.exceptions import DataError, message
from neocog.losses import Loss

SINGLE, MULTI, REGRESSION = TASKS
THRESHOLD = 0.5  # probability from which a label is taken as there
_LEAST_DEVIATION = 1e-6  # what the layer that gives real units can take


@dataclass(frozen=True, kw_only=True)
class Task:
    """One label, several labels, or numbers: everything that depends on it.

    | kind | last layer | loss | metrics |
    | --- | --- | --- | --- |
    | `"single-label"` | softmax | sparse categorical cross-entropy | accuracy |
    | `"multi-label"` | sigmoid | binary cross-entropy | macro F1, binary accuracy, mean average precision |
    | `"regression"` | linear, in real units | mean squared error in deviations | R², mean absolute error |

    Attributes:
        kind: one of `neocog.data.TASKS`.
        names: of the classes, labels or targets, in the order of the outputs.
        mean, deviation: of each target in the training part; empty but for regression.
    """

    kind: str
    names: tuple[str, ...]
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def of(cls, kind: str, names: Sequence[str], labels: Any) -> Task:
        """Return the task for training labels: (count,) class numbers, (count, labels) or (count, targets).

        Raises:
            DataError: a target that has one value only, so that there is nothing to learn.
        """
        if kind != REGRESSION:
            return cls(kind=kind, names=tuple(names))
        values = np.asarray(labels, dtype=np.float64)
        deviation = values.std(0)
        for name, spread in zip(names, deviation, strict=True):
            if not spread > 0:
                expected = f"values of {name!r} that differ, to learn from"
                got = f"{values[0][list(names).index(name)]:g} in all {len(values)} training images"
                raise DataError(message("targets", expected=expected, got=got))
        return cls(
            kind=kind,
            names=tuple(names),
            mean=tuple(float(value) for value in values.mean(0)),
            deviation=tuple(max(float(value), _LEAST_DEVIATION) for value in deviation),
        )

    @property
    def headline(self) -> str:
        """The metric that is shown and drawn beside the loss."""
        return {SINGLE: "accuracy", MULTI: "macro_f1", REGRESSION: "r2"}[self.kind]

    @property
    def watched(self) -> tuple[str, ...]:
        """The values of an epoch that are recorded and told, without `val_`."""
        more = {SINGLE: (), MULTI: ("binary_accuracy", "mean_ap"), REGRESSION: ("mae",)}[self.kind]
        return ("loss", self.headline, *more)

    def head(self, features: Any) -> Any:
        """Return the model's output for features (symbolic): probabilities, or targets in their units."""
        if self.kind != REGRESSION:
            activation = "softmax" if self.kind == SINGLE else "sigmoid"
            return layers.Dense(len(self.names), activation=activation, name="probabilities")(features)
        standard = layers.Dense(len(self.names), name="standardised")(features)
        # float32 whatever the policy: a large mean would swallow the digits of half precision.
        units = layers.Normalization(
            mean=list(self.mean),
            variance=[value**2 for value in self.deviation],
            invert=True,
            dtype="float32",
            name="predictions",
        )
        return units(standard)

    def loss(self) -> Any:
        """Return the loss for `compile`."""
        if self.kind == SINGLE:
            return "sparse_categorical_crossentropy"
        return "binary_crossentropy" if self.kind == MULTI else StandardisedError(self.deviation)

    def metrics(self) -> list[Any]:
        """Return new metrics for `compile`, under the names in `watched`."""
        if self.kind == SINGLE:
            return ["accuracy"]
        if self.kind == MULTI:
            return [
                metrics.F1Score(average="macro", threshold=THRESHOLD, name="macro_f1"),
                metrics.BinaryAccuracy(threshold=THRESHOLD, name="binary_accuracy"),
                metrics.AUC(curve="PR", multi_label=True, num_labels=len(self.names), name="mean_ap"),
            ]
        return [CentredR2(self.mean, self.deviation), metrics.MeanAbsoluteError(name="mae")]


class StandardisedError(Loss):
    """The mean squared error of targets counted in standard deviations: mean(((y − ŷ) / σ)²).

    Targets of different units weigh alike, and 1 is what always saying the mean would reach.

    Args:
        deviation: σ of each target, above 0.
    """

    def __init__(self, deviation: Sequence[float]) -> None:
        super().__init__(name="standardised_error")
        self.deviation = tuple(deviation)

    def call(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
        """Return the error of each sample (B,) for targets and predictions (B, targets)."""
        scale = torch.tensor(self.deviation, dtype=y_pred.dtype, device=y_pred.device)
        return (((y_true - y_pred) / scale) ** 2).mean(-1)


class CentredR2(metrics.R2Score):
    """R² of targets that were centred first: sums of squares far from 0 lose their digits in float32."""

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__(name="r2")
        self.mean, self.deviation = tuple(mean), tuple(deviation)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account."""
        mean = torch.tensor(self.mean, device=y_pred.device)
        scale = torch.tensor(self.deviation, device=y_pred.device)
        super().update_state((y_true - mean) / scale, (y_pred - mean) / scale, sample_weight)

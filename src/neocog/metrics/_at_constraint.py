"""The best value of one rate while another is kept above a bound."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from neocog.core import check_int, check_number, torch_dtype
from neocog.metrics._arrays import divide_no_nan
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS
from neocog.metrics._thresholds import ThresholdCounter, linear_thresholds


class RateAtConstraint(Metric):
    """The largest `dependent` rate over thresholds at which the `constrained` rate is at least `value`."""

    _direction = "up"
    constrained: ClassVar[str]
    dependent: ClassVar[str]

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
        argument: str,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        where = type(self).__name__
        self.value = check_number(where, argument, value, minimum=0, maximum=1)
        self.num_thresholds = check_int(where, "num_thresholds", num_thresholds, minimum=1)
        self.class_id = None if class_id is None else check_int(where, "class_id", class_id)
        many = num_thresholds > 1
        self.thresholds = linear_thresholds(num_thresholds) if many else [0.5]
        self._counter = ThresholdCounter(self.thresholds, evenly=many, dtype=torch_dtype(self.dtype))
        shape = (len(self.thresholds),)
        self.true_positives = self._add_sum(shape, name="true_positives")
        self.false_positives = self._add_sum(shape, name="false_positives")
        self.true_negatives = self._add_sum(shape, name="true_negatives")
        self.false_negatives = self._add_sum(shape, name="false_negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of 0/1 labels and predictions in [0, 1] of the same shape."""
        counts = {
            "tp": self.true_positives,
            "fp": self.false_positives,
            "tn": self.true_negatives,
            "fn": self.false_negatives,
        }
        self._counter.add(counts, y_true, y_pred, sample_weight=sample_weight, class_id=self.class_id)

    def result(self) -> torch.Tensor:
        """Return the best rate, 0 where no threshold meets the bound."""
        feasible = self._rate(self.constrained) >= self.value
        return torch.where(feasible, self._rate(self.dependent), 0).max()

    def _rate(self, name: str) -> torch.Tensor:
        if name == "specificity":
            negatives = self.true_negatives + self.false_positives
            return self._own(divide_no_nan(self.true_negatives.value, negatives))
        errors = self.false_positives if name == "precision" else self.false_negatives
        return self._own(divide_no_nan(self.true_positives.value, self.true_positives + errors))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "num_thresholds": self.num_thresholds, "class_id": self.class_id}


@METRICS.register("sensitivity_at_specificity")
class SensitivityAtSpecificity(RateAtConstraint):
    """The best sensitivity tp / (tp + fn) while the specificity tn / (tn + fp) is at least a bound.

    Args:
        specificity: the bound, in [0, 1].
        num_thresholds: how many thresholds in [0, 1] are tried; default 200.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"sensitivity_at_specificity"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    constrained, dependent = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype, "specificity")
        self.specificity = specificity

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "specificity": self.specificity}


@METRICS.register("specificity_at_sensitivity")
class SpecificityAtSensitivity(RateAtConstraint):
    """The best specificity tn / (tn + fp) while the sensitivity tp / (tp + fn) is at least a bound.

    Args:
        sensitivity: the bound, in [0, 1].
        num_thresholds: how many thresholds in [0, 1] are tried; default 200.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"specificity_at_sensitivity"`.
        dtype: type of the state; default the default float.

    Example:
        >>> round(float(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    constrained, dependent = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype, "sensitivity")
        self.sensitivity = sensitivity

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "sensitivity": self.sensitivity}


@METRICS.register("precision_at_recall")
class PrecisionAtRecall(RateAtConstraint):
    """The best precision tp / (tp + fp) while the recall tp / (tp + fn) is at least a bound.

    Args:
        recall: the bound, in [0, 1].
        num_thresholds: how many thresholds in [0, 1] are tried; default 200.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"precision_at_recall"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    constrained, dependent = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype, "recall")
        self.recall = recall

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "recall": self.recall}


@METRICS.register("recall_at_precision")
class RecallAtPrecision(RateAtConstraint):
    """The best recall tp / (tp + fn) while the precision tp / (tp + fp) is at least a bound.

    Args:
        precision: the bound, in [0, 1].
        num_thresholds: how many thresholds in [0, 1] are tried; default 200.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"recall_at_precision"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.5
    """

    constrained, dependent = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype, "precision")
        self.precision = precision

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "precision": self.precision}

"""Counts of the confusion matrix at thresholds, and precision and recall from them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from neocog.core import check_int, torch_dtype
from neocog.metrics._arrays import divide_no_nan
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS
from neocog.metrics._thresholds import LOWEST, ThresholdCounter, evenly_spread, parse_thresholds


class ConfusionCount(Metric):
    """One of the four counts of a confusion matrix, at one or more thresholds."""

    which: ClassVar[str]

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(type(self).__name__, thresholds, 0.5)
        self._counter = ThresholdCounter(
            self.thresholds, evenly=evenly_spread(self.thresholds), dtype=torch_dtype(self.dtype)
        )
        self.accumulator = self._add_sum((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of 0/1 labels and predictions in [0, 1] of the same shape."""
        self._counter.add({self.which: self.accumulator}, y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> torch.Tensor:
        """Return the count: a scalar, or one a threshold."""
        return self._own(self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator.value)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@METRICS.register("true_positives")
class TruePositives(ConfusionCount):
    """The number (or weight) of positives predicted above the threshold.

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5.
        name: key in logs; default `"true_positives"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        2.0
    """

    which = "tp"


@METRICS.register("false_positives")
class FalsePositives(ConfusionCount):
    """The number (or weight) of negatives predicted above the threshold.

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5.
        name: key in logs; default `"false_positives"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]))
        2.0
    """

    which = "fp"


@METRICS.register("true_negatives")
class TrueNegatives(ConfusionCount):
    """The number (or weight) of negatives predicted at or below the threshold.

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5.
        name: key in logs; default `"true_negatives"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]))
        2.0
    """

    which = "tn"


@METRICS.register("false_negatives")
class FalseNegatives(ConfusionCount):
    """The number (or weight) of positives predicted at or below the threshold.

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5.
        name: key in logs; default `"false_negatives"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]))
        2.0
    """

    which = "fn"


class _Ratio(Metric):
    """True positives over true positives plus one kind of error."""

    _direction = "up"
    error: ClassVar[str]
    error_name: ClassVar[str]

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        where = type(self).__name__
        self.init_thresholds = thresholds
        self.top_k = None if top_k is None else check_int(where, "top_k", top_k, minimum=1)
        self.class_id = None if class_id is None else check_int(where, "class_id", class_id)
        self.thresholds = parse_thresholds(where, thresholds, 0.5 if top_k is None else LOWEST)
        self._counter = ThresholdCounter(
            self.thresholds, evenly=evenly_spread(self.thresholds), dtype=torch_dtype(self.dtype)
        )
        shape = (len(self.thresholds),)
        self.true_positives = self._add_sum(shape, name="true_positives")
        self._errors = self._add_sum(shape, name=self.error_name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of 0/1 labels and predictions in [0, 1] of the same shape."""
        self._counter.add(
            {"tp": self.true_positives, self.error: self._errors},
            y_true,
            y_pred,
            sample_weight=sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )

    def result(self) -> torch.Tensor:
        """Return the ratio: a scalar, or one a threshold; 0 where nothing was counted."""
        ratio = divide_no_nan(self.true_positives.value, self.true_positives + self._errors)
        return self._own(ratio[0] if len(self.thresholds) == 1 else ratio)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@METRICS.register("precision")
class Precision(_Ratio):
    """The share of predicted positives that are positive: tp / (tp + fp).

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5, or with `top_k` none.
        top_k: count only the k largest predictions of a sample as positive; default all above the threshold.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"precision"`.
        dtype: type of the state; default the default float.

    Example:
        >>> precision = Precision()
        >>> precision.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(precision.result()), 4)
        0.6667
    """

    error, error_name = "fp", "false_positives"

    @property
    def false_positives(self) -> torch.Tensor:
        """Negatives predicted above each threshold."""
        return self._errors


@METRICS.register("recall")
class Recall(_Ratio):
    """The share of positives that are predicted positive: tp / (tp + fn).

    Args:
        thresholds: one or several numbers in [0, 1]; default 0.5, or with `top_k` none.
        top_k: count only the k largest predictions of a sample as positive; default all above the threshold.
        class_id: the only class (column) that counts; default all.
        name: key in logs; default `"recall"`.
        dtype: type of the state; default the default float.

    Example:
        >>> recall = Recall()
        >>> recall.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(recall.result()), 4)
        0.6667
    """

    error, error_name = "fn", "false_negatives"

    @property
    def false_negatives(self) -> torch.Tensor:
        """Positives predicted at or below each threshold."""
        return self._errors

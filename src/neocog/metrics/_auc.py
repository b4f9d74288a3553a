"""The area under a curve that a threshold draws: ROC, precision and recall, or their gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from neocog.core import check_int, check_number, check_one_of, epsilon, to_tensor, torch_dtype
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.metrics._arrays import divide_no_nan
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS
from neocog.metrics._state import Variable
from neocog.metrics._thresholds import ThresholdCounter, evenly_spread, linear_thresholds

_CURVES = ("roc", "pr", "prgain")
_SUMMATIONS = ("interpolation", "majoring", "minoring")
_NAMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")


@METRICS.register("auc")
class AUC(Metric):
    """The approximate area under the ROC or precision-recall curve, by a Riemann sum over thresholds.

    Args:
        num_thresholds: how many thresholds in [0, 1] are tried; default 200.
        curve: `"ROC"` (default), `"PR"` or `"PRGAIN"`.
        summation_method: heights between thresholds: `"interpolation"` (default), `"majoring"`, `"minoring"`.
        name: key in logs; default `"auc"`.
        dtype: type of the state; default the default float.
        thresholds: the inner thresholds instead of evenly spread ones; 0 and 1 are added.
        multi_label: compute one area a label (column) and average them; default False.
        num_labels: number of labels, with `multi_label`; default taken from the first batch.
        label_weights: non-negative weight of each label in the average (`multi_label`) or of its values.
        from_logits: whether predictions are logits; default False.

    Shapes: labels and predictions alike, `(B,)`, `(B, L)` or more axes; with `multi_label` `(B, L)`.

    Example:
        >>> auc = AUC(num_thresholds=3)
        >>> auc.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> float(auc.result())
        0.75

    Reference: Davis and Goadrich 2006 (interpolation of PR curves); Flach and Kull 2015 (PRGAIN).
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = check_one_of("AUC", "curve", curve, _CURVES)
        self.summation_method = check_one_of("AUC", "summation_method", summation_method, _SUMMATIONS)
        self._init_thresholds = None if thresholds is None else sorted(float(value) for value in thresholds)
        inner, evenly = _inner_thresholds(num_thresholds, self._init_thresholds)
        # The ends stick out, so that 0 counts as above the first and 1 as not above the last.
        self.thresholds = [-epsilon(), *inner, 1 + epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label = bool(multi_label)
        self.num_labels = num_labels
        self.from_logits = bool(from_logits)
        self.label_weights = (
            None if label_weights is None else to_tensor(label_weights, dtype=torch_dtype(self.dtype))
        )
        self._counter = ThresholdCounter(
            self.thresholds, evenly=evenly, dtype=torch_dtype(self.dtype), multi_label=self.multi_label
        )
        self._counts: dict[str, Variable] = {}
        if num_labels and not multi_label:
            raise ArgumentError(
                message(
                    "AUC", expected="num_labels only with multi_label=True", got=f"num_labels={num_labels}"
                )
            )
        if not multi_label or num_labels:
            self._build(num_labels)

    def _build(self, num_labels: int | None) -> None:
        shape = (self.num_thresholds,) if num_labels is None else (self.num_thresholds, num_labels)
        for key, name in zip(("tp", "fp", "tn", "fn"), _NAMES, strict=True):
            self._counts[key] = self._add_sum(shape, name=name)

    def _restore(self, state: Mapping[str, torch.Tensor]) -> None:
        if not self._counts and "true_positives" in state:
            self._build(state["true_positives"].shape[-1])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of 0/1 labels and predictions in [0, 1] (or logits) of the same shape."""
        y_pred = to_tensor(y_pred)
        if not self._counts:
            if y_pred.dim() != 2:
                raise ShapeError(
                    message(
                        f'AUC "{self.name}"',
                        expected="predictions (samples, labels) with multi_label=True",
                        got=tuple(y_pred.shape),
                    )
                )
            self._build(y_pred.shape[1])
        self._counter.add(
            self._counts,
            y_true,
            y_pred.sigmoid() if self.from_logits else y_pred,
            sample_weight=sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
        )

    def result(self) -> torch.Tensor:
        """Return the area so far; 0 before any sample."""
        if not self._counts:
            return torch.zeros((), dtype=torch_dtype(self.dtype))
        tp, fp, tn, fn = (self._counts[key].value for key in ("tp", "fp", "tn", "fn"))
        if self.curve == "pr" and self.summation_method == "interpolation":
            return self._own(self._average(_interpolated_pr(tp, fp, fn).sum(dim=0)))
        x, y = _curve(self.curve, tp, fp, tn, fn)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            heights = torch.minimum(y[:-1], y[1:])
        else:
            heights = torch.maximum(y[:-1], y[1:])
        return self._own(self._average(((x[:-1] - x[1:]) * heights).sum(dim=0)))

    def _average(self, area: torch.Tensor) -> torch.Tensor:
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return area.mean()
        weights = self.label_weights.to(area.device)
        return divide_no_nan((area * weights).sum(), weights.sum())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve.upper(),
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }
        if self._init_thresholds is not None:
            config["thresholds"] = list(self._init_thresholds)
        return config


def _inner_thresholds(number: int, given: list[float] | None) -> tuple[list[float], bool]:
    """Return the thresholds between 0 and 1, and whether all of them, 0 and 1 too, are evenly spread."""
    if given is None:
        return linear_thresholds(check_int("AUC", "num_thresholds", number, minimum=2))[1:-1], True
    for value in given:
        check_number("AUC", "thresholds", value, minimum=0, maximum=1)
    return given, evenly_spread([0.0, *given, 1.0])


def _curve(
    kind: str, tp: torch.Tensor, fp: torch.Tensor, tn: torch.Tensor, fn: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the coordinates (x, y) of the curve at each threshold."""
    recall = divide_no_nan(tp, tp + fn)
    if kind == "roc":
        return divide_no_nan(fp, fp + tn), recall
    if kind == "pr":
        return recall, divide_no_nan(tp, tp + fp)
    odds = divide_no_nan(tp + fn, tn + fp)
    # Without true positives the gains diverge: recall gain 0 and precision gain 1 stand in.
    recall_gain = torch.where(tp == 0, 0.0, 1 - odds * divide_no_nan(fn, tp)).clamp(min=0)
    precision_gain = torch.where(tp == 0, 1.0, 1 - odds * divide_no_nan(fp, tp))
    return recall_gain, precision_gain


def _interpolated_pr(tp: torch.Tensor, fp: torch.Tensor, fn: torch.Tensor) -> torch.Tensor:
    """Return the area between neighbouring thresholds; between them the counts change linearly."""
    positives = tp + fp
    d_tp = tp[:-1] - tp[1:]
    slope = divide_no_nan(d_tp, (positives[:-1] - positives[1:]).clamp(min=0))
    intercept = tp[1:] - slope * positives[1:]
    both = (positives[:-1] > 0) & (positives[1:] > 0)
    ratio = torch.where(both, divide_no_nan(positives[:-1], positives[1:].clamp(min=0)), 1.0)
    return divide_no_nan(slope * (d_tp + intercept * ratio.log()), (tp[1:] + fn[1:]).clamp(min=0))

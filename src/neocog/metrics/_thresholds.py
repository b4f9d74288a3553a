"""Counting true and false positives and negatives at many thresholds, on the device.

Legend: T thresholds, N predictions (the batch flattened), L labels of a multi-label problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import check_number, epsilon, to_tensor
from neocog.exceptions import ShapeError, message
from neocog.metrics._arrays import match_ranks, pair, spread
from neocog.metrics._state import Variable

# Stands for "below every score": the threshold of top-k counting, and the score of what is not in the top k.
LOWEST = -1e10

Counts = Mapping[str, Variable]  # keys "tp", "fp", "tn", "fn"


def parse_thresholds(where: str, thresholds: Any, default: float) -> list[float]:
    """Return thresholds as a list, each checked to lie in [0, 1]; `default` alone for None."""
    if thresholds is None:
        return [default]
    items = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    return [check_number(where, "thresholds", item, minimum=0, maximum=1) for item in items]


def linear_thresholds(count: int) -> list[float]:
    """Return `count` thresholds spread evenly over [0, 1], both ends included."""
    return [index / (count - 1) for index in range(count)]


def evenly_spread(thresholds: Sequence[float]) -> bool:
    """Return whether thresholds are 0, 1/(T-1), …, 1, so that a prediction's bucket is a multiplication."""
    count = len(thresholds)
    if count < 3:
        return False
    even = np.arange(count, dtype=np.float32) / (count - 1)
    return bool(np.allclose(np.asarray(thresholds), even, atol=epsilon()))


class ThresholdCounter:
    """Adds one batch to the counts at every threshold.

    Args:
        thresholds: the thresholds, ascending where they are spread evenly.
        evenly: whether they are 0, 1/(T-1), …, 1 (the ends may stick out by epsilon): one bucket sum
            instead of T comparisons.
        dtype: type in which predictions are compared with the thresholds; default that of the counts.
        multi_label: keep one count a label, `(T, L)`; default False.
    """

    def __init__(
        self,
        thresholds: Sequence[float],
        *,
        evenly: bool,
        dtype: torch.dtype | None = None,
        multi_label: bool = False,
    ) -> None:
        self.thresholds = list(thresholds)
        self.evenly = evenly
        self.dtype = dtype
        self.multi_label = multi_label
        # Ends beyond [0, 1]: every prediction is above the first threshold, none above the last.
        self.open_ended = self.thresholds[0] < 0 or self.thresholds[-1] > 1
        self._tensor: torch.Tensor | None = None

    def add(
        self,
        counts: Counts,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        label_weights: torch.Tensor | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        """Add a batch to those of `tp`, `fp`, `tn`, `fn` that `counts` holds."""
        sums = next(iter(counts.values())).dtype
        y_true, y_pred = pair(y_true, y_pred)
        y_pred, y_true = match_ranks(y_pred.to(self.dtype or sums), y_true.to(sums))
        if y_true.shape != y_pred.shape:
            raise _shape_error(y_true, y_pred)
        weights = _weights(sample_weight, label_weights, y_true, y_pred, class_id)
        if top_k is not None:
            y_pred = _keep_top_k(y_pred, top_k)
        if class_id is not None:
            y_true = _one_class(y_true, class_id)
            y_pred = _one_class(y_pred, class_id)
        if not self.multi_label:
            y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)  # (N,)
            weights = weights.reshape(-1) if weights is not None else None
        if self.evenly:
            self._add_buckets(counts, y_true, y_pred, weights)
        else:
            self._add_compared(counts, y_true.bool(), y_pred, weights)

    def _add_compared(
        self, counts: Counts, label: torch.Tensor, y_pred: torch.Tensor, weights: torch.Tensor | None
    ) -> None:
        if len(self.thresholds) == 1:
            above = (y_pred > self.thresholds[0]).unsqueeze(0)  # (1, N)
        else:
            above = y_pred > self._threshold_tensor(y_pred)  # (T, N) or (T, B, L)
        label = label.unsqueeze(0)
        for key, variable in counts.items():
            side = label if key in ("tp", "fn") else ~label
            hit = side & (above if key in ("tp", "fp") else ~above)
            if weights is None:
                variable.assign_add(hit.sum(dim=1, dtype=variable.dtype))
            else:
                variable.assign_add(torch.where(hit, weights, 0).sum(dim=1))

    def _add_buckets(
        self, counts: Counts, y_true: torch.Tensor, y_pred: torch.Tensor, weights: torch.Tensor | None
    ) -> None:
        total = len(self.thresholds)
        label = y_true.bool().to(y_true.dtype)
        positive = label if weights is None else label * weights
        negative = 1 - label if weights is None else (1 - label) * weights
        # A prediction exceeds thresholds 0 … ceil(p·(T-1))-1; bucket 0 here means "exceeds none".
        bucket = torch.ceil(y_pred.clamp(0, 1) * (total - 1)).long()
        if self.open_ended:
            bucket = bucket.clamp(min=1)
        shape = (total + 1, *y_pred.shape[1:])
        above = {
            key: _sum_from_above(positive.new_zeros(shape).scatter_add_(0, bucket, mass))
            for key, mass in (("tp", positive), ("fp", negative))
        }
        for key, variable in counts.items():
            if key in above:
                variable.assign_add(above[key])
            elif key == "fn":
                variable.assign_add(positive.sum(dim=0) - above["tp"])
            else:
                variable.assign_add(negative.sum(dim=0) - above["fp"])

    def _threshold_tensor(self, y_pred: torch.Tensor) -> torch.Tensor:
        if self._tensor is None or self._tensor.device != y_pred.device:
            self._tensor = torch.tensor(self.thresholds, dtype=y_pred.dtype, device=y_pred.device)
        return self._tensor.reshape(-1, *([1] * y_pred.dim()))


def _sum_from_above(buckets: torch.Tensor) -> torch.Tensor:
    """Return, at each threshold, what lies in buckets above it: `(T+1, …)` to `(T, …)`."""
    return buckets[1:].flip(0).cumsum(0).flip(0)


def _weights(
    sample_weight: Any,
    label_weights: torch.Tensor | None,
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    class_id: int | None,
) -> torch.Tensor | None:
    """Return the product of the sample and label weights, broadcast to the predictions that are counted.

    They are of the labels' type, that of the counts.
    """
    weights: torch.Tensor | None = None
    shape = y_pred.shape if class_id is None else (*y_pred.shape[:-1], 1)
    if sample_weight is not None:
        weights = to_tensor(sample_weight, dtype=y_true.dtype, device=y_pred.device).unsqueeze(-1)
        _, weights = match_ranks(y_true, weights, expand_vectors=False)
        weights = spread(weights, shape)
    if label_weights is not None:
        by_label = spread(label_weights.to(y_pred.device, y_true.dtype).unsqueeze(0), shape)
        weights = by_label if weights is None else weights * by_label
    return weights


def _keep_top_k(scores: torch.Tensor, k: int) -> torch.Tensor:
    k = min(k, scores.shape[-1])
    best = torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, scores.topk(k, dim=-1).indices, True)
    return torch.where(best, scores, LOWEST)


def _one_class(values: torch.Tensor, class_id: int) -> torch.Tensor:
    if values.dim() < 2 or not -values.shape[-1] <= class_id < values.shape[-1]:
        raise ShapeError(
            message(
                "class_id",
                expected=f"predictions (samples, classes) with a class {class_id}",
                got=f"shape {tuple(values.shape)}",
            )
        )
    return values[..., class_id].unsqueeze(-1)


def _shape_error(y_true: torch.Tensor, y_pred: torch.Tensor) -> ShapeError:
    return ShapeError(
        message(
            "confusion counts",
            expected="labels and predictions of one shape",
            got=f"labels {tuple(y_true.shape)}, predictions {tuple(y_pred.shape)}",
            do="Class indices must be one-hot encoded first (to_categorical).",
        )
    )

"""F scores: the weighted harmonic mean of precision and recall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from neocog.core import check_number, check_one_of, epsilon, to_tensor, torch_dtype
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.metrics._arrays import pair
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS

_NAMES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


@METRICS.register("fbeta_score", "f_beta_score")
class FBetaScore(Metric):
    """The F-beta score (1 + β²)·P·R / (β²·P + R), from precision P and recall R by class.

    Args:
        average: `None` (default) for one score a class; `"micro"` over all classes together; `"macro"` for
            their mean; `"weighted"` for the mean weighted by each class's positives.
        beta: weight of recall against precision, above 0; default 1.0.
        threshold: predictions above it, in (0, 1], are positive; default the largest of each sample.
        name: key in logs; default `"fbeta_score"`.
        dtype: type of the state; default the default float.

    Shapes: one-hot (or multi-hot) labels and predictions `(B, C)`.

    Example:
        >>> score = FBetaScore(average="macro", beta=2.0, threshold=0.5)
        >>> round(float(score([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]])), 4)
        0.6944
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        where = type(self).__name__
        options = (None, "micro", "macro", "weighted")
        self.average = None if average is None else check_one_of(where, "average", average, options)
        self.beta = check_number(where, "beta", beta, minimum=0)
        self.threshold = (
            None if threshold is None else check_number(where, "threshold", threshold, minimum=0, maximum=1)
        )
        if self.beta == 0 or self.threshold == 0:
            raise ArgumentError(
                message(
                    where, expected="beta and threshold above 0", got=f"beta={beta}, threshold={threshold}"
                )
            )
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        for name in _NAMES:
            setattr(self, name, self._add_sum(shape, name=name))
        self._built = True

    def _restore(self, state: Mapping[str, torch.Tensor]) -> None:
        if not self._built and _NAMES[0] in state:
            self._build(state[_NAMES[0]].numel())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of labels and predictions `(B, C)`, weighted by `(B,)`."""
        y_true, y_pred = pair(y_true, y_pred)
        if y_true.dim() != 2 or y_pred.dim() != 2:
            raise ShapeError(
                message(
                    f'{type(self).__name__} "{self.name}"',
                    expected="one-hot labels and predictions of shape (samples, classes)",
                    got=f"labels {tuple(y_true.shape)}, predictions {tuple(y_pred.shape)}",
                )
            )
        if not self._built:
            self._build(y_pred.shape[-1])
        dtype = torch_dtype(self.dtype)
        y_true, y_pred = y_true.to(dtype), y_pred.to(dtype)
        if self.threshold is None:
            largest = y_pred.amax(dim=-1, keepdim=True)
            chosen = (y_pred >= largest) & (y_pred.abs() > 1e-9)  # all zeros choose no class
        else:
            chosen = y_pred > self.threshold
        sums = self._variables[_NAMES[0]].dtype
        chosen, y_true = chosen.to(sums), y_true.to(sums)
        terms = (chosen * y_true, chosen * (1 - y_true), (1 - chosen) * y_true, y_true)
        weights = None
        if sample_weight is not None:
            weights = to_tensor(sample_weight, dtype=sums, device=y_pred.device).unsqueeze(1)
        for name, term in zip(_NAMES, terms, strict=True):
            counted = term if weights is None else term * weights
            self._variables[name].assign_add(counted.sum() if self.average == "micro" else counted.sum(dim=0))

    def result(self) -> torch.Tensor:
        """Return the score: `(C,)` without average, else a scalar."""
        if not self._built:
            return torch.zeros((), dtype=torch_dtype(self.dtype))
        tp, fp, fn, positives = (self._variables[name].value for name in _NAMES)
        precision = tp / (tp + fp + epsilon())
        recall = tp / (tp + fn + epsilon())
        score = precision * recall / (self.beta**2 * precision + recall + epsilon()) * (1 + self.beta**2)
        if self.average == "weighted":
            return self._own((score * (positives / (positives.sum() + epsilon()))).sum())
        return self._own(score if self.average is None else score.mean())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


@METRICS.register("f1_score", "f1")
class F1Score(FBetaScore):
    """The F1 score 2·P·R / (P + R), from precision P and recall R by class.

    Args:
        average: `None` (default) for one score a class; `"micro"` over all classes together; `"macro"` for
            their mean; `"weighted"` for the mean weighted by each class's positives.
        threshold: predictions above it, in (0, 1], are positive; default the largest of each sample.
        name: key in logs; default `"f1_score"`.
        dtype: type of the state; default the default float.

    Shapes: one-hot (or multi-hot) labels and predictions `(B, C)`.

    Example:
        >>> round(float(F1Score("micro", threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]])), 4)
        0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config

"""How often predictions equal labels: exact, thresholded, by the largest class, among the k largest."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int, check_number
from neocog.exceptions import ShapeError, message
from neocog.metrics._arrays import match_ranks, pair
from neocog.metrics._reduction import FunctionMetric
from neocog.metrics._registry import METRICS


def _equal(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    y_true, y_pred = match_ranks(y_true.to(y_pred.dtype), y_pred)
    return torch.eq(y_true, y_pred)


def _binary(y_true: torch.Tensor, y_pred: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    y_true, y_pred = match_ranks(y_true, y_pred)
    return torch.eq(y_true, y_pred > threshold)


def _categorical(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    labels = y_true.argmax(dim=-1)
    if labels.dim() != y_pred.dim() - 1:
        raise _label_error("CategoricalAccuracy", "one-hot labels of the predictions' shape", y_true, y_pred)
    return torch.eq(labels, y_pred.argmax(dim=-1))


def _sparse_categorical(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    if y_true.dim() == y_pred.dim() and y_true.shape[-1] == 1:
        y_true = y_true.squeeze(-1)
    classes = y_pred.argmax(dim=-1)
    if y_true.shape != classes.shape:
        raise _label_error("SparseCategoricalAccuracy", "one class index a prediction", y_true, y_pred)
    matches = torch.eq(y_true, classes)
    if matches.dim() > 1 and matches.shape[-1] == 1:
        return matches.squeeze(-1)
    return matches


def _top_k(y_true: torch.Tensor, y_pred: torch.Tensor, k: int = 5) -> torch.Tensor:
    return _sparse_top_k(y_true.argmax(dim=-1), y_pred, k)


def _sparse_top_k(
    y_true: torch.Tensor, y_pred: torch.Tensor, k: int = 5, from_sorted_ids: bool = False
) -> torch.Tensor:
    shape = y_true.shape
    labels = y_true.reshape(-1, 1)
    scores = y_pred.reshape(-1, y_pred.shape[-1])
    if from_sorted_ids:
        return torch.eq(labels.to(scores.dtype), scores[:, :k]).any(dim=1).reshape(shape)
    least = scores.topk(min(k, scores.shape[-1]), dim=-1).values[:, -1:]
    return (scores.gather(-1, labels.long()) >= least).reshape(shape)  # ties with the k-th count


def _label_error(where: str, expected: str, y_true: torch.Tensor, y_pred: torch.Tensor) -> ShapeError:
    got = f"labels of shape {tuple(y_true.shape)} for predictions of shape {tuple(y_pred.shape)}"
    do = "One-hot labels take CategoricalAccuracy, class indices SparseCategoricalAccuracy."
    return ShapeError(message(where, expected=expected, got=got, do=do))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return 1 where `y_pred > threshold` agrees with the 0/1 label, else 0: same shape as the predictions.

    Example:
        >>> binary_accuracy([1, 0, 1], [0.9, 0.8, 0.7]).tolist()
        [1.0, 0.0, 1.0]
    """
    return _binary(*pair(y_true, y_pred), threshold).float()


def categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return 1 where the largest prediction is the class of the one-hot label, else 0: `(…, C)` to `(…)`.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.3, 0.7], [0.4, 0.6]]).tolist()
        [1.0, 0.0]
    """
    return _categorical(*pair(y_true, y_pred)).float()


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return 1 where the largest prediction `(…, C)` is the class index `(…)` or `(…, 1)`, else 0: `(…)`.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.4, 0.6]]).tolist()
        [1.0, 0.0]
    """
    return _sparse_categorical(*pair(y_true, y_pred)).float()


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> torch.Tensor:
    """Return 1 where the class of the one-hot label is among the `k` largest predictions, else 0.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], k=2).tolist()
        [1.0]
    """
    return _top_k(*pair(y_true, y_pred), k).float()


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> torch.Tensor:
    """Return 1 where the class index is among the `k` largest predictions, else 0.

    Args:
        y_true: class indices.
        y_pred: scores `(…, C)`, or with `from_sorted_ids` class indices from most to least likely.
        k: how many predictions count; default 5.
        from_sorted_ids: whether `y_pred` holds indices; default False.

    Example:
        >>> sparse_top_k_categorical_accuracy([1], [[0.5, 0.2, 0.3]], k=2).tolist()
        [0.0]
    """
    return _sparse_top_k(*pair(y_true, y_pred), k, from_sorted_ids).float()


@METRICS.register("accuracy", "acc")
class Accuracy(FunctionMetric):
    """How often predictions equal labels.

    Args:
        name: key in logs; default `"accuracy"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
        0.75
    """

    _direction = "up"
    function = staticmethod(_equal)
    counts_hits = "values"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("binary_accuracy")
class BinaryAccuracy(FunctionMetric):
    """How often predictions above a threshold agree with 0/1 labels.

    Args:
        name: key in logs; default `"binary_accuracy"`.
        dtype: type of the state; default the default float.
        threshold: predictions above it count as 1; default 0.5.

    Example:
        >>> float(BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6]))
        0.75
    """

    _direction = "up"
    function = staticmethod(_binary)
    counts_hits = "values"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        self.threshold = check_number(type(self).__name__, "threshold", threshold)
        super().__init__(name, dtype, threshold=threshold)


@METRICS.register("categorical_accuracy")
class CategoricalAccuracy(FunctionMetric):
    """How often the largest of the predictions `(…, C)` is the class of the one-hot label `(…, C)`.

    Args:
        name: key in logs; default `"categorical_accuracy"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]]))
        0.5
    """

    _direction = "up"
    function = staticmethod(_categorical)
    counts_hits = "rows"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest of the predictions `(…, C)` is the class index `(…)` or `(…, 1)`.

    Args:
        name: key in logs; default `"sparse_categorical_accuracy"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]]))
        0.5
    """

    _direction = "up"
    function = staticmethod(_sparse_categorical)
    counts_hits = "rows"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("top_k_categorical_accuracy", "top_5_accuracy")
class TopKCategoricalAccuracy(FunctionMetric):
    """How often the class of the one-hot label is among the `k` largest predictions.

    Args:
        k: how many predictions count; default 5.
        name: key in logs; default `"top_k_categorical_accuracy"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(TopKCategoricalAccuracy(k=1)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]]))
        0.5
    """

    _direction = "up"
    function = staticmethod(_top_k)
    counts_hits = "rows"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        self.k = check_int(type(self).__name__, "k", k, minimum=1)
        super().__init__(name, dtype, k=self.k)


@METRICS.register("sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the class index is among the `k` largest predictions.

    Args:
        k: how many predictions count; default 5.
        name: key in logs; default `"sparse_top_k_categorical_accuracy"`.
        dtype: type of the state; default the default float.
        from_sorted_ids: whether predictions are class indices from most to least likely; default False.

    Example:
        >>> float(SparseTopKCategoricalAccuracy(k=1)([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]]))
        0.5
    """

    _direction = "up"
    function = staticmethod(_sparse_top_k)
    counts_hits = "rows"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k = check_int(type(self).__name__, "k", k, minimum=1)
        self.from_sorted_ids = bool(from_sorted_ids)
        super().__init__(name, dtype, k=self.k, from_sorted_ids=self.from_sorted_ids)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        if not self.from_sorted_ids:
            del config["from_sorted_ids"]  # as Keras writes it, so that older versions open the file
        return config

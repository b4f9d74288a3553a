"""Cross-entropies and divergences between distributions."""

from __future__ import annotations

from typing import Any

from neocog.core import check_number, to_tensor
from neocog.functional import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from neocog.metrics._arrays import pair
from neocog.metrics._reduction import FunctionMetric
from neocog.metrics._registry import METRICS


@METRICS.register("binary_crossentropy", "bce", "BCE")
class BinaryCrossentropy(FunctionMetric):
    """The mean of -y·ln ŷ - (1 - y)·ln(1 - ŷ), for 0/1 labels.

    Args:
        name: key in logs; default `"binary_crossentropy"`.
        dtype: type of the state; default the default float.
        from_logits: whether predictions are logits; default False, probabilities.
        label_smoothing: how far labels move towards 0.5, in [0, 1]; default 0.

    Example:
        >>> round(float(BinaryCrossentropy()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        0.8149
    """

    _direction = "down"
    function = staticmethod(binary_crossentropy)

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        self.from_logits = from_logits
        self.label_smoothing = _smoothing(type(self).__name__, label_smoothing)
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take one batch into account; labels (B,) are expanded to meet predictions (B, 1)."""
        y_true, y_pred = to_tensor(y_true), to_tensor(y_pred)
        if y_true.dim() == 1 and tuple(y_pred.shape) == (len(y_true), 1):
            y_true = y_true.unsqueeze(-1)
        super().update_state(y_true, y_pred, sample_weight)


@METRICS.register("categorical_crossentropy")
class CategoricalCrossentropy(FunctionMetric):
    """The mean of -Σ y·ln ŷ over classes, for one-hot labels.

    Args:
        name: key in logs; default `"categorical_crossentropy"`.
        dtype: type of the state; default the default float.
        from_logits: whether predictions are logits; default False, probabilities.
        label_smoothing: how far labels move towards the uniform distribution, in [0, 1]; default 0.
        axis: the class axis; default -1.

    Example:
        >>> metric = CategoricalCrossentropy()
        >>> round(float(metric([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])), 4)
        1.1769
    """

    _direction = "down"
    function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        self.from_logits = from_logits
        self.label_smoothing = _smoothing(type(self).__name__, label_smoothing)
        self.axis = axis
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


@METRICS.register("sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(FunctionMetric):
    """The mean of -ln ŷ[class], for labels that are class indices.

    Args:
        name: key in logs; default `"sparse_categorical_crossentropy"`.
        dtype: type of the state; default the default float.
        from_logits: whether predictions are logits; default False, probabilities.
        ignore_class: label whose loss is 0 (a void class); default none.
        axis: the class axis; default -1.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])), 4)
        1.1769
    """

    _direction = "down"
    function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
        super().__init__(name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take one batch into account; with weights, those of ignored labels become 0 (as in Keras)."""
        if self.ignore_class is not None and sample_weight is not None:
            y_true, y_pred = pair(y_true, y_pred)
            labels = y_true.squeeze(self.axis) if y_true.dim() == y_pred.dim() else y_true
            valid = labels != self.ignore_class
            weights = to_tensor(sample_weight, dtype=self.total.dtype, device=y_pred.device)
            sample_weight = weights.reshape(*weights.shape, *[1] * (valid.dim() - weights.dim())) * valid
        super().update_state(y_true, y_pred, sample_weight)


@METRICS.register("kl_divergence", "kld", "KLD", "kullback_leibler_divergence")
class KLDivergence(FunctionMetric):
    """The mean of Σ y·ln(y / ŷ): how far the predicted distribution is from the true one.

    Args:
        name: key in logs; default `"kl_divergence"`.
        dtype: type of the state; default the default float.

    Example:
        >>> round(float(KLDivergence()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])), 4)
        0.4581
    """

    _direction = "down"
    function = staticmethod(kl_divergence)

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("poisson")
class Poisson(FunctionMetric):
    """The mean of ŷ - y·ln ŷ, for counts.

    Args:
        name: key in logs; default `"poisson"`.
        dtype: type of the state; default the default float.

    Example:
        >>> round(float(Poisson()([[0, 1], [0, 0]], [[1, 1], [0, 0]])), 4)
        0.5
    """

    _direction = "down"
    function = staticmethod(poisson)

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(name, dtype)


def _smoothing(where: str, value: Any) -> float:
    return check_number(where, "label_smoothing", value, minimum=0, maximum=1)

"""Losses between labels and probabilities or logits."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import to_tensor
from neocog.exceptions import ArgumentError, message
from neocog.functional import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from neocog.losses._loss import FormulaLoss
from neocog.losses._registry import LOSSES


@LOSSES.register()
class BinaryCrossentropy(FormulaLoss):
    """The mean of -y log p - (1 - y) log(1 - p), for yes-or-no labels.

    Args:
        from_logits: whether `y_pred` is without sigmoid; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/2; default 0.
        axis: axis to average over; default the last.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"binary_crossentropy"`.
        dtype: type to compute in; default the default float.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])
        tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@LOSSES.register()
class BinaryFocalCrossentropy(FormulaLoss):
    """Binary crossentropy in which well-classified examples count less, by (1 - p_t)^γ.

    Args:
        apply_class_balancing: weigh class 1 by α and class 0 by 1 - α; default False.
        alpha: weight of class 1; default 0.25.
        gamma: focus; 0 gives binary crossentropy; default 2.
        from_logits: whether `y_pred` is without sigmoid; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/2; default 0.
        axis: axis to average over; default the last.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"binary_focal_crossentropy"`.
        dtype: type to compute in; default the default float.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> BinaryFocalCrossentropy()([[1.0]], [[0.5]])
        tensor(0.1733)

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@LOSSES.register()
class CategoricalCrossentropy(FormulaLoss):
    """The mean of -Σ y log p, for one-hot labels or class probabilities.

    Args:
        from_logits: whether `y_pred` is without softmax; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/classes; default 0.
        axis: axis of the classes; default the last.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"categorical_crossentropy"`.
        dtype: type to compute in; default the default float.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@LOSSES.register()
class CategoricalFocalCrossentropy(FormulaLoss):
    """Categorical crossentropy in which well-classified examples count less, by α (1 - p)^γ.

    Args:
        alpha: weight, one number or one a class; default 0.25.
        gamma: focus; default 2.
        from_logits: whether `y_pred` is without softmax; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/classes; default 0.
        axis: axis of the classes; default the last.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"categorical_focal_crossentropy"`.
        dtype: type to compute in; default the default float.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.0433)

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017.
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@LOSSES.register()
class SparseCategoricalCrossentropy(FormulaLoss):
    """The mean of -log p[y], for class numbers y from 0.

    Args:
        from_logits: whether `y_pred` is without softmax; default False.
        ignore_class: a label that does not count (such as 255 or -1 in segmentation masks); default None.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        axis: axis of the classes; default the last.
        name: name in logs; default `"sparse_categorical_crossentropy"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])
        tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def _mask(self, y_true: Any, y_pred: Any, values: torch.Tensor) -> torch.Tensor | None:
        mask = super()._mask(y_true, y_pred, values)
        if self._fn_kwargs["ignore_class"] is None:
            return mask
        labels = to_tensor(y_true, device=values.device).reshape(values.shape)
        valid: torch.Tensor = labels != self._fn_kwargs["ignore_class"]
        return valid if mask is None else mask & valid


@LOSSES.register()
class KLDivergence(FormulaLoss):
    """The mean of Σ y log(y / p), with both clipped to [ε, 1].

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"kl_divergence"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
        tensor(0.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


@LOSSES.register()
class Poisson(FormulaLoss):
    """The mean of y_pred - y_true · log(y_pred + ε), for counts.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"poisson"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> Poisson()([[0.0]], [[2.0]])
        tensor(2.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)


@LOSSES.register()
class CategoricalGeneralizedCrossEntropy(FormulaLoss):
    """The mean of (1 - p[y]^q) / q, for class numbers y some of which are wrong.

    Args:
        q: robustness against wrong labels, in (0, 1); default 0.5.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"categorical_generalized_cross_entropy"`.
        dtype: type to compute in; default the default float.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])
        tensor(1.)

    Reference:
        Zhang and Sabuncu, Generalized Cross Entropy Loss for Training with Noisy Labels, 2018.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            expected = "q between 0 and 1, both excluded"
            raise ArgumentError(message("CategoricalGeneralizedCrossEntropy", expected=expected, got=repr(q)))
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)

"""Losses between numbers: squared, absolute, logarithmic, cosine, and the margin losses."""

from __future__ import annotations

from typing import Any

from neocog.functional import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    squared_hinge,
)
from neocog.losses._loss import FormulaLoss
from neocog.losses._registry import LOSSES


@LOSSES.register()
class MeanSquaredError(FormulaLoss):
    """The mean of (y_true - y_pred)².

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"mean_squared_error"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> MeanSquaredError()([[0.0], [0.0]], [[1.0], [3.0]])
        tensor(5.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


@LOSSES.register()
class MeanAbsoluteError(FormulaLoss):
    """The mean of |y_true - y_pred|.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"mean_absolute_error"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> MeanAbsoluteError()([[0.0], [0.0]], [[1.0], [3.0]])
        tensor(2.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


@LOSSES.register()
class MeanAbsolutePercentageError(FormulaLoss):
    """100 times the mean of |y_true - y_pred| / max(|y_true|, ε).

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"mean_absolute_percentage_error"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0]], [[1.0]])
        tensor(50.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


@LOSSES.register()
class MeanSquaredLogarithmicError(FormulaLoss):
    """The mean of (log(y_true + 1) - log(y_pred + 1))², with values below ε taken as ε.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"mean_squared_logarithmic_error"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> MeanSquaredLogarithmicError()([[0.0]], [[0.0]])
        tensor(0.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


@LOSSES.register()
class CosineSimilarity(FormulaLoss):
    """The negative cosine of the angle between y_true and y_pred: -1 is best.

    Args:
        axis: axis along which the vectors lie; default the last.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"cosine_similarity"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> CosineSimilarity()([[2.0, 0.0]], [[1.0, 0.0]])
        tensor(-1.)
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


@LOSSES.register()
class Huber(FormulaLoss):
    """Squared for errors up to δ, linear beyond: mean of e²/2 or δ|e| - δ²/2.

    Args:
        delta: where the parabola turns into a line; default 1.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"huber_loss"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> Huber()([[0.0], [0.0]], [[1.0], [3.0]])
        tensor(1.5000)

    Reference:
        Huber, Robust Estimation of a Location Parameter, 1964.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


@LOSSES.register()
class LogCosh(FormulaLoss):
    """The mean of log(cosh(y_pred - y_true)): nearly squared for small errors, linear for large.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"log_cosh"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> LogCosh()([[0.0]], [[0.0]])
        tensor(0.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


@LOSSES.register()
class Hinge(FormulaLoss):
    """The mean of max(1 - y_true · y_pred, 0), for labels -1/1 (or 0/1, which become -1/1).

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"hinge"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> Hinge()([[1.0], [-1.0]], [[0.5], [-2.0]])
        tensor(0.2500)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


@LOSSES.register()
class SquaredHinge(FormulaLoss):
    """The mean of max(1 - y_true · y_pred, 0)², for labels -1/1 (or 0/1, which become -1/1).

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"squared_hinge"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> SquaredHinge()([[1.0], [-1.0]], [[0.0], [-2.0]])
        tensor(0.5000)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


@LOSSES.register()
class CategoricalHinge(FormulaLoss):
    """The mean of max(n - p + 1, 0): p the output of the true class, n the largest of the others.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"categorical_hinge"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.6, 0.4]])
        tensor(1.2000)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)

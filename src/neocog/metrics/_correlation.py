"""How closely predictions follow targets: Pearson's and Lin's correlation."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import epsilon
from neocog.metrics._arrays import float_pair
from neocog.metrics._reduction import FunctionMetric
from neocog.metrics._registry import FUNCTIONS, METRICS


@FUNCTIONS.register()
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """Return Pearson's correlation cov(y, ŷ) / (σ_y σ_ŷ) along `axis`.

    Example:
        >>> round(float(pearson_correlation([0.0, 1.0, 0.5], [0.1, 0.9, 1.0])), 3)
        0.811
    """
    y_true, y_pred = float_pair(y_true, y_pred)
    return torch.mean(_standard(y_true, axis) * _standard(y_pred, axis), dim=axis)


@FUNCTIONS.register()
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """Return Lin's concordance correlation 2·cov(y, ŷ) / (σ²_y + σ²_ŷ + (ȳ - mean ŷ)²) along `axis`.

    Example:
        >>> round(float(concordance_correlation([0.0, 1.0, 0.5], [0.1, 0.9, 1.0])), 3)
        0.748

    Reference: Lin 1989, A concordance correlation coefficient to evaluate reproducibility.
    """
    y_true, y_pred = float_pair(y_true, y_pred)
    mean_true, mean_pred = y_true.mean(dim=axis, keepdim=True), y_pred.mean(dim=axis, keepdim=True)
    var_true = y_true.var(dim=axis, keepdim=True, correction=0)
    var_pred = y_pred.var(dim=axis, keepdim=True, correction=0)
    # The deviations of ŷ sum to 0, so that any constant may be taken off y: its mean keeps rounding small.
    product = (y_true - mean_true) * (y_pred - mean_pred)
    scale = var_true + var_pred + (mean_true - mean_pred).square() + epsilon()
    return torch.mean(2 * product / scale, dim=axis)


def _standard(values: torch.Tensor, axis: int) -> torch.Tensor:
    centred = values - values.mean(dim=axis, keepdim=True)
    return torch.div(centred, centred.std(dim=axis, keepdim=True, correction=0))


@METRICS.register("pearson_correlation")
class PearsonCorrelation(FunctionMetric):
    """The mean over samples of Pearson's correlation cov(y, ŷ) / (σ_y σ_ŷ) along an axis.

    Args:
        name: key in logs; default `"pearson_correlation"`.
        dtype: type of the state; default the default float.
        axis: the axis along which targets and predictions are compared; default -1.

    Example:
        >>> metric = PearsonCorrelation()
        >>> round(float(metric([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 1.0], [0.1, 1.0, 0.0]])), 3)
        0.694
    """

    _direction = "up"
    function = staticmethod(pearson_correlation)

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        self.axis = axis
        super().__init__(name, dtype, axis=axis)


@METRICS.register("concordance_correlation")
class ConcordanceCorrelation(FunctionMetric):
    """The mean over samples of Lin's concordance correlation along an axis.

    Args:
        name: key in logs; default `"concordance_correlation"`.
        dtype: type of the state; default the default float.
        axis: the axis along which targets and predictions are compared; default -1.

    Example:
        >>> round(float(ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])), 3)
        0.748

    Reference: Lin 1989, A concordance correlation coefficient to evaluate reproducibility.
    """

    _direction = "up"
    function = staticmethod(concordance_correlation)

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        self.axis = axis
        super().__init__(name, dtype, axis=axis)

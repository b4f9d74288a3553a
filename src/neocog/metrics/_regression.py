"""Mean errors between targets and predictions, and the share of variance that they explain."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch

from neocog.core import check_int, check_one_of, to_tensor
from neocog.exceptions import ShapeError, message
from neocog.functional import (
    cosine_similarity,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from neocog.metrics._arrays import float_pair
from neocog.metrics._metric import Metric
from neocog.metrics._reduction import FunctionMetric, Mean
from neocog.metrics._registry import METRICS
from neocog.metrics._state import Variable


@METRICS.register("mean_squared_error", "mse", "MSE")
class MeanSquaredError(FunctionMetric):
    """The mean of squared errors, mean((y - ŷ)²).

    Args:
        name: key in logs; default `"mean_squared_error"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(MeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]))
        0.25
    """

    _direction = "down"
    function = staticmethod(mean_squared_error)

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(FunctionMetric):
    """The mean of absolute errors, mean(|y - ŷ|).

    Args:
        name: key in logs; default `"mean_absolute_error"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(MeanAbsoluteError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]))
        0.25
    """

    _direction = "down"
    function = staticmethod(mean_absolute_error)

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("mean_absolute_percentage_error", "mape", "MAPE")
class MeanAbsolutePercentageError(FunctionMetric):
    """The mean of absolute errors in percent of the target, 100·mean(|y - ŷ| / |y|).

    Args:
        name: key in logs; default `"mean_absolute_percentage_error"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    _direction = "down"
    function = staticmethod(mean_absolute_percentage_error)

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("mean_squared_logarithmic_error", "msle", "MSLE")
class MeanSquaredLogarithmicError(FunctionMetric):
    """The mean of squared differences of logarithms, mean((ln(1 + y) - ln(1 + ŷ))²).

    Args:
        name: key in logs; default `"mean_squared_logarithmic_error"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(MeanSquaredLogarithmicError()([[0.0, 0.0]], [[0.0, 0.0]]))
        0.0
    """

    _direction = "down"
    function = staticmethod(mean_squared_logarithmic_error)

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("log_cosh_error", "logcosh", "log_cosh")
class LogCoshError(FunctionMetric):
    """The mean of ln(cosh(ŷ - y)).

    Args:
        name: key in logs; default `"logcosh"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(LogCoshError()([[0.0, 1.0]], [[0.0, 1.0]]))
        0.0
    """

    _direction = "down"
    function = staticmethod(log_cosh)

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("root_mean_squared_error", "rmse", "RMSE")
class RootMeanSquaredError(Mean):
    """The root of the mean of squared errors, sqrt(mean((y - ŷ)²)).

    Args:
        name: key in logs; default `"root_mean_squared_error"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(RootMeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]))
        0.5
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take one batch of targets and predictions of the same shape into account."""
        y_true, y_pred = float_pair(y_true, y_pred, self.total.dtype)
        self._accumulate((y_pred - y_true).square(), sample_weight)

    def result(self) -> torch.Tensor:
        """Return the root of the mean so far."""
        return super().result().sqrt()


@METRICS.register("cosine_similarity")
class CosineSimilarity(FunctionMetric):
    """The mean cosine of the angle between targets and predictions, y·ŷ / (‖y‖ ‖ŷ‖): 1 is the same direction.

    Args:
        name: key in logs; default `"cosine_similarity"`.
        dtype: type of the state; default the default float.
        axis: the axis of the vectors; default -1.

    Example:
        >>> round(float(CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]])), 4)
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype, axis=axis)

    @staticmethod
    def function(y_true: torch.Tensor, y_pred: torch.Tensor, axis: int = -1) -> torch.Tensor:
        """Return the cosine along `axis`; the loss of that name is its negative."""
        return torch.neg(cosine_similarity(y_true, y_pred, axis=axis))


@METRICS.register("r2_score", "r2")
class R2Score(Metric):
    """The share of the targets' variance that predictions explain, R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)².

    Args:
        class_aggregation: `"uniform_average"` (default) over outputs, `"variance_weighted_average"`, or None
            for one value an output.
        num_regressors: number of independent variables, for the adjusted R²; default 0, not adjusted.
        name: key in logs; default `"r2_score"`.
        dtype: type of the state; default the default float.

    Shapes: targets and predictions `(B, outputs)`.

    Example:
        >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        options = (None, "uniform_average", "variance_weighted_average")
        self.class_aggregation = check_one_of("R2Score", "class_aggregation", class_aggregation, options)
        self.num_regressors = check_int("R2Score", "num_regressors", num_regressors, minimum=0)
        self._samples = self._add_sum(name="num_samples")
        self._seen = 0  # values counted in Python since the last settling
        self._built = False

    @property
    def num_samples(self) -> Variable:
        """The number of target values so far."""
        self._settle()
        return self._samples

    def _build(self, outputs: int) -> None:
        self.squared_sum = self._add_sum((outputs,), name="squared_sum")
        self.sum = self._add_sum((outputs,), name="sum")
        self.total_mse = self._add_sum((outputs,), name="residual")
        self.count = self._add_sum((outputs,), name="count")
        self._built = True

    def _settle(self) -> None:
        if self._seen:
            self._samples.assign_add(self._seen)
            self._seen = 0

    def _restore(self, state: Mapping[str, torch.Tensor]) -> None:
        if not self._built and "sum" in state:
            self._build(state["sum"].numel())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account, weighted by `(B,)` or `(B, outputs)`."""
        dtype = self._samples.dtype
        y_true, y_pred = float_pair(y_true, y_pred, dtype)
        if y_true.dim() != 2 or y_pred.dim() != 2:
            raise ShapeError(
                message(
                    f'R2Score "{self.name}"',
                    expected="targets and predictions of shape (samples, outputs)",
                    got=f"targets {tuple(y_true.shape)}, predictions {tuple(y_pred.shape)}",
                )
            )
        if not self._built:
            self._build(y_pred.shape[-1])
        weights = torch.ones_like(y_true)
        if sample_weight is not None:
            given = to_tensor(sample_weight, dtype=dtype, device=y_true.device)
            weights = (given.unsqueeze(1) if given.dim() == 1 else given).broadcast_to(y_true.shape)
        weighted = y_true * weights
        self.sum.assign_add(weighted.sum(dim=0))
        self.squared_sum.assign_add((y_true * weighted).sum(dim=0))
        self.total_mse.assign_add(((y_true - y_pred).square() * weights).sum(dim=0))
        self.count.assign_add(weights.sum(dim=0))
        self._seen += y_true.numel()

    def result(self) -> torch.Tensor:
        """Return R², adjusted where `num_regressors` is set: a scalar, or one an output."""
        if not self._built:
            return self._own(self._samples.new_zeros(()))
        spread = self.squared_sum - self.sum * (self.sum / self.count)
        scores = 1 - self.total_mse / spread
        scores = torch.where(scores.isinf(), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (spread * scores).sum() / spread.sum()
        return self._own(self._adjusted(scores) if self.num_regressors else scores)

    def _adjusted(self, scores: torch.Tensor) -> torch.Tensor:
        free = float(self.num_samples) - 1 - self.num_regressors
        if free <= 0:
            warnings.warn(
                f'R2Score "{self.name}": {self.num_regressors} regressors need more than '
                f"{self.num_regressors + 1} values; the plain R² is returned.",
                stacklevel=3,
            )
            return scores
        return 1 - (1 - scores) * (float(self.num_samples) - 1) / free

    def reset_state(self) -> None:
        """Forget all batches."""
        self._seen = 0
        super().reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }

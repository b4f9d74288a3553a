"""Sums and means over samples, and the wrapper that turns a function into a metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch

from neocog.core import own_rows, to_snake_case, to_tensor
from neocog.metrics._arrays import divide_no_nan, pair, per_sample, without_masked
from neocog.metrics._later import Later
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS, describe_function, resolve_function
from neocog.metrics._state import Variable, reads_for_nothing


@METRICS.register("sum")
class Sum(Metric):
    """The (weighted) sum of values.

    Args:
        name: key in logs; default `"sum"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(Sum()([1.0, 3.0, 5.0]))
        9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self._add_sum(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape, each times its weight."""
        reduced, _ = per_sample(to_tensor(values), sample_weight, torch.sum, self.total.dtype)
        self.total.assign_add(reduced.sum())

    def result(self) -> torch.Tensor:
        """Return the sum so far."""
        return self._own(self.total.value)


@METRICS.register("mean")
class Mean(Metric):
    """The (weighted) mean of values over samples: the sum of w·v divided by the sum of w.

    Values with several axes are first averaged to one number a sample.

    Args:
        name: key in logs; default `"mean"`.
        dtype: type of the state; default the default float.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0, 5.0, 7.0])
        >>> float(mean.result())
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._total = self._add_sum(name="total")
        self._weight = self._add_sum(name="count")
        self._running: float | None = None  # the total where it is a Python number: no tensor needed
        self._seen = 0  # samples of weight 1, likewise
        self._weighted = False

    @property
    def total(self) -> Variable:
        """The sum of the weighted values so far."""
        self._take_up()
        if self._running is not None:
            self._total.fill_(self._running)
            self._running = None
        return self._total

    def _add_number(self, value: float) -> None:
        """Add what is a number on the CPU already."""
        self._running = (self._total.item() if self._running is None else self._running) + value

    @property
    def count(self) -> Variable:
        """The sum of the weights so far."""
        self._settle()
        return self._weight

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values of any shape into account, the first axis being the samples."""
        self._accumulate(to_tensor(values), sample_weight)

    def _accumulate(self, values: torch.Tensor, sample_weight: Any) -> None:
        if sample_weight is None and not values.dim():
            sample_weight = _share_of_batch()  # one number for the rows of this process
        if sample_weight is None:
            if values.dim() == 2 and values.shape[1] == 1:
                values = values.squeeze(1)
            if values.dim() < 2:
                self._seen += values.numel()
                if values.dtype is torch.bool and reads_for_nothing(values):
                    self._add_number(torch.count_nonzero(values).item())
                    return
                self.total.assign_add(values.sum(dtype=self.total.dtype))
                return
            # The sum of the samples' means, in one reduction.
            each = math.prod(values.shape[1:])
            self._seen += values.shape[0]
            self.total.assign_add(values.sum(dtype=self.total.dtype) / max(each, 1))
            return
        reduced, weights = per_sample(values, sample_weight, torch.mean, self.total.dtype)
        self.total.assign_add(reduced.sum())
        self._weight.assign_add(reduced.new_ones(()) if weights is None else weights.sum())
        self._weighted = True

    def result(self) -> torch.Tensor:
        """Return the mean so far; 0 before any sample."""
        self._take_up()
        if not self._weighted and self._seen:
            return self._own(self.total / self._seen)
        return self._own(divide_no_nan(self.total.value, self.count.value))

    def reset_state(self) -> None:
        """Forget all batches."""
        self._running = None
        self._total.zero_()
        if self._weighted:
            self._weight.zero_()
        self._seen, self._weighted = 0, False

    def _take_up(self) -> None:
        """Take into account what waits, where a subclass lets something wait."""

    def _settle(self) -> None:
        _ = self.total
        if self._seen:
            self._weight.assign_add(self._seen)
            self._seen, self._weighted = 0, True

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over a state that `state_dict` returned."""
        super().load_state_dict(state)
        self._weighted = True


@METRICS.register("mean_metric_wrapper")
class MeanMetricWrapper(Mean):
    """The mean of a function `fn(y_true, y_pred, **kwargs)` over samples.

    Args:
        fn: function from targets and predictions (tensors) to values, one or more a sample.
        name: key in logs; default the function's name.
        dtype: type of the state; default the default float.
        **kwargs: passed on to `fn`.

    Example:
        >>> gap = MeanMetricWrapper(lambda y_true, y_pred: (y_true - y_pred).abs(), name="gap")
        >>> float(gap([1.0, 2.0], [1.5, 4.5]))
        1.5
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name or _function_name(fn), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take one batch into account.

        Args:
            y_true: targets, as `fn` wants them.
            y_pred: predictions; half precision is raised to float32. Time steps that they mask don't count.
            sample_weight: a number a sample, or of the shape of the values of `fn`; default 1.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        y_true, y_pred = pair(y_true, y_pred)
        sample_weight = without_masked(sample_weight, mask, y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        self._accumulate(values if isinstance(values, torch.Tensor) else to_tensor(values), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "fn": describe_function(self._fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a metric from `get_config`'s result; a function's name is looked up in the tables."""
        arguments = dict(config)
        if "fn" in arguments:
            arguments["fn"] = resolve_function(arguments["fn"])
        return cls(**arguments)


class FunctionMetric(MeanMetricWrapper):
    """A MeanMetricWrapper around one known function: the configuration holds the arguments alone."""

    function: ClassVar[Callable[..., torch.Tensor]]
    # Whether the function gives truth values, and of what: of "rows" or of single "values" of predictions.
    counts_hits: ClassVar[str | None] = None

    def __init__(self, name: str | None, dtype: Any, **kwargs: Any) -> None:
        super().__init__(type(self).function, name=name, dtype=dtype, **kwargs)
        self._later = Later()

    def take_later(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> bool:
        """Keep a batch without weights for later, where it is small; return whether it was kept.

        Hits are whole numbers: their sum is the same whenever they are counted.
        """
        hits = type(self).__dict__.get("counts_hits")  # a subclass may count something else
        if hits is None or y_pred.dim() != 2 or (hits == "values" and y_pred.shape[1] != 1):
            return False
        if type(self).update_state is not MeanMetricWrapper.update_state or "update_state" in self.__dict__:
            return False  # someone watches the updates
        if not reads_for_nothing(y_pred) or y_true.device != y_pred.device or hasattr(y_pred, "_keras_mask"):
            return False
        kept = self._later.keep(y_true, y_pred)
        if not kept or self._later.is_full:
            self._take_up()
        return kept

    def _take_up(self) -> None:
        if self._later:
            self.update_state(*self._later.take())

    def reset_state(self) -> None:
        """Forget all batches."""
        self._later.clear()
        super().reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype, **self._fn_kwargs}


def _share_of_batch() -> float | None:
    """Return what part of the batch under way this process has, where several share it."""
    rows = own_rows()
    if rows is None:
        return None
    return 0.0 if rows.stands_in or not rows.total else rows.count / rows.total


def _function_name(function: Any) -> str:
    name = getattr(function, "name", None) or getattr(function, "__name__", type(function).__name__)
    return to_snake_case(str(name)) if str(name).isidentifier() else "metric"

"""Margins of classifiers whose targets are -1 and 1."""

from __future__ import annotations

from typing import Any

from neocog.functional import (
    categorical_hinge,
    hinge,
    squared_hinge,
)
from neocog.metrics._reduction import FunctionMetric
from neocog.metrics._registry import METRICS


@METRICS.register("hinge")
class Hinge(FunctionMetric):
    """The mean of max(1 - y·ŷ, 0), with targets -1 and 1 (0 counts as -1).

    Args:
        name: key in logs; default `"hinge"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(Hinge()([[0, 1], [0, 0]], [[0.5, 0.5], [0.5, 0.5]]))
        1.25
    """

    _direction = "down"
    function = staticmethod(hinge)

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("squared_hinge")
class SquaredHinge(FunctionMetric):
    """The mean of max(1 - y·ŷ, 0)², with targets -1 and 1 (0 counts as -1).

    Args:
        name: key in logs; default `"squared_hinge"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(SquaredHinge()([[0, 1], [0, 0]], [[0.5, 0.5], [0.5, 0.5]]))
        1.75
    """

    _direction = "down"
    function = staticmethod(squared_hinge)

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@METRICS.register("categorical_hinge")
class CategoricalHinge(FunctionMetric):
    """The mean of max(neg - pos + 1, 0): pos is the score of the true class, neg the largest of the others.

    Args:
        name: key in logs; default `"categorical_hinge"`.
        dtype: type of the state; default the default float.

    Example:
        >>> float(CategoricalHinge()([[0, 1], [1, 0]], [[0.5, 0.5], [0.5, 0.5]]))
        1.0
    """

    _direction = "down"
    function = staticmethod(categorical_hinge)

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)

"""Metric names that `compile(metrics=[...])` understands, and functions that wrapped metrics may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from neocog.core import Registry, custom_object_scope
from neocog.exceptions import ArgumentTypeError, message

if TYPE_CHECKING:
    from neocog.metrics._metric import Metric

METRICS: Registry[Metric] = Registry("metric")

# Plain functions `(y_true, y_pred) -> values`, for the configs of MeanMetricWrapper.
FUNCTIONS: Registry[Callable[..., Any]] = Registry("metric function")


def get(identifier: Any) -> Any:
    """Return a metric for a name, a config, a class, an instance or a function; None for None.

    A name gives a new metric with default arguments (`"mse"`, `"MeanSquaredError"`, `"mean_squared_error"`).

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("mae").name
        'mean_absolute_error'
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return METRICS.make(identifier)


def serialize(metric: Any) -> Any:
    """Return the config of a metric: `{"module", "class_name", "config", "registered_name"}`."""
    return METRICS.describe(metric)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the metric that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        return METRICS.make(dict(config))


def describe_function(function: Any) -> Any:
    """Return the config of what a MeanMetricWrapper wraps: a function's name, or a loss object's config."""
    if hasattr(function, "get_config"):
        return {"class_name": type(function).__name__, "config": function.get_config()}
    name = FUNCTIONS.name_of(function) or getattr(function, "__name__", type(function).__name__)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def resolve_function(config: Any) -> Callable[..., Any]:
    """Return the function that `describe_function` described, or the function itself."""
    if callable(config):
        return config  # type: ignore[no-any-return]
    name = config.get("config") if isinstance(config, Mapping) else config
    if not isinstance(name, str):
        raise ArgumentTypeError(
            message("MeanMetricWrapper", expected="fn to be a function or the name of one", got=repr(config))
        )
    return FUNCTIONS.resolve(name)

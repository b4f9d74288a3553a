"""Loss names: what `compile(loss=...)` understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neocog import functional
from neocog.core import Registry, custom_object_scope
from neocog.exceptions import ArgumentTypeError, message

LOSSES: Registry[Any] = Registry("loss")
# The functions alone: what a LossFunctionWrapper's config may name.
FUNCTIONS: Registry[Callable[..., Any]] = Registry("loss function")

_FUNCTION_ALIASES: dict[Callable[..., Any], tuple[str, ...]] = {
    functional.binary_crossentropy: ("bce", "BCE"),
    functional.binary_focal_crossentropy: (),
    functional.categorical_crossentropy: (),
    functional.categorical_focal_crossentropy: (),
    functional.categorical_generalized_cross_entropy: (),
    functional.categorical_hinge: (),
    functional.circle: (),
    functional.cosine_similarity: (),
    functional.ctc: (),
    functional.dice: (),
    functional.hinge: (),
    functional.huber: ("huber_loss",),
    functional.kl_divergence: ("kld", "KLD", "kullback_leibler_divergence"),
    functional.log_cosh: ("logcosh",),
    functional.mean_absolute_error: ("mae", "MAE"),
    functional.mean_absolute_percentage_error: ("mape", "MAPE"),
    functional.mean_squared_error: ("mse", "MSE"),
    functional.mean_squared_logarithmic_error: ("msle", "MSLE"),
    functional.poisson: (),
    functional.sparse_categorical_crossentropy: (),
    functional.squared_hinge: (),
    functional.tversky: (),
}
for _function, _aliases in _FUNCTION_ALIASES.items():
    LOSSES.register(*_aliases)(_function)
    FUNCTIONS.register(*_aliases)(_function)


def get(identifier: Any) -> Any:
    """Return a loss for None, a name, a config, a class, an object or a function.

    A function's name gives the function, a class's name an object with default arguments.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("mse").__name__
        'mean_squared_error'
    """
    return LOSSES.make(identifier)


def serialize(loss: Any) -> Any:
    """Return the config of a loss object, or the name of a function."""
    return LOSSES.describe(loss)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss that `serialize` described.

    Args:
        config: a name or a config.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


def describe_function(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the config of a loss function: its name, in Keras's form."""
    name = FUNCTIONS.name_of(function) or getattr(function, "__name__", type(function).__name__)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def resolve_function(config: Any) -> Callable[..., Any]:
    """Return the function that `describe_function` described, or the function itself."""
    if callable(config):
        return config  # type: ignore[no-any-return]
    name = config.get("config") if isinstance(config, Mapping) else config
    if not isinstance(name, str):
        expected = "fn to be a function or the name of one"
        raise ArgumentTypeError(message("LossFunctionWrapper", expected=expected, got=repr(config)))
    return FUNCTIONS.resolve(name)

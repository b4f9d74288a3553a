"""Arguments that every layer takes: its name, and the shapes that books give the first layer."""

from __future__ import annotations

from typing import Any

from neocog._old_spellings import warn_old
from neocog.exceptions import ArgumentError, ArgumentTypeError, nearest
from neocog.graph import Shape, check_shape

_LEGACY_ARGUMENTS = ("input_shape", "batch_input_shape", "input_dim", "input_length", "batch_size", "weights")

# Keras 1's arguments, whose values changed with their names; nothing translates them silently.
_KERAS_1 = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "input": "inputs",
    "nb_col": "kernel_size",
    "nb_filter": "filters",
    "nb_row": "kernel_size",
    "output": "outputs",
    "output_dim": "units",
    "p": "rate",
    "subsample": "strides",
}


def checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name or "/" in name:
        raise ArgumentError(f"Layer name: expected a text without '/', got {name!r}.")
    return name


def legacy_input_shape(where: str, kwargs: dict[str, Any]) -> Shape | None:
    unknown = [key for key in kwargs if key not in _LEGACY_ARGUMENTS]
    if unknown:
        close = nearest(
            unknown[0], [*_LEGACY_ARGUMENTS, "activity_regularizer", "trainable", "dtype", "name"]
        )
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if unknown[0] in _KERAS_1:
            hint = f" That is Keras 1's name; write {_KERAS_1[unknown[0]]}."
        raise ArgumentTypeError(f"{where}: got an unexpected keyword argument {unknown[0]!r}.{hint}")
    if "batch_input_shape" in kwargs:
        warn_old(where, "batch_input_shape", "an Input with batch_shape before the layer")
        return check_shape(where, kwargs["batch_input_shape"])
    batch = kwargs.get("batch_size")
    if "input_shape" in kwargs:
        return (batch, *check_shape(where, kwargs["input_shape"]))
    if kwargs.get("input_dim") is not None:
        warn_old(where, "input_dim", "an Input before the layer, or input_shape")
        length = kwargs.get("input_length")
        return (batch, kwargs["input_dim"]) if length is None else (batch, length, kwargs["input_dim"])
    return None


def legacy_weight_name(shape: Any, name: str | None) -> tuple[Any, str]:
    """Return the shape and name of `add_weight`'s arguments: Keras 2 had the name first."""
    if isinstance(shape, str):
        shape, name = () if name is None else name, shape
    return shape, name or "variable"

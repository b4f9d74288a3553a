"""A function of the user's as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from neocog import activations
from neocog.core import custom_object, custom_object_scope
from neocog.exceptions import ArgumentTypeError, FileFormatError, message
from neocog.graph import infer_outputs
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS

# Functions that Lambda layers of this process hold, by the name in their configuration: a configuration finds
# its function again here, or in a custom_object_scope, and nowhere else. No code is ever read from a file.
_functions: WeakValueDictionary[str, Callable[..., Any]] = WeakValueDictionary()


@LAYERS.register("lambda")
class Lambda(Layer):
    """Call a function on the inputs.

    A configuration holds the function's name, never its code. To load it elsewhere, give
    `custom_objects={name: function}`; a `lambda` has no name, so that works only within one process.

    Args:
        function: called as `function(inputs, **arguments)`, and with `training=` where it takes that.
        output_shape: shape without the batch, or a function of the input's shape; found by trying when None.
        mask: mask of the outputs, or a function of inputs and mask that returns it; None hands none on.
        arguments: further keyword arguments of the function.

    Example:
        >>> import torch
        >>> Lambda(lambda x: 2 * x)(torch.tensor([1.0, 2.0]))
        tensor([2., 4.])
    """

    _runs_user_code = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentTypeError(message(self.label, expected="a function", got=repr(function)))
        self.function = function
        self.mask = mask
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        self._wants = [name for name in ("mask", "training") if _takes(function, name)]
        self.supports_masking = self.makes_masks = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Call the function."""
        known = {"mask": mask, "training": training}
        return self.function(inputs, **{name: known[name] for name in self._wants}, **self.arguments)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return what `mask` says."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._output_shape is not None:
            return super()._symbolic_outputs(args, kwargs)
        return infer_outputs(self, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return what `output_shape` says, else the shape found by trying."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        first = input_shape[0]
        batch = first[0] if isinstance(first, (list, tuple)) else first
        given = self._output_shape
        return (batch, *([given] if isinstance(given, int) else given))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, functions by their names."""
        config = {**super().get_config(), "function": _describe(self.function), "arguments": self.arguments}
        if self._output_shape is not None:
            known = callable(self._output_shape)
            config["output_shape"] = _describe(self._output_shape) if known else self._output_shape
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the layer; its functions are looked up among `custom_objects` and those of this process."""
        with custom_object_scope(custom_objects or {}):
            found = {
                key: _look_up(config.get("name", "lambda"), value)
                for key, value in config.items()
                if key in ("function", "output_shape")
            }
        return cls(**{**config, **found})


def _takes(function: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions made in C tell nothing
        return False


def _describe(function: Callable[..., Any]) -> dict[str, Any]:
    name = getattr(function, "__name__", type(function).__name__)
    token = f"{getattr(function, '__module__', '')}.{name}@{id(function)}"
    try:
        _functions[token] = function
    except TypeError:  # functions made in C cannot be referred to weakly; custom_objects still finds them
        token = name
    kind = "__lambda__" if name == "<lambda>" else "function"
    return {
        "module": "builtins",
        "class_name": kind,
        "config": name,
        "registered_name": name,
        "in_process": token,
    }


def _look_up(where: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    names = [name for name in (value.get("registered_name"), value.get("config")) if isinstance(name, str)]
    name, token = names[-1] if names else "None", value.get("in_process")
    found = next((lent for lent in map(custom_object, names) if lent is not None), None)
    if found is None and value.get("class_name") == "function" and name in activations.ACTIVATIONS:
        found = activations.ACTIVATIONS.resolve(name)  # Keras's own, whose computation is known
    if found is None and isinstance(token, str):
        found = _functions.get(token)
    if found is None:
        raise FileFormatError(
            f'Lambda "{where}": expected to find its function {name!r}, which this process does not know. '
            f"Code is never loaded from a file: give custom_objects={{{name!r}: the function}}."
        )
    return found

"""The layer that stands for an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neocog._old_spellings import warn_old
from neocog.core import value_type
from neocog.exceptions import ArgumentError, message
from neocog.graph import Input, Shape, SymbolicTensor, check_shape
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


@LAYERS.register("input_layer")
class InputLayer(Layer):
    """The place where data come in: `output` is the symbolic tensor that `Input` would give.

    Args:
        shape: sizes without the batch; None for a size that may change.
        batch_size: fixed batch size, or None.
        dtype: type of the values, float32 by default.
        sparse: not supported; must be None or False.
        ragged: not supported; must be None or False.
        batch_shape: sizes with the batch, in place of `shape` and `batch_size`.
        input_tensor: a symbolic tensor to stand for, in place of a new one.
        optional: accepted for Keras's sake.
        name: name of the input.

    Example:
        >>> InputLayer((28, 28, 1)).output.shape
        (None, 28, 28, 1)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | int | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: SymbolicTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            warn_old("InputLayer", "input_shape", "shape")
            shape = kwargs.pop("input_shape")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ArgumentError(f"{self.label}: sparse and ragged inputs are not supported; give dense ones.")
        if input_tensor is None:
            input_tensor = self._new_tensor(shape, batch_size, batch_shape, dtype)
        self.optional = bool(optional)
        self._input_dtype = input_tensor.dtype
        self._input_tensor = input_tensor
        self._settle(input_tensor.shape)

    def _new_tensor(self, shape: Any, batch_size: int | None, batch_shape: Any, dtype: Any) -> SymbolicTensor:
        if (shape is None) == (batch_shape is None) or (batch_size is not None and batch_shape is not None):
            given = f"shape={shape!r}, batch_size={batch_size!r}, batch_shape={batch_shape!r}"
            raise ArgumentError(
                message(
                    self.label,
                    expected="either shape (without the batch) or batch_shape (with it)",
                    got=given,
                )
            )
        full = (batch_size, *check_shape(self.label, shape)) if batch_shape is None else batch_shape
        return Input(batch_shape=full, dtype=value_type(dtype), name=self.name)

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    @property
    def batch_shape(self) -> Shape:
        """Sizes with the batch."""
        return self._input_tensor.shape

    @property
    def dtype(self) -> str:
        """Type of the values."""
        return self._input_dtype

    @property
    def input(self) -> SymbolicTensor:
        """The symbolic tensor."""
        return self._input_tensor

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic tensor."""
        return self._input_tensor

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }

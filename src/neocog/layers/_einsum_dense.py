"""A dense layer over any axes, said by an einsum equation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from neocog import constraints, initializers, regularizers
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._unsupported import refuse_adapters

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@LAYERS.register("einsum_dense")
class EinsumDense(Layer):
    """Compute `activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: such as `"abc,cd->abd"`; `...` may stand before or after the letters of input and output.
        output_shape: shape of the outputs without the batch and what `...` stands for; None is taken from the
            inputs.
        activation: function or its name; None is the identity.
        bias_axes: letters of the output axes that have a bias of their own; None for no bias.
        kernel_initializer: of the kernel.
        bias_initializer: of the bias.
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        kernel_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.
        lora_rank: not supported; must be None.
        lora_alpha: not supported; must be None.
        gptq_unpacked_column_size: not supported; must be None.
        quantization_config: not supported; must be None.

    Example:
        >>> EinsumDense("...x,xy->...y", output_shape=4, bias_axes="y")(torch.ones(2, 3, 5)).shape
        torch.Size([2, 3, 4])
    """

    kernel: torch.Tensor
    bias: torch.Tensor | None

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        gptq_unpacked_column_size: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_adapters(self.label, lora_rank, lora_alpha, quantization_config or gptq_unpacked_column_size)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = get_activation(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._parts = self._parse(equation)

    def _parse(self, equation: str) -> tuple[str, str, str, bool, bool]:
        """Return the letters of input, kernel and output, and whether `...` stands before or after them."""
        found = _FORM.fullmatch(equation.replace(" ", ""))
        if found is None or bool(found[1]) != bool(found[5]) or bool(found[3]) != bool(found[7]):
            raise ArgumentError(
                message(
                    self.label, expected='an equation such as "abc,cd->abd" or "...x,xy->...y"', got=equation
                )
            )
        return found[2], found[4], found[6], bool(found[1]), bool(found[3])

    def _sizes(self, input_shape: Sequence[int | None]) -> tuple[dict[str, int | None], list[int | None]]:
        """Return the size of each letter, and the shape of the outputs."""
        letters_in, _, letters_out, before, after = self._parts
        elided = len(input_shape) - len(letters_in)
        if elided < 0 or (elided and not (before or after)):
            self._refuse("inputs that fit", tuple(input_shape))
        start = elided if before else 0
        sizes = dict(zip(letters_in, input_shape[start : start + len(letters_in)], strict=True))
        # the batch, or all that `...` stands for in front; the given sizes; what `...` stands for behind
        front = list(input_shape[:elided]) if before and elided else [input_shape[0]]
        behind = list(input_shape[len(input_shape) - elided :]) if after and elided else []
        outputs = [*front, *self.partial_output_shape, *behind]
        if len(outputs) != len(letters_out) + elided:
            self._refuse("output_shape that fits", self.partial_output_shape)
        for place, letter in enumerate(letters_out, start):
            size, known = outputs[place], sizes.get(letter)
            if size is not None and known is not None and size != known:
                self._refuse(f"output size {known} for {letter!r} in", size)
            sizes[letter] = outputs[place] = known if size is None else size
        return sizes, outputs

    def _refuse(self, expected: str, got: Any) -> None:
        raise ShapeError(message(self.label, expected=f"{expected} {self.equation!r}", got=got))

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        _, letters, letters_out, _, after = self._parts
        sizes, _ = self._sizes(input_shape)
        self.make_weight(
            "kernel",
            "kernel",
            tuple(self._known(letter, sizes) for letter in letters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is None:
            self.register_parameter("bias", None)
        else:
            first = min(letters_out.find(letter) for letter in self.bias_axes)
            if first < 0:
                raise ArgumentError(
                    message(self.label, expected=f"bias_axes among {letters_out!r}", got=self.bias_axes)
                )
            shape = [self._known(k, sizes) if k in self.bias_axes else 1 for k in letters_out[first:]]
            elided = len(input_shape) - len(self._parts[0])
            self.make_weight(
                "bias",
                "bias",
                (*shape, *(1,) * (elided if after else 0)),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _known(self, letter: str, sizes: dict[str, int | None]) -> int:
        size = sizes.get(letter)
        if size is None:
            raise ShapeError(
                message(self.label, expected=f"a known size for {letter!r} in {self.equation!r}", got="None")
            )
        return size

    def call(self, inputs: torch.Tensor) -> Any:
        """Compute the outputs."""
        outputs = torch.einsum(self.equation, self.as_float(inputs), self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the outputs' shape."""
        return tuple(self._sizes(input_shape)[1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": serialize_activation(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }

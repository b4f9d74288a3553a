"""Convolution whose outputs each see only some of the input channels, as LeNet-5's third layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog import initializers
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import Plans, conv, conv_padding, fixed_conv_padding
from neocog.layers._conv_base import BaseConv
from neocog.layers._registry import LAYERS


@LAYERS.register("partial_conv2d")
class PartialConv2D(BaseConv):
    """Convolve images; output f sees the input channels `connections[f]` alone.

    Only the connected kernels are weights: 60 kernels of 5×5 and 16 biases make 1,516 for LeNet-5's table.

    Args:
        connections: for each output, the input channels that it sees, counted from 0.
        kernel_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; default 1.
        padding: `"valid"` (none, the default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernels, drawn for all pairs of channels, of which the connected ones stay.
        bias_initializer: of the bias, shape (outputs,).
        kernel_regularizer: of the kernels, shape (*kernel_size, connections).
        bias_regularizer: of the bias.
        kernel_constraint: applied to the kernels after each update.
        bias_constraint: applied to the bias after each update.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, outputs); channels in front with
        `"channels_first"`. Torch's `weight` is (connections, *kernel_size).

    Raises:
        ArgumentError: connections that are no lists of channels, or name one twice.
        ShapeError: inputs with fewer channels than the connections name.

    Example:
        >>> PartialConv2D([[0, 1], [1, 2], [0, 1, 2]], 5)(torch.ones(1, 14, 14, 3)).shape
        torch.Size([1, 10, 10, 3])

    Reference:
        LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, table I.
    """

    rank = 2
    weight: torch.Tensor
    _places: torch.Tensor

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=1,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.connections = _checked(self.label, connections)
        self.filters = len(self.connections)
        self.set_rules("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._padding = fixed_conv_padding(self._window)
        self._plans = Plans(conv_padding, self._window)

    def build(self, input_shape: Any) -> None:
        """Make the connected kernels and the bias."""
        channels = self.learn_channels(input_shape)
        needed = 1 + max(max(row) for row in self.connections)
        if channels < needed:
            raise ShapeError(
                message(
                    self.label,
                    expected=f"inputs with {needed} channels or more, which the connections name",
                    got=tuple(input_shape),
                )
            )
        self.check_window(input_shape)
        pairs = [(row, channel) for row, seen in enumerate(self.connections) for channel in seen]
        self.make_weight(
            "kernel",
            "weight",
            (*self.kernel_size, len(pairs)),
            self._connected(channels, pairs),
            axes=(1, 2, 0),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        places = torch.zeros(self.filters, channels, dtype=torch.long)  # 0: no kernel
        for number, (row, channel) in enumerate(pairs, 1):
            places[row, channel] = number
        self.register_buffer("_places", places.flatten(), persistent=False)
        self.make_bias(self.filters)

    def _connected(self, channels: int, pairs: list[tuple[int, int]]) -> Any:
        """Return an initializer that draws the kernels of all pairs and gives the connected ones."""
        initializer = initializers.get(self.kernel_initializer)

        def draw(_: Any, dtype: Any = None) -> torch.Tensor:
            whole = torch.as_tensor(initializer((*self.kernel_size, channels, self.filters), dtype=dtype))
            rows, seen = zip(*pairs, strict=True)
            return whole[:, :, list(seen), list(rows)]

        return draw

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        x = self._layout.inward(self.as_float(inputs))
        none = torch.zeros_like(self.weight[:1])
        kernel = torch.cat((none, self.weight)).index_select(0, self._places)
        kernel = kernel.view(self.filters, -1, *self.kernel_size)
        try:
            padding = self._padding or self._plans(x.shape[2:])
            outputs = conv(x, kernel, self.bias_inside, self._window, padding, 1)
        except RuntimeError:
            self.check_window(inputs.shape)
            raise
        return self.finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        return self._layout.with_sizes(input_shape, self.window_sizes(input_shape), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), **self.rules_config("kernel")}
        config.pop("dilation_rate", None)
        return {**config, "connections": [list(row) for row in self.connections]}


def _checked(where: str, connections: Any) -> tuple[tuple[int, ...], ...]:
    """Return the connections as tuples."""
    try:
        rows = tuple(tuple(row) for row in connections)
    except TypeError:
        rows = ()
    whole = all(
        row and len(set(row)) == len(row) and all(isinstance(c, int) and c >= 0 for c in row) for row in rows
    )
    if not rows or not whole:
        raise ArgumentError(
            message(
                where,
                expected="connections: for each output a list of different input channels, counted from 0",
                got=repr(connections)[:80],
            )
        )
    return rows

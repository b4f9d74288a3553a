"""One step of a convolutional LSTM.

Legend: B samples, T steps, C channels, F filters, "…" one to three spatial axes. Steps and states are public
arrays: channels last or first, as `data_format` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_ntuple, check_one_of, standardize_data_format
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import (
    Plans,
    conv,
    conv_padding,
    fixed_conv_padding,
    layout,
    make_window,
    output_length,
    smallest_input,
)
from neocog.layers._recurrent._cell import Masks
from neocog.layers._recurrent._lstm import LSTMCell
from neocog.layers._sizes import known_size
from neocog.layers._spatial_sizes import check_sizes


class ConvLSTMCell(LSTMCell):
    """One step of LSTM whose products are convolutions; the states are the output `h` and the memory `c`.

    Args:
        rank: number of spatial axes, 1 to 3.
        filters: number of outputs at each place.
        kernel_size: size of both windows: one number, or one for each spatial axis.
        strides: steps between the windows over the inputs, likewise.
        padding: of the inputs, `"valid"` or `"same"`; states are always padded to keep their size.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: distance between the taps of the windows over the inputs.
        kwargs: as for `LSTMCell`.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, **{**kwargs, "implementation": 1})  # each gate drops on its own
        where = self.label
        self.rank, self.filters = rank, self.units
        self.kernel_size = check_ntuple(where, "kernel_size", kernel_size, rank)
        self.strides = check_ntuple(where, "strides", strides, rank)
        self.dilation_rate = check_ntuple(where, "dilation_rate", dilation_rate, rank)
        self.padding: str = check_one_of(where, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            got = f"strides={self.strides}, dilation_rate={self.dilation_rate}"
            raise ArgumentError(message(where, expected="strides of 1 where dilation_rate is not 1", got=got))
        ones = (1,) * rank
        self._layout = layout(rank, self.data_format)
        self._window = make_window(self.kernel_size, self.strides, self.dilation_rate, self.padding)
        self._padding = fixed_conv_padding(self._window)  # None: it depends on the inputs' sizes
        self._plans = Plans(conv_padding, self._window)
        self._recurrent_window = make_window(self.kernel_size, ones, ones, "same")
        self._recurrent_padding = fixed_conv_padding(self._recurrent_window)
        self._state_shape: tuple[int, ...] = ()

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias for steps of this shape."""
        channels = known_size(self.label, input_shape, self._layout.channel_axis)
        shape = self.compute_output_shape(input_shape)[0][1:]
        if None in shape:
            expected = "inputs whose spatial sizes are known, because the states have them"
            raise ShapeError(message(self.label, expected=expected, got=tuple(input_shape)))
        self._state_shape = shape
        width = self.gates * self.filters
        self._make_kernel("kernel", "weight_ih", "kernel", (*self.kernel_size, channels, width))
        self._make_kernel(
            "recurrent_kernel", "weight_hh", "recurrent", (*self.kernel_size, self.filters, width)
        )
        if not self.use_bias:
            self.register_parameter("bias", None)
            return
        self.make_weight(
            "bias",
            "bias",
            self.bias_shape(),
            self.bias_start(),
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def _make_kernel(self, name: str, attribute: str, argument: str, shape: tuple[int, ...]) -> None:
        self.make_weight(
            name,
            attribute,
            shape,
            getattr(self, f"{argument}_initializer"),
            axes=(*range(2, self.rank + 2), 1, 0),
            regularizer=getattr(self, f"{argument}_regularizer"),
            constraint=getattr(self, f"{argument}_constraint"),
        )

    # --- one step -------------------------------------------------------------------------------------------

    def project(self, inputs: torch.Tensor, drops: Masks = None) -> torch.Tensor:
        """Return what steps (B, …) or sequences (B, T, …) add to the gates: 4 F channels."""
        if inputs.ndim == self.rank + 2:
            return self._project(inputs, drops)
        steps = inputs.shape[1]
        flat = None if drops is None else [_each_step(drop, inputs).flatten(0, 1) for drop in drops]
        return torch.unflatten(self._project(inputs.flatten(0, 1), flat), 0, (-1, steps))

    def _project(self, inputs: torch.Tensor, drops: Masks) -> torch.Tensor:
        if drops is None:
            return self._convolved(inputs, self.weight_ih, self.bias)
        biases = [None] * self.gates if self.bias is None else self.bias.chunk(self.gates)
        parts = zip(drops, self.weight_ih.chunk(self.gates), biases, strict=True)
        return self._joined([self._convolved(inputs * drop, weight, bias) for drop, weight, bias in parts])

    def _convolved(self, inputs: torch.Tensor, weight: torch.Tensor, bias: Any) -> torch.Tensor:
        x = self._layout.inward(inputs)
        padding = self._padding or self._plans(x.shape[2:])
        return self._layout.outward(conv(x, weight, bias, self._window, padding))

    def recur(self, state: torch.Tensor, drops: Masks = None, bias: Any = None) -> torch.Tensor:
        """Return what the state (B, …) adds to the gates: 4 F channels."""
        if drops is None:
            return self._recurred(state, self.weight_hh)
        parts = zip(drops, self.weight_hh.chunk(self.gates), strict=True)
        return self._joined([self._recurred(state * drop, weight) for drop, weight in parts])

    def _recurred(self, state: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        x, padding = self._layout.inward(state), self._recurrent_padding
        if padding is None:
            padding = conv_padding(self._recurrent_window, tuple(x.shape[2:]))
        return self._layout.outward(conv(x, weight, None, self._recurrent_window, padding))

    def _joined(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.cat(list(parts), self._layout.channel_axis)

    def advance(
        self, projected: torch.Tensor, states: list[torch.Tensor], drops: Masks = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the output of a step and the new states."""
        sums = projected + self.recur(states[0], drops)
        i, f, new, o = sums.chunk(4, self._layout.channel_axis)
        gate = self.recurrent_activation
        memory = gate(f) * states[1] + gate(i) * self.activation(new)
        output = gate(o) * self.activation(memory)
        return output, [output, memory]

    def fuses(self) -> bool:
        """Torch has no kernel for it."""
        return False

    # --- shapes, states, configuration ----------------------------------------------------------------------

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """Return the shapes of the output and the new states."""
        sizes = self._layout.sizes(input_shape)
        do = 'Use padding="same", a smaller kernel or larger inputs.'
        check_sizes(self.label, sizes, smallest_input(self._window)[-self.rank :], input_shape, do)
        window = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        new = tuple(output_length(size, k, s, d, self.padding) for size, k, s, d in window)
        shape = self._layout.with_sizes(input_shape, new, self.filters)
        return [shape, [shape, shape]]

    def get_initial_state(self, batch_size: int | None = None) -> list[torch.Tensor]:
        """Return states of zeros for so many samples."""
        shape = (0 if batch_size is None else batch_size, *self._state_shape)
        return [self.weight_hh.new_zeros(shape) for _ in range(2)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = super().get_config()
        del config["units"]
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return {**config, **{name: getattr(self, name) for name in names}}


def _each_step(drop: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Return a mask (B, 1, …) for all steps of sequences (B, T, …)."""
    return drop.expand(-1, inputs.shape[1], *drop.shape[2:])

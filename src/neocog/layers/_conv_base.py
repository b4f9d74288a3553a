"""What all convolutions share: the window, the layout, the activation, the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neocog import activations, constraints, initializers, regularizers
from neocog.core import check_int, check_ntuple, check_one_of, standardize_data_format
from neocog.exceptions import ArgumentError, message
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
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._sizes import known_size
from neocog.layers._spatial_sizes import check_sizes

_MEMORY_FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}


class BaseConv(Layer):
    """Base of the convolutions, over `rank` spatial axes.

    Args:
        kernel_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise.
        padding: `"valid"` or `"same"` (in any case), or `"causal"` where the layer allows it.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window, likewise.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        bias_initializer: of the bias, shape (filters,).
        bias_regularizer: of the bias.
        bias_constraint: applied to the bias after each update.
    """

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")
    bias: torch.Tensor | None

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        where = self.label
        self.kernel_size = check_ntuple(where, "kernel_size", kernel_size, self.rank)
        self.strides = check_ntuple(where, "strides", strides, self.rank)
        self.dilation_rate = check_ntuple(where, "dilation_rate", dilation_rate, self.rank)
        self.padding: str = check_one_of(where, "padding", padding, self.paddings)
        self.data_format = standardize_data_format(data_format)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.set_rules("bias", bias_initializer, bias_regularizer, bias_constraint)
        self._layout = layout(self.rank, self.data_format)
        self._window = make_window(self.kernel_size, self.strides, self.dilation_rate, self.padding)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def set_rules(self, name: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Keep the initializer, regularizer and constraint of one weight as attributes, as Keras does."""
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def rules_config(self, name: str) -> dict[str, Any]:
        """Return the configuration of what `set_rules` keeps."""
        return {
            f"{name}_initializer": initializers.serialize(getattr(self, f"{name}_initializer")),
            f"{name}_regularizer": regularizers.serialize(getattr(self, f"{name}_regularizer")),
            f"{name}_constraint": constraints.serialize(getattr(self, f"{name}_constraint")),
        }

    def refuse_strided_dilation(self) -> None:
        """Raise ArgumentError where strides and dilation both differ from 1."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                message(
                    self.label,
                    expected="strides of 1 where dilation_rate is not 1",
                    got=f"strides={self.strides}, dilation_rate={self.dilation_rate}",
                )
            )

    def learn_channels(self, input_shape: Any) -> int:
        """Return the number of input channels, and expect it of all inputs from now on."""
        axis = self._layout.channel_axis
        channels = known_size(self.label, input_shape, axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def make_kernel(
        self,
        name: str,
        attribute: str,
        sizes: tuple[int, ...],
        first: int,
        last: int,
        rules: str | None = None,
    ) -> None:
        """Make a kernel: (*sizes, first, last) in Keras's layout, (last, first, *sizes) in torch's."""
        rules = rules or name
        self.make_weight(
            name,
            attribute,
            (*sizes, first, last),
            getattr(self, f"{rules}_initializer"),
            axes=(*range(2, self.rank + 2), 1, 0),
            regularizer=getattr(self, f"{rules}_regularizer"),
            constraint=getattr(self, f"{rules}_constraint"),
            memory_format=_MEMORY_FORMATS[self.rank],
        )

    def make_depthwise_kernel(self, name: str, attribute: str, channels: int, multiplier: int) -> None:
        """Make a kernel with `multiplier` filters for each channel: one group a channel in torch's layout."""
        self.make_weight(
            name,
            attribute,
            (*self.kernel_size, channels, multiplier),
            self.depthwise_initializer,
            reshape_to=(*self.kernel_size, 1, channels * multiplier),
            axes=(*range(2, self.rank + 2), 1, 0),
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            memory_format=_MEMORY_FORMATS[self.rank],
        )

    def make_bias(self, filters: int) -> None:
        """Make the bias, or register that there is none."""
        if not self.use_bias:
            self.register_parameter("bias", None)
            return
        self.make_weight(
            "bias",
            "bias",
            (filters,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    @property
    def bias_inside(self) -> torch.Tensor | None:
        """The bias where the kernel adds it; a mixed policy rounds before, as Keras does (`finish`)."""
        return self.bias if self._mixed_policy is None else None

    def finish(self, outputs: torch.Tensor) -> torch.Tensor:
        """Apply the activation to a kernel's result, and return it as a public array."""
        activation = self.activation
        if self._mixed_policy is not None and self.bias is not None:
            bias = self.bias.to(outputs.dtype).view(-1, *(1,) * (outputs.dim() - 2))
            outputs = outputs.add_(bias)  # in place: nobody else has them
        if activation is activations.relu:
            return self._layout.outward(torch.relu_(outputs))  # in place: nothing else needs the sums
        outputs = self._layout.outward(outputs)
        return outputs if activation is activations.linear else activation(outputs)

    def check_window(self, shape: Any) -> None:
        """Raise ShapeError where no window fits into inputs of this shape."""
        check_sizes(
            self.label,
            self._layout.sizes(shape),
            smallest_input(self._window)[-self.rank :],
            shape,
            'Use padding="same", a smaller kernel, larger inputs, or fewer strides and poolings before it.',
        )

    def window_sizes(self, shape: Any) -> tuple[int | None, ...]:
        """Return the spatial sizes of the outputs for inputs of this shape."""
        self.check_window(shape)
        sizes = self._layout.sizes(shape)
        window = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        return tuple(output_length(size, k, s, d, self.padding) for size, k, s, d in window)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": serialize_activation(self.activation),
            "use_bias": self.use_bias,
            **self.rules_config("bias"),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }


def check_filters(where: str, filters: Any, groups: Any = 1) -> tuple[int, int]:
    """Return the number of filters and groups; filters must be a multiple of groups."""
    filters = check_int(where, "filters", filters, minimum=1)
    groups = check_int(where, "groups", groups, minimum=1)
    if filters % groups:
        raise ArgumentError(
            message(where, expected=f"filters to be a multiple of groups={groups}", got=filters)
        )
    return filters, groups


class WindowConv(BaseConv):
    """Base of the convolutions that slide one kernel, whole or in groups, over their inputs."""

    weight: torch.Tensor
    parts: int  # groups that the channels are split into

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._padding = fixed_conv_padding(self._window)  # None: it depends on the inputs' sizes
        self._plans = Plans(conv_padding, self._window)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return self.finish(self.sums(inputs, self.weight, self.bias_inside))

    def sums(
        self,
        inputs: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        kernel: Callable[..., torch.Tensor] = conv,
    ) -> torch.Tensor:
        """Return what the activation gets, in torch's layout.

        Args:
            inputs: as the layer takes them.
            weight: a kernel in the form of the layer's own.
            bias: likewise, or None.
            kernel: computes them; takes what `functional.conv` takes.
        """
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        x = self._layout.inward(inputs)
        try:
            padding = self._padding or self._plans(x.shape[2:])
            return kernel(x, weight, bias, self._window, padding, self.parts)
        except RuntimeError:
            self.check_window(inputs.shape)
            raise

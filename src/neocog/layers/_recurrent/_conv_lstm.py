"""LSTM over sequences of series, images or volumes, by convolutions."""

from __future__ import annotations

from typing import Any

from neocog.layers._input_spec import InputSpec
from neocog.layers._recurrent._cell_rnn import CellRNN, for_cell
from neocog.layers._recurrent._conv_lstm_cell import ConvLSTMCell
from neocog.layers._registry import LAYERS

_OF_CELL = {"filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate"}


class ConvLSTM(CellRNN):
    """LSTM whose inputs and states have `rank` spatial axes, and whose products are convolutions.

    Args:
        filters: number of outputs at each place.
        kernel_size: size of the windows over inputs and states: one number, or one for each spatial axis.
        strides: steps between the windows over the inputs, likewise.
        padding: of the inputs, `"valid"` or `"same"`, in any case; states are padded to keep their size.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of the windows over the inputs. Not together with strides.
        activation: of new memory and outputs; a function or its name.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (*kernel_size, channels, 4 · filters).
        recurrent_initializer: of the recurrent kernel, shape (*kernel_size, filters, 4 · filters).
        bias_initializer: of the bias, shape (4 · filters,).
        unit_forget_bias: True starts the forget gate's bias at 1.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        recurrent_constraint: applied to the recurrent kernel after each update.
        bias_constraint: applied to the bias after each update.
        dropout: share of the inputs to drop in training, the same ones at all steps.
        recurrent_dropout: share of the states to drop in training.
        seed: own seed of the dropout; None takes torch's global generator.
        return_sequences: True returns the outputs of all steps, False the last one's.
        return_state: True returns a list of the output and the last states.
        go_backwards: True runs from the last step to the first; outputs come in that order.
        stateful: True starts each batch from the states of the one before, until `reset_state`.
    """

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **for_cell("conv_lstm_cell", kwargs),
        )
        flags = (return_sequences, return_state, go_backwards, stateful, kwargs.pop("unroll", False))
        super().__init__(cell, flags, "auto", activity_regularizer=activity_regularizer, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cell, name) if name in _OF_CELL else super().__getattr__(name)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Return the shape of the output, or, with `return_state`, a list of it and the states' shapes."""
        batch, steps, *step = sequences_shape
        state = self.cell.compute_output_shape((batch, *step))[0]
        output = (batch, steps, *state[1:]) if self.return_sequences else state
        return [output, state, state] if self.return_state else output


@LAYERS.register("conv_lstm1d")
class ConvLSTM1D(ConvLSTM):
    """LSTM over sequences of series, by convolutions.

    Shapes:
        (batch, steps, length, channels) to (batch, new length, filters), or with the axis of the steps with
        `return_sequences`; channels before the length with `"channels_first"`.

    Example:
        >>> import torch
        >>> ConvLSTM1D(4, 3, padding="same")(torch.ones(2, 5, 8, 3)).shape
        torch.Size([2, 8, 4])

    Reference:
        Shi et al., Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting, 2015.
    """

    rank = 1


@LAYERS.register("conv_lstm2d")
class ConvLSTM2D(ConvLSTM):
    """LSTM over sequences of images, by convolutions.

    Shapes:
        (batch, steps, height, width, channels) to (batch, new height, new width, filters), or with the axis
        of the steps with `return_sequences`; channels before the height with `"channels_first"`.

    Example:
        >>> import torch
        >>> ConvLSTM2D(4, 3)(torch.ones(2, 5, 8, 8, 3)).shape
        torch.Size([2, 6, 6, 4])

    Reference:
        Shi et al., Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting, 2015.
    """

    rank = 2


@LAYERS.register("conv_lstm3d")
class ConvLSTM3D(ConvLSTM):
    """LSTM over sequences of volumes, by convolutions.

    Shapes:
        (batch, steps, depth, height, width, channels) to (batch, new depth, new height, new width, filters),
        or with the axis of the steps with `return_sequences`; channels before the depth with
        `"channels_first"`.

    Example:
        >>> import torch
        >>> ConvLSTM3D(4, 2)(torch.ones(2, 3, 4, 4, 4, 2)).shape
        torch.Size([2, 3, 3, 3, 4])

    Reference:
        Shi et al., Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting, 2015.
    """

    rank = 3

"""GRU: a state that gates renew."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog.activations import sigmoid, tanh
from neocog.layers._recurrent._cell import Masks, RecurrentCell
from neocog.layers._recurrent._cell_rnn import CellRNN, for_cell
from neocog.layers._recurrent._kernels import run_kernel
from neocog.layers._registry import LAYERS


@LAYERS.register("gru_cell")
class GRUCell(RecurrentCell):
    """One step of GRU: `h = z · h + (1 - z) · activation(…)`, with the gates z (update) and r (reset).

    Args:
        units: number of units.
        activation: of the new part of the state; a function or its name.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, 3 · units).
        recurrent_initializer: of the recurrent kernel, shape (units, 3 · units).
        bias_initializer: of the bias, shape (2, 3 · units), or (3 · units,) without `reset_after`.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        kernel_constraint: applied to the kernel after each update.
        recurrent_constraint: applied to the recurrent kernel after each update.
        bias_constraint: applied to the bias after each update.
        dropout: share of the inputs to drop in training, the same ones at all steps.
        recurrent_dropout: share of the states to drop in training; at 0, torch's faster kernels run.
        reset_after: True multiplies the state by the recurrent kernel before the reset gate, False after it.
        seed: own seed of the dropout; None takes torch's global generator.

    Example:
        >>> GRUCell(4)(torch.ones(2, 3), [torch.zeros(2, 4)])[0].shape
        torch.Size([2, 4])

    Reference:
        Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        shared = (use_bias, starts, penalties, limits, dropout, recurrent_dropout, seed)
        super().__init__(units, activation, recurrent_activation, *shared, **kwargs)
        self.reset_after = bool(reset_after)

    def bias_shape(self) -> tuple[int, ...]:
        """Return (2, 3 · units) where inputs and state have biases of their own, else (3 · units,)."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self) -> torch.Tensor | None:
        """Return the inputs' part of the bias."""
        bias: torch.Tensor | None = self.bias
        return bias if bias is None or not self.reset_after else bias[0]

    def advance(
        self, projected: torch.Tensor, states: list[torch.Tensor], drops: Masks = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the output of a step, which is the new state too."""
        state = states[0]
        gate = self.recurrent_activation
        x_z, x_r, x_h = projected.chunk(3, -1)
        if self.reset_after:
            s_z, s_r, s_h = self.recur(state, drops, None if self.bias is None else self.bias[1]).chunk(3, -1)
            z, r = gate(x_z + s_z), gate(x_r + s_r)
            new = self.activation(x_h + r * s_h)
        else:
            z_kernel, r_kernel, h_kernel = self.weight_hh.chunk(3)
            s_z, s_r, s_h = [state] * 3 if drops is None else [state * drop for drop in drops]
            z, r = gate(x_z + F.linear(s_z, z_kernel)), gate(x_r + F.linear(s_r, r_kernel))
            new = self.activation(x_h + F.linear(r * s_h, h_kernel))
        output = z * state + (1 - z) * new
        return output, [output]

    def fuses(self) -> bool:
        """Whether gates and activations are those of torch's kernel."""
        return self.reset_after and self.activation is tanh and self.recurrent_activation is sigmoid

    def fused(
        self, inputs: torch.Tensor, states: list[torch.Tensor], lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the outputs of all steps and the last state; torch has the gates in the order r, z, n."""
        biases = [] if self.bias is None else [self.bias[0], self.bias[1]]
        weights = [_reset_first(weight) for weight in (self.weight_ih, self.weight_hh, *biases)]
        return run_kernel(torch._VF.gru, inputs, states, weights, lengths)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "reset_after": self.reset_after}


@LAYERS.register("gru")
class GRU(CellRNN):
    """A recurrent layer with gates: `h = z · h + (1 - z) · activation(…)`, with z (update) and r (reset).

    Args:
        units: number of units.
        activation: of the new part of the state; a function or its name.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, 3 · units).
        recurrent_initializer: of the recurrent kernel, shape (units, 3 · units).
        bias_initializer: of the bias, shape (2, 3 · units), or (3 · units,) without `reset_after`.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        recurrent_constraint: applied to the recurrent kernel after each update.
        bias_constraint: applied to the bias after each update.
        dropout: share of the inputs to drop in training, the same ones at all steps.
        recurrent_dropout: share of the states to drop in training; at 0, torch's faster kernels run.
        seed: own seed of the dropout; None takes torch's global generator.
        return_sequences: True returns the outputs of all steps, False the last one's.
        return_state: True returns a list of the output and the last state.
        go_backwards: True runs from the last step to the first; outputs come in that order.
        stateful: True starts each batch from the state of the one before, until `reset_state`.
        unroll: accepted for Keras's sake.
        reset_after: True multiplies the state by the recurrent kernel before the reset gate, False after it.
        use_cudnn: accepted for Keras's sake: torch's kernels run where they compute the same.

    Shapes:
        (batch, steps, features) to (batch, units), or (batch, steps, units) with `return_sequences`.

    Example:
        >>> GRU(4)(torch.ones(2, 5, 3)).shape
        torch.Size([2, 4])

    Reference:
        Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        gates = recurrent_activation, use_bias, *starts
        settings = (*gates, *penalties, *limits, dropout, recurrent_dropout, reset_after, seed)
        cell = GRUCell(units, activation, *settings, **for_cell("gru_cell", kwargs))
        flags = return_sequences, return_state, go_backwards, stateful, unroll
        super().__init__(cell, flags, use_cudnn, activity_regularizer=activity_regularizer, **kwargs)


def _reset_first(weight: torch.Tensor) -> torch.Tensor:
    z, r, h = weight.chunk(3)
    return torch.cat([r, z, h])

"""LSTM: a memory that gates open and close."""

from __future__ import annotations

from typing import Any

import torch

from neocog.activations import sigmoid, tanh
from neocog.layers._recurrent._cell import Masks, RecurrentCell
from neocog.layers._recurrent._cell_rnn import CellRNN, for_cell
from neocog.layers._recurrent._kernels import run_kernel
from neocog.layers._registry import LAYERS


@LAYERS.register("lstm_cell")
class LSTMCell(RecurrentCell):
    """One step of LSTM; the states are the output `h` and the memory `c`.

    `c = f · c + i · activation(…)`, `h = o · activation(c)`, with gates i (input), f (forget), o (output).

    Args:
        units: number of units.
        activation: of new memory and outputs; a function or its name.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, 4 · units).
        recurrent_initializer: of the recurrent kernel, shape (units, 4 · units).
        bias_initializer: of the bias, shape (4 · units,).
        unit_forget_bias: True starts the forget gate's bias at 1.
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        kernel_constraint: applied to the kernel after each update.
        recurrent_constraint: applied to the recurrent kernel after each update.
        bias_constraint: applied to the bias after each update.
        dropout: share of the inputs to drop in training, the same ones at all steps.
        recurrent_dropout: share of the states to drop in training; at 0, torch's faster kernels run.
        seed: own seed of the dropout; None takes torch's global generator.

    Example:
        >>> output, (h, c) = LSTMCell(4)(torch.ones(2, 3), [torch.zeros(2, 4), torch.zeros(2, 4)])
        >>> c.shape
        torch.Size([2, 4])

    Reference:
        Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.
    """

    gates = 4

    def __init__(
        self,
        units: int,
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        shared = (use_bias, starts, penalties, limits, dropout, recurrent_dropout, seed)
        super().__init__(units, activation, recurrent_activation, *shared, **kwargs)
        self.unit_forget_bias = bool(unit_forget_bias)
        self.state_size = [self.units, self.units]

    def bias_start(self) -> Any:
        """Return the bias's initializer, which opens the forget gate."""
        if not self.unit_forget_bias:
            return self.bias_initializer
        return self._with_open_gate

    def _with_open_gate(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        first = torch.as_tensor(self.bias_initializer((self.units,), dtype=dtype))
        rest = torch.as_tensor(self.bias_initializer((2 * self.units,), dtype=dtype))
        return torch.cat([first, torch.ones_like(first), rest])

    def advance(
        self, projected: torch.Tensor, states: list[torch.Tensor], drops: Masks = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the output of a step and the new states."""
        memory = states[1]
        i, f, new, o = (projected + self.recur(states[0], drops)).chunk(4, -1)
        gate = self.recurrent_activation
        memory = gate(f) * memory + gate(i) * self.activation(new)
        output = gate(o) * self.activation(memory)
        return output, [output, memory]

    def fuses(self) -> bool:
        """Whether the activations are those of torch's kernel."""
        return self.activation is tanh and self.recurrent_activation is sigmoid

    def fused(
        self, inputs: torch.Tensor, states: list[torch.Tensor], lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the outputs of all steps and the last states."""
        weights = [self.weight_ih, self.weight_hh]
        if self.bias is not None:
            weights += [self.bias, torch.zeros_like(self.bias)]
        return run_kernel(torch._VF.lstm, inputs, states, weights, lengths)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@LAYERS.register("lstm")
class LSTM(CellRNN):
    """A recurrent layer with a memory: long short-term memory.

    `c = f · c + i · activation(…)`, `h = o · activation(c)`, with gates i (input), f (forget), o (output).

    Args:
        units: number of units.
        activation: of new memory and outputs; a function or its name.
        recurrent_activation: of the gates.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, 4 · units).
        recurrent_initializer: of the recurrent kernel, shape (units, 4 · units).
        bias_initializer: of the bias, shape (4 · units,).
        unit_forget_bias: True starts the forget gate's bias at 1.
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
        return_state: True returns a list of the output and the last states.
        go_backwards: True runs from the last step to the first; outputs come in that order.
        stateful: True starts each batch from the states of the one before, until `reset_state`.
        unroll: accepted for Keras's sake.
        use_cudnn: accepted for Keras's sake: torch's kernels run where they compute the same.

    Shapes:
        (batch, steps, features) to (batch, units), or (batch, steps, units) with `return_sequences`.

    Example:
        >>> LSTM(4)(torch.ones(2, 5, 3)).shape
        torch.Size([2, 4])

    Reference:
        Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        gates = recurrent_activation, use_bias, *starts, unit_forget_bias
        settings = (*gates, *penalties, *limits, dropout, recurrent_dropout, seed)
        cell = LSTMCell(units, activation, *settings, **for_cell("lstm_cell", kwargs))
        flags = return_sequences, return_state, go_backwards, stateful, unroll
        super().__init__(cell, flags, use_cudnn, activity_regularizer=activity_regularizer, **kwargs)

"""SimpleRNN: each unit sees the inputs and the outputs of the step before."""

from __future__ import annotations

from typing import Any

import torch

from neocog.activations import relu, tanh
from neocog.layers._recurrent._cell import Masks, RecurrentCell
from neocog.layers._recurrent._cell_rnn import CellRNN, for_cell
from neocog.layers._recurrent._kernels import run_kernel
from neocog.layers._registry import LAYERS


@LAYERS.register("simple_rnn_cell")
class SimpleRNNCell(RecurrentCell):
    """One step of SimpleRNN: `h = activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Args:
        units: number of units.
        activation: of the outputs; a function or its name.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, units).
        recurrent_initializer: of the recurrent kernel, shape (units, units).
        bias_initializer: of the bias, shape (units,).
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
        >>> SimpleRNNCell(4)(torch.ones(2, 3), [torch.zeros(2, 4)])[0].shape
        torch.Size([2, 4])

    Reference:
        Elman, Finding Structure in Time, 1990.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        shared = (use_bias, starts, penalties, limits, dropout, recurrent_dropout, seed)
        super().__init__(units, activation, None, *shared, **kwargs)

    def advance(
        self, projected: torch.Tensor, states: list[torch.Tensor], drops: Masks = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the output of a step, which is the new state too."""
        output = self.activation(projected + self.recur(states[0], drops))
        return output, [output]

    def fuses(self) -> bool:
        """Whether torch has a kernel for the activation."""
        return self.activation is tanh or self.activation is relu

    def fused(
        self, inputs: torch.Tensor, states: list[torch.Tensor], lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the outputs of all steps and the last state."""
        kernel = torch._VF.rnn_tanh if self.activation is tanh else torch._VF.rnn_relu
        weights = [self.weight_ih, self.weight_hh]
        if self.bias is not None:
            weights += [self.bias, torch.zeros_like(self.bias)]
        return run_kernel(kernel, inputs, states, weights, lengths)


@LAYERS.register("simple_rnn")
class SimpleRNN(CellRNN):
    """A recurrent layer: `h = activation(x @ kernel + h @ recurrent_kernel + bias)` at each time step.

    Args:
        units: number of units.
        activation: of the outputs; a function or its name.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, units).
        recurrent_initializer: of the recurrent kernel, shape (units, units).
        bias_initializer: of the bias, shape (units,).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        recurrent_constraint: applied to the recurrent kernel after each update.
        bias_constraint: applied to the bias after each update.
        dropout: share of the inputs to drop in training, the same ones at all steps.
        recurrent_dropout: share of the states to drop in training; at 0, torch's faster kernels run.
        return_sequences: True returns the outputs of all steps, False the last one's.
        return_state: True returns a list of the output and the last state.
        go_backwards: True runs from the last step to the first; outputs come in that order.
        stateful: True starts each batch from the state of the one before, until `reset_state`.
        unroll: accepted for Keras's sake.
        seed: own seed of the dropout; None takes torch's global generator.

    Shapes:
        (batch, steps, features) to (batch, units), or (batch, steps, units) with `return_sequences`.

    Example:
        >>> SimpleRNN(4, return_sequences=True)(torch.ones(2, 5, 3)).shape
        torch.Size([2, 5, 4])

    Reference:
        Elman, Finding Structure in Time, 1990.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        starts = kernel_initializer, recurrent_initializer, bias_initializer
        penalties = kernel_regularizer, recurrent_regularizer, bias_regularizer
        limits = kernel_constraint, recurrent_constraint, bias_constraint
        settings = (*starts, *penalties, *limits, dropout, recurrent_dropout, seed)
        cell = SimpleRNNCell(units, activation, use_bias, *settings, **for_cell("simple_rnn_cell", kwargs))
        flags = return_sequences, return_state, go_backwards, stateful, unroll
        super().__init__(cell, flags, "auto", activity_regularizer=activity_regularizer, **kwargs)

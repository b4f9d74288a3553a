"""Torch's kernels for whole sequences, called on given weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

Kernel = Callable[..., Any]


def run_kernel(
    kernel: Kernel,
    inputs: torch.Tensor,
    states: list[torch.Tensor],
    weights: list[torch.Tensor],
    lengths: torch.Tensor | None = None,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the outputs (B, T, U) and the last states (B, U) of one layer in one direction.

    Args:
        kernel: `torch._VF.lstm`, `torch._VF.gru`, `torch._VF.rnn_tanh` or `torch._VF.rnn_relu`.
        inputs: (B, T, F).
        states: the first states, (B, U) each.
        weights: input kernel, recurrent kernel and, where there are biases, both.
        lengths: number of steps of each sample, after which its last states are taken. They are read on the
            CPU: a sync.
    """
    device = inputs.device.type
    kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weights[0].dtype
    inputs, states = inputs.to(kind), [state.to(kind).unsqueeze(0) for state in states]
    weights = [weight.to(kind) for weight in weights]
    # The kernels take one layer, no dropout, their training form where gradients are needed, one direction.
    options = (len(weights) == 4, 1, 0.0, torch.is_grad_enabled(), False)
    with torch.autocast(device, enabled=False):
        if lengths is None:
            outputs, *last = kernel(inputs, _hidden(states), weights, *options, True)
            return outputs, [state.squeeze(0) for state in last]
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        order: Any = packed.sorted_indices
        back: Any = packed.unsorted_indices
        first = _hidden([state.index_select(1, order).contiguous() for state in states])
        outputs, *last = kernel(packed.data, packed.batch_sizes, first, weights, *options)
        whole = PackedSequence(outputs, packed.batch_sizes, order, back)
        outputs, _ = pad_packed_sequence(whole, batch_first=True, total_length=inputs.shape[1])
        return outputs, [state.squeeze(0).index_select(0, back) for state in last]


def _hidden(states: list[torch.Tensor]) -> Any:
    return states[0].contiguous() if len(states) == 1 else tuple(state.contiguous() for state in states)

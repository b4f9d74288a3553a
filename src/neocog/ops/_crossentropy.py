"""Losses as operations: crossentropies, connectionist temporal classification, signal to noise."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog import functional
from neocog.exceptions import ShapeError, message
from neocog.ops._op import op, together
from neocog.ops._shared import as_float


@op("keras.src.ops.nn>BinaryCrossentropy", call="target output")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> torch.Tensor:
    """Return -y log p - (1 - y) log(1 - p) of each element, with p clipped to [ε, 1 - ε].

    Args:
        target: labels in [0, 1].
        output: probabilities or logits, of the same shape.
        from_logits: whether `output` has no sigmoid yet.

    Example:
        >>> binary_crossentropy([1.0, 0.0], [0.5, 0.5])
        tensor([0.6931, 0.6931])
    """
    target, output = together(target, output)
    if target.shape != output.shape:
        where, expected = "ops.binary_crossentropy", f"a target of shape {tuple(output.shape)}"
        raise ShapeError(message(where, expected=expected, got=tuple(target.shape)))
    return functional.binary_crossentropy(target.unsqueeze(-1), output.unsqueeze(-1), from_logits)


@op("keras.src.ops.nn>CategoricalCrossentropy", call="target output")
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> torch.Tensor:
    """Return -Σ y log p along `axis`, with p scaled to sum 1 and clipped to [ε, 1 - ε].

    Args:
        target: class probabilities, such as one-hot vectors.
        output: probabilities or logits, of the same shape.
        from_logits: whether `output` has no softmax yet.
        axis: axis of the classes.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    target, output = together(target, output)
    return functional.categorical_crossentropy(target, output, from_logits, axis=axis)


@op("keras.src.ops.nn>SparseCategoricalCrossentropy", call="target output")
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> torch.Tensor:
    """Return -log p[y] along `axis`, with p scaled to sum 1 and clipped to [ε, 1 - ε], for class numbers y.

    Args:
        target: class numbers from 0, of the shape of `output` without `axis`, or with size 1 there.
        output: probabilities or logits.
        from_logits: whether `output` has no softmax yet.
        axis: axis of the classes.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931])
    """
    target, output = together(target, output)
    return functional.sparse_categorical_crossentropy(target, output, from_logits, axis=axis)


@op("keras.src.ops.nn>CTCLoss", call="target output target_length output_length")
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> torch.Tensor:
    """Return -log of the probability of a label sequence, summed over its alignments with the frames.

    Args:
        target: labels, (batch, longest).
        output: logits, (batch, frames, classes).
        target_length: number of labels of each sample, (batch,).
        output_length: number of frames of each sample, (batch,).
        mask_index: class of the blank.

    Example:
        >>> ctc_loss([[1]], torch.zeros(1, 2, 2), [1], [2])
        tensor([0.2877])

    Reference:
        Graves et al., Connectionist Temporal Classification, 2006.
    """
    target, output, target_length, output_length = together(target, output, target_length, output_length)
    output = output.float() if output.dtype in (torch.float16, torch.bfloat16) else as_float(output)
    frames = F.log_softmax(output.transpose(0, 1), dim=-1)
    lengths = output_length.long(), target_length.long()
    return F.ctc_loss(frames, target.long(), *lengths, blank=mask_index, reduction="none")


@op("keras.src.ops.nn>PSNR", call="x1 x2")
def psnr(x1: Any, x2: Any, max_val: float) -> torch.Tensor:
    """Return the ratio of peak signal to noise, 20 log₁₀ max_val - 10 log₁₀ mean((x1 - x2)²), in decibels.

    Args:
        x1: first image or batch.
        x2: second, of the same shape.
        max_val: largest possible value, such as 1 or 255.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> psnr(torch.zeros(4), torch.full((4,), 0.1), 1.0)
        tensor(20.)
    """
    x1, x2 = together(x1, x2)
    if x1.shape != x2.shape:
        raise ShapeError(
            message("ops.psnr", expected=f"images of one shape, {tuple(x1.shape)}", got=tuple(x2.shape))
        )
    mse = as_float((x1 - x2) ** 2).mean()
    peak = torch.as_tensor(max_val, dtype=mse.dtype, device=mse.device)
    return 20 * torch.log10(peak) - 10 * torch.log10(mse)

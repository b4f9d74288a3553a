"""Random choices among given values: classes, dropped entries, shuffled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_number, standardize_dtype, to_tensor, torch_dtype
from neocog.functional import keep_mask
from neocog.graph import is_symbolic, record_function
from neocog.random._drawing import generator_of


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> torch.Tensor:
    """Return class numbers drawn with the probabilities that logits give.

    Args:
        logits: (batch, classes), or (classes,).
        num_samples: number of draws for each row.
        dtype: integer type of the result.
        seed: a whole number, a `SeedGenerator`, or None.

    Shapes:
        (batch, num_samples), or (num_samples,).

    Example:
        >>> categorical(torch.tensor([[0.0, 99.0]]), 3)
        tensor([[1, 1, 1]], dtype=torch.int32)
    """
    if is_symbolic(logits):
        return record_function(categorical, (logits, num_samples, dtype, seed), {})  # type: ignore[no-any-return]
    tensor = to_tensor(logits)
    probabilities = torch.softmax(tensor if tensor.is_floating_point() else tensor.float(), dim=-1)
    generator = generator_of("random.categorical", seed, tensor.device)
    drawn = torch.multinomial(probabilities, int(num_samples), replacement=True, generator=generator)
    return drawn.to(torch_dtype(standardize_dtype(dtype)))


def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None
) -> torch.Tensor:
    """Return `inputs` with each value dropped to 0 with probability `rate`, the others over 1 - rate.

    Args:
        inputs: tensor of any shape.
        rate: share of the values to drop, from 0 to 1.
        noise_shape: shape of the mask: None for the input's size on an axis, 1 to share one draw along it.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> dropout(torch.ones(2), 0.0)
        tensor([1., 1.])
    """
    if is_symbolic(inputs):
        return record_function(dropout, (inputs, rate, noise_shape, seed), {})  # type: ignore[no-any-return]
    rate = check_number("random.dropout", "rate", rate, minimum=0, maximum=1)
    tensor = to_tensor(inputs)
    if rate in (0.0, 1.0):
        return tensor if rate == 0.0 else torch.zeros_like(tensor)
    given = tensor.shape if noise_shape is None else noise_shape
    shape = [own if size is None else int(size) for own, size in zip(tensor.shape, given, strict=True)]
    generator = generator_of("random.dropout", seed, tensor.device)
    kept = keep_mask(torch.empty(shape, device=tensor.device), rate, generator)
    return torch.where(kept.bool(), tensor / (1.0 - rate), 0.0)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> torch.Tensor:
    """Return `x` with its entries along an axis in random order.

    Args:
        x: tensor of any shape.
        axis: the axis.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> shuffle(torch.arange(5), seed=1).sort().values
        tensor([0, 1, 2, 3, 4])
    """
    if is_symbolic(x):
        return record_function(shuffle, (x, axis, seed), {})  # type: ignore[no-any-return]
    tensor = to_tensor(x)
    generator = generator_of("random.shuffle", seed, tensor.device)
    order = torch.randperm(tensor.shape[axis], generator=generator, device=tensor.device)
    return tensor.index_select(axis, order)

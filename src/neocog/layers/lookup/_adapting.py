"""Data to learn a vocabulary from: arrays, lists, data sets, loaders, generators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from neocog.data import Source
from neocog.exceptions import DataError, message


def raw_batches(data: Any, steps: int | None, where: str) -> Iterator[Any]:
    """Give data in batches; of (inputs, targets) the inputs.

    Args:
        data: an array or list of samples, which is one batch, or an iterable of batches.
        steps: how many batches to give; None for all.
        where: how error texts name the layer.

    Raises:
        DataError: nothing to iterate over.
    """
    if isinstance(data, (list, tuple, torch.Tensor)) or hasattr(data, "__array__"):
        array = data if isinstance(data, torch.Tensor) else _as_array(data, where)
        yield array[..., None] if array.ndim == 1 else array
        return
    if isinstance(data, Source) and not isinstance(data, Iterable):
        data = (batch.x for batch in data.batches(0))
    if not isinstance(data, Iterable) or isinstance(data, (str, bytes)):
        expected = "an array, a list of samples or batches to adapt to"
        raise DataError(message(where, expected=expected, got=type(data).__name__))
    for number, item in enumerate(data):
        if number == steps:
            return
        pair = isinstance(item, (tuple, list)) and any(hasattr(part, "shape") for part in item)
        yield item[0] if pair else item


def _as_array(data: Any, where: str) -> Any:
    try:
        return np.asarray(data)
    except ValueError as error:
        do = "Give an iterable of them, or rows of one length."
        raise DataError(message(where, expected="samples of one shape", got=str(error), do=do)) from error

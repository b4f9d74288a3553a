"""Class numbers as vectors: one-hot and multi-hot."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import standardize_dtype, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.ops._core import refuse_sparse
from neocog.ops._op import as_tensor, op


@op("keras.src.ops.nn>OneHot")
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> torch.Tensor:
    """Return class numbers as vectors with a 1 at the class; numbers outside give zeros.

    Args:
        x: class numbers, any shape.
        num_classes: length of the vectors.
        axis: where the new axis goes.
        dtype: type of the result; None for `floatx()`.
        sparse: not supported; must be False.

    Example:
        >>> one_hot([1, 0], 3)
        tensor([[0., 1., 0.],
                [1., 0., 0.]])
    """
    refuse_sparse("ops.one_hot", sparse)
    classes = as_tensor(x).long()
    places = torch.arange(int(num_classes), device=classes.device)
    vectors = (classes.unsqueeze(-1) == places).to(torch_dtype(standardize_dtype(dtype)))
    return vectors if axis in (-1, vectors.dim() - 1) else vectors.movedim(-1, axis)


@op("keras.src.ops.nn>MultiHot", call="inputs")
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> torch.Tensor:
    """Return sets of class numbers as vectors with a 1 at each class of the set.

    Args:
        inputs: class numbers, (classes,) or (batch, classes, …).
        num_classes: length of the vectors.
        axis: axis of the vectors.
        dtype: type of the result; None for `floatx()`.
        sparse: not supported; must be False.
        **kwargs: `num_tokens`, the old name of `num_classes`.

    Raises:
        ArgumentError: `num_classes` is not given.

    Example:
        >>> multi_hot([0, 2], 4)
        tensor([1., 0., 1., 0.])
    """
    refuse_sparse("ops.multi_hot", sparse)
    num_classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if num_classes is None or kwargs:
        got = f"unknown arguments {sorted(kwargs)}" if kwargs else "None"
        raise ArgumentError(message("ops.multi_hot", expected="num_classes, a whole number", got=got))
    x = as_tensor(inputs)
    return one_hot(x, num_classes, axis=axis, dtype=dtype).amax(dim=1 if x.dim() > 1 else 0)

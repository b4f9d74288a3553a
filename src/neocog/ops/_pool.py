"""Poolings as operations, over one to three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from neocog import functional
from neocog.core import check_ntuple, check_one_of, standardize_data_format
from neocog.ops._conv import spatial_rank
from neocog.ops._op import as_tensor, op


@op("keras.src.ops.nn>MaxPool", call="inputs")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> torch.Tensor:
    """Return the maximum of each window.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        pool_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; None for `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> max_pool(torch.ones(1, 5, 5, 2), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    x, window, form = _prepared("ops.max_pool", inputs, pool_size, strides, padding, data_format)
    plan = functional.pool_padding(window, tuple(x.shape[2:]))
    return form.outward(functional.max_pool(x, window, plan))


@op("keras.src.ops.nn>AveragePool", call="inputs")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> torch.Tensor:
    """Return the mean of each window.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        pool_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; None for `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> average_pool(torch.ones(1, 5, 5, 2), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    x, window, form = _prepared("ops.average_pool", inputs, pool_size, strides, padding, data_format)
    plan = functional.average_padding(window, tuple(x.shape[2:]))
    return form.outward(functional.average_pool(x, window, plan))


def _prepared(
    where: str, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None
) -> tuple[torch.Tensor, functional.Window, functional.Layout]:
    inputs = as_tensor(inputs)
    rank = spatial_rank(where, inputs)
    form = functional.layout(rank, standardize_data_format(data_format))
    size = check_ntuple(where, "pool_size", pool_size, rank)
    steps = size if strides is None else check_ntuple(where, "strides", strides, rank)
    padding = check_one_of(where, "padding", padding, ("valid", "same"))
    window = functional.make_window(size, steps, (1,) * rank, padding)
    return form.inward(inputs), window, form


@op("keras.src.ops.nn>AdaptiveAveragePool", call="inputs")
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> torch.Tensor:
    """Return means over windows chosen so that the result has given sizes.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        output_size: sizes of the result: one number, or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> adaptive_average_pool(torch.ones(1, 5, 7, 2), 3).shape
        torch.Size([1, 3, 3, 2])
    """
    kernels = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
    return _adaptive("ops.adaptive_average_pool", kernels, inputs, output_size, data_format)


@op("keras.src.ops.nn>AdaptiveMaxPool", call="inputs")
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> torch.Tensor:
    """Return maxima over windows chosen so that the result has given sizes.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        output_size: sizes of the result: one number, or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> adaptive_max_pool(torch.ones(1, 5, 7, 2), (2, 4)).shape
        torch.Size([1, 2, 4, 2])
    """
    kernels = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
    return _adaptive("ops.adaptive_max_pool", kernels, inputs, output_size, data_format)


def _adaptive(
    where: str, kernels: tuple[Callable[..., Any], ...], inputs: Any, size: Any, data_format: str | None
) -> torch.Tensor:
    x = as_tensor(inputs)
    rank = spatial_rank(where, x)
    last = standardize_data_format(data_format) == "channels_last"
    x = x.movedim(-1, 1) if last else x
    outputs: torch.Tensor = kernels[rank - 1](x, check_ntuple(where, "output_size", size, rank))
    return outputs.movedim(1, -1) if last else outputs

"""Reductions over groups of rows."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import dtype_name
from neocog.exceptions import ArgumentError, message
from neocog.graph import TensorSpec
from neocog.ops._op import op, together


def _segment_specs(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> TensorSpec:
    return TensorSpec((num_segments, *data.shape[1:]), dtype_name(data.dtype))


@op("keras.src.ops.math>SegmentSum", call="data segment_ids", specs=_segment_specs)
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> torch.Tensor:
    """Return the sums of the rows of each group.

    Args:
        data: rows along the first axis.
        segment_ids: the group of each row, from 0; rows outside [0, num_segments) are left out.
        num_segments: how many groups; None takes the largest number plus 1.
        sorted: whether the groups are in rising order; changes nothing here.

    Example:
        >>> segment_sum([1.0, 2.0, 4.0], [0, 0, 2]).tolist()
        [3.0, 0.0, 4.0]
    """
    return _reduced("sum", 0, data, segment_ids, num_segments)


@op("keras.src.ops.math>SegmentMax", call="data segment_ids", specs=_segment_specs)
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> torch.Tensor:
    """Return the largest of each group of rows, the type's lowest if empty; arguments as in `segment_sum`."""
    return _reduced("amax", -torch.inf, data, segment_ids, num_segments)


@op("keras.src.ops.math>SegmentMin", call="data segment_ids", specs=_segment_specs)
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> torch.Tensor:
    """Return the smallest of each group of rows, the type's highest if empty; arguments as `segment_sum`."""
    return _reduced("amin", torch.inf, data, segment_ids, num_segments)


@op("keras.src.ops.math>SegmentProd", call="data segment_ids", specs=_segment_specs)
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> torch.Tensor:
    """Return the products of the rows of each group, 1 for an empty one; arguments as in `segment_sum`."""
    return _reduced("prod", 1, data, segment_ids, num_segments)


def _reduced(how: str, start: float, data: Any, segment_ids: Any, num_segments: int | None) -> torch.Tensor:
    data, groups = together(data, segment_ids)
    if groups.ndim != 1 or len(groups) != data.shape[0]:
        expected = f"a row of {data.shape[0]} group numbers"
        raise ArgumentError(
            message(f"ops.segment_{how}", expected=expected, got=f"shape {tuple(groups.shape)}")
        )
    count = num_segments or int(groups.max()) + 1
    if not data.is_floating_point() and abs(start) == torch.inf:
        bounds = torch.iinfo(data.dtype)
        start = bounds.min if start < 0 else bounds.max
    groups = torch.where((groups >= 0) & (groups < count), groups, count).long()
    places = groups.reshape([-1, *[1] * (data.ndim - 1)]).expand(data.shape)
    totals = torch.full((count + 1, *data.shape[1:]), start, dtype=data.dtype, device=data.device)
    return totals.scatter_reduce(0, places, data, how)[:-1]

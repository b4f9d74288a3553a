"""Making a layer's weights: drawn in Keras's layout, kept in torch's, registered under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from neocog import initializers
from neocog.core import dtype_name, spend, to_tensor, torch_dtype
from neocog.exceptions import ArgumentError
from neocog.graph import check_shape
from neocog.layers._weights import WeightSpec


def initial_values(where: str, name: str, shape: Any, initializer: Any, dtype: Any) -> torch.Tensor:
    """Draw the first values of a weight, in Keras's layout, on the CPU.

    Args:
        where: the layer, for error texts.
        name: the weight, for error texts.
        shape: its shape; None for a scalar.
        initializer: initializer or its name; None: Glorot uniform for floats, zeros for others.
        dtype: its type.

    Raises:
        ArgumentError: a size is not known.
    """
    sizes = check_shape(where, () if shape is None else shape)
    if None in sizes:
        raise ArgumentError(
            f'{where}: expected a full shape for weight "{name}", got {sizes}. '
            "Give the Input the sizes that the weights depend on."
        )
    wanted = torch_dtype(dtype)
    spend(f'{where}, weight "{name}"', cast("tuple[int, ...]", sizes), wanted.itemsize)
    if initializer is None:
        initializer = "glorot_uniform" if wanted.is_floating_point else "zeros"
    values = initializers.get(initializer)(cast("tuple[int, ...]", sizes), dtype=dtype_name(wanted))
    return to_tensor(values).detach().to(wanted).cpu()


def in_torch_layout(
    values: torch.Tensor,
    axes: tuple[int, ...] | None,
    reshape_to: tuple[int, ...] | None,
    memory_format: torch.memory_format,
) -> torch.Tensor:
    """Return values in Keras's layout in torch's: `axes` and `reshape_to` as in `Layer.make_weight`."""
    if reshape_to is not None:
        values = values.reshape(reshape_to)
    if axes is not None:
        values = values.permute(np.argsort(axes).tolist())
    return values.contiguous(memory_format=memory_format)


def give_attributes(module: nn.Module, specs: Sequence[WeightSpec]) -> None:
    """Find the attribute of each weight that does not know it; register those that have none."""
    for spec in specs:
        if spec.attribute is not None:
            continue
        found = next((key for key, value in module._parameters.items() if value is spec.tensor), None)
        if found is None:
            found = _free_attribute(module, spec.name.replace(".", "_").replace("/", "_"))
            module.register_parameter(found, cast("nn.Parameter", spec.tensor))
        spec.attribute, spec.tensor = found, None


def _free_attribute(module: nn.Module, base: str) -> str:
    name, number = base, 0
    while hasattr(module, name):
        number += 1
        name = f"{base}_{number}"
    return name

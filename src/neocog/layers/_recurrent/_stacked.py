"""Several cells as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from neocog.core import torch_dtype
from neocog.layers._layer import Layer
from neocog.layers._recurrent._rnn import checked_state_sizes
from neocog.layers._registry import LAYERS, deserialize, serialize


@LAYERS.register("stacked_rnn_cells")
class StackedRNNCells(Layer):
    """Cells one on top of the other: each gets the output of the one before, and has states of its own.

    Args:
        cells: the cells, in order.

    Example:
        >>> from neocog.layers._recurrent._gru import GRUCell
        >>> StackedRNNCells([GRUCell(8), GRUCell(4)]).state_size
        [8, 4]
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            checked_state_sizes(self.label, cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the cells' states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return the first states of all cells."""
        count = 0 if batch_size is None else batch_size
        return [self._start(cell, count) for cell in self.cells]

    def _start(self, cell: Any, batch: int) -> Any:
        make = getattr(cell, "get_initial_state", None)
        if make is not None:
            return make(batch_size=batch)
        kind, sizes = torch_dtype(self._dtype), cell.state_size
        if isinstance(sizes, int):
            return torch.zeros(batch, sizes, dtype=kind)
        return [torch.zeros(batch, size, dtype=kind) for size in sizes]

    def build(self, input_shape: Any) -> None:
        """Build the cells, each for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], _output_size(cell))

    def call(self, inputs: torch.Tensor, states: Any, training: bool | None = None) -> Any:
        """Return the last cell's output for one time step, and the new states of all cells."""
        new_states: list[Any] = []
        for cell, own in zip(self.cells, states, strict=True):
            nested = isinstance(own, (list, tuple))
            extra = {"training": training} if getattr(cell, "_takes_training", False) else {}
            call = cell if callable(cell) else cell.call
            inputs, new = call(inputs, list(own) if nested else [own], **extra)
            new = list(new) if isinstance(new, (list, tuple)) else [new]
            new_states.append(new if nested else new[0])
        return inputs, new_states

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """Return the shape of the last cell's output."""
        return (input_shape[0], self.output_size)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "cells": [serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the cells and stack them."""
        cells = [deserialize(cell, custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _output_size(cell: Any) -> int:
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
    return int(size if isinstance(size, int) else size[0])

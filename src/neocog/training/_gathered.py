"""What `predict` returns, put together batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.core import pages_apart, tree_flatten, tree_pack

Rows = np.ndarray[Any, Any]

_FROM_HEAP = 2**20  # bytes of a result that may lie among the tensors of the batches


class Gathered:
    """The outputs of batches, one after the other, nested as the model nests them.

    Where the number of rows is known they are copied at once to where they will stay. Kept as they come, each
    would lie somewhere in the memory that the tensors of a batch were freed from, and the largest tensor of
    the next batch would no longer fit into it.

    Args:
        rows: how many are expected; None where that is not known.

    Example:
        >>> gathered = Gathered(3)
        >>> gathered.add({"a": np.zeros((2, 1))})
        >>> gathered.add({"a": np.ones((1, 1))})
        >>> gathered.result()["a"].tolist()
        [[0.0], [0.0], [1.0]]
    """

    def __init__(self, rows: int | None) -> None:
        self._rows = rows
        self._form: Any = None  # numbers nested as the outputs; no tensor is held
        self._outputs: list[_Output] = []

    def add(self, outputs: Any) -> None:
        """Take over the outputs of the next batch: NumPy arrays, which may be overwritten afterwards."""
        leaves = tree_flatten(outputs)
        if not self._outputs:
            self._outputs = [_Output(self._rows) for _ in leaves]
            self._form = tree_pack(outputs, list(range(len(leaves))))
        for output, rows in zip(self._outputs, leaves, strict=True):
            output.add(rows)

    def result(self) -> Any:
        """Return all outputs; there has been a batch at least."""
        return tree_pack(self._form, [output.result() for output in self._outputs])


class _Output:
    """The rows of one output."""

    def __init__(self, expected: int | None) -> None:
        self.expected = expected
        self.parts: list[Rows] = []
        self.memory: Rows | None = None
        self.filled = 0

    def add(self, rows: Rows) -> None:
        if self._begins(rows):
            self.memory = _memory((self.expected or 0, *rows.shape[1:]), rows.dtype)
        if self.memory is None:
            self.parts.append(rows)
            return
        end = self.filled + len(rows)
        if _alike(rows, self.memory) and end <= len(self.memory):
            self.memory[self.filled : end] = rows
            self.filled = end
            return
        self.parts = [self.memory[: self.filled], rows]  # they are not what was expected
        self.memory = None

    def _begins(self, rows: Rows) -> bool:
        """Whether these rows are the first of several batches."""
        if self.parts or self.memory is not None or not self.expected:
            return False
        return rows.ndim > 0 and rows.dtype.kind in "biufc" and len(rows) < self.expected

    def result(self) -> Rows:
        if self.memory is None:
            return np.concatenate(self.parts)
        return self.memory if self.filled == len(self.memory) else self.memory[: self.filled].copy()


def _alike(rows: Rows, memory: Rows) -> bool:
    return bool(rows.dtype == memory.dtype and rows.shape[1:] == memory.shape[1:])


def _memory(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Rows:
    """Return an array; a large one in pages of its own, as far as the system gives any."""
    size = int(np.prod(shape)) * dtype.itemsize
    pages = pages_apart(size) if size >= _FROM_HEAP else None
    return np.empty(shape, dtype) if pages is None else np.frombuffer(pages, dtype).reshape(shape)

"""How much memory a model that is built from a file may take: known before anything is allocated."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from neocog.exceptions import ArgumentError, FileFormatError, message


@dataclass(slots=True)
class _Budget:
    where: str
    total: int
    left: int
    reason: str


_active: ContextVar[_Budget | None] = ContextVar("neocog_memory_budget", default=None)


@contextmanager
def memory_budget(where: str, total: int, reason: str) -> Iterator[None]:
    """Let weights made inside the block take `total` bytes in all; an outer budget stays in force.

    Args:
        where: the file, for the error text.
        total: bytes.
        reason: where the number comes from, for the error text: `"its weight file holds 3 MB"`.
    """
    outer = _active.get()
    if outer is not None and outer.left <= total:
        yield
        return
    token = _active.set(_Budget(where, total, total, reason))
    try:
        yield
    finally:
        _active.reset(token)


def spend(where: str, shape: Sequence[int], itemsize: int, *, keep: bool = True) -> None:
    """Take what an array needs from the budget, before it is made.

    Without a budget an array must fit into the machine's memory.

    Args:
        where: what it is for, for the error text.
        shape: its sizes.
        itemsize: bytes per value.
        keep: False for an array that is dropped again, which must fit but takes nothing away.

    Raises:
        FileFormatError: a model from a file asks for more than its budget.
        ArgumentError: the array is larger than the machine's memory.
    """
    wanted = math.prod(shape) * itemsize
    budget = _active.get()
    if budget is None:
        if wanted > physical_memory():
            raise ArgumentError(
                message(
                    where,
                    expected=f"arrays that fit into this machine's memory ({_size(physical_memory())})",
                    got=f"shape {_shape(shape)}, {_size(wanted)}",
                    do="Check the layer's sizes.",
                )
            )
        return
    if wanted > (budget.left if keep else max(budget.left, 2**29)):
        raise FileFormatError(
            message(
                f"{budget.where}, {where}",
                expected=f"weights of {_size(budget.total)} at most in all ({budget.reason})",
                got=f"{_size(wanted)} more, for shape {_shape(shape)}",
                do="The configuration was changed, or is damaged: get the file again from its source.",
            )
        )
    if keep:
        budget.left -= wanted


def physical_memory() -> int:
    """Return the bytes of memory that this machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such call on Windows
        return 2**36


def free_memory() -> int:
    """Return the bytes of memory that are free on this machine now."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**33


def _shape(shape: Sequence[int]) -> str:
    text = str(tuple(shape))
    return text if len(text) < 80 else f"{text[:76]} …"


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = count // 1000
    return f"{count:,} TB" if count < 10**12 else "more than any machine has"

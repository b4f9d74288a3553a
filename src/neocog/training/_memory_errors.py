"""What it looks like when memory runs out, and how the rest of it is got back."""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch

from neocog.exceptions import NeocogError
from neocog.graph import mask_of, set_mask

# As torch, its kernels' libraries and C++ say it; CUDA's own is a class, torch.OutOfMemoryError.
_TEXTS = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "cannot allocate memory",
    "alloc_failed",
    "allocation failed",
    "bad_alloc",
    "bad allocation",
    "could not create a memory object",
    "failed to allocate",
    "could not create a primitive",  # oneDNN, whose primitives hold memory of their own
    "could not execute a primitive",
)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or the one that it was raised from, says that memory ran out.

    Example:
        >>> is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory")), is_out_of_memory(ValueError("no"))
        (True, False)
    """
    if isinstance(error, NeocogError) and error.__cause__ is None:
        return False  # told in words already
    while error is not None:
        if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
            return True
        if isinstance(error, RuntimeError):
            text = str(error).lower()
            if any(sign in text for sign in _TEXTS):
                return True
        error = error.__cause__
    return False


_ENGINES = ("torch/_tensor.py", "torch/autograd/__init__.py", "neocog/core/_gradients.py")
LESS = 'smaller images or a smaller network, keras.RematScope, or precision="bfloat16"'


@dataclass(frozen=True)
class Failure:
    """A step that ran out of memory. It holds no traceback: that would keep the step's tensors alive.

    Attributes:
        text: first line of the error.
        in_backward: whether gradients were being computed.
        in_update: whether the optimizer was at work.
    """

    text: str
    in_backward: bool = False
    in_update: bool = False

    @classmethod
    def of(cls, error: BaseException, optimizer: Any = None) -> Failure:
        """Return what is to be known of an error that has just been caught."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        text = lines[0] if len(lines[0]) <= 160 else lines[0][:157] + "…"
        backward, update = _came_through(error.__traceback__, optimizer)
        return cls(text.rstrip("."), backward, update)


def _came_through(trace: TracebackType | None, optimizer: Any) -> tuple[bool, bool]:
    backward = update = False
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "backward" and code.co_filename.replace("\\", "/").endswith(_ENGINES):
            backward = True
        elif optimizer is not None and code.co_name in ("step", "apply", "apply_gradients"):
            update = update or trace.tb_frame.f_locals.get("self") is optimizer
        trace = trace.tb_next
    return backward, update


def free_memory() -> None:
    """Give back what a failed step left: cycles, torch's cache on a GPU, the free blocks of the C library."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def update_metric(metric: Any, *rows: Any) -> None:
    """Update a metric with targets, outputs and perhaps weights, in halves where memory runs out.

    Args:
        metric: the metric.
        rows: tensors with one row a sample each, or None.
    """
    try:
        metric.update_state(*rows)
        return
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or len(rows[0]) < 2:
            raise
    free_memory()
    middle = len(rows[0]) // 2
    for piece in (slice(None, middle), slice(middle, None)):
        update_metric(metric, *(_taken(leaf, piece) for leaf in rows))


def _taken(leaf: Any, piece: slice) -> Any:
    mask = mask_of(leaf)
    return None if leaf is None else set_mask(leaf[piece], None if mask is None else mask[piece])

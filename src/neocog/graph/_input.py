"""`Input`, and plain torch modules called on what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

from torch import nn

from neocog.core import auto_name, value_type
from neocog.exceptions import ArgumentError, ArgumentTypeError
from neocog.graph._symbolic import Node, SymbolicTensor, infer_outputs, is_symbolic

# torch's own call, taken before anything wraps it: what models use to run their layers.
module_call = nn.Module.__call__


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> SymbolicTensor:
    """Return the symbolic tensor that a functional model starts from.

    Args:
        shape: sizes without the batch; None for a size that may change, such as `(None, None, 3)`.
        batch_size: fixed batch size, or None.
        dtype: type of the values, float32 by default; data of other types are converted when the model is
            called. `"string"` stands for text, which comes as NumPy arrays or lists of `str`.
        sparse: not supported; must be None or False.
        batch_shape: sizes with the batch, in place of `shape` and `batch_size`.
        name: name of the input; models with several inputs take dicts keyed by it.
        tensor: not supported.
        optional: accepted for Keras's sake.

    Raises:
        ArgumentError: neither or both of `shape` and `batch_shape` are given.

    Example:
        >>> Input((28, 28, 1), name="photo").shape
        (None, 28, 28, 1)
    """
    if sparse or tensor is not None:
        raise ArgumentError("Input: sparse inputs and ready tensors are not supported; give a shape.")
    if (shape is None) == (batch_shape is None):
        raise ArgumentError("Input: expected either shape (without the batch) or batch_shape (with it), got "
                            f"shape={shape!r}, batch_shape={batch_shape!r}.")  # fmt: skip
    if batch_shape is not None:
        full = check_shape("Input", batch_shape)
    else:
        full = (batch_size, *check_shape("Input", shape))
    _let_modules_join()
    return SymbolicTensor(full, dtype=value_type(dtype), name=name or auto_name("input_layer"))


def check_shape(where: str, shape: Any) -> tuple[int | None, ...]:
    """Return a shape as a tuple of positive sizes and None; a whole number stands for one axis."""
    items = (shape,) if isinstance(shape, int) else shape
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        raise ArgumentTypeError(f"{where}: expected a shape such as (28, 28, 1), got {shape!r}.")
    sizes = tuple(None if size is None else int(size) for size in items)
    if any(size is not None and size < 0 for size in sizes):
        raise ArgumentError(f"{where}: expected sizes of 0 or more, or None for unknown, got {tuple(sizes)}.")
    return sizes


def record_module(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record the call of a plain torch module on symbolic tensors."""
    outputs = infer_outputs(module, args, kwargs)
    Node(module, args, kwargs, outputs)
    return outputs


def _let_modules_join() -> None:
    """Let `nn.Linear(3, 1)(symbolic)` join the graph.

    Torch offers no hook that can answer in a module's place, so, from the first `Input` on, its call looks at
    the
    type of the first argument before it goes on (torch.fx traces in the same way). Layers don't pass here.
    """
    if nn.Module.__call__ is not module_call:
        return

    @wraps(module_call)
    def call(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) in (SymbolicTensor, list, tuple, dict) and is_symbolic(args):
            return record_module(self, args, kwargs)
        return module_call(self, *args, **kwargs)

    nn.Module.__call__ = call  # type: ignore[method-assign]

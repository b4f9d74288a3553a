"""Functions of small pieces made to functions of whole tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any

import numpy as np
import torch

from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.ops._op import together

_CORE = re.compile(r"\(([^()]*)\)")


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int | str] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """Return a function that applies `pyfunc` to each number (or piece) of its arguments, broadcast together.

    Args:
        pyfunc: function of single numbers, or of pieces with the axes that `signature` names.
        excluded: positions and names of arguments that are passed as they are.
        signature: axes of a piece of each argument and result, as NumPy writes them: `"(n),(n)->()"`.

    Example:
        >>> vectorize(lambda a, b: a + 2 * b)([1, 2], 10).tolist()
        [21, 22]
    """
    if not callable(pyfunc):
        got = type(pyfunc).__name__
        raise ArgumentTypeError(message("ops.vectorize", expected="a function", got=got))
    kept = frozenset(excluded or ())
    cores = None if signature is None else _axes_by_argument(signature)

    @wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        moving = [place for place, value in enumerate(args) if place not in kept and value is not None]
        named = [name for name, value in kwargs.items() if name not in kept and value is not None]
        tensors = together(*(args[place] for place in moving), *(kwargs[name] for name in named))

        def piecewise(*pieces: torch.Tensor) -> Any:
            whole = list(args)
            for place, piece in zip(moving, pieces, strict=False):
                whole[place] = piece
            return pyfunc(*whole, **(kwargs | dict(zip(named, pieces[len(moving) :], strict=True))))

        if cores is not None and len(cores) != len(tensors):
            got = f"{len(tensors)} arguments"
            raise ArgumentError(message("ops.vectorize", expected=f"{len(cores)} arguments", got=got))
        return _mapped(piecewise, tensors, cores or [()] * len(tensors))

    return vectorized


def _axes_by_argument(signature: str) -> list[tuple[str, ...]]:
    left, arrow, _ = signature.replace(" ", "").partition("->")
    cores = _CORE.findall(left)
    if not arrow or ",".join(f"({core})" for core in cores) != left:
        got = repr(signature)
        raise ArgumentError(message("ops.vectorize", expected='a signature like "(n),(n)->()"', got=got))
    return [tuple(core.split(",")) if core else () for core in cores]


def _mapped(
    function: Callable[..., Any], tensors: Sequence[torch.Tensor], cores: Sequence[tuple[str, ...]]
) -> Any:
    """Apply `function` over the axes before each tensor's own ones, broadcast together."""
    if not tensors:
        return function()
    sizes: dict[str, int] = {}
    for tensor, core in zip(tensors, cores, strict=True):
        for name, size in zip(core, tensor.shape[tensor.ndim - len(core) :], strict=True):
            if sizes.setdefault(name, size) != size:
                expected = f"one size for axis {name!r}"
                raise ArgumentError(
                    message("ops.vectorize", expected=expected, got=f"{sizes[name]} and {size}")
                )
    outer: tuple[int, ...] = np.broadcast_shapes(
        *(tensor.shape[: tensor.ndim - len(core)] for tensor, core in zip(tensors, cores, strict=True))
    )
    whole = [
        tensor.expand(*outer, *tensor.shape[tensor.ndim - len(core) :])
        for tensor, core in zip(tensors, cores, strict=True)
    ]
    for _ in outer:
        function = torch.vmap(function)
    return function(*whole)

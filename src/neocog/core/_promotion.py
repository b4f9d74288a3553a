"""Keras's type promotion: the type of a result from the types that meet in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from neocog.core._dtypes import dtype_name
from neocog.core._settings import floatx
from neocog.exceptions import ArgumentError, message

# Each type to the next larger ones; "int" and "float" stand for Python's numbers, which bend to any array.
_NEXT: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8", "complex64"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
# Keras on torch keeps results of promotion to 32 bits.
_TO_32_BITS = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
_UNSIGNED = ("uint16", "uint32", "uint64")


def standardize_dtype(dtype: Any) -> str:
    """Return Keras's name of a type given as string, torch or NumPy type, Python type, or None (`floatx()`).

    Example:
        >>> standardize_dtype(int), standardize_dtype(None)
        ('int32', 'float32')
    """
    if dtype in (int, "int"):
        return "int32"
    if dtype is float:
        return "float32"
    if dtype is complex:
        return "complex64"
    name = dtype if isinstance(dtype, str) else str(getattr(dtype, "name", ""))
    if name in _UNSIGNED or name == "string":
        return name
    return dtype_name(dtype)


def result_type(*dtypes: Any) -> str:
    """Return the type of a result from the types of its arguments, by Keras's rules on torch.

    Args:
        dtypes: names, torch or NumPy types; Python's `int` and `float` adapt to the others; None is
            `floatx()`.

    Raises:
        ArgumentError: a name is no type.

    Example:
        >>> result_type("int32", float), result_type("bfloat16", int), result_type("float16", "bfloat16")
        ('float32', 'bfloat16', 'float32')
    """
    if not dtypes:
        return floatx()
    weak = [dtype is int or dtype is float for dtype in dtypes]
    names = [floatx() if dtype is None else standardize_dtype(dtype) for dtype in dtypes]
    if len(set(names)) == 1 and not (all(weak) and len(names) > 1):
        found, bends = names[0], all(weak)
    elif all(weak):
        found, bends = _join(frozenset(names)), True
    else:
        kinds = (_kind(name) if is_weak else name for name, is_weak in zip(names, weak, strict=True))
        found = _join(frozenset(kinds))
        bends = found in ("int", "float")
    if bends and found != "bool":
        found = _kind(found) + floatx()[-2:]
    return _TO_32_BITS.get(found, found)


def _kind(name: str) -> str:
    return "float" if name.startswith("float") else "int"


@lru_cache(maxsize=512)
def _join(names: frozenset[str]) -> str:
    """Return the least type that is at least each of `names`."""
    for name in names:
        if name not in _NEXT:
            raise ArgumentError(
                message("result_type", expected=f"types among {tuple(_NEXT)}", got=repr(name))
            )
    common = frozenset.intersection(*(_reachable(name) for name in names))
    return next(name for name in common if common <= _reachable(name))


@lru_cache(maxsize=32)
def _reachable(name: str) -> frozenset[str]:
    return frozenset({name}).union(*(_reachable(larger) for larger in _NEXT[name]))

"""Strings: torch has no tensors of them, so they travel as NumPy arrays, from the data to the layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.core._dtypes import dtype_name
from neocog.exceptions import DataError, message

TEXT = "string"  # the type of symbolic tensors and inputs that stand for strings


def value_type(dtype: Any) -> str:
    """Return the name of a type that inputs may have: what `dtype_name` knows, and `"string"` for text."""
    if dtype is str or (isinstance(dtype, str) and dtype in (TEXT, "str")):
        return TEXT
    return dtype_name(dtype)


def is_text(value: Any) -> bool:
    """Return whether `value` is a NumPy array of strings: of fixed width, of bytes or of objects."""
    if not isinstance(value, np.ndarray):
        return False
    kind = value.dtype.kind
    return kind in "UST" or (kind == "O" and value.size > 0 and isinstance(value.flat[0], (str, bytes)))


def is_text_list(value: Any) -> bool:
    """Return whether `value` is a nested list or tuple whose first item is a string."""
    if not isinstance(value, (list, tuple)):
        return False
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (str, bytes))


def to_text(value: Any, where: str = "text", encoding: str = "utf-8") -> Any:
    """Return strings (one, a nested list, an array; bytes are decoded) as a NumPy array of `str`.

    Raises:
        DataError: something in it is no string, or lists have different lengths.

    Example:
        >>> to_text([["a", b"b"]]).tolist()
        [['a', 'b']]
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        do = "Give an array of one string a sample; layers split it."
        raise DataError(
            message(where, expected="rows of strings of one length", got=str(error), do=do)
        ) from error
    if array.size == 0:
        return array.astype(np.str_)
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "S" or array.dtype.kind == "T":
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise DataError(message(where, expected="strings", got=f"numbers of type {array.dtype}"))
    strings = [item.decode(encoding) if isinstance(item, bytes) else item for item in array.flat]
    odd = next((item for item in strings if not isinstance(item, str)), None)
    if odd is not None or any(item is None for item in strings):
        got = f"{odd!r} of type {type(odd).__name__} among them"
        raise DataError(message(where, expected="strings", got=got, do="Replace what is missing by ''."))
    result = np.empty(len(strings), dtype=object)
    result[:] = strings
    return result.reshape(array.shape)

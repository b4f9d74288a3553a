"""Everything that people call an array becomes a torch tensor here, or an error that names it."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neocog.core import is_text, to_tensor, to_text
from neocog.exceptions import DataError, message

_SPARSE = "Call .toarray() first."


def is_array(value: Any) -> bool:
    """Return whether `value` is one array: tensor, NumPy array, DataFrame, Series or another array-like."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return True
    return not isinstance(value, type) and (
        hasattr(value, "__array__") or is_frame(value) or is_sparse(value)
    )


def is_frame(value: Any) -> bool:
    """Return whether `value` is a pandas DataFrame or Series (told by its form: pandas is not imported)."""
    return hasattr(value, "to_numpy") and hasattr(value, "iloc")


def is_sparse(value: Any) -> bool:
    """Return whether `value` is a SciPy sparse matrix."""
    return type(value).__module__.startswith("scipy.sparse")


def is_numbers(value: Any) -> bool:
    """Return whether `value` is a nested list of plain numbers (or strings), which makes one array."""
    while isinstance(value, (list, tuple)):
        if not value:
            return True
        value = value[0]
    return isinstance(value, (numbers.Number, np.generic, str, bytes))


def is_arrays(value: Any) -> bool:
    """Return whether `value` is an array or a list, tuple or dict of arrays."""
    if isinstance(value, dict):
        return bool(value) and all(item is None or is_arrays(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return is_numbers(value) or all(item is None or is_arrays(item) for item in value)
    return is_array(value)


def map_arrays(function: Callable[[Any, str], Any], tree: Any, name: str) -> Any:
    """Apply `function(leaf, path)` to each array of a nested structure; None stays None."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: map_arrays(function, item, f"{name}[{key!r}]") for key, item in tree.items()}
    if isinstance(tree, (list, tuple)) and not is_numbers(tree):
        items = [map_arrays(function, item, f"{name}[{i}]") for i, item in enumerate(tree)]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return function(tree, name)


def input_leaf(value: Any, name: str) -> Any:
    """Return one array of inputs: strings as a NumPy array of `str`, everything else as `as_leaf` gives it.

    Raises:
        DataError: as `as_leaf`; strings with gaps; one string in place of an array of them.
    """
    if isinstance(value, torch.Tensor):
        return as_leaf(value, name)
    if _is_text_series(value):
        return to_text(np.asarray(value.to_numpy(), dtype=object)[:, None], name)
    array = value if is_frame(value) or is_sparse(value) else _to_numpy(value, name)
    if not is_text(array):
        return as_leaf(array, name)
    if array.ndim == 0:
        got = f"one string ({str(array)[:40]!r})"
        raise DataError(message(name, expected="an array of strings", got=got, do="Put it in an array."))
    return to_text(array, name)


def take_rows(leaf: Any, index: torch.Tensor) -> Any:
    """Return the rows of an array of numbers or strings at these positions."""
    return leaf.index_select(0, index) if isinstance(leaf, torch.Tensor) else leaf[index.cpu().numpy()]


def own_rows(leaf: Any, first: int, last: int) -> Any:
    """Return a copy of the rows from `first` to `last`."""
    rows = leaf[first:last]
    return rows.clone() if isinstance(rows, torch.Tensor) else rows.copy()


def _is_text_series(value: Any) -> bool:
    """Return whether `value` is a pandas Series of strings (told by its form: pandas is not imported)."""
    if not is_frame(value) or getattr(value, "ndim", 2) != 1 or not len(value):
        return False
    return not _is_numeric(value.dtype) and isinstance(value.iloc[0], str)


def as_leaf(value: Any, name: str) -> torch.Tensor:
    """Return one array as a tensor that shares its memory where it can.

    Floats of NumPy become the default float; integers, booleans and torch tensors keep their type. A Series
    becomes a column (n, 1), as in Keras. A read-only array is shared as well: batches of it are copies.

    Raises:
        DataError: for strings, objects, ragged lists, sparse matrices and single numbers.
    """
    if isinstance(value, torch.Tensor):
        tensor = value.detach()
        if tensor.layout != torch.strided:
            raise DataError(
                message(name, expected="a dense array", got="a sparse tensor", do="Use .to_dense().")
            )
    else:
        tensor = _from_numpy(_to_numpy(value, name), name)
    if tensor.ndim == 0:
        raise DataError(
            message(
                name,
                expected="an array with one row a sample",
                got=f"a single number ({tensor.item()!r})",
                do="Put it in a list, or stack the numbers to one array.",
            )
        )
    return tensor


def _to_numpy(value: Any, name: str) -> np.ndarray[Any, Any]:
    if is_sparse(value):
        raise DataError(message(name, expected="a dense array", got=f"a {type(value).__name__}", do=_SPARSE))
    if is_frame(value):
        return _frame_to_numpy(value, name)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise DataError(
            message(
                name,
                expected="samples of one shape",
                got="lists of different lengths",
                do="Pad or resize the samples to one shape first.",
            )
        ) from error


def _frame_to_numpy(frame: Any, name: str) -> np.ndarray[Any, Any]:
    """Return a DataFrame's or Series's numbers; text columns are named in the error."""
    series = getattr(frame, "ndim", 2) == 1
    dtypes = {"values": frame.dtype} if series else dict(frame.dtypes.items())
    text = [str(column) for column, dtype in dtypes.items() if not _is_numeric(dtype)]
    if text:
        listed = ", ".join(repr(column) for column in text[:5])
        raise DataError(
            message(
                name,
                expected="a DataFrame with numbers only",
                got=f"columns of text or objects: {listed}",
                do="Encode or drop these columns.",
            )
        )
    array = np.asarray(frame.to_numpy())
    if array.dtype == object:  # nullable or mixed numeric columns
        array = np.asarray(frame.to_numpy(dtype="float64", na_value=np.nan))
    return array[:, None] if series else array


def _is_numeric(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biuf"


def _from_numpy(array: np.ndarray[Any, Any], name: str) -> torch.Tensor:
    if array.dtype.kind in "OUSVMmc":
        what = {
            "U": "text",
            "S": "bytes",
            "O": "objects",
            "M": "dates",
            "m": "time spans",
            "c": "complex numbers",
        }
        raise DataError(
            message(
                name,
                expected="numbers",
                got=f"an array of {what.get(array.dtype.kind, 'records')} (type {array.dtype})",
                do="Turn it into numbers first: class names to 0, 1, 2, …; images to one size.",
            )
        )
    array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if array.dtype == np.uint64:
        array = array.astype(np.int64)
    shareable = array.dtype.kind != "f" or array.dtype == np.float32
    if not array.flags.writeable and shareable and all(stride >= 0 for stride in array.strides):
        if array.dtype in (np.uint16, np.uint32):
            return to_tensor(array)
        with warnings.catch_warnings():  # torch warns that writing would be undefined: nothing here writes
            warnings.simplefilter("ignore")
            return torch.from_numpy(array)
    return to_tensor(array)

"""Types by name: Keras's strings to torch's types and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core._settings import floatx
from neocog.exceptions import ArgumentError

_BY_NAME: dict[str, torch.dtype] = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "bool": torch.bool,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
}
_NAMES = {dtype: name for name, dtype in _BY_NAME.items()}
_ALIASES = {"int": "int64", "float": "float32", "double": "float64", "half": "float16", "bool_": "bool"}


def dtype_name(dtype: Any) -> str:
    """Return the name of a dtype given as string, torch dtype, NumPy dtype, Python type or None (the default
    float).
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, torch.dtype):
        name = _NAMES.get(dtype, "")
    elif isinstance(dtype, str):
        name = _ALIASES.get(dtype, dtype)
    elif isinstance(dtype, type) and dtype in (int, float, bool):  # np.dtype("float64") == float
        name = {int: "int64", float: floatx(), bool: "bool"}[dtype]
    else:
        name = _numpy_name(dtype)
    if name not in _BY_NAME:
        raise ArgumentError(f"dtype: expected one of {sorted(_BY_NAME)}, got {dtype!r}.")
    return name


def _numpy_name(dtype: Any) -> str:
    try:
        return str(np.dtype(dtype).name)
    except TypeError:
        return ""


def torch_dtype(dtype: Any) -> torch.dtype:
    """Return the torch dtype for a string, torch dtype, NumPy dtype, Python type or None (the default
    float).
    """
    if isinstance(dtype, torch.dtype):
        return dtype
    return _BY_NAME[dtype_name(dtype)]


def to_tensor(value: Any, dtype: Any = None, device: torch.device | str | None = None) -> torch.Tensor:
    """Return `value` (tensor, array, number, nested list) as a tensor; float64 NumPy data become the default
    float.

    Torch tensors keep their type unless `dtype` is given. Integers and booleans keep theirs, but
    for NumPy's unsigned ones of two bytes and more, which become int64.
    """
    if isinstance(value, torch.Tensor):
        tensor = value
    else:
        array = _numbers(value)
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = _as_int64(array)
        if array.dtype.kind == "f" and dtype is None:
            array = array.astype(floatx() if floatx() != "bfloat16" else "float32", copy=False)
        if not array.flags.writeable or any(step < 0 or step % array.itemsize for step in array.strides):
            array = array.copy()  # torch needs writable memory and positive strides of whole elements
        tensor = torch.from_numpy(array) if array.ndim else torch.tensor(array[()])
    wanted = None if dtype is None else torch_dtype(dtype)
    return tensor.to(device=device, dtype=wanted)


def _as_int64(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return unsigned integers, for which torch has few operations, as int64."""
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ArgumentError(f"tensor: expected integers below 2**63, got {array.max()}. Pass floats instead.")
    return array.astype(np.int64)


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(
            f"tensor: expected numbers in rows of one length, got {type(value).__name__} ({error})."
        ) from error
    if array.dtype.kind not in "biufc":
        raise ArgumentError(f"tensor: expected numbers, got an array of type {array.dtype}.")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))

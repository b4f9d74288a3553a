"""Single arrays in HDF5 files: written as Keras writes them, and the variables of optimizers read back."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neocog.exceptions import message
from neocog.files._h5_guard import read_values
from neocog.files._h5_heaps import check_heaps
from neocog.files._refuse import Format, check_signature, expect_format


@contextmanager
def opened(where: str, source: str | os.PathLike[str] | bytes) -> Iterator[Any]:
    """Open an HDF5 file, by path or from memory, to read it."""
    import h5py

    if isinstance(source, bytes):
        check_signature(where, source[:512], Format.HDF5)
        check_heaps(where, source)
        with h5py.File(io.BytesIO(source), "r") as file:
            yield file
    else:
        expect_format(source, Format.HDF5)
        check_heaps(where, Path(source))
        with h5py.File(Path(source), "r", locking=False) as file:
            yield file


def write_values(target: Any, key: str, weight: Any) -> None:
    """Write a weight, or an optimizer's variable, under a name."""
    value = getattr(weight, "value", None)
    values = weight.numpy() if hasattr(weight, "numpy") else np.asarray(weight)
    if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:  # two opaque bytes and a note
        bits = (np.ascontiguousarray(values, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
        target.create_dataset(key, data=bits.reshape(values.shape).view("V2"))
        target[key].attrs["dtype"] = "bfloat16"
    else:
        target.create_dataset(key, data=np.asarray(values))


def take_variables(where: str, optimizer: Any, stored: Sequence[Any]) -> None:
    """Give a built optimizer its variables from data sets; a number or shape that differs leaves it as it is.

    Data sets of an optimizer that was saved before its first step hold the step count and the rate alone.
    """
    own = list(optimizer.variables)
    fresh = len(stored) < len(own) and len(stored) <= 2 and all(tuple(one.shape) == () for one in stored)
    expected = [tuple(one.shape) for one in own[: len(stored)] if fresh or len(stored) == len(own)]
    if not stored or [tuple(one.shape) for one in stored] != expected:
        if stored:
            text = message(
                f'{where}, optimizer "{optimizer.name}"',
                expected=f"{len(own)} variables of its shapes",
                got=f"{len(stored)} in the file",
                do="The optimizer starts afresh.",
            )
            warnings.warn(text, UserWarning, stacklevel=4)
        return
    for variable, dataset in zip(own, stored, strict=False):
        variable.assign(read_values(dataset))

"""What layers that read raw data get: strings as NumPy arrays, numbers as tensors; from lists as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import is_text, is_text_list, to_tensor, to_text
from neocog.exceptions import ArgumentError, DataError, message
from neocog.graph import is_symbolic
from neocog.layers._layer import Layer

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


class RawInputLayer(Layer):
    """A layer that may be called on plain lists, of strings or numbers, as Keras's preprocessing layers."""

    takes_text = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        # Goes where the model goes: outputs made of strings are put beside it.
        self.register_buffer("_place", torch.empty(0), persistent=False)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Take lists and single values as well as arrays."""
        return super().__call__(self.as_array(inputs), *args, **kwargs)

    def as_array(self, inputs: Any) -> Any:
        """Return raw inputs as a tensor of numbers or a NumPy array of strings; symbolic ones as they are."""
        if isinstance(inputs, torch.Tensor) or is_symbolic(inputs):
            return inputs
        if is_text(inputs) or is_text_list(inputs) or isinstance(inputs, (str, bytes)):
            return to_text(inputs, self.label)
        array = np.asarray(inputs) if not hasattr(inputs, "dtype") else inputs
        return to_text(array, self.label) if is_text(np.asarray(array)) else to_tensor(array)

    def on_device(self, values: Any) -> torch.Tensor:
        """Return NumPy values as a tensor where the layer lies."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.get_buffer("_place").device)

    def expect_text(self, inputs: Any) -> Any:
        """Return the inputs as an array of strings.

        Raises:
            DataError: they are numbers.
        """
        if isinstance(inputs, torch.Tensor):
            got = f"numbers of type {str(inputs.dtype).removeprefix('torch.')}"
            do = "IntegerLookup reads whole numbers."
            raise DataError(message(self.label, expected="strings", got=got, do=do))
        return to_text(inputs, self.label)

    def expect_integers(self, inputs: Any) -> torch.Tensor:
        """Return the inputs as int64.

        Raises:
            DataError: they are strings.
        """
        if not isinstance(inputs, torch.Tensor):
            do = "StringLookup and Hashing read strings."
            raise DataError(message(self.label, expected="whole numbers", got="strings", do=do))
        return inputs.to(torch.int64)


def refuse_sparse(where: str, sparse: bool) -> None:
    """Raise ArgumentError where sparse outputs are asked for: torch's layers read dense ones."""
    if sparse:
        raise ArgumentError(message(where, expected="sparse=False (outputs are dense)", got="sparse=True"))


def checked_salt(where: str, salt: Any) -> list[int] | None:
    """Return the two numbers of a salt: a single one counts twice."""
    if salt is None:
        return None
    numbers = [salt, salt] if isinstance(salt, int) and not isinstance(salt, bool) else salt
    whole = isinstance(numbers, (list, tuple)) and all(isinstance(item, int) for item in numbers)
    if not whole or len(numbers) != 2:
        raise ArgumentError(message(where, expected="salt as one or two whole numbers", got=repr(salt)))
    return [int(item) for item in numbers]

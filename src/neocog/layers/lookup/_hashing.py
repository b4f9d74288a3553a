"""Strings and whole numbers into a fixed number of bins by a hash, the same bins as TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_one_of, floatx, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._encoding import encode, encoded_shape
from neocog.layers.lookup._fingerprint import fingerprint64
from neocog.layers.lookup._raw_inputs import OUTPUT_MODES, RawInputLayer, checked_salt, refuse_sparse
from neocog.layers.lookup._siphash import siphash


@LAYERS.register("hashing")
class Hashing(RawInputLayer):
    """Put strings or whole numbers into bins by their hash: the same everywhere, without a vocabulary.

    Args:
        num_bins: number of bins, the mask's included.
        mask_value: a value that goes to bin 0, which nothing else does then.
        salt: one or two whole numbers under which values are hashed by SipHash; None hashes by FarmHash.
        output_mode: `"int"` the bins' numbers; others as in `CategoryEncoding`.
        sparse: not supported; must be False.

    Shapes:
        Any; `"int"` keeps it.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).flatten()
        tensor([1, 0, 1, 1, 2])

    Reference:
        G. Pike, FarmHash (2014). J.-P. Aumasson and D. J. Bernstein, SipHash (2012).
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**kwargs)
        self.num_bins = check_int(self.label, "num_bins", num_bins, minimum=1)
        self.output_mode = check_one_of(self.label, "output_mode", output_mode, OUTPUT_MODES)
        if self.output_mode == "int" and self._dtype not in ("int32", "int64"):
            expected = 'dtype "int32" or "int64" with output_mode "int"'
            raise ArgumentError(message(self.label, expected=expected, got=repr(self._dtype)))
        refuse_sparse(self.label, sparse)
        self.sparse = False
        self.mask_value = mask_value
        self.salt = checked_salt(self.label, salt)

    def call(self, inputs: Any) -> torch.Tensor:
        """Hash each value."""
        return encode(self._bins(inputs), self.output_mode, self.num_bins, torch_dtype(self._dtype))

    def _bins(self, inputs: Any) -> torch.Tensor:
        masked = self.mask_value is not None and self.num_bins > 1
        count = self.num_bins - 1 if masked else self.num_bins
        if isinstance(inputs, torch.Tensor):
            values = (
                inputs.detach().cpu().numpy() if inputs.dtype != torch.bfloat16 else inputs.float().numpy()
            )
            mask = values == self.mask_value if masked else None
            values = values.astype(np.int64)
        else:
            values = self.expect_text(inputs)
            mask = values == self.mask_value if masked else None
        bins = hash_bins(values, count, self.salt)
        return self.on_device(bins if mask is None else np.where(mask, 0, bins + 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the inputs' shape, or that of the rows."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the layer's type."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


def hash_bins(values: Any, count: int, salt: list[int] | None) -> Any:
    """Return the bin of each string or whole number (hashed by its decimal digits), as int64.

    Args:
        values: NumPy array of strings or whole numbers.
        count: number of bins.
        salt: two numbers for SipHash, or None for FarmHash.
    """
    one = fingerprint64 if salt is None else _salted(salt)
    known: dict[Any, int] = {}
    bins = np.empty(values.size, dtype=np.int64)
    for place, value in enumerate(values.ravel().tolist()):
        found = known.get(value)
        if found is None:
            known[value] = found = one(str(value).encode()) % count
        bins[place] = found
    return bins.reshape(values.shape)


def _salted(salt: list[int]) -> Callable[[bytes], int]:
    return lambda data: siphash(data, (salt[0], salt[1]))

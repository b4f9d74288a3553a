"""Two features or more, crossed: each combination has a bin of its own, found by a hash."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_one_of, torch_dtype
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, ShapeError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._encoding import encode, encoded_shape
from neocog.layers.lookup._fingerprint import cross_fingerprints, fingerprint64
from neocog.layers.lookup._raw_inputs import RawInputLayer, refuse_sparse

_KEY = 0xDECAFCAFFE  # TensorFlow's, so that the bins are the same


@LAYERS.register("hashed_crossing")
class HashedCrossing(RawInputLayer):
    """Put combinations of features into bins by their hash.

    Args:
        num_bins: number of bins.
        output_mode: `"int"` the bins' numbers, `"one_hot"` rows.
        sparse: not supported; must be False.
        name: name of the layer.
        dtype: type of the outputs; int64 for `"int"` by default.

    Shapes:
        A list of two or more features, strings or whole numbers, each (B,) or (B, 1). Outputs alike, or with
        `"one_hot"` (B, num_bins).

    Example:
        >>> HashedCrossing(num_bins=5)((["A", "B", "A"], [101, 101, 102]))
        tensor([1, 4, 3])
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name=name, dtype="int64" if dtype is None and output_mode == "int" else dtype, **kwargs
        )
        self.num_bins = check_int(self.label, "num_bins", num_bins, minimum=1)
        self.output_mode = check_one_of(self.label, "output_mode", output_mode, ("int", "one_hot"))
        refuse_sparse(self.label, sparse)
        self.sparse = False

    def as_array(self, inputs: Any) -> Any:
        """Return each feature as a tensor or an array of strings."""
        if not isinstance(inputs, (list, tuple)):
            got = type(inputs).__name__
            raise ArgumentTypeError(message(self.label, expected="a list of two features or more", got=got))
        if len(inputs) < 2:
            raise ArgumentError(message(self.label, expected="two features or more", got=len(inputs)))
        one = super().as_array
        return [one(item) for item in inputs]

    def call(self, inputs: Any) -> torch.Tensor:
        """Hash each row's combination."""
        shapes = {tuple(item.shape) for item in inputs}
        shape = next(iter(shapes))
        if len(shapes) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            expected = "features of one shape, (B,) or (B, 1)"
            raise ShapeError(message(self.label, expected=expected, got=sorted(shapes)))
        columns = [self._fingerprints(item) for item in inputs]
        bins = np.empty(len(columns[0]), dtype=np.int64)
        for row, values in enumerate(zip(*columns, strict=True)):
            crossed = _KEY
            for value in values:
                crossed = cross_fingerprints(crossed, value)
            bins[row] = crossed % self.num_bins
        numbers = self.on_device(bins.reshape(shape))
        return encode(numbers, self.output_mode, self.num_bins, torch_dtype(self._dtype))

    def _fingerprints(self, feature: Any) -> list[int]:
        if not isinstance(feature, torch.Tensor):
            return [fingerprint64(item.encode()) for item in self.expect_text(feature).ravel().tolist()]
        if feature.is_floating_point() or feature.dtype == torch.bool:
            got = str(feature.dtype).removeprefix("torch.")
            raise DataError(message(self.label, expected="strings or whole numbers", got=got))
        return [value % 2**64 for value in feature.detach().cpu().flatten().tolist()]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of one feature, or that of the rows."""
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the layer's type."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self._dtype,
        }

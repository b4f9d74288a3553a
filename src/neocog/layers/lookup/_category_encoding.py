"""Whole numbers as one-hot, multi-hot or counting rows."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int, check_one_of, torch_dtype
from neocog.exceptions import ArgumentError, DataError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._encoding import encode, encoded_shape
from neocog.layers.lookup._raw_inputs import RawInputLayer, refuse_sparse


@LAYERS.register("category_encoding")
class CategoryEncoding(RawInputLayer):
    """Encode whole numbers from 0 to `num_tokens` - 1; negative ones leave no mark.

    Args:
        num_tokens: number of categories.
        output_mode: `"one_hot"` a row for each number; `"multi_hot"` a row for each sample with ones for what
            is in it; `"count"` a row for each sample that says how often. `"binary"` is the old name of
            `"multi_hot"`.
        sparse: not supported; must be False.

    Shapes:
        Inputs (B, n); outputs (B, num_tokens), for `"one_hot"` (B, n, num_tokens) unless n is 1.

    Raises:
        DataError: a number of `num_tokens` or more.

    Example:
        >>> CategoryEncoding(num_tokens=4)([[0, 1], [0, 0], [3, 1]])
        tensor([[1., 1., 0., 0.],
                [1., 0., 0., 0.],
                [0., 1., 0., 1.]])
    """

    takes_text = False
    input_dtype = "int64"

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_tokens is None:
            do = "IntegerLookup learns which numbers there are."
            raise ArgumentError(message(self.label, expected="num_tokens", got="None", do=do))
        self.num_tokens = check_int(self.label, "num_tokens", num_tokens, minimum=1)
        mode = "multi_hot" if output_mode == "binary" else output_mode
        self.output_mode = check_one_of(self.label, "output_mode", mode, ("one_hot", "multi_hot", "count"))
        refuse_sparse(self.label, sparse)
        self.sparse = False

    def call(self, inputs: torch.Tensor, count_weights: Any = None) -> torch.Tensor:
        """Encode the numbers; `count_weights`, of the inputs' shape, says what each one counts."""
        dtype = torch_dtype(self._dtype)
        if count_weights is not None:
            if self.output_mode != "count":
                got = f"output_mode={self.output_mode!r}"
                raise ArgumentError(message(self.label, expected='count_weights with mode "count"', got=got))
            count_weights = torch.as_tensor(count_weights, dtype=dtype, device=inputs.device)
        if inputs.device.type != "meta" and inputs.numel() and int(inputs.max()) >= self.num_tokens:
            expected = f"whole numbers from 0 to {self.num_tokens - 1}"
            do = "num_tokens is the largest number plus one."
            raise DataError(message(self.label, expected=expected, got=int(inputs.max()), do=do))
        return encode(inputs, self.output_mode, self.num_tokens, dtype, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the rows."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the layer's type."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}

"""Whole numbers to learned vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog import constraints, initializers, regularizers
from neocog._old_spellings import warn_old
from neocog.core import check_int
from neocog.exceptions import DataError, message
from neocog.layers._inputs import as_input
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._unsupported import refuse_adapters
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


@LAYERS.register("embedding")
class Embedding(Layer):
    """Look up a learned vector for each whole number.

    Args:
        input_dim: size of the vocabulary: numbers run from 0 to `input_dim - 1`.
        output_dim: length of each vector.
        embeddings_initializer: of the table, shape (input_dim, output_dim).
        embeddings_regularizer: of the table.
        embeddings_constraint: applied to the table after each update.
        mask_zero: True reserves 0 for padding: the outputs carry a mask, False where a number is 0.
        weights: the table's first values.
        lora_rank: not supported; must be None.
        lora_alpha: not supported; must be None.
        quantization_config: not supported; must be None.

    Shapes:
        (batch, …) of whole numbers to (batch, …, output_dim).

    Raises:
        DataError: a number is outside the vocabulary.

    Example:
        >>> Embedding(10, 4)(torch.tensor([[1, 2, 9]])).shape
        torch.Size([1, 3, 4])
    """

    weight: torch.Tensor

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None:
            warn_old("Embedding", "input_length", "an Input of shape (length,) before it")
        super().__init__(**kwargs)
        if length is not None and self._batch_input_shape is None:
            self._batch_input_shape = (None, check_int(self.label, "input_length", length, minimum=1))
        refuse_adapters(self.label, lora_rank, lora_alpha, quantization_config)
        self.input_dim = check_int(self.label, "input_dim", input_dim, minimum=1)
        self.output_dim = check_int(self.label, "output_dim", output_dim, minimum=1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.makes_masks = self.supports_masking = bool(mask_zero)
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Make the table, whatever the input's shape."""
        if "weight" in self._parameters:
            return
        self.make_weight(
            "embeddings",
            "weight",
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Look the vectors up."""
        if inputs.dtype is not torch.int64 and inputs.dtype is not torch.int32:
            inputs = inputs.to(torch.int64)
        try:
            return F.embedding(inputs, self.weight)
        except IndexError:
            raise DataError(
                message(
                    self.label,
                    expected=f"whole numbers from 0 to {self.input_dim - 1}",
                    got=f"numbers from {int(inputs.min())} to {int(inputs.max())}",
                    do="input_dim is the largest number plus one.",
                )
            ) from None

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return True where a number is not 0, or None without `mask_zero`."""
        return torch.ne(as_input(self, inputs), 0) if self.mask_zero else None

    @property
    def embeddings(self) -> WeightView:
        """The table, shape (input_dim, output_dim)."""
        return weight_view(self, "embeddings")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with `output_dim` at the end."""
        return (*input_shape, self.output_dim)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the layer's float type."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }

"""An embedding that also leads back from vectors to the vocabulary."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number, dtype_name, torch_dtype
from neocog.graph import infer_outputs
from neocog.layers._embedding import Embedding
from neocog.layers._registry import LAYERS


@LAYERS.register("reversible_embedding")
class ReversibleEmbedding(Embedding):
    """Look up a learned vector for each whole number; with `reverse=True`, score vectors against all numbers.

    Args:
        input_dim: size of the vocabulary.
        output_dim: length of each vector.
        tie_weights: False gives the way back a table of its own.
        embeddings_initializer: of the table, or both.
        embeddings_regularizer: of the table.
        embeddings_constraint: applied to the table after each update.
        mask_zero: True masks places where the number is 0.
        reverse_dtype: type of the scores' computation; the layer's when None.
        logit_soft_cap: scores s become `cap · tanh(s / cap)`.

    Shapes:
        (batch, …) of whole numbers to (batch, …, output_dim); reversed, (batch, …, output_dim) to
        (batch, …, input_dim).

    Example:
        >>> layer = ReversibleEmbedding(10, 4)
        >>> layer(layer(torch.tensor([[1, 2]])), reverse=True).shape
        torch.Size([1, 2, 10])

    Reference:
        Press and Wolf, Using the Output Embedding to Improve Language Models, 2017.
    """

    reverse_embeddings: torch.Tensor

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights = bool(tie_weights)  # `weights=` builds the layer in the base's constructor
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.reverse_dtype = None if reverse_dtype is None else dtype_name(reverse_dtype)
        self.logit_soft_cap = (
            None if logit_soft_cap is None else check_number(self.label, "logit_soft_cap", logit_soft_cap)
        )

    def build(self, input_shape: Any = None) -> None:
        """Make the table, or both."""
        super().build(input_shape)
        if not self.tie_weights and "reverse_embeddings" not in self._parameters:
            self.make_weight(
                "reverse_embeddings",
                "reverse_embeddings",
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
            )

    def call(self, inputs: torch.Tensor, reverse: bool = False) -> torch.Tensor:
        """Look the vectors up, or score vectors against the vocabulary."""
        if not reverse:
            return super().call(inputs)
        kernel = self.weight.T if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            inputs, kernel = (x.to(torch_dtype(self.reverse_dtype)) for x in (inputs, kernel))
        scores = torch.matmul(inputs, kernel)
        cap = self.logit_soft_cap
        return scores if cap is None else torch.tanh(scores / cap) * cap

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs.get("reverse") or len(args) > 1:
            return infer_outputs(self, args, kwargs)
        return super()._symbolic_outputs(args, kwargs)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """Return the input's shape with `output_dim` added, or with `input_dim` at the end."""
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }

"""Attention in which several query heads share one head of keys and values."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.layers._projected_attention import ProjectedAttention
from neocog.layers._registry import LAYERS


@LAYERS.register("grouped_query_attention", "GroupedQueryAttention", name="GroupQueryAttention")
class GroupedQueryAttention(ProjectedAttention):
    """Attend in several heads, of which groups share the projections of key and value.

    Args:
        head_dim: features of each head.
        num_query_heads: heads of the query.
        num_key_value_heads: heads of key and value; a divisor of `num_query_heads`.
        dropout: share of the scores to drop in training, from 0 to 1.
        use_bias: False leaves the projections' biases out.
        sliding_window: see only places less than this far away; None for all.
        flash_attention: True refuses what torch's fused kernels cannot do; they are used wherever they give
            the same result.
        kernel_initializer: of the projections' kernels.
        bias_initializer: of their biases.
        kernel_regularizer: of their kernels.
        bias_regularizer: of their biases.
        activity_regularizer: of their outputs.
        kernel_constraint: applied to their kernels after each update.
        bias_constraint: applied to their biases after each update.
        use_gate: True multiplies the heads by a sigmoid of a projection of the query.
        seed: own seed of the dropout; None takes torch's global generator.

    Shapes:
        query (B, T, E), value (B, S, E), key (B, S, E) to (B, T, E); scores (B, num_query_heads, T, S).

    Example:
        >>> layer = GroupedQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
        >>> layer(torch.ones(1, 3, 6), torch.ones(1, 5, 6)).shape
        torch.Size([1, 3, 6])

    Reference:
        Ainslie et al., GQA: Training Generalized Multi-Query Transformer Models, 2023.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = check_int(self.label, "head_dim", head_dim, minimum=1)
        self.num_query_heads = check_int(self.label, "num_query_heads", num_query_heads, minimum=1)
        self.num_key_value_heads = check_int(
            self.label, "num_key_value_heads", num_key_value_heads, minimum=1
        )
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                message(
                    self.label,
                    expected=f"num_key_value_heads to divide num_query_heads={num_query_heads}",
                    got=num_key_value_heads,
                )
            )
        rules = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "activity_regularizer": activity_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        common = (dropout, use_bias, sliding_window, flash_attention, rules, use_gate, seed)
        self._take_common(self.head_dim, *common)

    @property
    def dropout(self) -> float:
        """Share of the scores that training drops."""
        return self._rate

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) != 3:
                raise ShapeError(
                    message(self.label, expected=f"a {name} with 3 axes (batch first)", got=tuple(shape))
                )
        self._check_places(tuple(value_shape), tuple(key_shape))
        asked = (None, self.num_query_heads, self.head_dim)
        shared = (None, self.num_key_value_heads, self.head_dim)
        self.feature_dim = query_shape[-1]
        self._query_dense = self._dense("bqm,muh->bquh", asked, "uh", "query")
        self._query_dense.build(query_shape)
        self._key_dense = self._dense("bkm,mvh->bkvh", shared, "vh", "key")
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = self._dense("bqm,muh->bquh", asked, "uh", "gate", "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = self._dense("bkm,mvh->bkvh", shared, "vh", "value")
        self._value_dense.build(value_shape)
        self._make_core(("bkuh,bquh->buqk", "buqk,bkuh->bquh"), -1)
        self._output_dense = self._dense("bquh,uhm->bqm", (None, self.feature_dim), "m", "attention_output")
        self._output_dense.build((None, *asked))

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.repeat_interleave(self.num_query_heads // self.num_key_value_heads, 2)

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """Return the query's shape."""
        if value_shape is not None and key_shape is not None:
            self._check_places(tuple(value_shape), tuple(key_shape))
        return tuple(query_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            **self._common_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }

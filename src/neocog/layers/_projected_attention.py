"""What attention layers with learned projections share: arguments, masks, the way from query to output."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog import constraints, initializers, regularizers
from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import causal_mask, fused_attention, window_mask
from neocog.layers._activations import Softmax
from neocog.layers._dropout import Dropout
from neocog.layers._einsum_dense import EinsumDense
from neocog.layers._layer import Layer

Shape = tuple[int | None, ...]


class ProjectedAttention(Layer):
    """Project query, key and value, attend in each head, and project the heads back."""

    _query_dense: EinsumDense
    _key_dense: EinsumDense
    _value_dense: EinsumDense
    _output_dense: EinsumDense
    _gate_dense: EinsumDense
    _softmax: Softmax
    _dropout_layer: Dropout
    supports_masking = True

    def _take_common(
        self,
        scaled_by: int,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        rules: dict[str, Any],
        use_gate: bool,
        seed: int | None,
    ) -> None:
        """Check and keep the arguments that both classes have; `rules` holds initializers and the like."""
        self._rate = check_number(self.label, "dropout", dropout, minimum=0, maximum=1)
        self.use_bias = bool(use_bias)
        self.use_gate = bool(use_gate)
        self.seed = seed
        self.sliding_window = (
            None
            if sliding_window is None
            else check_int(self.label, "sliding_window", sliding_window, minimum=1)
        )
        self._flash_attention = bool(flash_attention)
        self.kernel_initializer = initializers.get(rules["kernel_initializer"])
        self.bias_initializer = initializers.get(rules["bias_initializer"])
        self.kernel_regularizer = regularizers.get(rules["kernel_regularizer"])
        self.bias_regularizer = regularizers.get(rules["bias_regularizer"])
        self._inner_activity_regularizer = regularizers.get(rules["activity_regularizer"])
        self.kernel_constraint = constraints.get(rules["kernel_constraint"])
        self.bias_constraint = constraints.get(rules["bias_constraint"])
        self._scale = 1.0 / math.sqrt(scaled_by)
        if self._flash_attention and self._rate > 0:
            raise ArgumentError(
                message(self.label, expected="dropout=0 with flash_attention=True", got=f"dropout={dropout}")
            )

    def _dense(
        self, equation: str, output_shape: Any, bias_axes: str, name: str, activation: Any = None
    ) -> EinsumDense:
        """Return a projection with this layer's initializers, regularizers and constraints."""
        return EinsumDense(
            equation,
            output_shape=output_shape,
            activation=activation,
            bias_axes=bias_axes if self.use_bias else None,
            name=name,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._inner_activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self._dtype,
        )

    def _check_places(self, value_shape: Shape, key_shape: Shape) -> None:
        pairs = zip(value_shape[1:-1], key_shape[1:-1], strict=False)
        same = len(value_shape) == len(key_shape) and all(
            None in pair or pair[0] == pair[1] for pair in pairs
        )
        if not same:
            raise ShapeError(
                message(
                    self.label,
                    expected="key and value of the same shape but for the last axis",
                    got=f"key {key_shape} and value {value_shape}",
                )
            )

    def call(
        self,
        query: torch.Tensor,
        value: torch.Tensor,
        key: torch.Tensor | None = None,
        query_mask: torch.Tensor | None = None,
        value_mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attend.

        Args:
            query: (B, T, …): what asks.
            value: (B, S, …): what is mixed.
            key: (B, S, …): what is compared with the query; `value` when None.
            query_mask: (B, T), False at padding.
            value_mask: (B, S), False at padding.
            key_mask: (B, S), False at padding.
            attention_mask: broadcasts to (B, T, S); False where a query may not look.
            return_attention_scores: return (outputs, scores of each head).
            training: drop scores.
            use_causal_mask: a query sees no place after its own.
        """
        key = value if key is None else key
        query, value, key = self.as_float(query), self.as_float(value), self.as_float(key)
        masks = (query_mask, value_mask, key_mask, attention_mask)
        own_core = type(self)._compute_attention is ProjectedAttention._compute_attention
        alone = all(mask is None for mask in masks) and self.sliding_window is None
        causal_only = use_causal_mask and alone and own_core  # the kernels know that mask without its values
        mask = None
        if not causal_only:
            mask = self._compute_attention_mask(query, value, *masks, use_causal_mask)
        gate = self._gate_dense(query) if self.use_gate else None
        more = {"use_causal_mask": True} if causal_only else {}
        outputs, scores = self._compute_attention(
            self._query_dense(query),
            self._heads(self._key_dense(key)),
            self._heads(self._value_dense(value)),
            mask,
            training,
            return_attention_scores,
            **more,
        )
        outputs = self._output_dense(outputs if gate is None else outputs * gate)
        return (outputs, scores) if return_attention_scores else outputs

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """Return keys or values with as many heads as the query has."""
        return x

    def _compute_attention_mask(
        self,
        query: torch.Tensor,
        value: torch.Tensor,
        query_mask: torch.Tensor | None = None,
        value_mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        use_causal_mask: bool = False,
    ) -> torch.Tensor | None:
        """Return all masks in one, (B, T, S), or None."""
        queries, keys = query.shape[1], value.shape[1]
        parts = [
            None if query_mask is None else query_mask.bool().unsqueeze(-1),  # (B, T, 1)
            None if value_mask is None else value_mask.bool().unsqueeze(-2),  # (B, 1, S)
            None if key_mask is None else key_mask.bool().unsqueeze(-2),
            causal_mask(queries, keys, query.device)[None] if use_causal_mask else None,
        ]
        if self.sliding_window is not None:
            parts.append(window_mask(queries, keys, self.sliding_window, query.device)[None])
        joined = None if attention_mask is None else attention_mask.bool()
        for part in parts:
            if part is not None:
                joined = part if joined is None else joined & part
        return joined

    def _compute_attention(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend with projected query (B, T, N, H), key and value; subclasses may put something else here."""
        if self._flash_attention and return_attention_scores:
            raise ArgumentError(
                message(
                    self.label,
                    expected="return_attention_scores=False with flash_attention=True",
                    got="True",
                    do="Fused kernels keep no scores: leave flash_attention out.",
                )
            )
        if not (self._rate > 0 or return_attention_scores or query.ndim != 4):
            mask = None if attention_mask is None else self._for_heads(attention_mask.bool(), 4)
            outputs = fused_attention(query, key, value, scale=self._scale, mask=mask, causal=use_causal_mask)
            return outputs, None
        if use_causal_mask:
            causal = causal_mask(query.shape[1], value.shape[1], query.device)[None]
            attention_mask = causal if attention_mask is None else attention_mask.bool() & causal
        scores = torch.einsum(self._dot_product_equation, key, query * self._scale)
        if attention_mask is not None:
            attention_mask = self._for_heads(attention_mask, scores.ndim)
        scores = self._softmax(scores, mask=attention_mask)
        dropped = self._dropout_layer(scores, training=training) if self._rate > 0 else scores
        return torch.einsum(self._combine_equation, dropped, value), scores

    def _for_heads(self, mask: torch.Tensor, rank: int) -> torch.Tensor:
        """Return (B, T, S) as (B, 1, T, S), with an axis for each that the scores have more."""
        axes = self._attended_axes()
        while mask.ndim < rank:
            mask = mask.unsqueeze(-2 * axes - 1)
        return mask

    def _attended_axes(self) -> int:
        return 1

    def _make_core(self, equations: tuple[str, str], axis: Any) -> None:
        self._dot_product_equation, self._combine_equation = equations
        self._softmax = Softmax(axis=axis, dtype=self._dtype)
        self._dropout_layer = Dropout(self._rate, dtype=self._dtype, seed=self.seed)

    def _common_config(self) -> dict[str, Any]:
        return {
            "dropout": self._rate,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._inner_activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }

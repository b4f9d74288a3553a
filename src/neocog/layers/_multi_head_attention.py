"""Attention in several heads."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from neocog.core import check_int
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.layers._einsum_dense import EinsumDense
from neocog.layers._projected_attention import ProjectedAttention, Shape
from neocog.layers._registry import LAYERS


@LAYERS.register("multi_head_attention")
class MultiHeadAttention(ProjectedAttention):
    """Attend in several heads, each with its own projections of query, key and value.

    Each head computes `softmax(q kᵀ / sqrt(key_dim)) v`; one more projection joins them.

    Args:
        num_heads: heads.
        key_dim: features of each head's query and key.
        value_dim: features of each head's value; `key_dim` when None.
        dropout: share of the scores to drop in training, from 0 to 1.
        use_bias: False leaves the projections' biases out.
        output_shape: shape of the outputs after the places; the query's last size when None.
        attention_axes: axes of the query that are places; all but the batch and the features when None.
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
        query (B, T, E), value (B, S, F), key (B, S, G) to (B, T, E); scores (B, num_heads, T, S).

    Example:
        >>> import torch
        >>> layer = MultiHeadAttention(num_heads=2, key_dim=4)
        >>> layer(torch.ones(1, 3, 6), torch.ones(1, 5, 6)).shape
        torch.Size([1, 3, 6])

    Reference:
        Vaswani et al., Attention Is All You Need, 2017.
    """

    query_dense: EinsumDense
    key_dense: EinsumDense
    value_dense: EinsumDense
    output_dense: EinsumDense

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        super().__init__(**kwargs)
        self.num_heads = check_int(self.label, "num_heads", num_heads, minimum=1)
        self.key_dim = check_int(self.label, "key_dim", key_dim, minimum=1)
        wide = key_dim if value_dim is None else value_dim
        self.value_dim = check_int(self.label, "value_dim", wide, minimum=1)
        self._given_output_shape = self._sizes("output_shape", output_shape, 1)
        self._attention_axes = self._sizes("attention_axes", attention_axes, None)
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
        self._take_common(self.key_dim, *common)

    def _sizes(self, name: str, value: Any, minimum: int | None) -> tuple[int, ...] | None:
        """Return one number or several as a tuple."""
        if value is None or value == ():
            return None
        items = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(item, bool) or not isinstance(item, int) for item in items):
            raise ArgumentTypeError(
                message(self.label, expected=f"{name} to be a whole number or several", got=repr(value))
            )
        return tuple(check_int(self.label, name, item, minimum=minimum) for item in items)

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        """Make the projections."""
        query_shape, value_shape = tuple(query_shape), tuple(value_shape)
        key_shape = value_shape if key_shape is None else tuple(key_shape)
        self._check_places(value_shape, key_shape)
        keyed, valued = [self.num_heads, self.key_dim], [self.num_heads, self.value_dim]
        self.query_dense = self._projection(query_shape, 1, keyed, "query")
        self.key_dense = self._projection(key_shape, 1, keyed, "key")
        if self.use_gate:
            self._gate_dense = self._projection(query_shape, 1, valued, "gate", "sigmoid")
        self.value_dense = self._projection(value_shape, 1, valued, "value")
        rank = len(value_shape) + 1
        axes = self._attention_axes or tuple(range(1, rank - 2))
        self._attention_axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in axes)
        if not all(0 < axis < rank - 2 for axis in self._attention_axes):
            raise ArgumentError(
                message(self.label, expected=f"attention_axes from 1 to {rank - 3}", got=tuple(axes))
            )
        self._make_core(
            _attention_equations(rank, self._attention_axes), tuple(range(-len(self._attention_axes), 0))
        )
        outputs = [query_shape[-1]] if self._given_output_shape is None else [*self._given_output_shape]
        self.output_dense = self._projection((*query_shape[:-1], *valued), 2, outputs, "attention_output")

    def _projection(
        self, shape: Shape, bound: int, outputs: Sequence[int | None], name: str, activation: Any = None
    ) -> EinsumDense:
        """Return a built projection of the last `bound` axes of `shape` to `outputs`."""
        free = len(shape) - bound - 1
        letters = string.ascii_lowercase
        batch, summed = letters[: free + 1], letters[free + 1 : free + 1 + bound]
        made = letters[free + 1 + bound : free + 1 + bound + len(outputs)]
        equation = f"{batch}{summed},{summed}{made}->{batch}{made}"
        dense = self._dense(equation, [*(None,) * free, *outputs], made, name, activation)
        dense.build(shape)
        return dense

    @property
    def _query_dense(self) -> EinsumDense:  # type: ignore[override]
        return self.query_dense

    @property
    def _key_dense(self) -> EinsumDense:  # type: ignore[override]
        return self.key_dense

    @property
    def _value_dense(self) -> EinsumDense:  # type: ignore[override]
        return self.value_dense

    @property
    def _output_dense(self) -> EinsumDense:  # type: ignore[override]
        return self.output_dense

    @property
    def dropout(self) -> float:
        """Share of the scores that training drops."""
        return self._rate

    @property
    def attention_axes(self) -> tuple[int, ...] | None:
        """Axes of the query that are places; None before `build` where none were given."""
        return self._attention_axes

    def _attended_axes(self) -> int:
        return len(self._attention_axes or (1,))

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """Return the query's shape, with `output_shape` in place of the features."""
        if value_shape is not None and key_shape is not None:
            self._check_places(tuple(value_shape), tuple(key_shape))
        if self._given_output_shape is None:
            return tuple(query_shape)
        return (*query_shape[:-1], *self._given_output_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            **self._common_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._given_output_shape,
            "attention_axes": self._attention_axes,
        }


def _attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Return the einsum equations of the scores (key, query) and of the outputs (scores, value)."""
    query = string.ascii_lowercase[:rank]
    key = "".join(letter.upper() if axis in axes else letter for axis, letter in enumerate(query))
    batch = "".join(letter for axis, letter in enumerate(query[:-1]) if axis not in axes)
    places = "".join(query[axis] for axis in axes)
    scores = f"{batch}{places}{places.upper()}"
    return f"{key},{query}->{scores}", f"{scores},{key}->{query}"

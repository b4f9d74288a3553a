"""Attention without projections: by products, and by sums."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number, check_one_of
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.functional import causal_mask
from neocog.graph import infer_outputs
from neocog.layers._dropout import drop
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._seed_source import SeedSource


@LAYERS.register("attention")
class Attention(Layer):
    """Mix values by how well their keys match each query: `softmax(scores) · value`, Luong's attention.

    Scores are `query · keyᵀ`, or with `score_mode="concat"` `weight · Σ tanh(query + key)`.

    Args:
        use_scale: True learns one factor of the scores.
        score_mode: `"dot"` or `"concat"`.
        dropout: share of the scores to drop in training, from 0 to 1.
        seed: own seed of the dropout; None takes torch's global generator.

    Shapes:
        [query (B, T, E), value (B, S, F), key (B, S, E)] to (B, T, F); without a key, value serves as one.

    Example:
        >>> Attention()([torch.ones(1, 3, 6), torch.ones(1, 5, 6)]).shape
        torch.Size([1, 3, 6])

    Reference:
        Luong et al., Effective Approaches to Attention-based Neural Machine Translation, 2015.
    """

    scale: torch.Tensor
    concat_score_weight: torch.Tensor
    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = check_one_of(self.label, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = check_number(self.label, "dropout", dropout, minimum=0, maximum=1)
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)

    def build(self, input_shape: Any) -> None:
        """Make the factors that are learnt."""
        self._check_inputs(input_shape, None)
        if self.use_scale:
            self.make_weight("scale", "scale", (), "ones")
        if self.score_mode == "concat":
            self.make_weight("concat_score_weight", "concat_score_weight", (), "ones")

    def _check_inputs(self, inputs: Any, mask: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            got = f"{len(inputs)} inputs" if isinstance(inputs, (list, tuple)) else "one input"
            raise ArgumentError(
                message(self.label, expected="a list [query, value] or [query, value, key]", got=got)
            )
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise ArgumentTypeError(
                message(self.label, expected="mask to be a list [query_mask, value_mask]", got=repr(mask))
            )

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attend.

        Args:
            inputs: [query, value] or [query, value, key].
            mask: [query_mask, value_mask], False at padding, each may be None.
            training: drop scores.
            return_attention_scores: return (outputs, scores).
            use_causal_mask: a query sees no place after its own.
        """
        self._check_inputs(inputs, mask)
        query, value = self.as_float(inputs[0]), self.as_float(inputs[1])
        key = self.as_float(inputs[2]) if len(inputs) > 2 else value
        query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
        scores = self._calculate_scores(query, key)
        seen = self._calculate_score_mask(scores, value_mask, use_causal_mask)
        outputs, weights = self._apply_scores(scores, value, seen, training)
        if query_mask is not None:
            outputs = torch.where(query_mask.bool().unsqueeze(-1), outputs, 0.0)
        return (outputs, weights) if return_attention_scores else outputs

    def _calculate_scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Return (B, T, S)."""
        if self.score_mode == "dot":
            scores = torch.matmul(query, key.transpose(-2, -1))
            return scores * self.scale if self.use_scale else scores
        sums = query.unsqueeze(-2) + key.unsqueeze(-3)  # (B, T, S, E)
        return self.concat_score_weight * torch.tanh(self.scale * sums if self.use_scale else sums).sum(-1)

    def _calculate_score_mask(
        self, scores: torch.Tensor, value_mask: torch.Tensor | None, use_causal_mask: bool
    ) -> torch.Tensor | None:
        """Return what each query sees, broadcasting to the scores, or None."""
        seen = None if value_mask is None else value_mask.bool().unsqueeze(-2)
        if use_causal_mask:
            causal = causal_mask(scores.shape[-2], scores.shape[-1], scores.device)[None]
            return causal if seen is None else seen & causal
        return seen

    def _apply_scores(
        self,
        scores: torch.Tensor,
        value: torch.Tensor,
        scores_mask: torch.Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mixed values and the weights of the mixture."""
        if scores_mask is not None:
            low = 65504.0 if scores.dtype == torch.float16 else 1e9
            scores = torch.where(scores_mask, scores, scores - low)
        weights = torch.softmax(scores, dim=-1)
        if training and self.dropout > 0:
            weights = drop(weights, self.dropout, tuple(weights.shape), self.seed_generator)
        return torch.matmul(weights, value), weights

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the query's mask."""
        self._check_inputs(inputs, mask)
        return None if mask is None else mask[0]

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs.get("return_attention_scores"):
            return infer_outputs(self, args, kwargs)
        return super()._symbolic_outputs(args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the query's shape with the features of the value."""
        self._check_inputs(input_shape, None)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@LAYERS.register("additive_attention")
class AdditiveAttention(Attention):
    """Mix values by scores `Σ scale · tanh(query + key)`, Bahdanau's attention.

    Args:
        use_scale: False leaves the learned factors, one a feature, out.
        dropout: share of the scores to drop in training, from 0 to 1.

    Shapes:
        [query (B, T, E), value (B, S, F), key (B, S, E)] to (B, T, F); without a key, value serves as one.

    Example:
        >>> AdditiveAttention()([torch.ones(1, 3, 6), torch.ones(1, 5, 6)]).shape
        torch.Size([1, 3, 6])

    Reference:
        Bahdanau et al., Neural Machine Translation by Jointly Learning to Align and Translate, 2015.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the factors that are learnt."""
        self._check_inputs(input_shape, None)
        if self.use_scale:
            self.make_weight("scale", "scale", (input_shape[0][-1],), "glorot_uniform")

    def _calculate_scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        sums = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))  # (B, T, S, E)
        return (self.scale * sums if self.use_scale else sums).sum(-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = super().get_config()
        del config["score_mode"]
        return config

"""The gradient of any loss of a batch, with the graph of a part of its rows in memory at once.

For losses that are no mean over rows (a sum, one divided by the sum of the weights or by what a mask leaves,
one that compares rows, a function of the user's): the outputs of all parts are computed, then the loss of the
whole batch and its gradient by the outputs, which is led back through each part, computed once more with the
same random numbers.

Reference: Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neocog.core import tree_flatten, tree_pack
from neocog.functional import remember_logits
from neocog.graph import mask_of, set_mask
from neocog.training._memory_gradients import Gradients
from neocog.training._memory_kept import Kept
from neocog.training._step import loss_of_batch, unpack


def _probabilities(logits: torch.Tensor, kind: str) -> torch.Tensor:
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return torch.softmax(logits, dim=-1) if kind == "softmax" else torch.sigmoid(logits)


def through_outputs(
    model: Any, data: Any, parts: Sequence[Any], gradients: Gradients, progress: Any
) -> tuple[torch.Tensor, list[Any]]:
    """Return loss and outputs of a batch, its gradients led back.

    Args:
        model: built and compiled.
        data: the batch.
        parts: its rows in parts.
        gradients: where they go; random generators and buffers are as before the step.
        progress: told how far it has come.
    """
    state, optimizer, kept = model.training_state, model.compile_settings.optimizer, gradients.kept
    outputs, sums = outputs_of_parts(model, parts, kept)
    leaves = joined_leaves(outputs)
    hold_activity(model, sums)
    progress.phase = "whole loss"
    y_pred = tree_pack(outputs[0], [leaf.output() for leaf in leaves])
    x, y, sample_weight = unpack(data)
    loss = loss_of_batch(model, x, y, y_pred, sample_weight)
    progress.phase = "backward"
    held = [leaf.value for leaf in leaves if leaf.value.requires_grad]
    # Penalties of weights get their gradient here.
    gradients.lead_back([optimizer.scale_loss(loss * state.share)], leaves=held)
    early = [(metric, metric.state_dict()) for metric in kept.early_metrics()]
    kept.rewind()
    _lead_back(model, parts, leaves, gradients)
    for metric, values in early:
        metric.load_state_dict(values)
    return loss.detach(), [tree_pack(outputs[0], [leaf.plain() for leaf in leaves])]


def outputs_of_parts(
    model: Any, parts: Sequence[Any], kept: Kept
) -> tuple[list[Any], dict[Any, torch.Tensor]]:
    """Return the outputs of the parts as leaves, and what each layer adds to the loss for its activity."""
    outputs = []
    sums: dict[Any, torch.Tensor] = {}
    for part in parts:
        with kept.drawing(part):
            y_pred = model.training_state.forward(model, part.x)
        outputs.append(tree_pack(y_pred, [_Leaf.of(leaf) for leaf in tree_flatten(y_pred)]))
        for layer, value in activity(model):
            sums[layer] = sums.get(layer, 0.0) + value.detach() * part.share
        del y_pred
    return outputs, sums


def joined_leaves(outputs: Sequence[Any]) -> list[_Leaf]:
    """Return the leaves of the parts' outputs as those of the whole batch."""
    return [_Leaf.joined(column) for column in zip(*(tree_flatten(part) for part in outputs), strict=True)]


def loss_of_parts(model: Any, data: Any, parts: Sequence[Any], kept: Kept) -> tuple[torch.Tensor, list[Any]]:
    """Return loss and outputs of a batch, without gradients."""
    with torch.no_grad():
        outputs, sums = outputs_of_parts(model, parts, kept)
        leaves = joined_leaves(outputs)
        hold_activity(model, sums)
        y_pred = tree_pack(outputs[0], [leaf.output() for leaf in leaves])
        x, y, sample_weight = unpack(data)
        loss = loss_of_batch(model, x, y, y_pred, sample_weight)
    return loss, [tree_pack(outputs[0], [leaf.plain() for leaf in leaves])]


def _lead_back(model: Any, parts: Sequence[Any], leaves: Sequence[_Leaf], gradients: Gradients) -> None:
    """Compute each part once more and lead the gradient by its outputs back through it."""
    state, optimizer = model.training_state, model.compile_settings.optimizer
    begin = 0
    for part in parts:
        with gradients.kept.drawing(part):
            y_pred = state.forward(model, part.x)
        again = [_Leaf.of(leaf, attached=True) for leaf in tree_flatten(y_pred)]
        end = begin + part.count
        pairs = [
            (own.value, leaf.value.grad[begin:end])
            for own, leaf in zip(again, leaves, strict=True)
            if own.value.requires_grad and leaf.value.grad is not None
        ]
        for _, value in activity(model):
            scaled = optimizer.scale_loss(value * (part.share * state.share))
            pairs.append((scaled, torch.ones_like(scaled)))
        gradients.lead_back([value for value, _ in pairs], [grad for _, grad in pairs])
        del y_pred, again, pairs
        begin = end


def activity(model: Any) -> list[tuple[Any, torch.Tensor]]:
    """Return what layers added in the last forward pass, without the penalties of weights."""
    found = []
    for layer in model.modules():
        if hasattr(layer, "own_losses") and layer.may_add_losses():
            losses = layer.own_losses()
            losses = losses[: len(losses) - len(layer.weight_penalties())]
            if losses:
                found.append((layer, torch.stack([loss.sum() for loss in losses]).sum()))
    return found


def hold_activity(model: Any, sums: dict[Any, torch.Tensor]) -> None:
    """Let the layers hold what they add over the whole batch."""
    for layer in model.modules():
        if hasattr(layer, "forget_own_losses"):
            layer.forget_own_losses()
    for layer, value in sums.items():
        layer.add_loss(value)


@dataclass(slots=True)
class _Leaf:
    """An output, or the logits that it came from, and its mask."""

    value: torch.Tensor
    kind: str | None = None
    mask: torch.Tensor | None = None

    @classmethod
    def of(cls, output: torch.Tensor, *, attached: bool = False) -> _Leaf:
        logits, kind = getattr(output, "_neocog_logits", (None, None))
        value = output if logits is None else logits
        return cls(value if attached else value.detach(), kind, mask_of(output))

    @classmethod
    def joined(cls, parts: Sequence[_Leaf]) -> _Leaf:
        masks = [part.mask for part in parts if part.mask is not None]
        value = torch.cat([part.value for part in parts])
        value.requires_grad_(value.is_floating_point())
        return cls(value, parts[0].kind, torch.cat(masks) if len(masks) == len(parts) else None)

    def output(self) -> torch.Tensor:
        """Return the output, made of the leaf so that gradients reach it."""
        if self.kind is None:
            return set_mask(self.value.view_as(self.value), self.mask)
        return set_mask(
            remember_logits(_probabilities(self.value, self.kind), self.value, self.kind), self.mask
        )

    def plain(self) -> torch.Tensor:
        """Return the output without a graph."""
        value = self.value.detach()
        return set_mask(value if self.kind is None else _probabilities(value, self.kind), self.mask)

"""A training step on a batch in parts, equal to the step on the whole batch.

Gradients of the parts add up in `grad`, and one update follows. Where the loss is a mean over rows, each
part's loss counts by its rows:  L = Σ_k (n_k / n) L_k.  Any other loss goes by `_memory_outputs`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from neocog import functional
from neocog.core import tree_flatten, tree_map, tree_pack
from neocog.graph import mask_of, set_mask
from neocog.losses import LossFunctionWrapper
from neocog.training._memory_gradients import Gradients
from neocog.training._memory_outputs import loss_of_parts, through_outputs
from neocog.training._step import LazyLogs, loss_of_batch, track_loss, unpack
from neocog.training._trainable import runs_own

# Losses of neocog whose values do not belong to one row each.
_NOT_BY_ROWS = (functional.circle, functional.dice, functional.tversky)


@dataclass(slots=True)
class Progress:
    """How far a step in parts has come: "forward", "loss", "backward", "update" or "metrics"."""

    phase: str = "forward"


@dataclass(frozen=True, slots=True)
class Part:
    """`count` neighbouring rows, from number `first`, of the `total` rows of a batch."""

    x: Any
    y: Any
    sample_weight: Any
    first: int
    count: int
    total: int

    @property
    def share(self) -> float:
        """Share of the batch's rows."""
        return self.count / self.total

    @property
    def last(self) -> bool:
        """Whether the batch ends with it."""
        return self.first + self.count == self.total


def rows_of(x: Any) -> int:
    """Return the number of rows of a nested batch."""
    leaf = tree_flatten(x)[0]
    return int(leaf.shape[0]) if getattr(leaf, "ndim", 0) else 1


def parts_of(data: Any, limit: int) -> list[Part]:
    """Return a batch in as few parts of at most `limit` rows as can be, as even as can be.

    Example:
        >>> [len(part.x) for part in parts_of((torch.zeros(10, 2),), 4)]
        [3, 3, 4]
    """
    trees = unpack(data)
    rows = rows_of(trees[0])
    count = -(-rows // limit)
    ends = [rows * number // count for number in range(count + 1)]
    found = []
    for begin, end in itertools.pairwise(ends):
        x, y, sample_weight = (_taken(tree, slice(begin, end), rows) for tree in trees)
        found.append(Part(x, y, sample_weight, first=begin, count=end - begin, total=rows))
    return found


def _taken(tree: Any, piece: slice, rows: int) -> Any:
    def take(leaf: Any) -> Any:
        return leaf[piece] if getattr(leaf, "ndim", 0) and leaf.shape[0] == rows else leaf

    return None if tree is None else tree_map(take, tree)


def joined(outputs: list[Any]) -> Any:
    """Return the outputs of all parts as those of the whole batch, with their masks."""
    if len(outputs) == 1:
        return outputs[0]
    columns = zip(*(tree_flatten(part) for part in outputs), strict=True)
    return tree_pack(outputs[0], [_joined(list(leaves)) for leaves in columns])


def _joined(leaves: list[Any]) -> Any:
    masks = [mask_of(leaf) for leaf in leaves]
    whole = torch.cat(leaves)
    return whole if any(mask is None for mask in masks) else set_mask(whole, torch.cat(masks))


def detached(tree: Any) -> Any:
    """Return outputs without their graphs, with their masks."""
    return tree_map(lambda leaf: set_mask(leaf.detach(), mask_of(leaf)), tree)


def step_in_parts(
    model: Any, data: Any, limit: int, gradients: Gradients, progress: Progress, *, by_rows: bool
) -> Mapping[str, Any]:
    """Do what `train_step` does, with the graph of at most `limit` rows in memory at once.

    Args:
        model: built and compiled; its `train_step` is neocog's.
        data: the batch.
        limit: rows.
        gradients: where they go.
        progress: told how far the step has come.
        by_rows: take the loss for a mean over rows, whatever it is.
    """
    parts = parts_of(data, limit)
    progress.phase = "forward"
    found = None
    with gradients.computing():
        if by_rows or _mean_over_rows(model):
            found = _added_up(model, parts, gradients, progress, anyhow=by_rows)
        if found is None:
            gradients.undo()
            found = through_outputs(model, data, parts, gradients, progress)
    loss, outputs = found
    gradients.hand_over()
    return _updated(model, data, loss, outputs, progress)


def update_again(model: Any, data: Any, limit: int, gradients: Gradients) -> Mapping[str, Any]:
    """Finish a step whose gradients the other processes have, and whose outputs are lost."""
    gradients.undo()
    with gradients.computing():
        loss, outputs = loss_of_parts(model, data, parts_of(data, limit), gradients.kept)
    return _updated(model, data, loss, outputs, Progress())


def _updated(
    model: Any, data: Any, loss: torch.Tensor, outputs: list[Any], progress: Progress
) -> Mapping[str, Any]:
    """Update the weights, then the metrics."""
    x, y, sample_weight = unpack(data)
    optimizer = model.compile_settings.optimizer
    progress.phase = "update"
    optimizer.step()
    progress.phase = "metrics"
    optimizer.zero_grad()
    model.training_state.apply_constraints()
    if model.training_state.share == 0.0:
        return LazyLogs(model)
    track_loss(model, loss, x)
    logs: Mapping[str, Any] = model.compute_metrics(x, y, joined(outputs), sample_weight)
    return logs


def _mean_over_rows(model: Any) -> bool:
    """Whether the loss of a batch is known to be the mean of its rows' losses."""
    if not runs_own(model, "compute_loss"):
        return False
    heads = model.compile_settings.heads
    return bool(heads) and all(head.loss is None or _is_mean(head.loss) for head in heads)


def _is_mean(loss: Any) -> bool:
    return (
        isinstance(loss, LossFunctionWrapper)
        and type(loss).__module__.startswith("neocog.")
        and getattr(loss.fn, "__module__", "").startswith("neocog.")
        and loss.fn not in _NOT_BY_ROWS
        and getattr(loss, "axis", -1) == -1
        and loss.reduction in ("sum_over_batch_size", "mean")
    )


def _added_up(
    model: Any, parts: list[Part], gradients: Gradients, progress: Progress, *, anyhow: bool
) -> tuple[torch.Tensor, list[Any]] | None:
    """Return loss and outputs, gradients led back; None where masks make rows count unevenly."""
    optimizer, share = model.compile_settings.optimizer, model.training_state.share
    losses, outputs = [], []
    for part in parts:
        progress.phase = "forward"
        with gradients.kept.drawing(part):
            y_pred = model.training_state.forward(model, part.x)
        if not anyhow and any(mask_of(leaf) is not None for leaf in tree_flatten(y_pred)):
            return None
        progress.phase = "loss"
        loss = loss_of_batch(model, part.x, part.y, y_pred, part.sample_weight)
        progress.phase = "backward"
        loss = loss * part.share
        gradients.lead_back([optimizer.scale_loss(loss if share == 1.0 else loss * share)])
        outputs.append(detached(y_pred))
        losses.append(loss.detach())
        del y_pred, loss  # the next part's graph takes the place of this one's
    return torch.stack(losses).sum(), outputs

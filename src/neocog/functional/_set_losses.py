"""Losses over sets of pixels, pairs and alignments: Dice, Tversky, circle, CTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from neocog.core import epsilon
from neocog.exceptions import ShapeError, message
from neocog.functional._autocast import full_precision
from neocog.functional._loss_inputs import class_labels, loss_pair, positive_part, precise

Axes = int | Sequence[int] | None


def _total(x: torch.Tensor, axis: Axes) -> torch.Tensor:
    if axis is None:
        return torch.sum(x)
    return torch.sum(x, dim=axis if isinstance(axis, int) else tuple(axis))


def dice(y_true: Any, y_pred: Any, axis: Axes = None) -> torch.Tensor:
    """Return 1 - 2 Σ y p / (Σ y + Σ p + ε): how little two masks overlap.

    Args:
        y_true: masks in [0, 1].
        y_pred: predicted masks in [0, 1].
        axis: axes to sum over; default None, all of them: one value for the whole batch.

    Example:
        >>> dice([[1.0, 1.0]], [[1.0, 0.0]])
        tensor(0.3333)
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    overlap = _total(y_true * y_pred, axis)
    return 1.0 - 2.0 * overlap / (_total(y_true, axis) + _total(y_pred, axis) + epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None
) -> torch.Tensor:
    """Return 1 - Σ y p / (Σ y p + α Σ y (1 - p) + β Σ p (1 - y) + ε).

    Args:
        y_true: masks in [0, 1].
        y_pred: predicted masks in [0, 1].
        alpha: weight of what was missed; default 0.5.
        beta: weight of what was added; default 0.5.
        axis: axes to sum over; default None, all of them: one value for the whole batch.

    Example:
        >>> tversky([[1.0, 1.0]], [[1.0, 0.0]], alpha=1.0, beta=0.0)
        tensor(0.5000)

    Reference:
        Salehi et al., Tversky Loss Function for Image Segmentation, 2017.
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    overlap = _total(y_true * y_pred, axis)
    missed = _total((1.0 - y_pred) * y_true, axis)
    added = _total(y_pred * (1.0 - y_true), axis)
    return 1.0 - overlap / (overlap + alpha * missed + beta * added + epsilon())


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> torch.Tensor:
    """Return the circle loss of embeddings: pairs of one class are pulled together, others pushed apart.

    Args:
        y_true: class numbers, (B,) or (B, 1).
        y_pred: embeddings of length 1, (B, D).
        ref_labels: labels of the embeddings to compare with; default None, the batch itself.
        ref_embeddings: embeddings to compare with, (R, D); default None, the batch itself.
        remove_diagonal: leave out the pair of each sample with itself; default True.
        gamma: scale; default 80.
        margin: relaxation; default 0.4.

    Example:
        >>> circle([0, 1], [[1.0, 0.0], [0.0, 1.0]])
        tensor([0., 0.])

    Reference:
        Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020.
    """
    y_pred = precise(y_pred)
    labels = class_labels(y_true, y_pred)
    others = y_pred if ref_embeddings is None else precise(ref_embeddings).to(y_pred)
    other_labels = labels if ref_labels is None else class_labels(ref_labels, y_pred)
    with full_precision(y_pred):  # distances in full precision
        distance = positive_part(1.0 - torch.matmul(y_pred, others.t()))  # (B, R)
    same = labels.reshape(-1, 1) == other_labels.reshape(1, -1)
    positive, negative = same, ~same
    if remove_diagonal:
        positive = same & ~torch.eye(*same.shape, dtype=torch.bool, device=same.device)
    pull = -gamma * positive_part((margin + distance) * positive) * (margin - distance)
    push = gamma * positive_part((1.0 + margin - distance) * negative) * (1.0 - margin - distance)
    return F.softplus(_logsumexp(pull, positive) + _logsumexp(push, negative))


def _logsumexp(x: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    return torch.logsumexp(torch.where(where, x, float("-inf")), dim=1)


def ctc(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return -log of the probability of labels under all their alignments; class 0 is blank and padding.

    Args:
        y_true: class numbers, (B, L), padded with 0.
        y_pred: logits, (B, T, C).

    Raises:
        ShapeError: the targets do not have 2 axes or the predictions do not have 3.

    Example:
        >>> ctc([[1]], [[[0.0, 0.0]]])
        tensor([0.6931])

    Reference:
        Graves et al., Connectionist Temporal Classification, 2006.
    """
    y_pred = precise(y_pred)
    labels = class_labels(y_true, y_pred)
    if labels.dim() != 2 or y_pred.dim() != 3:
        raise ShapeError(
            message(
                "ctc",
                expected="targets (batch, length) and predictions (batch, time, classes)",
                got=f"{tuple(labels.shape)} and {tuple(y_pred.shape)}",
            )
        )
    batch, time, _ = y_pred.shape
    log_p = F.log_softmax(y_pred.transpose(0, 1), dim=-1)  # (T, B, C)
    lengths = torch.full((batch,), time, dtype=torch.int64, device=y_pred.device)
    return F.ctc_loss(log_p, labels, lengths, torch.sum(labels != 0, dim=-1), blank=0, reduction="none")

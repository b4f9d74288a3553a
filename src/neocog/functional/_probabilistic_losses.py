"""Losses between labels and probabilities or logits: crossentropies, focal forms, Poisson, Kullback-Leibler.

Each returns one value a sample: no reduction over the batch. Logits go through torch's fused kernels.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from neocog.core import epsilon
from neocog.exceptions import ShapeError, message
from neocog.functional._autocast import autocasts
from neocog.functional._loss_inputs import (
    class_labels,
    loss_pair,
    precise,
    require_int_axis,
    require_same_shape,
)

# With more classes than this, picking the label's probability is cheaper before the logarithm than after it.
_MANY_CLASSES = 64


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """Return the mean over `axis` of -y log p - (1 - y) log(1 - p), with p clipped to [ε, 1 - ε].

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities, or logits.
        from_logits: whether `y_pred` has no sigmoid yet; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/2; default 0.
        axis: axis to average over; default the last.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    require_same_shape("binary_crossentropy", y_true, y_pred)
    return torch.mean(binary_elements(smooth_binary(y_true, label_smoothing), y_pred, from_logits), dim=axis)


def smooth_binary(y_true: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """Return labels moved towards ½ by `label_smoothing`."""
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def binary_elements(
    y_true: torch.Tensor, y_pred: torch.Tensor, from_logits: bool, mean: bool = False
) -> torch.Tensor:
    """Return the binary crossentropy of each element, or the mean of all of them."""
    reduction = "mean" if mean else "none"
    if from_logits:
        return F.binary_cross_entropy_with_logits(y_pred, y_true, reduction=reduction)
    smallest = epsilon()
    p = torch.clamp(y_pred, smallest, 1.0 - smallest)
    if autocasts(p):  # torch refuses its own kernel there, even for float32
        values = -(torch.xlogy(y_true, p) + torch.xlogy(1.0 - y_true, 1.0 - p))
        return values.mean() if mean else values
    return F.binary_cross_entropy(p, y_true, reduction=reduction)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """Return the mean over `axis` of (1 - p_t)^γ · BCE, p_t = y p + (1 - y)(1 - p): easy examples count less.

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities, or logits.
        apply_class_balancing: weigh class 1 by α and class 0 by 1 - α; default False.
        alpha: weight of class 1; default 0.25.
        gamma: focus; 0 gives binary crossentropy; default 2.
        from_logits: whether `y_pred` has no sigmoid yet; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/2; default 0.
        axis: axis to average over; default the last.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> binary_focal_crossentropy([[1.0]], [[0.5]])
        tensor([0.1733])

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017.
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    require_same_shape("binary_focal_crossentropy", y_true, y_pred)
    y_true = smooth_binary(y_true, label_smoothing)
    p = torch.sigmoid(y_pred) if from_logits else y_pred
    crossentropy = binary_elements(y_true, p, from_logits=False)
    p_t = y_true * p + (1.0 - y_true) * (1.0 - p)
    focal = torch.pow(1.0 - p_t, gamma) * crossentropy
    if apply_class_balancing:
        focal = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * focal
    return torch.mean(focal, dim=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """Return -Σ y log p over `axis`, with p scaled to sum 1 and clipped to [ε, 1 - ε].

    Args:
        y_true: one-hot labels or class probabilities, of the shape of `y_pred`.
        y_pred: probabilities, or logits.
        from_logits: whether `y_pred` has no softmax yet; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/classes; default 0.
        axis: axis of the classes; default the last.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    require_int_axis("categorical_crossentropy", axis)
    y_true, y_pred = loss_pair(y_true, y_pred)
    require_same_shape("categorical_crossentropy", y_true, y_pred)
    y_true = smooth_categorical(y_true, label_smoothing)
    if from_logits:
        return -torch.sum(y_true * F.log_softmax(y_pred, dim=axis), dim=axis)
    return -torch.sum(y_true * torch.log(_normalised(y_pred, axis)), dim=axis)


def smooth_categorical(y_true: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """Return labels moved towards the uniform distribution by `label_smoothing`."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]


def _normalised(y_pred: torch.Tensor, axis: int) -> torch.Tensor:
    smallest = epsilon()
    return torch.clamp(y_pred / torch.sum(y_pred, dim=axis, keepdim=True), smallest, 1.0 - smallest)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """Return -Σ α (1 - p)^γ y log p over `axis`, with p scaled to sum 1 and clipped to [ε, 1 - ε].

    Args:
        y_true: one-hot labels or class probabilities, of the shape of `y_pred`.
        y_pred: probabilities, or logits.
        alpha: weight, one number or one a class; default 0.25.
        gamma: focus; 0 gives α times categorical crossentropy; default 2.
        from_logits: whether `y_pred` has no softmax yet; default False.
        label_smoothing: s in [0, 1] turns labels y into y (1 - s) + s/classes; default 0.
        axis: axis of the classes; default the last.

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.0433])

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017.
    """
    require_int_axis("categorical_focal_crossentropy", axis)
    y_true, y_pred = loss_pair(y_true, y_pred)
    y_true = smooth_categorical(y_true, label_smoothing)
    p = _normalised(torch.softmax(y_pred, dim=axis) if from_logits else y_pred, axis)
    weights = alpha if isinstance(alpha, (int, float)) else torch.as_tensor(alpha).to(p)
    return torch.sum(weights * torch.pow(1.0 - p, gamma) * (-y_true * torch.log(p)), dim=axis)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> torch.Tensor:
    """Return -log p[y] with p scaled to sum 1 along `axis` and clipped to [ε, 1 - ε], for class numbers y.

    Args:
        y_true: class numbers from 0, of the shape of `y_pred` without `axis` (or with size 1 there).
        y_pred: probabilities, or logits.
        from_logits: whether `y_pred` has no softmax yet; default False.
        ignore_class: a label whose loss is 0 (such as 255 or -1 in segmentation masks); default None.
        axis: axis of the classes; default the last.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931])
    """
    y_pred = precise(y_pred)
    labels = sparse_labels(y_true, y_pred, axis)
    if ignore_class is None:
        return sparse_elements(labels, y_pred, from_logits, axis)
    valid = labels != ignore_class
    labels = torch.where(valid, labels, 0)
    # Ignored positions may hold anything, NaN included: neither value nor gradient must come through.
    y_pred = torch.where(valid.unsqueeze(axis), y_pred, 0.0 if from_logits else 1.0)
    return torch.where(valid, sparse_elements(labels, y_pred, from_logits, axis), 0.0)


def sparse_labels(y_true: Any, y_pred: torch.Tensor, axis: int) -> torch.Tensor:
    """Return class numbers with the shape of `y_pred` without `axis`."""
    labels = class_labels(y_true, y_pred)
    if labels.dim() == y_pred.dim() and labels.dim() and labels.shape[axis] == 1:
        labels = labels.squeeze(axis)
    expected = list(y_pred.shape)
    if not expected:
        raise ShapeError(
            message(
                "sparse_categorical_crossentropy",
                expected="predictions with an axis of classes",
                got="a scalar",
            )
        )
    del expected[axis]
    if list(labels.shape) != expected:
        raise ShapeError(
            message(
                "sparse_categorical_crossentropy",
                expected=f"class numbers of shape {tuple(expected)}",
                got=tuple(labels.shape),
                do="For one-hot labels use categorical_crossentropy.",
            )
        )
    return labels


def sparse_elements(
    labels: torch.Tensor, y_pred: torch.Tensor, from_logits: bool, axis: int, mean: bool = False
) -> torch.Tensor:
    """Return -log p[label] of each sample, or the mean of all of them; the shapes must fit."""
    if y_pred.dim() > 2 or axis not in (-1, 1):
        # One row a sample: torch's kernels for more axes are slower, and demand contiguous memory.
        rows = y_pred.movedim(axis, -1).reshape(-1, y_pred.shape[axis])
        values = sparse_elements(labels.reshape(-1), rows, from_logits, -1, mean)
        return values if mean else values.reshape(labels.shape)
    reduction = "mean" if mean else "none"
    if from_logits:
        return F.cross_entropy(y_pred, labels, reduction=reduction)
    if y_pred.shape[-1] <= _MANY_CLASSES:
        return F.nll_loss(torch.log(_normalised(y_pred, -1)), labels, reduction=reduction)
    picked = torch.gather(y_pred, -1, labels.unsqueeze(-1)).squeeze(-1)
    smallest = epsilon()
    p = torch.clamp(picked / torch.sum(y_pred, dim=-1), smallest, 1.0 - smallest)
    return -(torch.log(p).mean() if mean else torch.log(p))


def kl_divergence(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return Σ y log(y / p) over the last axis, with both clipped to [ε, 1].

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
        tensor([0.])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    y_true = torch.clamp(y_true, epsilon(), 1.0)
    y_pred = torch.clamp(y_pred, epsilon(), 1.0)
    return torch.sum(y_true * torch.log(y_true / y_pred), dim=-1)


def poisson(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean(y_pred - y_true · log(y_pred + ε)) over the last axis.

    Example:
        >>> poisson([[2.0]], [[1.0]])
        tensor([1.0000])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    return torch.mean(y_pred - y_true * torch.log(y_pred + epsilon()), dim=-1)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> torch.Tensor:
    """Return (1 - p[y]^q) / q for class numbers y: between crossentropy (q → 0) and absolute error (q = 1).

    Args:
        y_true: class numbers from 0, (B, …) or (B, …, 1).
        y_pred: probabilities, (B, …, C).
        q: robustness against wrong labels, in (0, 1).

    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
        tensor([1.])

    Reference:
        Zhang and Sabuncu, Generalized Cross Entropy Loss for Training with Noisy Labels, 2018.
    """
    y_pred = precise(y_pred)
    labels = sparse_labels(y_true, y_pred, -1)
    p = torch.gather(y_pred, -1, labels.unsqueeze(-1)).squeeze(-1)
    return (1.0 - torch.pow(p, q)) / q

"""Intersection over union of segmentations, from a confusion matrix."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_int, check_number, epsilon, to_tensor
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.metrics._arrays import pair
from neocog.metrics._metric import Metric
from neocog.metrics._registry import METRICS


@METRICS.register("iou", "io_u")
class IoU(Metric):
    """The intersection over union tp / (tp + fp + fn), averaged over chosen classes that occur.

    Args:
        num_classes: number of classes; labels outside 0 … num_classes-1 are left out.
        target_class_ids: the classes that are averaged.
        name: key in logs; default `"io_u"`.
        dtype: type of the confusion matrix; default int64. With a float type, weights are not rounded.
        ignore_class: label to leave out; default none.
        sparse_y_true: whether labels are class indices (default) or one-hot along `axis`.
        sparse_y_pred: whether predictions are class indices (default) or scores along `axis`.
        axis: the class axis of one-hot labels and scores; default -1.

    Example:
        >>> iou = IoU(num_classes=2, target_class_ids=[0])
        >>> iou.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(iou.result()), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int64")
        where = type(self).__name__
        self.num_classes = check_int(where, "num_classes", num_classes, minimum=1)
        self.target_class_ids = [check_int(where, "target_class_ids", i, minimum=0) for i in target_class_ids]
        if max(self.target_class_ids, default=0) >= self.num_classes:
            raise ArgumentError(
                message(where, expected=f"target_class_ids below {num_classes}", got=self.target_class_ids)
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = bool(sparse_y_true)
        self.sparse_y_pred = bool(sparse_y_pred)
        self.axis = axis
        self.total_cm = self._add_sum((self.num_classes,) * 2, name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of any shape, one label a place."""
        y_true, y_pred = pair(y_true, y_pred)
        if not self.sparse_y_true:
            y_true = y_true.argmax(dim=self.axis)
        if not self.sparse_y_pred:
            y_pred = y_pred.argmax(dim=self.axis)
        self._count(y_true.long().reshape(-1), y_pred.long().reshape(-1), sample_weight)

    def _count(self, y_true: torch.Tensor, y_pred: torch.Tensor, sample_weight: Any) -> None:
        count = self.num_classes
        counted = (y_true >= 0) & (y_true < count) & (y_pred >= 0) & (y_pred < count)
        if self.ignore_class is not None:
            counted &= y_true != self.ignore_class
        dtype = self.total_cm.dtype
        weights = counted.to(dtype)
        if sample_weight is not None:
            given = to_tensor(sample_weight, device=y_true.device)
            if given.is_floating_point() and not dtype.is_floating_point:
                warnings.warn(
                    f"{type(self).__name__}: float sample weights are cut to whole numbers: the metric "
                    f"counts in {self.dtype}. Pass dtype='float32' to the metric to keep them.",
                    stacklevel=4,
                )
            if given.numel() not in (1, weights.numel()):
                raise ShapeError(
                    message(
                        f'{type(self).__name__} "{self.name}"',
                        expected=f"one sample_weight for each of the {weights.numel()} labels",
                        got=f"shape {tuple(given.shape)}",
                        do="Repeat the weight of a sample for each label in it.",
                    )
                )
            weights = weights * given.to(dtype).reshape(-1)
        # Places left out add weight 0 to cell (0, 0): no data-dependent shape.
        cells = torch.where(counted, y_true * count + y_pred, 0)
        matrix = torch.zeros(count * count, dtype=dtype, device=y_true.device)
        self.total_cm.assign_add(matrix.scatter_add_(0, cells, weights).reshape(count, count))

    def result(self) -> torch.Tensor:
        """Return the mean over the target classes that occur in labels or predictions."""
        matrix = self.total_cm.value
        both = matrix.diagonal()[self.target_class_ids].float()
        union = (matrix.sum(dim=0) + matrix.sum(dim=1))[self.target_class_ids].float() - both
        occurs = union > 1e-9
        each = torch.where(occurs, both / (union + epsilon()), 0.0)
        return each.sum() / (occurs.sum() + epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


@METRICS.register("binary_iou", "binary_io_u")
class BinaryIoU(IoU):
    """The intersection over union of a two-class segmentation from probabilities.

    Args:
        target_class_ids: the classes that are averaged; default both.
        threshold: predictions at or above it are class 1; default 0.5.
        name: key in logs; default `"binary_io_u"`.
        dtype: type of the confusion matrix; default int64.

    Example:
        >>> round(float(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = check_number("BinaryIoU", "threshold", threshold)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch of 0/1 labels and probabilities of the same shape."""
        y_true, y_pred = pair(y_true, y_pred)
        chosen = y_pred.float() >= self.threshold
        self._count(y_true.long().reshape(-1), chosen.long().reshape(-1), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = Metric.get_config(self)
        return {**config, "target_class_ids": self.target_class_ids, "threshold": self.threshold}


@METRICS.register("mean_iou", "mean_io_u")
class MeanIoU(IoU):
    """The intersection over union averaged over all classes that occur.

    Args:
        num_classes: number of classes; labels outside 0 … num_classes-1 are left out.
        name: key in logs; default `"mean_io_u"`.
        dtype: type of the confusion matrix; default int64.
        ignore_class: label to leave out; default none.
        sparse_y_true: whether labels are class indices (default) or one-hot along `axis`.
        sparse_y_pred: whether predictions are class indices (default) or scores along `axis`.
        axis: the class axis of one-hot labels and scores; default -1.

    Example:
        >>> round(float(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        del config["target_class_ids"]
        return config


@METRICS.register("one_hot_iou", "one_hot_io_u")
class OneHotIoU(IoU):
    """The intersection over union from one-hot labels, averaged over chosen classes that occur.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes that are averaged.
        name: key in logs; default `"one_hot_io_u"`.
        dtype: type of the confusion matrix; default int64.
        ignore_class: label to leave out; default none.
        sparse_y_pred: whether predictions are class indices; default False, scores along `axis`.
        axis: the class axis; default -1.

    Example:
        >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
        >>> round(float(metric([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]])), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


@METRICS.register("one_hot_mean_iou", "one_hot_mean_io_u")
class OneHotMeanIoU(MeanIoU):
    """The intersection over union from one-hot labels, averaged over all classes that occur.

    Args:
        num_classes: number of classes.
        name: key in logs; default `"one_hot_mean_io_u"`.
        dtype: type of the confusion matrix; default int64.
        ignore_class: label to leave out; default none.
        sparse_y_pred: whether predictions are class indices; default False, scores along `axis`.
        axis: the class axis; default -1.

    Example:
        >>> round(float(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]])), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config

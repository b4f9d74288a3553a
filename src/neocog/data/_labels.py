"""Labels as one-hot rows and arrays scaled to unit length, as in `keras.utils`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog._old_spellings import warn_old
from neocog.core import check_int
from neocog.exceptions import DataError, message


def to_categorical(x: Any, num_classes: int | None = None, nb_classes: int | None = None) -> Any:
    """Return class numbers as one-hot rows.

    Args:
        x: whole numbers from 0 to `num_classes` - 1, of any shape; a last axis of length 1 is dropped.
        num_classes: length of the new last axis; None stands for the largest number plus 1.
        nb_classes: Keras 1's name of `num_classes`.

    Returns:
        A float64 NumPy array as in Keras; for a torch tensor a float32 tensor on its device.

    Raises:
        DataError: labels that are no whole numbers, negative, or `num_classes` and above.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
    """
    if nb_classes is not None:
        warn_old("to_categorical", "nb_classes", "num_classes")
        num_classes = nb_classes
    labels = x.detach().cpu().numpy() if isinstance(x, torch.Tensor) else _as_array(x)
    whole = labels.astype(np.int64) if labels.dtype.kind in "biuf" else None
    if whole is None or (labels.dtype.kind == "f" and not np.array_equal(whole, labels)):
        raise DataError(
            message(
                "to_categorical",
                expected="class numbers from 0 on",
                got=f"labels like {labels.ravel()[:3]}",
            )
        )
    if whole.ndim > 1 and whole.shape[-1] == 1:
        whole = whole[..., 0]
    count = int(whole.max(initial=-1)) + 1
    if num_classes is not None:
        count = check_int("to_categorical", "num_classes", num_classes, minimum=1)
    if whole.size and (whole.min() < 0 or whole.max() >= count):
        wrong = int(whole.min() if whole.min() < 0 else whole.max())
        raise DataError(
            message(
                "to_categorical",
                expected=f"labels from 0 to {count - 1}",
                got=wrong,
                do="Number the classes from 0, or raise num_classes.",
            )
        )
    rows = np.zeros((whole.size, count))
    rows[np.arange(whole.size), whole.ravel()] = 1
    rows = rows.reshape((*whole.shape, count))
    return torch.from_numpy(rows).to(x.device, torch.float32) if isinstance(x, torch.Tensor) else rows


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """Return `x` divided by its norm along `axis`; rows of zeros stay zero.

    y = x / ‖x‖ₒ along `axis`.

    Args:
        x: array or torch tensor.
        axis: the axis whose vectors get length 1.
        order: of the norm: 1, 2 (Euclidean), `float("inf")`, …

    Example:
        >>> normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    if isinstance(x, torch.Tensor):
        norm = torch.linalg.vector_norm(x if x.is_floating_point() else x.float(), order, axis, keepdim=True)
        return x / torch.where(norm == 0, torch.ones_like(norm), norm)
    array = _as_array(x)
    length = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(length == 0, 1, length)


def _as_array(x: Any) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(x)
    except ValueError as error:
        raise DataError(message("labels", expected="an array of one shape", got="ragged lists")) from error

"""Images in rows and columns."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neocog.core import check_int, standardize_data_format
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.ops import convert_to_numpy

Array = np.ndarray[Any, Any]


def images_of(where: str, images: Any, data_format: str | None) -> Array:
    """Return a batch of images as a channels-last array.

    Raises:
        ShapeError: it has not four axes.
    """
    array = np.asarray(convert_to_numpy(images))
    if array.ndim != 4:
        expected = "a batch of images of shape (batch, height, width, channels)"
        raise ShapeError(
            message(where, expected=expected, got=array.shape, do="One image needs image[None].")
        )
    first = standardize_data_format(data_format) == "channels_first"
    return array.transpose(0, 2, 3, 1) if first else array


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: str | os.PathLike[str] | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> None:
    """Show images in rows and columns, or write them into a file.

    Args:
        images: of shape (batch, height, width, channels); those that rows and columns have no room for are
            left out.
        y_true: class numbers, written above the images.
        y_pred: predicted class numbers, likewise.
        label_map: names of the classes by number; needed with these.
        rows: default so many that the gallery is nearly square.
        cols: default so many that complete rows take all images.
        value_range: least and largest value of the images.
        scale: inches an image.
        path: the file; its ending says which form.
        show: open a window; default unless there is a path.
        transparent: whether the file's background is.
        dpi: pixels an inch of the file.
        legend_handles: matplotlib's handles of a legend.
        data_format: `"channels_last"` or `"channels_first"`; default the setting.

    Raises:
        ArgumentError: both a path and `show`, or labels without `label_map`.
        ShapeError: not a batch of images.
    """
    where = "plot_image_gallery"
    if path is not None and show:
        raise ArgumentError(message(where, expected="a path, or show=True", got="both"))
    if label_map is None and (y_true is not None or y_pred is not None):
        raise ArgumentError(message(where, expected="label_map for y_true and y_pred", got="none"))
    array = _visible(images_of(where, images, data_format), value_range)
    if not len(array):
        raise ShapeError(message(where, expected="one image or more", got=array.shape))
    rows = check_int(where, "rows", rows or math.ceil(math.sqrt(len(array))), minimum=1)
    cols = check_int(where, "cols", cols or max(len(array) // rows, 1), minimum=1)
    visible = (path is None) if show is None else bool(show)
    figure = _figure(visible, (cols * scale, rows * scale))
    axes = figure.subplots(rows, cols, squeeze=False)
    titled = y_true is not None or y_pred is not None
    figure.subplots_adjust(0, 0, 1, 0.95 if titled else 1, wspace=0, hspace=0.15 if titled else 0)
    if legend_handles is not None:
        figure.legend(handles=list(legend_handles), loc="lower center")
    for index, axis in enumerate(axes.ravel()):
        axis.axis("off")
        if index < len(array):
            axis.imshow(array[index], cmap="gray")
            axis.set_title(_title(index, y_true, y_pred, label_map or {}), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif visible:
        _show(figure)


def _visible(array: Array, value_range: tuple[float, float]) -> Array:
    """Return values from 0 to 255, and one channel without its axis, as matplotlib takes it."""
    low, high = value_range
    scaled = (array.astype(np.float64) - low) * (255 / (high - low))
    whole = scaled.clip(0, 255).astype(np.uint8)
    return whole[..., 0] if whole.shape[-1] == 1 else whole


def _title(index: int, y_true: Any, y_pred: Any, names: Mapping[Any, str]) -> str:
    parts = []
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        if labels is not None and index < len(labels):
            number = np.asarray(convert_to_numpy(labels))[index].item()
            parts.append(f"{word}: {names.get(number, 'Unknown')}")
    return "  ".join(parts)


def _figure(shown: bool, size: tuple[float, float]) -> Any:
    if shown:
        import matplotlib.pyplot as plt

        return plt.figure(figsize=size, frameon=False)
    from matplotlib.figure import Figure

    return Figure(figsize=size, frameon=False)


def _show(figure: Any) -> None:
    import matplotlib.pyplot as plt

    plt.show()
    plt.close(figure)

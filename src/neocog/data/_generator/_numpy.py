"""Batches of arrays, for `ImageDataGenerator.flow`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from neocog.core import check_one_of, dtype_name, standardize_data_format
from neocog.data._generator._iterator import Iterator, save_batch
from neocog.data._generator._transform import draw_transform, transform
from neocog.exceptions import DataError, ShapeError, message

_WHERE = "flow"


class NumpyArrayIterator(Iterator):
    """Batches of an array of images, changed by an `ImageDataGenerator`.

    Args:
        x: images (N, H, W, C), or (images, further arrays) whose rows are handed on as they are.
        y: labels or None.
        image_data_generator: makes and standardises the images.
        batch_size: images a batch.
        shuffle: a new order each epoch.
        sample_weight: a weight an image, or None.
        seed: whole number or None.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        save_to_dir: folder to which every image of a batch is written.
        save_prefix: of their names.
        save_format: their suffix.
        subset: `"validation"` takes the first part of the images, `"training"` the rest.
        ignore_class_split: allow that a part lacks a class.
        dtype: of the images; None stands for the default float type.

    Raises:
        DataError: lengths that differ; a part that lacks a class.
        ShapeError: images without 4 axes.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype_name(dtype)
        self.data_format = standardize_data_format(data_format)
        images, further = _parts(x)
        y = None if y is None else np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        _check_lengths(images, [*further, y, weight])
        check_one_of(_WHERE, "subset", subset, ("training", "validation", None))
        if subset is not None:
            cut = int(len(images) * image_data_generator.validation_split)
            if y is not None and not ignore_class_split:
                _check_classes(y, cut)
            part = slice(0, cut) if subset == "validation" else slice(cut, None)
            images, further = images[part], [array[part] for array in further]
            y = None if y is None else y[part]
            weight = None if weight is None else weight[part]
        self.x = np.asarray(images, dtype=self.dtype)
        self.x_misc, self.y, self.sample_weight = further, y, weight
        if self.x.ndim != 4:
            raise ShapeError(message(_WHERE, expected="images of 4 axes", got=f"shape {self.x.shape}"))
        warn_of_channels(_WHERE, self.x.shape[3 if self.data_format == "channels_last" else 1])
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def make_batch(self, index_array: Any, rng: Any) -> Any:
        """Return x, (x, y) or (x, y, sample_weight) of these samples."""
        generator = self.image_data_generator
        batch = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        for place, number in enumerate(index_array):
            image = self.x[number]
            parameters = draw_transform(generator, image.shape, rng)
            batch[place] = generator.standardize(transform(generator, image.copy(), parameters).copy())
        if self.save_to_dir:
            name = (self.save_prefix, self.save_format)
            save_batch(batch, index_array, rng, self.save_to_dir, name, self.data_format)
        x: Any = [batch, *(array[index_array] for array in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _parts(x: Any) -> tuple[Any, list[Any]]:
    """Return the images and the further arrays."""
    if not isinstance(x, (tuple, list)) or len(x) < 2 or np.ndim(x[0]) != 4:
        return np.asarray(x), []
    rest = x[1] if isinstance(x[1], list) else [x[1]]
    return np.asarray(x[0]), [np.asarray(array) for array in rest]


def _check_lengths(images: Any, others: list[Any]) -> None:
    for array in others:
        if array is not None and len(array) != len(images):
            raise DataError(
                message(_WHERE, expected=f"{len(images)} rows, as many as images", got=len(array))
            )


def _check_classes(y: Any, cut: int) -> None:
    if not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        do = "Mix the arrays before, or pass ignore_class_split=True."
        got = "others: the arrays seem to be sorted by class"
        raise DataError(message(_WHERE, expected="the same classes in both subsets", got=got, do=do))


def warn_of_channels(where: str, channels: int) -> None:
    """Warn that images have an odd number of channels."""
    if channels not in (1, 3, 4):
        text = f"{where}: expected 1, 3 or 4 channels, got {channels}. Check data_format."
        warnings.warn(text, stacklevel=4)

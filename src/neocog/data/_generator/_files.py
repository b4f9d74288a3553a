"""Batches of image files: what folders and tables share."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.core import check_ntuple, check_one_of, dtype_name, standardize_data_format
from neocog.data._generator._iterator import Iterator, save_batch
from neocog.data._generator._transform import draw_transform, transform
from neocog.data._keras_images import img_to_array, load_img
from neocog.data._look import COLOR_MODES

_WORKERS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How files become images of a batch, and where these are written, if anywhere."""

    target_size: Any
    color_mode: str
    data_format: str | None
    save_to_dir: Any
    save_prefix: str
    save_format: str
    subset: str | None
    interpolation: str
    keep_aspect_ratio: bool
    dtype: Any


class FileIterator(Iterator):
    """Base of the iterators over files; subclasses know the files and their labels.

    Attributes:
        filenames: the files, as they were found or named.
        filepaths: with their folder.
        samples: how many there are.
        image_shape: shape of one image.
        class_mode: what the labels of a batch are.
        class_indices: name of a class to its number.
    """

    filenames: list[str]
    filepaths: list[str]
    classes: Any
    class_indices: dict[str, int]
    class_mode: str | None
    sample_weight: Any = None

    def __init__(self, generator: Any, options: FileOptions) -> None:
        where = type(self).__name__
        self.image_data_generator = generator
        height, width = check_ntuple(where, "target_size", options.target_size, 2)
        self.target_size = (height, width)
        self.color_mode = check_one_of(where, "color_mode", options.color_mode, tuple(COLOR_MODES))
        self.data_format = standardize_data_format(options.data_format)
        self.dtype = dtype_name(options.dtype)
        self.options = options
        channels = COLOR_MODES[self.color_mode]
        last = self.data_format == "channels_last"
        self.image_shape = (height, width, channels) if last else (channels, height, width)
        self.subset = check_one_of(where, "subset", options.subset, ("training", "validation", None))
        self.split: tuple[float, float] | None = None
        if self.subset is not None:
            share = generator.validation_split if generator is not None else 0.0
            self.split = (0.0, share) if self.subset == "validation" else (share, 1.0)

    def part(self, count: int) -> slice:
        """Return which of `count` samples belong to the subset."""
        if self.split is None:
            return slice(None)
        return slice(int(self.split[0] * count), int(self.split[1] * count))

    @property
    def labels(self) -> Any:
        """Labels of all samples."""
        return self.classes

    def make_batch(self, index_array: Any, rng: Any) -> Any:
        """Return x, (x, y) or (x, y, sample_weight) of these samples."""
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        generator = self.image_data_generator
        draws = [
            None if generator is None else draw_transform(generator, self.image_shape, rng)
            for _ in index_array
        ]
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="neocog-decode") as pool:
            for place, image in enumerate(pool.map(self._image, index_array, draws)):
                batch[place] = image if generator is None else generator.standardize(image)
        if self.options.save_to_dir:
            name = (self.options.save_prefix, self.options.save_format)
            save_batch(batch, index_array, rng, self.options.save_to_dir, name, self.data_format)
        y = self._targets(batch, index_array)
        if y is None:
            return batch
        return (batch, y) if self.sample_weight is None else (batch, y, self.sample_weight[index_array])

    def _image(self, number: int, parameters: dict[str, Any] | None) -> Any:
        """Read one file and change it; by several threads at once."""
        image = load_img(
            self.filepaths[number],
            color_mode=self.color_mode,
            target_size=self.target_size,
            interpolation=self.options.interpolation,
            keep_aspect_ratio=self.options.keep_aspect_ratio,
        )
        array = img_to_array(image, data_format=self.data_format)
        if parameters is not None:
            array = transform(self.image_data_generator, array, parameters)
        return np.array(array)  # standardize works in place

    def _targets(self, batch: Any, index_array: Any) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[i] for i in index_array], dtype=self.dtype)
        if self.class_mode == "categorical":
            rows = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
            for row, number in zip(rows, index_array, strict=True):
                row[self.classes[number]] = 1.0
            return rows
        if self.class_mode == "multi_output":
            return [column[index_array] for column in self.labels]
        return self.labels[index_array] if self.class_mode == "raw" else None

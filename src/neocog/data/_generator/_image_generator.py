"""Keras's old `ImageDataGenerator`: random changes and standardisation of images, one at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neocog.core import check_one_of, dtype_name, standardize_data_format
from neocog.data._generator._affine import FILL_MODES
from neocog.data._generator._dataframe import DataFrameIterator, check_old_dataframe_arguments
from neocog.data._generator._directory import DirectoryIterator
from neocog.data._generator._numpy import NumpyArrayIterator, warn_of_channels
from neocog.data._generator._transform import draw_transform, transform
from neocog.exceptions import ArgumentError, ShapeError, message

_WHERE = "ImageDataGenerator"
_Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(eq=False, repr=False)
class ImageDataGenerator:
    """Batches of images, changed at random and standardised, from arrays, folders or tables of file names.

    New code uses `image_dataset_from_directory` and the augmentation layers, which run on batches.

    Args:
        featurewise_center: subtract the mean of the data given to `fit`, a channel each.
        samplewise_center: subtract each image's mean.
        featurewise_std_normalization: divide by the deviation of the data given to `fit`, a channel each.
        samplewise_std_normalization: divide by each image's deviation.
        zca_whitening: multiply by the whitening matrix of the data given to `fit`.
        zca_epsilon: added to the singular values.
        rotation_range: largest angle in degrees.
        width_shift_range: below 1 a part of the size, else pixels; a list gives the pixels to choose from.
        height_shift_range: likewise. As in Keras, this one moves along the columns.
        brightness_range: two factors.
        shear_range: largest angle in degrees.
        zoom_range: two factors, or z for (1 - z, 1 + z).
        channel_shift_range: largest number added to all channels.
        fill_mode: `"nearest"`, `"constant"` (`cval`), `"reflect"` or `"wrap"`.
        cval: for `"constant"`.
        horizontal_flip: mirror half of the images from left to right.
        vertical_flip: mirror half of the images upside down.
        rescale: factor of all values, applied after the random changes and the function.
        preprocessing_function: array (H, W, C) to array of the same shape, applied after the random changes.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        validation_split: share of the samples for `subset="validation"`: the first ones.
        interpolation_order: 0 takes the nearest pixel, 1 interpolates.
        dtype: of the batches; None stands for the default float type.

    Example:
        >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
        >>> batches = generator.flow(np.full((5, 4, 4, 3), 255.0), np.arange(5), batch_size=2, seed=1)
        >>> x, y = next(batches)
        >>> x.shape, float(x.max()), len(batches)
        ((2, 4, 4, 3), 1.0, 3)
    """

    featurewise_center: bool = False
    samplewise_center: bool = False
    featurewise_std_normalization: bool = False
    samplewise_std_normalization: bool = False
    zca_whitening: bool = False
    zca_epsilon: float = 1e-6
    rotation_range: float = 0
    width_shift_range: Any = 0.0
    height_shift_range: Any = 0.0
    brightness_range: Any = None
    shear_range: float = 0.0
    zoom_range: Any = 0.0
    channel_shift_range: float = 0.0
    fill_mode: str = "nearest"
    cval: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    rescale: float | None = None
    preprocessing_function: Callable[[Any], Any] | None = None
    data_format: str | None = None
    validation_split: float = 0.0
    interpolation_order: int = 1
    dtype: Any = None
    mean: _Array | None = field(default=None, init=False)
    std: _Array | None = field(default=None, init=False)
    zca_whitening_matrix: _Array | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.dtype = dtype_name(self.dtype)
        self.data_format = standardize_data_format(self.data_format)
        last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if last else (2, 3, 1)
        check_one_of(_WHERE, "fill_mode", self.fill_mode, FILL_MODES)
        check_one_of(_WHERE, "interpolation_order", self.interpolation_order, (0, 1))
        if self.validation_split and not 0 < self.validation_split < 1:
            expected = "validation_split above 0 and below 1"
            raise ArgumentError(message(_WHERE, expected=expected, got=self.validation_split))
        if self.brightness_range is not None:
            _pair("brightness_range", self.brightness_range)
        if isinstance(self.zoom_range, (int, float)):
            self.zoom_range = [1 - self.zoom_range, 1 + self.zoom_range]
        else:
            self.zoom_range = list(_pair("zoom_range", self.zoom_range))
        if self.zca_whitening and self.featurewise_std_normalization:
            self.featurewise_std_normalization = False
            _say("zca_whitening switches featurewise_std_normalization off.")
        if self.zca_whitening or self.featurewise_std_normalization:
            self._needs("featurewise_center", "zca_whitening" if self.zca_whitening else "the deviation")
        if self.samplewise_std_normalization:
            self._needs("samplewise_center", "samplewise_std_normalization")

    def _needs(self, name: str, why: str) -> None:
        if not getattr(self, name):
            setattr(self, name, True)
            _say(f"{why} switches {name} on.")

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Return batches of arrays, without end; see `NumpyArrayIterator` for the arguments."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            ignore_class_split=ignore_class_split,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Return batches of a folder's images, without end; see `DirectoryIterator` for the arguments."""
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Return batches of the images that a table names; see `DataFrameIterator` for the arguments."""
        check_old_dataframe_arguments(kwargs)
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode="raw" if class_mode == "other" else class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=bool(kwargs.get("keep_aspect_ratio", False)),
            dtype=self.dtype,
            validate_filenames=validate_filenames,
        )

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Return randomly drawn parameters for one image of this shape."""
        return draw_transform(self, img_shape, np.random if seed is None else np.random.RandomState(seed))

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> Any:
        """Return an image changed by such parameters as `get_random_transform` gives; any may be left out."""
        return transform(self, x, transform_parameters)

    def random_transform(self, x: Any, seed: int | None = None) -> Any:
        """Return an image changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: Any) -> Any:
        """Return images after function, rescaling, centring, scaling and whitening, done in place."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center:
            x -= self._learned("mean", "featurewise_center", 0)
        if self.featurewise_std_normalization:
            x /= self._learned("std", "featurewise_std_normalization", 1) + 1e-6
        if self.zca_whitening and self._learned("zca_whitening_matrix", "zca_whitening", None) is not None:
            flat = np.reshape(x, (-1, int(np.prod(x.shape[-3:]))))
            x = np.reshape(flat @ self.zca_whitening_matrix, x.shape)
        return x

    def _learned(self, name: str, why: str, nothing: Any) -> Any:
        value = getattr(self, name)
        if value is None:
            _say(f"{why} has nothing to work with. Call fit(x) on training data first.")
            return 1 - 1e-6 if nothing == 1 else nothing
        return value

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn mean, deviation and whitening from images.

        Args:
            x: images (N, H, W, C).
            augment: learn from images changed at random.
            rounds: times that each image is changed then.
            seed: of these changes.

        Raises:
            ShapeError: another number of axes.
        """
        images: _Array = np.array(x, dtype=self.dtype)
        if images.ndim != 4:
            raise ShapeError(message(f"{_WHERE}.fit", expected="images of 4 axes", got=images.shape))
        warn_of_channels(f"{_WHERE}.fit", images.shape[self.channel_axis])
        if self.rescale:
            images *= self.rescale
        if augment:
            rng = np.random if seed is None else np.random.RandomState(seed)
            shape = images.shape[1:]
            made = [
                transform(self, image, draw_transform(self, shape, rng))
                for _ in range(rounds)
                for image in images
            ]
            images = np.stack(made).astype(self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(images, axis=axes, keepdims=True)[0]
            images = images - self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(images, axis=axes, keepdims=True)[0]
            images = images / (self.std + 1e-6)
        if self.zca_whitening:
            flat = images.reshape(len(images), -1)
            vectors, values, _ = np.linalg.svd(flat.T, full_matrices=False)
            scaled = vectors * (np.sqrt(len(flat)) / (values + self.zca_epsilon))
            self.zca_whitening_matrix = scaled @ vectors.T


def _say(text: str) -> None:
    warnings.warn(f"{_WHERE}: {text}", stacklevel=4)


def _pair(name: str, value: Any) -> tuple[float, float]:
    numbers = isinstance(value, (tuple, list)) and all(isinstance(v, (int, float)) for v in value)
    if not numbers or len(value) != 2:
        raise ArgumentError(message(_WHERE, expected=f"{name} as two numbers", got=repr(value)))
    return float(value[0]), float(value[1])

"""The endless iterators of `ImageDataGenerator`: batches by number, or one after the other without end."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from neocog.core import check_int
from neocog.data._keras_images import array_to_img
from neocog.data._pydataset import PyDataset
from neocog.exceptions import ArgumentError, message

WHITE_LIST = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")


class Iterator(PyDataset):
    """Base of the iterators: subclasses make the batch of given sample numbers.

    Random numbers are Keras's: batch number i of all batches so far draws from NumPy's generator seeded by
    `seed + i`; without a seed from NumPy's global one.

    Args:
        n: samples.
        batch_size: samples a batch; the last one may be smaller.
        shuffle: a new order each epoch.
        seed: whole number or None.
    """

    white_list_formats = WHITE_LIST

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any) -> None:
        self.start(n, batch_size, shuffle, seed, **kwargs)

    def start(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any) -> None:
        """Begin before the first batch: what the constructor does."""
        PyDataset.__init__(self, **kwargs)
        self.n = n
        self.batch_size = check_int(type(self).__name__, "batch_size", batch_size, minimum=1)
        self.seed = seed
        self.shuffle = bool(shuffle)
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array: np.ndarray[Any, np.dtype[Any]] | None = None
        self.lock = threading.Lock()
        self._rng: Any = np.random

    def _set_index_array(self) -> np.ndarray[Any, np.dtype[Any]]:
        self.index_array = self._rng.permutation(self.n) if self.shuffle else np.arange(self.n)
        return self.index_array

    def _next_generator(self) -> Any:
        if self.seed is not None:
            self._rng = np.random.RandomState(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1
        return self._rng

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            expected = f"a batch number below {len(self)}"
            raise _NoBatch(message(type(self).__name__, expected=expected, got=index))
        with self.lock:
            rng = self._next_generator()
            order = self._set_index_array() if self.index_array is None else self.index_array
        first = self.batch_size * (index % len(self))
        return self.make_batch(order[first : first + self.batch_size], rng)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        with self.lock:
            rng = self._next_generator()
            order = self.index_array
            if self.batch_index == 0 or order is None:
                order = self._set_index_array()
            first = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > first + self.batch_size else 0
        return self.make_batch(order[first : first + self.batch_size], rng)

    def next(self) -> Any:
        """Return the next batch."""
        return self.__next__()

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._set_index_array()

    def reset(self) -> None:
        """Begin again with the first batch."""
        self.batch_index = 0

    def make_batch(self, index_array: Any, rng: Any) -> Any:
        """Return the batch of these samples; `rng` draws what is random in it."""
        del rng
        return self._get_batches_of_transformed_samples(index_array)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        """Return the batch of these samples: Keras's name, for subclasses of old code."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that makes batches.")


class _NoBatch(ArgumentError, IndexError):
    """A batch number beyond the last: ends `for batch in iterator` of Python's old protocol."""


def save_batch(
    batch: Any, numbers: Any, rng: Any, folder: str, name: tuple[str, str], data_format: str
) -> None:
    """Write the images of a batch, stretched to 0-255, as `prefix_number_random.format`."""
    prefix, suffix = name
    for number, image in zip(numbers, batch, strict=True):
        file = f"{prefix}_{number}_{rng.randint(10_000_000)}.{suffix}"
        array_to_img(image, data_format, scale=True).save(os.path.join(folder, file))

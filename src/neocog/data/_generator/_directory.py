"""Batches of the images of a folder, for `ImageDataGenerator.flow_from_directory`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from neocog.core import check_one_of
from neocog.data._folder import warn_of_closed
from neocog.data._generator._files import FileIterator, FileOptions
from neocog.data._generator._iterator import WHITE_LIST
from neocog.exceptions import DataError, message

_CLASS_MODES = ("categorical", "binary", "sparse", "input", None)


class DirectoryIterator(FileIterator):
    """Batches of the images of a folder with one folder a class.

    Args:
        directory: the folder.
        image_data_generator: changes and standardises the images; None leaves them.
        target_size: (height, width) in pixels.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        classes: the class folders to use, in the order of the labels; None takes all, sorted.
        class_mode: `"categorical"` (one-hot), `"binary"`, `"sparse"` (numbers), `"input"` (the images), None.
        batch_size: images a batch.
        shuffle: a new order each epoch.
        seed: whole number or None.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        save_to_dir: folder to which every image of a batch is written.
        save_prefix: of their names.
        save_format: their suffix.
        follow_links: visit folders behind symbolic links.
        subset: `"validation"` takes the first part of each class, `"training"` the rest.
        interpolation: as in `load_img`.
        keep_aspect_ratio: cut instead of stretching.
        dtype: of the images; None stands for the default float type.

    Raises:
        DataError: there is no such folder.
    """

    allowed_class_modes = set(_CLASS_MODES)

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        options = FileOptions(
            target_size=target_size,
            color_mode=color_mode,
            data_format=data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=dtype,
        )
        FileIterator.__init__(self, image_data_generator, options)
        self.class_mode = check_one_of("flow_from_directory", "class_mode", class_mode, _CLASS_MODES)
        self.directory = os.fspath(directory)
        if not os.path.isdir(self.directory):
            got = "a file" if os.path.exists(self.directory) else "no such folder"
            raise DataError(message(self.directory, expected="a folder with one folder a class", got=got))
        names = list(classes or _folders(self.directory))
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames, numbers = self._index(names, follow_links)
        self.classes = np.array(numbers, dtype=np.int32)
        self.samples = len(self.filenames)
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self.start(self.samples, batch_size, shuffle, seed)

    def _index(self, names: list[str], follow_links: bool) -> tuple[list[str], list[int]]:
        files: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            found = _images_below(os.path.join(self.directory, name), follow_links)
            chosen = [os.path.join(name, file) for file in found[self.part(len(found))]]
            files += chosen
            numbers += [number] * len(chosen)
        return files, numbers


def _folders(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))


def _images_below(folder: str, follow_links: bool) -> list[str]:
    """Return the images below a folder, relative to it, in Keras's order."""
    found = []
    walked = os.walk(folder, onerror=warn_of_closed, followlinks=follow_links)
    for root, _, files in sorted(walked, key=lambda entry: entry[0]):
        for file in sorted(files):
            if file.lower().endswith(WHITE_LIST):
                found.append(os.path.relpath(os.path.join(root, file), folder))
    return found

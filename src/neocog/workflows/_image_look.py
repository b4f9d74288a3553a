"""What the images of a folder look like: how large they should be read, and whether they have colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from neocog.data._image_files import open_image
from neocog.exceptions import DataError

PHOTO_SIZE = 128  # pixels a side to which photographs are read
_LEAST_SIZE = 8
_SAMPLE = 200
_GREY_MODES = ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def look_at(files: Sequence[str]) -> tuple[tuple[int, int], str]:
    """Return the size (height, width) and the colour mode that fit the images.

    Small images keep their size; with a side above 128 pixels, in the median, they are read at 128×128. They
    are grey when every one that was looked at is. A sample of the headers is read, nothing is decoded.
    """
    heights: list[int] = []
    widths: list[int] = []
    grey = True
    for file in files[:: max(len(files) // _SAMPLE, 1)]:
        try:
            with open_image(Path(file)) as image:
                widths.append(image.width)
                heights.append(image.height)
                grey = grey and image.mode in _GREY_MODES
        except DataError:
            continue  # listed when it is read
    if not heights:
        return (PHOTO_SIZE, PHOTO_SIZE), "rgb"
    height, width = int(median(heights)), int(median(widths))
    if max(height, width) > PHOTO_SIZE:
        height = width = PHOTO_SIZE
    return (max(height, _LEAST_SIZE), max(width, _LEAST_SIZE)), "grayscale" if grey else "rgb"

"""One image file becomes one uint8 array, whatever its format, mode and rotation.

Letters: H, W height and width in pixels, C channels.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from neocog.core import check_ntuple, check_one_of
from neocog.data._image_files import open_image

if TYPE_CHECKING:
    from PIL import Image

COLOR_MODES = {"rgb": 3, "grayscale": 1, "rgba": 4}

# Pillow has no lanczos5, gaussian and mitchellcubic: the filter nearest in sharpness stands for each.
_FILTERS = {
    "nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "area": "BOX", "box": "BOX",
    "hamming": "HAMMING", "lanczos": "LANCZOS", "lanczos3": "LANCZOS", "lanczos5": "LANCZOS",
    "gaussian": "HAMMING", "mitchellcubic": "BICUBIC",
}  # fmt: skip
INTERPOLATIONS = tuple(_FILTERS)
_ORIENTATION = 0x0112  # EXIF tag
# EXIF orientation to Pillow's Transpose member
_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE",
    6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90",
}  # fmt: skip


def load_image(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int] | int | None = None,
    color_mode: str = "rgb",
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Read an image file as pixels.

    Rotation by EXIF is applied; CMYK, palette and 1-bit images are converted; 16 bits are scaled to 8; a
    transparent image is laid on white unless `color_mode` is `"rgba"`; of an animation the first frame is
    taken. Shrinking is antialiased; a JPEG that shrinks to half or less is decoded at the smaller size.

    Args:
        path: JPEG, PNG, BMP, GIF, WebP, TIFF or PPM file; the content decides, not the suffix.
        size: (height, width) in pixels, or one number for both; None keeps the size.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"area"`, `"lanczos3"`, … (antialiased).
        crop_to_aspect_ratio: cut the middle to the shape of `size` before resizing.
        pad_to_aspect_ratio: resize within `size` and pad with black.

    Returns:
        uint8 array (H, W, C).

    Raises:
        DataError: a file that is missing, empty, truncated, no image or too large, with its name and fault.
    """
    check_one_of("load_image", "color_mode", color_mode, tuple(COLOR_MODES))
    check_one_of("load_image", "interpolation", interpolation, INTERPOLATIONS)
    target = None if size is None else check_ntuple("load_image", "size", size, 2)
    with open_image(path) as image:
        if target is not None:
            _draft(image, target, color_mode)
        image.load()
        turn = _orientation(image)
        pixels = _turned(to_color_mode(image, color_mode), turn)
        if target is not None:
            pixels = resize_image(
                pixels,
                target,
                interpolation,
                crop_to_aspect_ratio=crop_to_aspect_ratio,
                pad_to_aspect_ratio=pad_to_aspect_ratio,
            )
        array = np.array(pixels, dtype=np.uint8)
    return array if array.ndim == 3 else array[:, :, None]


def to_color_mode(image: Image.Image, color_mode: str) -> Image.Image:
    """Return `image` as 8-bit RGB, L or RGBA; see `load_image` for the rules."""
    from PIL import Image

    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    if image.mode == "LAB":
        raise ValueError("the colour space Lab")
    transparent = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    wanted = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}[color_mode]
    if not transparent or wanted == "RGBA":
        return _converted(image, wanted)
    layer = _converted(image, "RGBA")
    paper = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(paper, layer).convert("RGB").convert(wanted)


def resize_image(
    image: Image.Image,
    size: tuple[int, ...],
    interpolation: str = "bilinear",
    *,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
) -> Image.Image:
    """Return `image` at `size` (height, width): stretched, cut in the middle, or padded with black."""
    from PIL import Image

    resample = Image.Resampling[_FILTERS[interpolation]]
    height, width = size
    if pad_to_aspect_ratio and image.size != (width, height):
        scale = max(image.width / width, image.height / height)
        inner = (max(int(image.width / scale), 1), max(int(image.height / scale), 1))
        paper = Image.new(image.mode, (width, height))
        paper.paste(image.resize(inner, resample), ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return paper
    box = _middle(image.width, image.height, width, height) if crop_to_aspect_ratio else None
    if image.size == (width, height):
        return image
    return image.resize((width, height), resample, box=box)


def _middle(width: int, height: int, to_width: int, to_height: int) -> tuple[float, float, float, float]:
    """Return the largest centred box of the target's shape, by the rule of Keras's `smart_resize`."""
    box_height = max(min(height, int(width * to_height / to_width)), 1)
    box_width = max(min(width, int(height * to_width / to_height)), 1)
    top, left = (height - box_height) // 2, (width - box_width) // 2
    return (left, top, left + box_width, top + box_height)


def _draft(image: Any, size: tuple[int, ...], color_mode: str) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 where that still covers `size`, cut to its shape or not."""
    if image.format != "JPEG":
        return
    height, width = size[::-1] if _orientation(image) >= 5 else size
    if min(image.width // width, image.height // height) >= 2:
        image.draft("L" if color_mode == "grayscale" and image.mode == "RGB" else None, (width, height))


def _orientation(image: Image.Image) -> int:
    try:
        value = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1
    return value if value in _TURNS else 1


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    from PIL import Image

    if orientation not in _TURNS:
        return image
    return image.transpose(Image.Transpose[_TURNS[orientation]])


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Convert by way of a mode that Pillow can reach from any other."""
    if image.mode == mode:
        image.load()
        return image
    if image.mode in ("PA", "La", "RGBa"):
        image = image.convert({"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode in ("P", "1") and "transparency" in image.info and mode != "RGBA":
        image = image.convert("RGBA")
    if (
        image.mode in ("CMYK", "YCbCr", "HSV", "P")
        and mode in ("L", "RGBA")
        and "transparency" not in image.info
    ):
        image = image.convert("RGB")
    return image.convert(mode)


def _to_8_bits(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Scale 16-bit, 32-bit and float grey values to 0-255.

    16-bit images use their whole range. 32-bit and float ones declare none: 0-1 and 0-255 are taken as
    they are, up to 65535 as 16 bits, anything else from its least to its largest value.
    """
    if pixels.dtype.itemsize == 2:
        return np.asarray((pixels.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("pixels that are NaN or infinite")
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < 0 or high > 65535:
        values = (values - values.min()) * (255 / max(float(np.ptp(values)), 1e-12))
    elif high > 255:
        values = values / 257
    elif high <= 1 and pixels.dtype.kind == "f":
        values = values * 255
    return np.asarray(np.rint(values), dtype=np.uint8)

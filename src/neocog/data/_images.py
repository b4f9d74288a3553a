"""One image file becomes one uint8 array, whatever its format, mode and rotation.

Letters: H, W height and width in pixels, C channels.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neocog.core import check_ntuple, check_one_of
from neocog.data._image_files import FileBytes, open_image, read_file
from neocog.data._jpeg import decode_jpeg, turbo_version
from neocog.data._jpeg import orientation_of as _orientation
from neocog.data._look import COLOR_MODES, INTERPOLATIONS, Look
from neocog.data._resize import resize_pixels

if TYPE_CHECKING:
    from PIL import Image

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

# Whoever changes what `decode` returns raises this number: it is part of the decode cache's key.
_REVISION = 1

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
) -> Pixels:
    """Read an image file as pixels.

    Rotation by EXIF is applied; CMYK, palette and 1-bit images are converted; 16 bits are scaled to 8; a
    transparent image is laid on white unless `color_mode` is `"rgba"`; of an animation the first frame is
    taken. Shrinking is antialiased; a JPEG that shrinks to about half or less is decoded at the smaller size.

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
    look = Look(
        size=None if target is None else (target[0], target[1]),
        color_mode=color_mode,
        interpolation=interpolation,
        crop=bool(crop_to_aspect_ratio and not pad_to_aspect_ratio),
        pad=bool(pad_to_aspect_ratio),
    )
    return decode(read_file(path), look)


def decode(file: FileBytes, look: Look, out: Pixels | None = None) -> Pixels:
    """Return the pixels of a file that has been read, as `look` says.

    Args:
        file: from `read_file`.
        look: what the result is to look like.
        out: where to put it, contiguous uint8 (H, W, C) of the look's size; None makes an array.

    Raises:
        DataError: a file that is truncated, no image or too large, with its name and fault.
    """
    pixels = None if file.data is None else decode_jpeg(file.path, file.data, look)
    if pixels is None:
        pixels = _by_pillow(file, look)
    if out is None and look.size is None:
        return np.array(pixels, order="C")
    return resize_pixels(pixels, look, out)


def decoder_version() -> str:
    """Return what decides the pixels beside file and look: packages, and the processor's kernels."""
    import PIL

    parts = (f"neocog {_REVISION}", f"Pillow {PIL.__version__}", f"turbo {turbo_version()}")
    return ", ".join((*parts, f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}"))


def _by_pillow(file: FileBytes, look: Look) -> Pixels:
    with open_image(file.path, file.data) as image:
        _draft(image, look.size or image.size[::-1], look.color_mode, look)
        image.load()
        orientation = _orientation(image)  # Pillow has turned a TIFF by now, and says so
        array = np.array(_turned(to_color_mode(image, look.color_mode), orientation), dtype=np.uint8)
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


def _draft(image: Any, size: tuple[int, int], color_mode: str, look: Look | None = None) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 where that suffices, and only the brightness for a grey image."""
    if image.format not in ("JPEG", "MPO"):
        return
    look = look or Look(size=size, color_mode=color_mode)
    mode = "L" if color_mode == "grayscale" and image.mode == "RGB" else None
    scale = look.jpeg_scale(image.width, image.height, _orientation(image) >= 5)
    if mode or scale > 1:
        image.draft(mode, (max(1, image.width // scale), max(1, image.height // scale)))


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return a Pillow image as EXIF says that it is to be seen."""
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

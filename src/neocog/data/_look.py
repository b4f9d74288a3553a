"""What a decoded image is to look like."""

from __future__ import annotations

from dataclasses import dataclass

COLOR_MODES = {"rgb": 3, "grayscale": 1, "rgba": 4}

# Pillow has no lanczos5, gaussian and mitchellcubic: the filter nearest in sharpness stands for each.
FILTERS = {
    "nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "area": "BOX", "box": "BOX",
    "hamming": "HAMMING", "lanczos": "LANCZOS", "lanczos3": "LANCZOS", "lanczos5": "LANCZOS",
    "gaussian": "HAMMING", "mitchellcubic": "BICUBIC",
}  # fmt: skip
INTERPOLATIONS = tuple(FILTERS)

# A JPEG can be decoded at 1/2, 1/4 or 1/8 for little. For bilinear resizing it may come out this much smaller
# than its target: the triangle that antialiases the whole image blurs as much (docs/decoding.md has numbers).
_LEAST = {"bilinear": 0.85, "nearest": float("inf")}


@dataclass(frozen=True, slots=True)
class Look:
    """Size, colours and resizing of decoded images.

    Attributes:
        size: (height, width) in pixels, or None for the image's own.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        interpolation: one of `INTERPOLATIONS`.
        crop: cut the middle to the shape of `size` before resizing.
        pad: resize within `size` and pad with black.
    """

    size: tuple[int, int] | None = None
    color_mode: str = "rgb"
    interpolation: str = "bilinear"
    crop: bool = False
    pad: bool = False

    @property
    def channels(self) -> int:
        """Channels of a decoded image."""
        return COLOR_MODES[self.color_mode]

    def jpeg_scale(self, width: int, height: int, turned: bool) -> int:
        """Return 1, 2, 4 or 8: the part of its sides at which a JPEG is decoded.

        Args:
            width, height: as the file declares them.
            turned: whether EXIF exchanges the sides.
        """
        if self.size is None:
            return 1
        to_height, to_width = self.size[::-1] if turned else self.size
        ratios = (width / to_width, height / to_height)
        ratio = max(ratios) if self.pad else min(ratios)
        least = _LEAST.get(self.interpolation, 1.0)
        for scale in (8, 4, 2):
            if ratio / scale >= least:
                return scale
        return 1

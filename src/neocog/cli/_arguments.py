"""From texts on the command line to values."""

from __future__ import annotations

import re

from neocog.exceptions import ArgumentError, message


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return (height, width) from `"96"` or `"96x128"`.

    Raises:
        ArgumentError: the text is neither.

    Example:
        >>> parse_size("96"), parse_size("96x128")
        ((96, 96), (96, 128))
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[x×X*]\s*(\d{1,5}))?\s*", text)
    if found is None:
        expected = "pixels a side (96), or height x width (96x128)"
        raise ArgumentError(message("--image-size", expected=expected, got=repr(text)))
    return int(found[1]), int(found[2] or found[1])

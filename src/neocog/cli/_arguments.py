"""What commands share: options, and texts on the command line as values."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from neocog.exceptions import ArgumentError, message

Traceback = Annotated[bool, typer.Option("--traceback", help="Show Python's traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result alone.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
RunFolder = Annotated[str, typer.Argument(help="Folder of a run.", metavar="RUN")]


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

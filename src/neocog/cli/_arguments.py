"""What commands share: options, and texts on the command line as values."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from neocog.exceptions import ArgumentError, message

Traceback = Annotated[bool, typer.Option("--traceback", help="Show Python's traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result alone.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Task = Annotated[str, typer.Option(help="auto (by the labels), single-label, multi-label or regression.")]
Label = Annotated[
    str | None, typer.Option(help="A manifest's column, or several with commas, with what is to be learned.")
]
Pattern = Annotated[
    str | None, typer.Option(help='How file names tell the class: "{label}_{n}.jpg", or a regex.')
]
Images = Annotated[str | None, typer.Option(help="Folder that a manifest's paths are relative to.")]
GroupBy = Annotated[
    str | None,
    typer.Option(help='A manifest\'s column, or "{group}_*.jpg": images of one group stay in one part.'),
]
Tta = Annotated[
    int | None, typer.Option(help="Mean of so many passes: the image, and augmented versions of it.")
]
Every = Annotated[
    str | None, typer.Option(help="Keep a snapshot every 5min (default), 30s, 100steps or 1epochs.")
]
Processes = Annotated[
    str | None, typer.Option(help="Train in so many processes; auto: one a GPU. Default: 1.")
]
MaxRestarts = Annotated[
    int, typer.Option(help="Of several processes: start all again so often when one dies.", min=0)
]
RunFolder = Annotated[str, typer.Argument(help="Folder of a run.", metavar="RUN")]


def parse_batch_size(text: str | None) -> int | str | None:
    """Return a number of images, or `"auto"`.

    Raises:
        ArgumentError: the text is neither.

    Example:
        >>> parse_batch_size("64"), parse_batch_size("auto")
        (64, 'auto')
    """
    if text is None or text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentError(message("--batch-size", expected="a whole number or auto", got=repr(text)))
    return int(text)


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

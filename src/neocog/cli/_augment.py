"""`neocog augment`."""

from __future__ import annotations

from typing import Annotated

import typer

from neocog.cli._arguments import Json, Traceback, parse_size
from neocog.cli._guard import finish, say


def augment(
    path: Annotated[str, typer.Argument(help="An image, or a folder of images.", metavar="PATH")],
    augment: Annotated[
        str,
        typer.Option(
            help="auto (what train takes), none, light, mirror, photo, notes, randaugment, mixup, cutmix."
        ),
    ] = "auto",
    count: Annotated[int, typer.Option(help="Versions of each image.")] = 6,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    image_size: Annotated[
        str | None, typer.Option(help="96, or 96x128 (height x width). Default: as train reads them.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="The sheet, a .png file. Default: <name>-augmented.png.")
    ] = None,
    as_json: Json = False,
    traceback: Traceback = False,
) -> None:
    """Draw a sheet of augmented versions of images, to look at before training."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import printable
        from neocog.cli._output import print_json

        result = workflows.augment(
            path, augment=augment, seed=seed, count=count, image_size=parse_size(image_size), out=out
        )
        for file, reason in result.broken:
            say(f"left out: {file}: {reason}")
        if as_json:
            print_json(result.as_dict())
            return 0
        shown = "1 image" if result.found == 1 else f"{len(result.files)} of {result.found} images"
        print(f"{shown}, {count} versions each by {result.augment!r}")
        print(printable(f"sheet {result.sheet}"))
        return 0

    finish(work, traceback)

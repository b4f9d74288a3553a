"""`neocog predict`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from neocog.cli._arguments import Json, RunFolder, Traceback, Tta
from neocog.cli._guard import BAD_INPUT, finish, say


def predict(
    run: RunFolder,
    images: Annotated[list[str], typer.Argument(help="Image files, or folders of images.")],
    tta: Tta = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the result as CSV on stdout.")] = False,
    traceback: Traceback = False,
) -> None:
    """Say what is in images.

    Files that cannot be read are listed on stderr; the others are still answered, and the exit code is 2.
    """

    def work() -> int:
        from neocog import workflows
        from neocog.cli._output import print_json, print_predictions, print_predictions_csv
        from neocog.exceptions import ArgumentError, message

        if as_json and as_csv:
            raise ArgumentError(message("predict", expected="--json or --csv", got="both"))
        result = workflows.predict(run, images, tta=tta)
        if as_json:
            print_json(result.as_dict())
        elif as_csv:
            print_predictions_csv(result)
        else:
            print_predictions(result)
        sys.stdout.flush()
        for file, reason in result.broken:
            say(f"error: {file}: {reason}")
        return BAD_INPUT if result.broken else 0

    finish(work, traceback)

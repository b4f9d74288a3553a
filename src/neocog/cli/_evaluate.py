"""`neocog evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from neocog.cli._arguments import Images, Json, Label, Pattern, Quiet, RunFolder, Traceback, Tta
from neocog.cli._guard import finish, say


def evaluate(
    run: RunFolder,
    data: Annotated[
        str | None,
        typer.Argument(help="A folder of images or a manifest. Default: the run's test images."),
    ] = None,
    label: Label = None,
    pattern: Pattern = None,
    images: Images = None,
    tta: Tta = None,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Measure a run's model on its own test images, or on others."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import TrainingView
        from neocog.cli._output import print_evaluation, print_json

        with TrainingView(quiet=quiet, to_stderr=as_json) as view:
            result = workflows.evaluate(run, data, view, label=label, pattern=pattern, images=images, tta=tta)
        for file, reason in result.broken:
            say(f"left out: {file}: {reason}")
        if as_json:
            print_json(result.as_dict())
        else:
            print_evaluation(result, quiet=quiet)
        return 0

    finish(work, traceback)

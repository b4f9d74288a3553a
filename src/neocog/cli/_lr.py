"""`neocog lr`."""

from __future__ import annotations

from typing import Annotated

import typer

from neocog.cli._arguments import GroupBy, Images, Json, Label, Pattern, Quiet, Task, Traceback
from neocog.cli._guard import finish

EXAMPLES = "neocog lr digits · neocog lr photos · neocog lr photos --model mobilenet --weights auto"


def lr(
    context: typer.Context,
    data: Annotated[str, typer.Argument(help="As for neocog train.", metavar="DATA")],
    model: Annotated[str, typer.Option(help="As for neocog train.")] = "auto",
    weights: Annotated[
        str | None, typer.Option(help="As for neocog train; the head's rate is found, on the frozen base.")
    ] = None,
    image_size: Annotated[str | None, typer.Option(help="96, or 96x128 (height x width).")] = None,
    color: Annotated[str, typer.Option(help="auto, rgb or grayscale.")] = "auto",
    batch_size: Annotated[int | None, typer.Option(help="Images a step. Default: by the data.")] = None,
    augment: Annotated[str, typer.Option(help="As for neocog train.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    lowest: Annotated[float, typer.Option(help="First learning rate.")] = 1e-7,
    highest: Annotated[float, typer.Option(help="Last learning rate.")] = 10.0,
    steps: Annotated[int, typer.Option(help="How many rates.")] = 100,
    out: Annotated[str | None, typer.Option(help="The plot. Default: learning-rate-<data>.png.")] = None,
    task: Task = "auto",
    label: Label = None,
    pattern: Pattern = None,
    images: Images = None,
    group_by: GroupBy = None,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Find a learning rate: try rising ones on some batches, and draw the losses."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import TrainingView
        from neocog.cli._output import print_json
        from neocog.cli._training import config_of

        config = config_of(context, out=None)
        with TrainingView(quiet=quiet, to_stderr=as_json) as view:
            result = workflows.learning_rate(
                config, view, lowest=lowest, highest=highest, steps=steps, out=out
            )
        if as_json:
            print_json(result.as_dict())
        else:
            _print(result)
        return 0

    finish(work, traceback)


def _print(result: object) -> None:
    from neocog import workflows
    from neocog.cli._console import printable

    if not isinstance(result, workflows.LearningRateResult):
        return
    found = result.found
    own = "" if result.recipe_rate is None else f" (train's own: {result.recipe_rate:.2g})"
    print(printable(f"suggestion     {found.suggestion:.2g}{own}"))
    print(f"falls fastest  {found.steepest:.2g}")
    print(f"lowest / 10    {found.minimum_tenth:.2g}")
    print(printable(f"plot           {result.plot}"))
    print(printable(f"next           neocog train … {result.option}"))

"""The commands: arguments in, a workflow run, its result out.

`neocog.workflows`, which needs torch, is imported when a command runs: `--help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from neocog._version import __version__
from neocog.cli._arguments import parse_size
from neocog.cli._guard import BAD_INPUT, INTERRUPTED, guarded, say

app = typer.Typer(
    name="neocog",
    help="Train image classifiers, see how good they are, and use them.",
    epilog="First steps: neocog train digits · neocog train photos · neocog predict runs/photos-1 new.jpg",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Traceback = Annotated[bool, typer.Option("--traceback", help="Show Python's traceback of an error.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result alone.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
_RunFolder = Annotated[str, typer.Argument(help="Folder of a run.", metavar="RUN")]

_TRAIN_EXAMPLES = """\
Examples:

\b
  neocog train digits                      real digits, no download, seconds
  neocog train photos                      photos/cat/*.jpg, photos/dog/*.jpg, …
  neocog train photos --epochs 20 --seed 1 --out runs/second
  neocog train photos --model cnn --image-size 96

\b
Models: mlp, lenet, small-cnn (images up to 64 pixels), cnn (quick), small-resnet (photographs).
Ctrl-C ends the training; what was learned so far is measured and kept.
"""


def _version(value: bool) -> None:
    if value:
        print(f"neocog {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train image classifiers, see how good they are, and use them."""


@app.command(epilog=_TRAIN_EXAMPLES)
def train(
    data: Annotated[
        str,
        typer.Argument(
            help="A folder of images, one folder a class, or a data set: digits, mnist, fashion_mnist, "
            "cifar10, cats_vs_dogs.",
            metavar="DATA",
        ),
    ],
    model: Annotated[str, typer.Option(help="auto goes by the size of the images; see below.")] = "auto",
    image_size: Annotated[
        str | None, typer.Option(help="96, or 96x128 (height x width). Default: by the images.")
    ] = None,
    color: Annotated[str, typer.Option(help="auto, rgb or grayscale.")] = "auto",
    epochs: Annotated[int | None, typer.Option(help="At most so many. Default: by the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step. Default: by the data.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest rate. Default: the recipe's.")] = None,
    augment: Annotated[str, typer.Option(help="auto, none, light, mirror or photo.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation; the split stays.")] = 0,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    out: Annotated[str | None, typer.Option(help="Folder of the run. Default: runs/<data>-<n>.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at broken images.")] = False,
    as_json: _Json = False,
    quiet: _Quiet = False,
    traceback: _Traceback = False,
) -> None:
    """Make a classifier from images: split, train, test, and leave a run with a report."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import TrainingView
        from neocog.cli._output import print_json, print_training

        config = workflows.TrainConfig(
            data=data,
            out=out,
            model=model,
            image_size=parse_size(image_size),
            color=color,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            augment=augment,
            seed=seed,
            precision=precision,
            strict=strict,
        )
        with TrainingView(quiet=quiet, to_stderr=as_json) as view:
            result = workflows.train(config, view)
        if as_json:
            print_json(result.as_dict())
        else:
            print_training(result)
        return INTERRUPTED if result.interrupted else 0

    _finish(work, traceback)


@app.command()
def evaluate(
    run: _RunFolder,
    data: Annotated[
        str | None,
        typer.Argument(help="Folder of images in class folders. Default: the run's test images."),
    ] = None,
    as_json: _Json = False,
    quiet: _Quiet = False,
    traceback: _Traceback = False,
) -> None:
    """Measure a run's model on its own test images, or on others."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import TrainingView
        from neocog.cli._output import print_evaluation, print_json

        with TrainingView(quiet=quiet, to_stderr=as_json) as view:
            result = workflows.evaluate(run, data, view)
        for file, reason in result.broken:
            say(f"left out: {file}: {reason}")
        if as_json:
            print_json(result.as_dict())
        else:
            print_evaluation(result, quiet=quiet)
        return 0

    _finish(work, traceback)


@app.command()
def predict(
    run: _RunFolder,
    images: Annotated[list[str], typer.Argument(help="Image files, or folders of images.")],
    as_json: _Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the result as CSV on stdout.")] = False,
    traceback: _Traceback = False,
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
        result = workflows.predict(run, images)
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

    _finish(work, traceback)


def _finish(work: Callable[[], int], traceback: bool) -> None:
    code = guarded(work, show_traceback=traceback)
    if code:
        raise typer.Exit(code)


def main() -> None:
    """Run the command line."""
    app()

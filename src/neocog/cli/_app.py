"""The commands, one module each: arguments in, a workflow run, its result out.

`neocog.workflows`, which needs torch, is imported when a command runs: `--help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from neocog._version import __version__
from neocog.cli import _augment, _bench, _check, _compare, _evaluate, _lr, _predict, _resume, _search, _train

app = typer.Typer(
    name="neocog",
    help="Train image classifiers, see how good they are, and use them.",
    epilog="First steps: neocog train digits · neocog train photos · neocog predict runs/photos-1 new.jpg",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command(epilog=_train.EXAMPLES)(_train.train)
app.command(epilog=_resume.EXAMPLES)(_resume.resume)
app.command(epilog=_check.EXAMPLES)(_check.check)
app.command()(_evaluate.evaluate)
app.command()(_predict.predict)
app.command()(_augment.augment)
app.command(epilog=_bench.EXAMPLES)(_bench.bench)
app.command()(_compare.compare)
app.command(epilog=_lr.EXAMPLES)(_lr.lr)
app.command(epilog=_search.EXAMPLES)(_search.search)


def main() -> None:
    """Run the command line."""
    app()

"""`neocog check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from neocog.cli._arguments import Json, Quiet, Traceback
from neocog.cli._guard import finish

if TYPE_CHECKING:
    from neocog import workflows

FOUND = 3  # exit code: something as grave as --fail-on was found
EXAMPLES = """\
Examples:

\b
  neocog check photos                      photos/cat/*.jpg, photos/dog/*.jpg, …
  neocog check labels.csv --fail-on error
  neocog check photos --features none      copies and broken files alone, quicker

\b
Exit codes: 0 nothing as grave as --fail-on, 3 something, 2 bad input, 130 Ctrl-C.
"""
_FAIL_ON = ("information", "warning", "error", "never")


def check(
    data: Annotated[
        str,
        typer.Argument(help="A folder of images, a manifest, or a data set of photographs.", metavar="DATA"),
    ],
    out: Annotated[
        str | None, typer.Option(help="Folder of the findings. Default: checks/<data>-<n>.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Weights of a pretrained network that labels are judged by.")
    ] = None,
    features: Annotated[
        str,
        typer.Option(help="auto: pretrained where weights are at hand; classical; none: labels unjudged."),
    ] = "auto",
    fail_on: Annotated[
        str, typer.Option(help="Exit with 3 on findings so grave: information, warning, error or never.")
    ] = "warning",
    task: Annotated[str, typer.Option(help="auto, single-label, multi-label or regression.")] = "auto",
    label: Annotated[str | None, typer.Option(help="The manifest's column with the label.")] = None,
    pattern: Annotated[str | None, typer.Option(help='Form of file names: "{label}_{n}.jpg".')] = None,
    images: Annotated[
        str | None, typer.Option(help="Folder that a manifest's paths are relative to.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the folds that labels are judged in.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Find what is wrong with images: broken, copied, leaking, mislabelled, odd ones out."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import TrainingView
        from neocog.cli._output import print_json
        from neocog.core import check_one_of

        limit = check_one_of("check", "--fail-on", fail_on, _FAIL_ON)
        config = workflows.CheckConfig(
            data=data,
            out=out,
            weights=weights,
            features=features,
            seed=seed,
            task=task,
            label=label,
            pattern=pattern,
            images=images,
        )
        with TrainingView(quiet=quiet, to_stderr=as_json) as view:
            result = workflows.check(config, view)
        if as_json:
            print_json(result.as_dict())
        else:
            print_check(result, quiet=quiet)
        return FOUND if result.fails(limit) else 0

    finish(work, traceback)


def print_check(result: workflows.CheckResult, *, quiet: bool) -> None:
    """Print the findings as a table, with the first examples."""
    from neocog.cli._console import printable
    from neocog.cli._output import print_table

    rows = []
    for found in result.details:
        first = next(iter(found["cases"]))
        example = " = ".join(first["files"][:2]) if len(first["files"]) > 1 else "".join(first["files"])
        note = f"{example}: {first['note']}" if example else first["note"]
        rows.append((found["title"], str(found["count"]), found["severity"], note, found["advice"]))
    classes = f", {result.classes} classes" if result.classes else ""
    print(printable(f"{result.name}: {result.images} images{classes}, checked in {result.seconds:.0f} s"))
    if rows:
        print()
        print_table(("finding", "cases", "severity", "the first", "what to do"), rows, numbers=(1,))
        print()
    else:
        print("nothing wrong found")
    if not quiet:
        print(printable(result.trust))
    print(printable(f"findings {result.folder}"))
    print(printable(f"report   {result.folder / 'report.html'}"))

"""`neocog search`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neocog.cli._arguments import (
    GroupBy,
    Images,
    Json,
    Label,
    Pattern,
    Quiet,
    Task,
    Traceback,
)
from neocog.cli._guard import INTERRUPTED, finish
from neocog.exceptions import ArgumentError, message

if TYPE_CHECKING:
    from neocog import workflows

EXAMPLES = """\
Examples:

\b
  neocog search digits                     30 trials: small and short first, then larger and longer
  neocog search photos --time 30m --workers 2
  neocog search photos --fix batch_size=32 --search lr=1e-4:1e-2 --search width=0.5:2
  neocog search photos --search model=cnn,small-resnet
  neocog search photos --model mobilenet --weights auto
  neocog search runs/photos-search --trials 60         go on with a study

\b
Settings: learning_rate (lr), batch_size, width, depth, dropout, weight_decay, augment_strength, augment,
model, epochs; with --weights also head_rate and finetune (top blocks).
Ctrl-C keeps what is done; the same command goes on. The same command in a second terminal helps.
"""


def search(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(help="Images, as for `neocog train`; or the folder of a study.", metavar="DATA"),
    ],
    trials: Annotated[
        int | None, typer.Option(help="That count in the end. Default: 30, or the study's.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="90s, 30m, 2h: then the best so far is trained in full.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = 1,
    out: Annotated[str | None, typer.Option(help="Folder of the study. Default: runs/<data>-search.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a study, begin none.")] = False,
    fix: Annotated[
        list[str] | None, typer.Option(help="A setting for all trials: batch_size=32.", metavar="NAME=VALUE")
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(help="A range, or values with commas: lr=1e-4:1e-2.", metavar="NAME=LOW:HIGH"),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="TOML with the tables [fix] and [search].", metavar="FILE")
    ] = None,
    model: Annotated[str, typer.Option(help="As for `neocog train`.")] = "auto",
    weights: Annotated[str | None, typer.Option(help="As for `neocog train`.")] = None,
    finetune: Annotated[str, typer.Option(help="Fixes what is fine-tuned; auto searches it.")] = "auto",
    image_size: Annotated[str | None, typer.Option(help="96, or 96x128 (height x width).")] = None,
    color: Annotated[str, typer.Option(help="auto, rgb or grayscale.")] = "auto",
    epochs: Annotated[int | None, typer.Option(help="Of a full trial. Default: by the data.")] = None,
    augment: Annotated[str, typer.Option(help="As for `neocog train`; its strength is searched.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at broken images.")] = False,
    task: Task = "auto",
    label: Label = None,
    pattern: Pattern = None,
    images: Images = None,
    group_by: GroupBy = None,
    leaks: Annotated[str, typer.Option(help="As for `neocog train`.")] = "keep",
    split: Annotated[str | None, typer.Option(help="As for `neocog train`.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Search settings for a classifier by many short trainings, and train the best one in full."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._training import config_of

        fixed, searched = _wishes(space, fix or [], search or [])
        request = workflows.SearchRequest(
            config=config_of(context, out=None),
            out=out,
            trials=trials,
            seconds=parse_time(time),
            workers=workers,
            fix=fixed,
            search=searched,
            resume=resume,
        )
        return _searched(request, as_json, quiet)

    finish(work, traceback)


def _searched(request: Any, as_json: bool, quiet: bool) -> int:
    """Search, show what was found, and return the exit code."""
    from neocog import workflows
    from neocog.cli._output import print_json
    from neocog.cli._search_view import SearchView, print_search

    with SearchView(quiet=quiet, to_stderr=as_json) as view:
        result = workflows.search(request, view)
    if as_json:
        print_json(result.as_dict())
    else:
        print_search(result, quiet=quiet)
    return INTERRUPTED if result.interrupted else 0


_SECONDS = {"": 60.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_time(text: str | None) -> float | None:
    """Return seconds from `"90s"`, `"30m"`, `"1.5h"`; a number alone is minutes.

    Raises:
        ArgumentError: the text is neither.

    Example:
        >>> parse_time("90s"), parse_time("1.5h"), parse_time("20")
        (90.0, 5400.0, 1200.0)
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*(s|m|min|h|d|)\s*", text.lower())
    if found is None:
        raise ArgumentError(message("--time", expected="a time such as 90s, 30m or 2h", got=repr(text)))
    return float(found[1]) * _SECONDS[found[2]]


def _wishes(
    space: str | None, fix: Sequence[str], search: Sequence[str]
) -> tuple[dict[str, workflows.Value], dict[str, str]]:
    """Return what is fixed and what is searched; the command line goes before the file."""
    from neocog import workflows

    fixed, searched = workflows.read_space_file(space) if space is not None else ({}, {})
    for name, text in _pairs("--fix", fix).items():
        fixed[name] = workflows.setting_value(name, text, f"--fix {name}={text}")
        searched.pop(name, None)
    given = _pairs("--search", search)
    for name in given:
        if space is not None and name in fixed and name not in _pairs("--fix", fix):
            fixed.pop(name)
    return fixed, {**searched, **given}


def _pairs(option: str, texts: Sequence[str]) -> Mapping[str, Any]:
    from neocog import workflows

    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not value.strip():
            form = "name=value" if option == "--fix" else "name=low:high or name=a,b,c"
            raise ArgumentError(message(option, expected=form, got=repr(text)))
        key = workflows.setting_name(name, option)
        if key in found:
            raise ArgumentError(message(option, expected=f"{key} once", got="twice"))
        found[key] = value.strip()
    return found

"""`neocog compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from neocog.cli._arguments import Json, Traceback
from neocog.cli._guard import finish, say


def compare(
    runs: Annotated[list[str], typer.Argument(help="Folders of two to six runs.", metavar="RUN RUN…")],
    out: Annotated[str, typer.Option(help="The page with the curves.")] = "compare.html",
    as_json: Json = False,
    traceback: Traceback = False,
) -> None:
    """Put runs side by side: what they are worth, how they learned, in which settings they differ."""

    def work() -> int:
        from neocog import workflows
        from neocog.cli._console import printable
        from neocog.cli._output import print_comparison, print_json

        result = workflows.compare(runs, out)
        for note in result.notes:
            say(f"note: {note}")
        if as_json:
            print_json(result.as_dict())
            return 0
        print_comparison(result)
        print(printable(f"\npage {result.page}"))
        return 0

    finish(work, traceback)

"""What `neocog train` and `neocog resume` share: a view of the work, one process or several, the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import typer

from neocog import workflows
from neocog.cli._console import TrainingView
from neocog.cli._guard import INTERRUPTED
from neocog.cli._output import print_json, print_training


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a training runs and what is printed of it; nothing of this changes its result.

    Attributes:
        processes: as `--processes`; None goes by the run, one for a new one.
        max_restarts: of several processes.
        as_json, quiet: how the result and the way to it are shown.
    """

    processes: str | None = None
    max_restarts: int = 3
    as_json: bool = False
    quiet: bool = False


def given_options(context: typer.Context, config: workflows.TrainConfig) -> dict[str, Any]:
    """Return the settings that stand on the command line."""
    names = [field.name for field in fields(config)]
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if context.params.get("no_snapshots"):
        given.append("every")
    return {name: getattr(config, name) for name in given if name != "out"}


def trained(config: workflows.TrainConfig, given: Mapping[str, Any] | None, form: Form) -> int:
    """Train, or with `given` go on where a run is there, and return the exit code."""

    def work(view: TrainingView) -> workflows.TrainResult | None:
        if given is None:
            return workflows.train(config, view)
        return workflows.train_or_resume(config, view, given=given)

    return _shown(work, form)


def resumed(run: str, given: Mapping[str, Any], form: Form) -> int:
    """Finish a run and return the exit code."""
    return _shown(lambda view: workflows.resume(run, view, given=given), form)


def _shown(work: Callable[[TrainingView], workflows.TrainResult | None], form: Form) -> int:
    with TrainingView(quiet=form.quiet, to_stderr=form.as_json) as view:
        result = work(view)
    if result is None:
        return 0
    if workflows.leads():
        if form.as_json:
            print_json(result.as_dict())
        else:
            print_training(result)
    return INTERRUPTED if result.interrupted else 0

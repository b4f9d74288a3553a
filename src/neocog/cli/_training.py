"""What `neocog train` and `neocog resume` share: a view of the work, one process or several, the result."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import typer

from neocog import workflows
from neocog.cli._arguments import parse_size
from neocog.cli._console import TrainingView
from neocog.cli._guard import BAD_INPUT, INTERRUPTED, say
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


def config_of(context: typer.Context, **others: Any) -> workflows.TrainConfig:
    """Return the configuration that a command's options make: those that are named as its fields are.

    Args:
        context: of the command.
        others: what differs from the option of that name, or has none.
    """
    names = {field.name for field in fields(workflows.TrainConfig)}
    given = {name: value for name, value in context.params.items() if name in names}
    given["image_size"] = parse_size(given.get("image_size"))
    return workflows.TrainConfig(**{**given, **others})


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

    if given is None and workflows.restarted():
        given = {}  # torchrun starts the same command again after a process died
    path = None if given is None else workflows.found_run(config)
    if path is not None:
        return resumed(str(path), given or {}, form)
    count = workflows.wanted_processes(form.processes)
    if count == 1 or workflows.processes() > 1:
        return _shown(lambda view: workflows.train(config, view), form)
    folder = workflows.claimed(config, count)
    code = _in_processes(folder.path, {}, form, count)
    if code in (BAD_INPUT, INTERRUPTED):
        workflows.forget_if_empty(folder)
    return code


def resumed(run: str, given: Mapping[str, Any], form: Form) -> int:
    """Finish a run and return the exit code."""
    if workflows.processes() == 1:
        count = workflows.wanted_processes(form.processes, workflows.processes_of(run))
        if count > 1 and workflows.is_open(run, given):
            return _in_processes(Path(run), given, form, count)
    return _shown(lambda view: workflows.resume(run, view, given=given), form)


def _in_processes(run: Path, given: Mapping[str, Any], form: Form, count: int) -> int:
    """Work on a run in several processes; what went wrong in any of them is told once."""
    settings = {"given": dict(given), "form": asdict(replace(form, processes=None))}
    command = [sys.executable, "-P", "-m", "neocog.cli._worker", "{board}", str(run), json.dumps(settings)]
    outcome = workflows.run_in_processes(command, count, form.max_restarts)
    if outcome.text:
        say(outcome.text if outcome.code == INTERRUPTED else f"error: {outcome.text}")
    if outcome.code == BAD_INPUT and workflows.has_snapshots(run):
        say(f"go on with: neocog resume {shlex.quote(str(run))}")
    return outcome.code


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

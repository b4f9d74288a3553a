"""`neocog bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from neocog.cli._arguments import Json, Quiet, Traceback
from neocog.cli._guard import finish
from neocog.exceptions import ArgumentError, message

if TYPE_CHECKING:
    from neocog.training import Calibration

EXAMPLES = "neocog bench · neocog bench --calibrate · neocog bench --show · neocog bench --reset"


def bench(
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure and keep the thresholds by which fit makes its plan.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the thresholds that hold here.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was measured here.")] = False,
    seconds: Annotated[
        float | None, typer.Option(help="About how long each measurement takes.", min=0.01, max=60)
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Measure how fast this machine trains, or the thresholds by which fit decides how to."""

    def work() -> int:
        if calibrate + show + reset > 1:
            expected = "one of --calibrate, --show and --reset"
            raise ArgumentError(message("neocog bench", expected=expected, got="several"))
        if reset:
            return _reset()
        if show:
            return _show(as_json)
        return _calibrate(seconds, as_json, quiet) if calibrate else _bench(seconds, as_json, quiet)

    finish(work, traceback)


def _bench(seconds: float | None, as_json: bool, quiet: bool) -> int:
    from neocog import workflows
    from neocog.cli._console import TrainingView, printable
    from neocog.cli._output import print_json, print_table

    with TrainingView(quiet=quiet, to_stderr=as_json) as view:
        result = workflows.bench(seconds=seconds or 1.0, report=view)
    if as_json:
        print_json(result.as_dict())
        return 0
    print(printable(f"{result.machine}, {result.threads} threads, torch {result.torch}"))
    rows = [(s.what, f"{s.value:,.0f}" if s.value >= 100 else f"{s.value:.3g}", s.unit, s.how)
            for s in result.speeds]  # fmt: skip
    print_table(("what", "speed", "", "plan"), rows, numbers=(1,))
    return 0


def _calibrate(seconds: float | None, as_json: bool, quiet: bool) -> int:
    from neocog import workflows
    from neocog.cli._console import TrainingView, printable
    from neocog.cli._output import print_json, print_table

    with TrainingView(quiet=quiet, to_stderr=as_json) as view:
        result = workflows.calibrate(seconds=seconds or 0.4, report=view)
    if as_json:
        print_json(result.as_dict())
        return 0
    rows = [(p.kind, p.network, f"{p.size:.2g}", f"{p.gain:.2f} ×") for p in result.points]
    if rows:
        print_table(("networks", "layers", "operations", "gain"), rows, numbers=(2, 3))
        print()
    _print_thresholds(result.calibration, result.before)
    print(
        printable(f"kept in {result.file}; fit goes by them from now on (neocog bench --reset forgets them)")
    )
    return 0


def _show(as_json: bool) -> int:
    from neocog import workflows
    from neocog.cli._output import print_json

    found = workflows.thresholds()
    if as_json:
        print_json(found.as_dict())
        return 0
    _print_thresholds(found.calibration, found.before)
    print("built in" if found.file is None else f"measured {found.calibration.source}, kept in {found.file}")
    return 0


def _reset() -> int:
    from neocog import workflows

    found = workflows.forget_thresholds()
    print(
        "forgotten: fit goes by the built-in thresholds" if found else "nothing was measured on this machine"
    )
    return 0


def _print_thresholds(now: Calibration, before: Calibration) -> None:
    from neocog.cli._output import print_table

    rows = [(title, _written(getattr(now, name)), _written(getattr(before, name)))
            for name, title in _TITLES.items()]  # fmt: skip
    print_table(("threshold", "here", "built in"), rows, numbers=(1, 2))


_TITLES = {
    "bfloat16_dense": "half precision without convolutions: from operations a batch",
    "bfloat16_convolutional": "half precision with convolutions: from operations a batch",
    "graphs_flops_per_layer": "recorded steps (CUDA graphs): up to operations a layer",
    "compile_flops": "torch.compile on a GPU: from operations a batch",
}


def _written(value: float) -> str:
    return "never" if value == float("inf") else f"{value:.3g}"

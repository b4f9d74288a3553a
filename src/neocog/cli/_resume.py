"""`neocog resume`."""

from __future__ import annotations

from neocog.cli._arguments import Every, Json, MaxRestarts, Processes, Quiet, RunFolder, Traceback
from neocog.cli._guard import finish

EXAMPLES = """\
Examples:

\b
  neocog resume runs/photos-1              after a crash, a power cut, Ctrl-C, a cluster's time limit
  neocog resume runs/photos-1 --processes 2
"""


def resume(
    run: RunFolder,
    every: Every = None,
    processes: Processes = None,
    max_restarts: MaxRestarts = 3,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Traceback = False,
) -> None:
    """Finish a training that was stopped, from where it was, to the same bits as if nothing had happened."""

    def work() -> int:
        from neocog.cli._training import Form, resumed

        form = Form(processes=processes, max_restarts=max_restarts, as_json=as_json, quiet=quiet)
        return resumed(run, {} if every is None else {"every": every}, form)

    finish(work, traceback)

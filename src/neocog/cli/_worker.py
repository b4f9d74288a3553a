"""One of several processes that train together, as `--processes` starts them."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Work on a run; the exit code tells the launcher whether to start all again (1) or not (0).

    Args:
        arguments: the folder of the `Board`, the run, and what `resumed` needs as JSON.
    """
    from neocog.workflows._processes_outcome import Board, Outcome

    parent = os.getppid()
    folder, run, text = arguments
    board = Board(Path(folder))
    if board.outcome() is not None or board.asked_to_end:
        return 0
    # A launcher in the background ignores it, and its processes would as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    board.enter()
    board.watch(parent)
    rank = int(os.environ.get("RANK", "0"))
    try:
        code = _resumed(run, json.loads(text))
        if rank == 0:
            board.tell(Outcome(code=code))
        return 0
    except KeyboardInterrupt:
        if rank == 0:
            board.tell(Outcome(code=130, text="interrupted"))
        return 0
    except SystemExit as error:
        if rank == 0 and board.asked_to_end:
            board.tell(Outcome(code=int(error.code or 0)))
        return 0 if board.asked_to_end else 1
    except Exception as error:
        return _failed(error, board, rank)


def _resumed(run: str, settings: dict[str, object]) -> int:
    from neocog.cli._training import Form, resumed

    given, form = settings["given"], settings["form"]
    if not isinstance(given, dict) or not isinstance(form, dict):
        raise TypeError("given and form")
    return resumed(run, given, Form(**form))


def _failed(error: Exception, board: object, rank: int) -> int:
    from neocog.cli._guard import BAD_INPUT, described
    from neocog.workflows._processes_outcome import Board, Outcome

    if not isinstance(board, Board):
        raise TypeError("board")
    if os.environ.get("NEOCOG_TRACEBACK"):
        import traceback

        traceback.print_exc()
    text, code = described(error)
    if code == BAD_INPUT:
        board.tell(Outcome(code=code, text=text))
        return 0
    board.complain(text, rank)  # a peer that died, most of the time
    return 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # other processes may be gone: nothing waits for them

"""Starting the processes of one training on this machine, with torch's elastic launcher."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from neocog.exceptions import ArgumentError, message
from neocog.workflows._processes_outcome import Board, Outcome

_LOOK = 0.1  # seconds between two looks
_LOST = ("connection closed", "connection reset", "by peer", "gloo", "nccl", "tcpstore", "broken pipe")


def run_in_processes(command: Sequence[str], count: int, max_restarts: int) -> Outcome:
    """Run a command in several processes until it has ended in all; one that dies starts all again.

    Signals are passed on to the processes. Torch's launcher makes them and looks after them; they meet on
    this machine alone.

    Args:
        command: its parts; `{board}` among them becomes the folder of the `Board`.
        count: of processes.
        max_restarts: how often all start again.

    Raises:
        ArgumentError: a torch without distributed training.
    """
    from torch import distributed

    if not distributed.is_available():
        expected = "a torch that can train in several processes"
        raise ArgumentError(message("--processes", expected=expected, got="one that cannot"))
    with tempfile.TemporaryDirectory(prefix="neocog-", ignore_cleanup_errors=True) as name:
        board = Board(Path(name))
        whole = [part.replace("{board}", name) for part in command]
        with _environment(count):
            failure = _Launch(whole, count, max_restarts, board).run()
        found = board.outcome()
        if found is not None:
            return found
        if board.asked_to_end:
            return Outcome(code=128 + signal.SIGTERM)
        return Outcome(code=2, text=_cause(board, failure, max_restarts))


class _Launch:
    """One launch: torch's agent in a thread, signals in the main one."""

    def __init__(self, command: list[str], count: int, max_restarts: int, board: Board) -> None:
        self._command, self._count, self._restarts = command, count, max_restarts
        self._board = board
        self._failure: BaseException | None = None
        self._signals: list[int] = []

    def run(self) -> BaseException | None:
        """Run to the end and return what torch's launcher says went wrong."""
        agent = threading.Thread(target=self._launch, name="neocog-launcher", daemon=True)
        with self._signals_taken():
            agent.start()
            sent: dict[int, set[int]] = {}
            while agent.is_alive():
                agent.join(_LOOK)
                for number, received in enumerate(self._signals):
                    self._pass_on(received, sent.setdefault(number, set()))
        return self._failure

    def _launch(self) -> None:
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
        from torch.distributed.launcher.api import LaunchConfig, elastic_launch

        # Its log says in tracebacks what is told in one line here.
        logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=self._count,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=self._restarts,
            monitor_interval=_LOOK,
            local_addr="localhost",
            logs_specs=DefaultLogsSpecs(log_dir=str(self._board.folder)),
        )
        try:
            elastic_launch(config, self._command[0])(*self._command[1:])
        except BaseException as error:
            self._failure = error

    @contextmanager
    def _signals_taken(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {}
        numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._received)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self._board.ask_to_end()
        self._signals.append(number)

    def _pass_on(self, number: int, sent: set[int]) -> None:
        """Send a signal to every process that has not had it; some may only be starting."""
        for process in self._board.inside():
            if process not in sent:
                sent.add(process)
                with suppress(OSError):
                    os.kill(process, number)


@contextmanager
def _environment(count: int) -> Iterator[None]:
    """Share the processors out, and keep the processes' talk on this machine, inside the block."""
    given = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // count, 1))}
    if sys.platform == "linux":
        given["GLOO_SOCKET_IFNAME"] = "lo"
    own = {name: value for name, value in given.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


def _cause(board: Board, failure: BaseException | None, max_restarts: int) -> str:
    """Return in one line why the processes did not come to an end."""
    faults = board.faults()
    first = next((text for text in faults if not any(word in text.lower() for word in _LOST)), None)
    if first is not None:
        return first
    times = f"{max_restarts + 1} times, --max-restarts {max_restarts} used up" if max_restarts else "once"
    failures = getattr(failure, "failures", None)
    if failures:
        rank, found = min(failures.items(), key=lambda item: item[1].timestamp)
        code = found.exitcode
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        last = f" The last fault: {faults[-1][:300]}" if faults else ""
        return f"a process died: number {rank} ended {how} ({times}).{last}"
    return f"the processes could not be started ({failure})." if failure else "the processes ended early."

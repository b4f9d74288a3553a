"""What a command does when something is wrong: one message on stderr, an exit code.

Exit codes: 0 fine; 2 bad input, or a disk that cannot be written to; 130 Ctrl-C; 1 a fault of neocog itself.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

import typer

from neocog.exceptions import NeocogError

BAD_INPUT, INTERRUPTED, INTERNAL = 2, 130, 1


def guarded(work: Callable[[], int], *, show_traceback: bool) -> int:
    """Run a command's work and return its exit code."""
    try:
        code = work()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has left (`| head`); Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if show_traceback:
            traceback.print_exc()
        text, code = described(error)
        say(f"error: {text}")
        return code


def finish(work: Callable[[], int], show_traceback: bool) -> None:
    """Run a command's work and end the command with its exit code."""
    code = guarded(work, show_traceback=show_traceback)
    if code:
        raise typer.Exit(code)


def say(text: str) -> None:
    """Write a line to stderr, whatever it holds."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)


def described(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    if isinstance(error, NeocogError):
        return str(error), BAD_INPUT
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "memory: expected enough for the run, got none left. Lower --batch-size or --image-size.", 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", BAD_INPUT
    name = type(error).__name__
    return f"a fault in neocog ({name}: {error}). Run again with --traceback and report it.", INTERNAL

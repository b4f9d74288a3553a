"""Where the competitors live: an environment each, made once from `peers/*.txt`.

They lie in `BENCH_PEERS`, else in `$NEOCOG_HOME/peers` (`~/.neocog/peers`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from neocog.core import neocog_home

PEERS = Path(__file__).parent / "peers"


class Absent(Exception):
    """A competitor that this machine cannot run, and why."""


def folder() -> Path:
    """Return the folder of the environments; it need not exist."""
    given = os.environ.get("BENCH_PEERS")
    return Path(given).expanduser() if given else neocog_home() / "peers"


def python_of(backend: str) -> str:
    """Return the Python that has Keras on a backend; make its environment where it is not there.

    Raises:
        Absent: with the reason, where it cannot be made.
    """
    place = folder() / backend
    python, done = place / "bin" / "python", place / ".done"
    wanted = (PEERS / f"{backend}.txt").read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return str(python)
    if not python.exists():
        print(f"making {place} (once; a few minutes) ...", file=sys.stderr, flush=True)
        _call([sys.executable, "-m", "venv", str(place)], backend)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*install, "-r", str(PEERS / f"{backend}.txt")], backend)
    done.write_text(wanted, encoding="utf-8")
    return str(python)


def _call(command: list[str], backend: str) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Absent(f"the environment for Keras on {backend} could not be made ({error})") from error
    if result.returncode:
        lines = [line for line in result.stderr.strip().splitlines() if not line.startswith("WARNING")]
        why = (lines or ["no reason given"])[-1]
        raise Absent(f"the environment for Keras on {backend} could not be made ({why[:160]})")

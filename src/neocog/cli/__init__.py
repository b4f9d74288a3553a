"""Floor 9: the command line. Nothing heavy is imported before a command runs: `--help` answers at once."""

import os

# Read by the OpenMP library when torch is loaded. Threads that wait awake for one another stand still, a
# hundred times slower, as soon as another program wants a core; sleeping costs little on an idle machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from neocog.cli._app import app, main

__all__ = ["app", "main"]

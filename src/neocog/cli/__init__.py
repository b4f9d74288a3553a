"""Floor 9: the command line. Nothing heavy is imported before a command runs: `--help` answers at once."""

from neocog.cli._app import app, main

__all__ = ["app", "main"]

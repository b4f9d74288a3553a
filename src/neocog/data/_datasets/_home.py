"""Where data sets lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from neocog.core import neocog_home


def search_folders() -> list[Path]:
    """Return the folders that may hold data sets, in the order in which they are searched."""
    data, home = os.environ.get("NEOCOG_DATA"), os.environ.get("NEOCOG_HOME")
    folders = [Path(data).expanduser()] if data else []
    folders += [Path(home).expanduser() / "datasets"] if home else []
    return [*folders, Path.home() / ".neocog" / "datasets"]


def download_folder() -> Path:
    """Return where downloads go: `$NEOCOG_HOME/datasets`, else `~/.neocog/datasets`."""
    return neocog_home() / "datasets"


def find(name: str, files: Sequence[str]) -> Path | None:
    """Return the first folder `name` (`-` or `_`) that holds all of `files`, or None."""
    for folder in search_folders():
        for spelling in dict.fromkeys((name, name.replace("-", "_"))):
            if all((folder / spelling / file).exists() for file in files):
                return folder / spelling
    return None

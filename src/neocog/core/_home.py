"""Where neocog keeps what it fetches and computes."""

from __future__ import annotations

import os
from pathlib import Path


def neocog_home() -> Path:
    """Return neocog's own folder on this machine: `$NEOCOG_HOME`, else `~/.neocog`. It need not exist."""
    home = os.environ.get("NEOCOG_HOME")
    return Path(home).expanduser() if home else Path.home() / ".neocog"

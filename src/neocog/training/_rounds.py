"""How processes that are started again find each other, and not the addresses that dead ones left behind.

`torchrun` keeps one store of keys over all its restarts, and on several hosts each host counts its own
restarts. So the processes agree on a name that no earlier round had before they leave anything in the store.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from neocog.exceptions import NeocogError, message

_PATIENCE = 0.3  # seconds that process 0 waits for answers before it calls again
_PAUSE = 0.01
_LONGEST = 1800.0  # seconds that the others may take to start


def agree_on_round(store: Any, rank: int, size: int, longest: float = _LONGEST) -> str:
    """Return a name that all processes of this round have, and none before.

    Each leaves a token that is new. Process 0 calls all tokens that it finds under a new name; who finds its
    own among them answers; when all have answered the name holds. What the dead left is never answered.

    Args:
        store: that all processes reach.
        rank: number of this process.
        size: how many there are.
        longest: seconds to wait for the others.

    Raises:
        NeocogError: not all have come in time.
    """
    own = os.urandom(8).hex()
    store.set(f"neocog/token/{rank}", own)
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        name = _call(store, size) if rank == 0 else _answer(store, rank, own)
        if name is not None:
            return name
    raise NeocogError(
        message("fit", expected=f"{size} processes", got=f"not all after {longest:.0f} seconds")
    )


def _call(store: Any, size: int) -> str | None:
    """Call the tokens that are there; return the name when all have answered."""
    if not store.check([f"neocog/token/{rank}" for rank in range(size)]):
        time.sleep(_PAUSE)
        return None
    tokens = [store.get(f"neocog/token/{rank}").decode() for rank in range(size)]
    name = os.urandom(8).hex()
    store.set("neocog/call", json.dumps([name, tokens]))
    answers = [f"neocog/{name}/answer/{rank}" for rank in range(1, size)]
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if store.check(answers):
            store.set(f"neocog/{name}/holds", "yes")
            return name
        time.sleep(_PAUSE)
    return None


def _answer(store: Any, rank: int, own: str) -> str | None:
    """Answer a call with the own token in it; return its name where it holds."""
    if store.check(["neocog/call"]):
        name, tokens = json.loads(store.get("neocog/call").decode())
        if rank < len(tokens) and tokens[rank] == own:
            store.set(f"neocog/{name}/answer/{rank}", "here")
            if store.check([f"neocog/{name}/holds"]):
                return str(name)
    time.sleep(_PAUSE)
    return None

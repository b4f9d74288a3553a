"""Suite `peak`: what the machine can do at most, as the other suites measure it beside their results."""

from __future__ import annotations

from typing import Any

from peak import measured_apart


def run(seconds: float = 2.0, rounds: int = 5) -> list[dict[str, Any]]:
    """Return the best of so many rounds, in units of a thousand million a second."""
    found = [measured_apart(seconds / 4) for _ in range(rounds)]
    return [
        {
            "what": name,
            "G a second (best)": max(peak[name] for peak in found) / 1e9,
            "G a second (least)": min(peak[name] for peak in found) / 1e9,
        }
        for name in found[0]
    ]

"""Names that are made: `Conv2D` becomes `conv2d`, the second one `conv2d_1`."""

from __future__ import annotations

import re
from collections import Counter

_counters: Counter[str] = Counter()


def to_snake_case(name: str) -> str:
    """Return Keras's snake case of a class name.

    Example:
        >>> to_snake_case("MaxPooling2D"), to_snake_case("GRUCell")
        ('max_pooling2d', 'gru_cell')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Return `prefix`, then `prefix_1`, `prefix_2`, … within this process."""
    prefix = to_snake_case(prefix)
    number = _counters[prefix]
    _counters[prefix] += 1
    return prefix if number == 0 else f"{prefix}_{number}"


def reset_names() -> None:
    """Start the numbering of names anew (`clear_session`)."""
    _counters.clear()

"""What is saved must have weights."""

from __future__ import annotations

from typing import Any

from neocog.exceptions import NotBuiltError, message


def check_built(module: Any) -> None:
    """Raise NotBuiltError for a model whose weights are not made yet."""
    if getattr(module, "built", True) is False:
        where = getattr(module, "label", type(module).__name__)
        do = "Call it on data first."
        raise NotBuiltError(
            message(where, expected="weights to save", got="a model that is not built", do=do)
        )

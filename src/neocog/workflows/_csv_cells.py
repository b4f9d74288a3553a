"""Texts from outside in tables that people open in a spreadsheet."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with `'` before =, +, -, @, tab or return.

    Example:
        >>> guarded("=1+1"), guarded("cat")
        ("'=1+1", 'cat')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def guarded_path(path: str) -> str:
    """Return a path that no spreadsheet takes for a formula, and that still leads to the file: with `./`.

    Example:
        >>> guarded_path("=cmd.jpg"), guarded_path("cat/1.jpg")
        ('./=cmd.jpg', 'cat/1.jpg')
    """
    return f"./{path}" if _FORMULA.match(path) else path

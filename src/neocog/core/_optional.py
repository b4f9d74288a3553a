"""Packages that are imported where they are used, and what to install where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from neocog.exceptions import MissingExtraError


def optional_import(module: str, *, extra: str, what: str) -> ModuleType:
    """Import a package that only one feature needs.

    Args:
        module: dotted name, always a constant of our own code.
        extra: the extra of neocog that installs it.
        what: the feature, for the error text.

    Raises:
        MissingExtraError: with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{what}: expected the package {module.partition('.')[0]!r}, which is not installed. "
            f"Run: pip install 'neocog[{extra}]'"
        ) from error

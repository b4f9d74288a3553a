"""Every error that neocog raises on purpose.

Each message has one form: *where, expected, got, do this*. Each class is also the built-in error a Keras user
would catch.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class NeocogError(Exception):
    """Base of all errors that neocog raises on purpose."""


class ArgumentError(NeocogError, ValueError):
    """An argument has a value that the function cannot take."""


class ArgumentTypeError(NeocogError, TypeError):
    """An argument has a type that the function cannot take."""


class UnknownNameError(NeocogError, ValueError):
    """A string names nothing in the registry that it was looked up in."""


class ShapeError(NeocogError, ValueError):
    """The shapes of two things that meet do not fit."""


class GraphError(NeocogError, ValueError):
    """Symbolic tensors were joined in a way that makes no model."""


class NotBuiltError(NeocogError, ValueError):
    """The weights are not there yet, because the input shape is not known."""


class NotCompiledError(NeocogError, RuntimeError):
    """The model was asked to train or evaluate before `compile`."""


class TrainingError(NeocogError, RuntimeError):
    """Training cannot go on: the loss became NaN or infinite."""


class OutOfMemoryError(NeocogError, MemoryError):
    """A step does not fit into memory, in parts neither, or cannot be split."""


class DataError(NeocogError, ValueError):
    """The data cannot be used as they are: labels, values, files or folders."""


class FileFormatError(NeocogError, ValueError):
    """A file is not what its name or its use says, or is unsafe to open."""


class StorageError(NeocogError, OSError):
    """A file or folder could not be read or written: full or read-only disk, missing permission."""


class DownloadError(NeocogError, OSError):
    """A download failed or did not have the checksum that it must have."""


class MissingExtraError(NeocogError, ImportError):
    """An optional package is needed; the message names what to install."""


def message(where: str, *, expected: str, got: object, do: str = "") -> str:
    """Return the one form of neocog's error text: where, expected, got, do this.

    Example:
        >>> message('Dense "head"', expected="units of 1 or more", got=-3)
        'Dense "head": expected units of 1 or more, got -3.'
    """
    text = f"{where}: expected {expected}, got {got}."
    return f"{text} {do}" if do else text


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return the known names closest to `name`, compared without case, best first."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    return [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=limit, cutoff=0.5)]

"""File names with the epoch and the values of the logs in them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from neocog.exceptions import ArgumentError, message, nearest


class CheckpointTemplate:
    """A file name such as `"weights.{epoch:03d}-{val_loss:.4f}.weights.h5"`.

    Args:
        text: the template: `{epoch}` counts from 1, `{batch}` too, all other names are values of the logs.

    Raises:
        ArgumentError: the braces do not match, or a field has no name.

    Example:
        >>> CheckpointTemplate("w.{epoch:03d}-{loss:.2f}.keras").fill(4, None, {"loss": 0.123})
        'w.005-0.12.keras'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        except ValueError as error:
            raise ArgumentError(
                message(
                    "ModelCheckpoint", expected="filepath with matching braces", got=f"{text!r} ({error})"
                )
            ) from error
        self.fields = set(names)
        for name in names:
            if not name.isidentifier():
                raise ArgumentError(
                    message("ModelCheckpoint", expected="names in the braces of filepath", got=f"{{{name}}}")
                )

    def check(self, *, validates: bool | None, by_batch: bool) -> None:
        """Refuse what cannot be there when the file is written: found out before the first epoch.

        Args:
            validates: whether there will be validation values; None where that is not known.
            by_batch: whether files are written after batches.
        """
        of_validation = sorted(name for name in self.fields if name.startswith("val_"))
        if of_validation and (validates is False or by_batch):
            reason = "save_freq counts batches" if by_batch else "there is no validation data"
            raise ArgumentError(
                message(
                    "ModelCheckpoint",
                    expected=f"validation values for {of_validation} in filepath {self.text!r}",
                    got=f"none, because {reason}",
                    do="Take them out of filepath, or pass validation_data or validation_split to fit.",
                )
            )
        if "batch" in self.fields and not by_batch:
            raise ArgumentError(
                message(
                    "ModelCheckpoint",
                    expected="{batch} in filepath only where save_freq counts batches",
                    got="save_freq='epoch'",
                )
            )

    def fill(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> str:
        """Return the file name; of the logs only the named values are read.

        Raises:
            ArgumentError: the logs lack a name; the message says which there are.
        """
        known: dict[str, Any] = {"epoch": epoch + 1}
        if batch is not None:
            known["batch"] = batch + 1
        for name in self.fields - set(known):
            if name not in logs:
                raise self._unknown(name, [*known, *logs])
            known[name] = _plain(logs[name])
        try:
            return self.text.format(**known)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                message(
                    "ModelCheckpoint", expected="formats in filepath that fit", got=f"{self.text!r} ({error})"
                )
            ) from error

    def _unknown(self, name: str, known: list[str]) -> ArgumentError:
        close = nearest(name, known, limit=1)
        return ArgumentError(
            message(
                "ModelCheckpoint",
                expected=f"names in filepath {self.text!r} out of {', '.join(known)}",
                got=f"{{{name}}}",
                do=f"Did you mean {{{close[0]}}}?" if close else "",
            )
        )


def _plain(value: Any) -> Any:
    """Return a tensor or array of one number as that number."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value

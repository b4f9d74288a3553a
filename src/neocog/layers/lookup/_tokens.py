"""Texts to rows of tokens: standardise, split, join to n-grams; letter for letter as TensorFlow does."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neocog.core import to_text
from neocog.exceptions import ShapeError, message

STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
SPLIT = ("whitespace", "character")

# TensorFlow lowers and splits bytes: letters beyond ASCII keep their case, blanks beyond ASCII do not part.
_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
_STRIP = dict.fromkeys(map(ord, string.punctuation))
_TABLES: dict[str, dict[int, Any]] = {
    "lower": _LOWER,
    "strip_punctuation": _STRIP,
    "lower_and_strip_punctuation": {**_LOWER, **_STRIP},
}
_words = re.compile(r"[^ \t\n\r\f\v]+").findall


def standardize(where: str, texts: Any, how: str | Callable[[Any], Any] | None) -> Any:
    """Return an array of texts in which capitals and punctuation no longer count.

    Args:
        where: how error texts name the layer.
        texts: NumPy array of strings.
        how: a word of `STANDARDIZE`, a function of a NumPy array of strings, or None.
    """
    if how is None:
        return texts
    if callable(how):
        given = np.array(texts.tolist(), dtype=np.str_).reshape(texts.shape)
        result = to_text(how(given), where)
        if result.shape != texts.shape:
            expected = f"standardize to return an array of shape {texts.shape}, as it was given"
            raise ShapeError(message(where, expected=expected, got=result.shape))
        return result
    table = _TABLES[how]
    changed = np.empty(texts.size, dtype=object)
    changed[:] = [text.translate(table) for text in texts.ravel().tolist()]
    return changed.reshape(texts.shape)


def split(where: str, texts: Any, how: str | Callable[[Any], Any]) -> list[list[str]]:
    """Return the tokens of each text of a vector.

    Args:
        where: how error texts name the layer.
        texts: NumPy array of strings with one axis.
        how: a word of `SPLIT`, or a function that takes the array and returns a row of tokens for each text.
    """
    if how == "whitespace":
        return [_words(text) for text in texts.tolist()]
    if how == "character":
        return [list(text) for text in texts.tolist()]
    given = how(np.array(texts.tolist(), dtype=np.str_))  # type: ignore[operator]
    rows = [to_text(row, where).ravel().tolist() for row in given]
    if len(rows) != len(texts):
        expected = f"split to return a row of tokens for each of {len(texts)} texts"
        raise ShapeError(message(where, expected=expected, got=f"{len(rows)} rows"))
    return rows


def ngrams(rows: list[list[str]], widths: Sequence[int]) -> list[list[str]]:
    """Return, for each row, its runs of tokens of each width in turn, joined by blanks."""
    return [
        [" ".join(row[at : at + width]) for width in widths for at in range(len(row) - width + 1)]
        for row in rows
    ]

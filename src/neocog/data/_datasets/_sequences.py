"""Texts as lists of word numbers: what IMDB and Reuters do alike with their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message

Array = np.ndarray[Any, Any]
Rows = list[list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordOptions:
    """Which words are kept and how they are numbered; the arguments of `load_data` by the same names."""

    where: str
    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int | None

    def __post_init__(self) -> None:
        for name in ("num_words", "maxlen"):
            if getattr(self, name) is not None:
                check_int(self.where, name, getattr(self, name), minimum=0)
        check_int(self.where, "skip_top", self.skip_top, minimum=0)


def shuffled(rows: Array, labels: Array, random: np.random.RandomState) -> tuple[Array, Array]:
    """Return both in an order that the generator draws as Keras does."""
    order = np.arange(len(rows))
    random.shuffle(order)
    return rows[order], labels[order]


def marked(rows: Array, options: WordOptions) -> Rows:
    """Return rows with word numbers raised by `index_from`, and a start word where asked for."""
    start, first = options.start_char, options.index_from or 0
    if start is not None:
        return [[start, *(word + first for word in row)] for row in rows]
    return [[word + first for word in row] for row in rows] if first else [list(row) for row in rows]


def not_too_long(rows: Rows, labels: Array, options: WordOptions) -> tuple[Rows, Array]:
    """Drop the texts of `maxlen` words or more.

    Raises:
        ArgumentError: none is left.
    """
    if not options.maxlen:
        return rows, labels
    kept = [index for index, row in enumerate(rows) if len(row) < options.maxlen]
    if not kept:
        raise ArgumentError(
            message(
                options.where, expected="texts shorter than maxlen", got=f"none for maxlen={options.maxlen}"
            )
        )
    return [rows[index] for index in kept], labels[kept]


def limited(rows: Rows, options: WordOptions) -> Rows:
    """Replace words that are too frequent or too rare by `oov_char`, or drop them where that is None."""
    low, oov = options.skip_top, options.oov_char
    # Without `num_words` Keras leaves out the one most rare word; code in books counts on its numbers.
    high = options.num_words or max(max(row, default=0) for row in rows)
    if oov is None:
        return [[word for word in row if low <= word < high] for row in rows]
    return [[word if low <= word < high else oov for word in row] for row in rows]


def as_objects(rows: Rows) -> Array:
    """Return an array of lists, also where all have one length."""
    found = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        found[index] = row
    return found

"""Lists of different lengths to one array, and pairs of words that stand near each other."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from neocog.core import check_int, check_one_of
from neocog.exceptions import ArgumentError, DataError, message


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Return sequences as the rows of one NumPy array, padded and cut to one length.

    Args:
        sequences: lists of numbers, of vectors or of strings.
        maxlen: length of the rows; None takes the longest.
        dtype: type of the array; `object` for strings.
        padding: `"pre"` puts `value` before what is too short, `"post"` behind it.
        truncating: `"pre"` cuts the beginning of what is too long, `"post"` the end.
        value: what is put in.

    Raises:
        DataError: something that is no sequence, or elements of different shapes.
        ArgumentError: a bad word, or a text as `value` for numbers.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    where = "pad_sequences"
    check_one_of(where, "padding", padding, ("pre", "post"))
    check_one_of(where, "truncating", truncating, ("pre", "post"))
    if not hasattr(sequences, "__len__"):
        raise DataError(message(where, expected="a list of sequences", got=type(sequences).__name__))
    odd = next((item for item in sequences if not hasattr(item, "__len__")), None)
    if odd is not None:
        raise DataError(message(where, expected="a list of sequences", got=f"{odd!r} in it"))
    length = max(map(len, sequences), default=0) if maxlen is None else check_int(where, "maxlen", maxlen)
    strings = dtype is object or np.dtype(dtype).kind in "US"
    if isinstance(value, str) and not strings:
        do = "dtype=object holds strings."
        raise ArgumentError(message(where, expected=f"a number as value for {dtype}", got=repr(value), do=do))
    shape = next((np.asarray(item).shape[1:] for item in sequences if len(item)), ())
    rows = np.full((len(sequences), length, *shape), value, dtype=dtype)
    for number, item in enumerate(sequences):
        if not len(item):
            continue
        kept = np.asarray(
            item[max(len(item) - length, 0) :] if truncating == "pre" else item[:length], dtype=dtype
        )
        if kept.shape[1:] != shape:
            expected = f"elements of shape {shape}, as in the first sequence"
            raise DataError(message(f"{where}, sequence {number}", expected=expected, got=kept.shape[1:]))
        if padding == "post":
            rows[number, : len(kept)] = kept
        else:
            rows[number, length - len(kept) :] = kept
    return rows


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Any:
    """Return the probability with which the word of each rank is kept: min(1, sqrt(factor / frequency)).

    Frequencies follow Zipf's law: 1 / (rank · (log rank + 0.577) + 1/2 - 1 / (12 · rank)).

    Args:
        size: number of words.
        sampling_factor: the smaller, the more of the frequent words are left out.

    Reference:
        T. Mikolov et al., Distributed representations of words and phrases (2013), section 2.3.
    """
    rank = np.arange(check_int("make_sampling_table", "size", size, minimum=1))
    rank[0] = 1
    inverse = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Return pairs of words that stand near each other, and pairs with random words; which is which.

    Args:
        sequence: word numbers; 0 stands for no word.
        vocabulary_size: greatest word number plus 1.
        window_size: how many words to the left and right count as near.
        negative_samples: random pairs for each near one.
        shuffle: whether the pairs are mixed.
        categorical: True gives labels [0, 1] and [1, 0] in place of 1 and 0.
        sampling_table: probability with which each word is kept, from `make_sampling_table`.
        seed: of the mixing. Everything else that is random, and the mixing without a seed, is drawn by
            Python's `random`.

    Returns:
        The pairs, and a label for each: 1 for near ones.
    """
    couples = list(_near_pairs(sequence, window_size, sampling_table))
    near: Any = [0, 1] if categorical else 1
    labels = [near for _ in couples]
    count = int(len(labels) * negative_samples) if couples else 0
    if count > 0:
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [[1, 0] if categorical else 0 for _ in range(count)]
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        random.Random(seed).shuffle(couples)
        random.Random(seed).shuffle(labels)
    return couples, labels


def _near_pairs(sequence: Sequence[int], window: int, table: Any) -> Iterator[list[int]]:
    for place, word in enumerate(sequence):
        if not word or (table is not None and table[word] < random.random()):
            continue
        for other in range(max(0, place - window), min(len(sequence), place + window + 1)):
            if other != place and sequence[other]:
                yield [word, sequence[other]]

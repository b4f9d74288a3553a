"""Texts to lists of words, and words to numbers by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        input_text: the text.
        filters: characters that part words as `split` does.
        lower: whether capitals become small letters.
        split: what parts words.

    Example:
        >>> text_to_word_sequence("The cat, the mat!")
        ['the', 'cat', 'the', 'mat']
    """
    text = input_text.lower() if lower else input_text
    return [
        word for word in text.translate({ord(character): split for character in filters}).split(split) if word
    ]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return a number from 1 to `n` - 1 for each word of a text, by Python's `hash`; see `hashing_trick`.

    Args:
        input_text: the text.
        n: size of the vocabulary.
        filters: characters that part words.
        lower: whether capitals become small letters.
        split: what parts words.
        analyzer: function from the text to its words, in place of the three arguments before.
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[str], int] | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return a number from 1 to `n` - 1 for each word of a text; different words may get one number.

    Args:
        text: the text.
        n: size of the vocabulary, 2 or more.
        hash_function: `"md5"`, the same in every process; a function from a word to a whole number; None for
            Python's `hash`, which changes from process to process.
        filters: characters that part words.
        lower: whether capitals become small letters.
        split: what parts words.
        analyzer: function from the text to its words, in place of the three arguments before.

    Example:
        >>> hashing_trick("the cat the mat", 50, "md5")
        [43, 32, 43, 29]
    """
    n = check_int("hashing_trick", "n", n, minimum=2)
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    if isinstance(hash_function, str) and hash_function != "md5":
        expected = 'hash_function as "md5" or a function'
        raise ArgumentError(message("hashing_trick", expected=expected, got=repr(hash_function)))
    function: Any = _md5 if hash_function == "md5" else hash if hash_function is None else hash_function
    return [function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)

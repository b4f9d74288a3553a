"""IMDB: reviews of films as lists of word numbers, good or bad."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from neocog._old_spellings import warn_old
from neocog.data._datasets._keras_files import keras_file, read_word_index
from neocog.data._datasets._npz import read_npz
from neocog.data._datasets._sequences import (
    Array,
    WordOptions,
    as_objects,
    limited,
    marked,
    not_too_long,
    shuffled,
)
from neocog.exceptions import FileFormatError, message

CLASS_NAMES = ("negative", "positive")
SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **older: Any,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 25000 training and 25000 test reviews of films; words are numbered by how frequent they are.

    Args:
        path: a file on this machine, or the name that the download gets; `imdb.npz` in a folder `imdb` below
            `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` is found.
        num_words: words with this number or a higher one become `oov_char`; None keeps all but the last.
        skip_top: words with a lower number become `oov_char`.
        maxlen: reviews of this many words or more are left out.
        seed: of the order.
        start_char: put before each review; None for nothing.
        oov_char: stands for words left out; None drops them.
        index_from: added to the word numbers.

    Returns:
        ((x_train, y_train), (x_test, y_test)); x an array of lists, y of 0 and 1.

    Raises:
        FileFormatError: the file holds anything but lists of numbers. Nothing in it is ever run.
        DownloadError: no connection, or another checksum.

    Reference: A. Maas et al.: Learning word vectors for sentiment analysis, 2011.
    """
    if "nb_words" in older:
        warn_old("imdb.load_data", "nb_words", "num_words")
        num_words = older.pop("nb_words")
    if older:
        raise TypeError(message("imdb.load_data", expected="its arguments", got=", ".join(older)))
    options = WordOptions(
        where="imdb.load_data",
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )
    file = keras_file("imdb", path, "imdb.npz", SHA256)
    arrays = read_npz(file, ("x_train", "y_train", "x_test", "y_test"))
    if len(arrays[0]) != len(arrays[1]) or len(arrays[2]) != len(arrays[3]):
        raise FileFormatError(message(str(file), expected="as many labels as reviews", got="others"))
    random = np.random.RandomState(seed)
    parts = []
    for rows, labels in ((arrays[0], arrays[1]), (arrays[2], arrays[3])):
        rows, labels = shuffled(rows, labels, random)
        parts.append(not_too_long(marked(rows, options), labels, options))
    (train, y_train), (test, y_test) = parts
    words = limited(train + test, options)
    return (as_objects(words[: len(train)]), y_train), (as_objects(words[len(train) :]), y_test)


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """Return the words of the reviews and their numbers, from 1; add `index_from` to find them in the data.

    Args:
        path: a file on this machine, or the name that the download gets.
    """
    return read_word_index(keras_file("imdb", path, "imdb_word_index.json", INDEX_MD5))

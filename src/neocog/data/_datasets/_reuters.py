"""Reuters: newswires as lists of word numbers, in 46 topics."""

from __future__ import annotations

import os

import numpy as np

from neocog.core import check_number
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

_NAMES = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship "
    "cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr "
    "gas silver wpi hog lead"
)
CLASS_NAMES = tuple(_NAMES.split())
SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 11228 newswires in 46 topics; words are numbered by how frequent they are.

    Args:
        path: a file on this machine, or the name that the download gets; `reuters.npz` in a folder `reuters`
            below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` is found.
        num_words: words with this number or a higher one become `oov_char`; None keeps all but the last.
        skip_top: words with a lower number become `oov_char`.
        maxlen: newswires of this many words or more are left out.
        test_split: part for testing, 0 to 1.
        seed: of the order.
        start_char: put before each newswire; None for nothing.
        oov_char: stands for words left out; None drops them.
        index_from: added to the word numbers.

    Returns:
        ((x_train, y_train), (x_test, y_test)); x an array of lists, y of topics from 0 to 45.

    Raises:
        FileFormatError: the file holds anything but lists of numbers. Nothing in it is ever run.
        DownloadError: no connection, or another checksum.
    """
    check_number("reuters.load_data", "test_split", test_split, minimum=0, maximum=1)
    options = WordOptions(
        where="reuters.load_data",
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )
    file = keras_file("reuters", path, "reuters.npz", SHA256)
    rows, labels = read_npz(file, ("x", "y"))
    if len(rows) != len(labels):
        raise FileFormatError(message(str(file), expected="as many labels as newswires", got="others"))
    rows, labels = shuffled(rows, labels, np.random.RandomState(seed))
    marked_rows, labels = not_too_long(marked(rows, options), labels, options)
    words = limited(marked_rows, options)
    cut = int(len(words) * (1 - test_split))
    return (as_objects(words[:cut]), labels[:cut]), (as_objects(words[cut:]), labels[cut:])


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """Return the words of the newswires and their numbers, from 1; add `index_from` to find them in the data.

    Args:
        path: a file on this machine, or the name that the download gets.
    """
    return read_word_index(keras_file("reuters", path, "reuters_word_index.json", INDEX_MD5))


def get_label_names() -> tuple[str, ...]:
    """Return the topics in the order of the labels.

    Example:
        >>> get_label_names()[3]
        'earn'
    """
    return CLASS_NAMES

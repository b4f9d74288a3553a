"""Keras's `Tokenizer`: texts to lists of word numbers, by how frequent the words are."""

from __future__ import annotations

import json
import warnings
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from neocog.core import check_one_of
from neocog.data._text._words import FILTERS, text_to_word_sequence
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message

_MODES = ("binary", "count", "freq", "tfidf")


class Tokenizer:
    """Number words by their frequency: 1 is the most frequent one (or `oov_token`), 0 stands for none.

    New code may take `neocog.layers.TextVectorization`, which can be part of the model.

    Args:
        num_words: numbers of `num_words` and above are left out, or become that of `oov_token`.
        filters: characters that part words.
        lower: whether capitals become small letters.
        split: what parts words.
        char_level: True numbers characters.
        oov_token: word that stands for unknown ones; without it they are left out.
        analyzer: function from a text to its words.
        **kwargs: `document_count`; `nb_words`, the old name of `num_words`.

    Attributes:
        word_index: word to number.
        index_word: number to word.
        word_counts: word to how often it occurs.
        word_docs: word to the number of texts that hold it.
        document_count: number of texts seen.

    Example:
        >>> tokenizer = Tokenizer(oov_token="<?>")
        >>> tokenizer.fit_on_texts(["the cat", "the mat"])
        >>> tokenizer.texts_to_sequences(["The dog, the cat."])
        [[2, 1, 2, 3]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn(
                "Tokenizer: `nb_words` is called `num_words` now.", DeprecationWarning, stacklevel=2
            )
            num_words = kwargs.pop("nb_words")
        self.document_count: int = kwargs.pop("document_count", 0)
        if kwargs:
            raise ArgumentTypeError(f"Tokenizer: got an unexpected keyword argument {next(iter(kwargs))!r}.")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts: dict[str, int] = OrderedDict()
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> Any:
        """Return the words of a text, which may be a list of them already."""
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, and number them anew; may be called for several parts of the data.

        Args:
            texts: texts, or lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        ranked = sorted(self.word_counts.items(), key=lambda pair: pair[1], reverse=True)
        first = [] if self.oov_token is None else [self.oov_token]
        order = [*first, *(word for word, _ in ranked)]
        self.word_index = {word: number for number, word in enumerate(order, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count in how many sequences each number occurs, for `sequences_to_matrix(mode="tfidf")`."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the numbers of each text's words."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Give the numbers of each text's words, text by text."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            found = (self.word_index.get(word) for word in self._words(text))
            chosen = (number if number is not None and self._keeps(number) else unknown for number in found)
            yield [number for number in chosen if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the words of each sequence of numbers, joined by blanks."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Give the words of each sequence of numbers, joined by blanks."""
        unknown = self.oov_token if self.oov_token in self.word_index else None
        for sequence in sequences:
            found = ((number, self.index_word.get(number)) for number in map(int, sequence))
            words = (word if word is not None and self._keeps(number) else unknown for number, word in found)
            yield " ".join(word for word in words if word is not None)

    def _keeps(self, number: int) -> bool:
        return not self.num_words or number < self.num_words

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Any:
        """Return one row a text, as `sequences_to_matrix` does."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> Any:
        """Return one row a sequence, one column a number.

        Args:
            sequences: lists of numbers.
            mode: `"binary"` 1 for what occurs; `"count"` how often; `"freq"` that divided by the length;
                `"tfidf"` (1 + log count) · log(1 + texts / (1 + texts with the word)).

        Raises:
            DataError: neither `num_words` nor texts say how many columns there are; no texts for `"tfidf"`.
        """
        mode = check_one_of("Tokenizer", "mode", mode, _MODES)
        if not self.num_words and not self.word_index:
            raise DataError("Tokenizer: expected num_words or texts to fit on, got neither.")
        width = self.num_words or len(self.word_index) + 1
        if mode == "tfidf" and not self.document_count:
            raise DataError('Tokenizer: mode "tfidf" needs texts to fit on, got none.')
        rows = np.zeros((len(sequences), width))
        for row, sequence in zip(rows, sequences, strict=True):
            for number, count in Counter(n for n in sequence if n < width).items():
                row[number] = self._value(mode, number, count, len(sequence))
        return rows

    def _value(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "binary":
            return 1.0
        if mode == "tfidf":
            known = 1 + self.index_docs.get(number, 0)
            return float((1 + np.log(count)) * np.log(1 + self.document_count / known))
        return count if mode == "count" else count / length

    def get_config(self) -> dict[str, Any]:
        """Return arguments and counts, the tables as JSON texts, in Keras's form."""
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        plain = {name: getattr(self, name) for name in names}
        return {**plain, **{name: json.dumps(getattr(self, name)) for name in tables}}

    def to_json(self, **kwargs: Any) -> str:
        """Return the tokenizer as JSON; arguments go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the tokenizer that `to_json` wrote, here or in Keras.

    Raises:
        ArgumentError: the text is no tokenizer's.
    """
    try:
        config = dict(json.loads(json_string)["config"])
        names = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        tables = {name: json.loads(config.pop(name)) for name in names}
    except (ValueError, KeyError, TypeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise ArgumentError(
            message("tokenizer_from_json", expected="what Tokenizer.to_json wrote", got=got)
        ) from error
    tokenizer = Tokenizer(**config)
    for name, table in tables.items():
        by_number = name in ("index_docs", "index_word")
        setattr(tokenizer, name, {int(key): value for key, value in table.items()} if by_number else table)
    return tokenizer

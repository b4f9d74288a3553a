"""Sentences to numbers: standardise, split, look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from neocog.core import TEXT, check_int, check_one_of, custom_object, floatx, get_registered_name
from neocog.exceptions import ArgumentError, ArgumentTypeError, FileFormatError, ShapeError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._adapting import raw_batches
from neocog.layers.lookup._lookup_options import checked_mode
from neocog.layers.lookup._raw_inputs import RawInputLayer
from neocog.layers.lookup._string_lookup import StringLookup
from neocog.layers.lookup._tokens import SPLIT, STANDARDIZE, ngrams, split, standardize
from neocog.layers.lookup._vocabulary import refuse_paths

_NOTHING = -2  # a place that leaves no mark
_HIDDEN = ("vocabulary_size", "has_input_vocabulary")  # arguments that only configurations hold


@LAYERS.register("text_vectorization")
class TextVectorization(RawInputLayer):
    """Turn sentences into rows of word numbers, or into rows that say which words are there.

    Numbers are 0 for padding, 1 for unknown words, then the vocabulary in the order of its frequency.

    Args:
        max_tokens: greatest size of the vocabulary, with the numbers for padding and unknown words.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`, None, or a function
            that takes and returns a NumPy array of strings.
        split: `"whitespace"`, `"character"`, None, or a function that takes an array of strings and returns a
            row of tokens for each.
        ngrams: None, or widths: 2 adds pairs of words, a tuple such as (1, 3) names the widths.
        output_mode: `"int"` word numbers; `"multi_hot"`, `"count"`, `"tf_idf"` one row a sentence, as in
            `StringLookup`; `"one_hot"` a row a word.
        output_sequence_length: length to which rows of numbers are cut or padded; None: the batch's longest.
        pad_to_max_tokens: True makes rows of length `max_tokens`, however large the vocabulary.
        vocabulary: words as a list or array, or the path of a text file with one a line.
        idf_weights: a weight a word, for `"tf_idf"` with a vocabulary.
        sparse: not supported; must be False.
        ragged: not supported; must be False.
        encoding: of texts that come as bytes.
        name: name of the layer.

    Shapes:
        Inputs (B,) or (B, 1), strings; outputs (B, length), int64, or (B, vocabulary), floats.

    Raises:
        ArgumentError: options that exclude each other.

    Example:
        >>> layer = TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["foo bar", "bar baz", "baz bada boom"])
        >>> layer(["Foo qux bar!", "qux baz"])
        tensor([[4, 1, 3, 0],
                [1, 2, 0, 0]])
    """

    input_dtype = TEXT

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[[Any], Any] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        hidden = {
            key: kwargs.pop(key) for key in ("vocabulary_size", "has_input_vocabulary") if key in kwargs
        }
        kwargs.pop("dtype", None)  # strings; outputs are int64 or the default float
        super().__init__(name=name, **kwargs)
        self._standardize = _word_or_function(self.label, "standardize", standardize, STANDARDIZE)
        self._split = _word_or_function(self.label, "split", split, SPLIT)
        self._ngrams_arg, self._widths = ngrams, _widths(self.label, ngrams)
        self._output_mode = checked_mode(self.label, output_mode)
        self._output_sequence_length = self._checked_length(output_sequence_length)
        if ragged:
            do = "Rows are padded with 0; Embedding(mask_zero=True) knows which."
            raise ArgumentError(message(self.label, expected="ragged=False", got="ragged=True", do=do))
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=self._output_mode,
            sparse=sparse,
            encoding=encoding,
            **hidden,
        )
        self._lookup_layer.built = True

    def _checked_length(self, length: Any) -> int | None:
        if length is None:
            return None
        if self._output_mode != "int":
            got = f"output_mode={self._output_mode!r}"
            raise ArgumentError(
                message(self.label, expected='output_sequence_length with mode "int"', got=got)
            )
        return check_int(self.label, "output_sequence_length", length, minimum=0)

    # --- the vocabulary -------------------------------------------------------------------------------------

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary of texts: the most frequent words, ties from high to low.

        Args:
            data: array or list of texts, or an iterable of batches; of (texts, targets) the texts.
            batch_size: accepted for Keras's sake.
            steps: how many batches to read.
        """
        self.reset_state()
        for batch in raw_batches(data, steps, self.label):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the words of one batch of texts."""
        self._lookup_layer.count_rows(self._rows(self.as_array(data))[0])

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the words in the order of their numbers, `""` and `"[UNK]"` first unless left out."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of words, padding and unknown ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary, as in `StringLookup`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # --- calling --------------------------------------------------------------------------------------------

    def _rows(self, inputs: Any) -> tuple[list[list[str]], tuple[int, ...]]:
        """Return the tokens of each text, and the shape in which the texts came."""
        texts = standardize(self.label, self.expect_text(inputs), self._standardize)
        if self._split is None:
            rows = texts.reshape(-1, texts.shape[-1] if texts.ndim else 1).tolist()
            lead = texts.shape[:-1]
        else:
            if texts.ndim > 1 and texts.shape[-1] != 1:
                expected = "texts of shape (batch,) or (batch, 1)"
                do = "split=None takes texts that are split already."
                raise ShapeError(message(self.label, expected=expected, got=texts.shape, do=do))
            lead = texts.shape[:-1] if texts.ndim > 1 else texts.shape
            rows = split(self.label, texts.ravel(), self._split)
        return rows if self._widths is None else ngrams(rows, self._widths), lead

    def call(self, inputs: Any) -> torch.Tensor:
        """Turn texts into numbers."""
        rows, lead = self._rows(inputs)
        is_int = self._output_mode == "int"
        length = max(map(len, rows), default=0)
        if self._output_sequence_length is not None:
            length = self._output_sequence_length
            rows = [row[:length] for row in rows]
        found = self._lookup_layer.find_all([token for row in rows for token in row])
        token_start = self._lookup_layer.token_start
        places = np.where(found >= 0, found + token_start, np.where(found == -1, token_start - 1, _NOTHING))
        filled = np.full((len(rows), length), _NOTHING, dtype=np.int64)
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        filled[np.arange(length) < sizes[:, None]] = places
        if is_int:
            return self.on_device(np.maximum(filled, 0).reshape(*lead, length))
        numbers = self.on_device(filled)
        encoded = self._lookup_layer.encoded(
            numbers[..., None] if self._output_mode == "one_hot" else numbers
        )
        return encoded.reshape(*lead, *encoded.shape[1:])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the numbers or rows."""
        joined = self._split is None or (len(input_shape) > 1 and input_shape[-1] == 1)
        lead = tuple(input_shape[:-1] if joined else input_shape)
        if self._output_mode != "int":
            inner = self._lookup_layer
            depth = inner.max_tokens if inner.pad_to_max_tokens else inner._frozen_size
            return (*lead, None, depth) if self._output_mode == "one_hot" else (*lead, depth)
        if self._output_sequence_length is not None:
            return (*lead, self._output_sequence_length)
        return (*lead, input_shape[-1] if self._split is None and self._widths is None else None)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return int64 for numbers, the default float for rows."""
        return "int64" if self._output_mode == "int" else floatx()

    # --- configuration and files ----------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, functions by their names."""
        inner = self._lookup_layer
        return {
            **super().get_config(),
            "max_tokens": inner.max_tokens,
            "standardize": _described(self._standardize),
            "split": _described(self._split),
            "ngrams": self._ngrams_arg,
            "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length,
            "pad_to_max_tokens": inner.pad_to_max_tokens,
            "sparse": False,
            "ragged": False,
            "vocabulary": inner.input_vocabulary,
            "idf_weights": inner.input_idf_weights,
            "encoding": inner.encoding,
            "vocabulary_size": inner.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer; functions come from `custom_objects` and registered names, paths are refused."""
        refuse_paths(cls.__name__, config)
        given = {key: config.get(key) for key in ("standardize", "split")}
        functions = {key: _looked_up(value) for key, value in given.items() if isinstance(value, dict)}
        widths = config.get("ngrams")
        return cls(**{**config, **functions, "ngrams": tuple(widths) if isinstance(widths, list) else widths})

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of the words, which are not trained, into `store`, as Keras does."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights of the words from `store`."""
        self._lookup_layer.load_own_variables(store)

    def save_own_assets(self) -> dict[str, str]:
        """Return the texts that a file keeps besides: a learned vocabulary, one word a line."""
        return self._lookup_layer.save_own_assets()

    def load_own_assets(self, assets: Mapping[str, str]) -> None:
        """Take the vocabulary from what `save_own_assets` returned."""
        self._lookup_layer.load_own_assets(assets)


def _word_or_function(where: str, name: str, value: Any, words: tuple[str, ...]) -> Any:
    return value if value is None or callable(value) else check_one_of(where, name, value, words)


def _widths(where: str, value: Any) -> tuple[int, ...] | None:
    """Return the widths of n-grams: a number stands for all up to it."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return tuple(range(1, check_int(where, "ngrams", value, minimum=1) + 1))
    if not isinstance(value, tuple):
        expected = "ngrams as a whole number, a tuple of them or None"
        raise ArgumentTypeError(message(where, expected=expected, got=repr(value)))
    return tuple(check_int(where, "ngrams", width, minimum=1) for width in value)


def _described(value: Any) -> Any:
    """Return a function by its name, as Keras writes it; words as they are."""
    if not callable(value):
        return value
    name = get_registered_name(value)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _looked_up(value: Mapping[str, Any]) -> Any:
    names = [str(value.get(key)) for key in ("registered_name", "config")]
    for name in names:
        found = custom_object(name)
        if callable(found):
            return found
    raise FileFormatError(
        f"TextVectorization: expected to find its function {names[1]!r}, which is not known here. Code is "
        f"never loaded from a file: give custom_objects={{{names[1]!r}: the function}}."
    )

"""Terms to their places in a vocabulary, and back: what `StringLookup` and `IntegerLookup` share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import TEXT, floatx, torch_dtype
from neocog.exceptions import ArgumentError, DataError, NotBuiltError, ShapeError, message
from neocog.layers.lookup._adapting import raw_batches
from neocog.layers.lookup._encoding import encode, encoded_shape
from neocog.layers.lookup._hashing import hash_bins
from neocog.layers.lookup._lookup_options import checked_options
from neocog.layers.lookup._raw_inputs import RawInputLayer
from neocog.layers.lookup._vocabulary import (
    Counts,
    as_list,
    lines_of,
    refuse_paths,
    vocabulary_from_file,
    without_special,
)

_UNKNOWN, _DROPPED = -1, -2


class IndexLookup(RawInputLayer):
    """The places of terms in a vocabulary: 0 for the mask token, then the unknown ones, then the terms.

    Args:
        vocabulary_dtype: `"string"` or `"int64"`, the type of the terms.
        vocabulary: terms as a list or array, or the path of a text file with one term a line.
        idf_weights: a weight a term, with `output_mode="tf_idf"` and a vocabulary.
        **options: as in `StringLookup` and `IntegerLookup`.
    """

    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    invert: bool
    output_mode: str
    sparse: bool
    pad_to_max_tokens: bool
    oov_method: str
    salt: list[int] | None
    idf_weights: torch.Tensor | None

    def __init__(self, *, vocabulary_dtype: str, vocabulary: Any, idf_weights: Any, **options: Any) -> None:
        own, rest = checked_options(type(self).__name__, options)
        frozen, fixed = (
            rest.pop("vocabulary_size", None),
            rest.pop("has_input_vocabulary", vocabulary is not None),
        )
        rest.pop("dtype", None)  # that of the vocabulary; outputs are int64 or the default float
        super().__init__(**rest)
        self.__dict__.update(own)
        self.vocabulary_dtype = vocabulary_dtype
        self.input_vocabulary = None if isinstance(vocabulary, str) else as_list(vocabulary)
        self.input_idf_weights = as_list(idf_weights)
        self._has_input_vocabulary = bool(fixed)
        self._frozen_size: int | None = frozen
        self._counts = Counts()
        self._terms: list[Any] = []
        self.register_buffer("idf_weights", None, persistent=False)
        self._index([])
        if idf_weights is not None and self.output_mode != "tf_idf":
            got = f"output_mode={self.output_mode!r}"
            raise ArgumentError(message(self.label, expected='idf_weights with mode "tf_idf" only', got=got))
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # --- the vocabulary -------------------------------------------------------------------------------------

    @abstractmethod
    def _index(self, terms: list[Any]) -> None:
        """Make whatever finds terms quickly."""

    @abstractmethod
    def find(self, values: Any) -> torch.Tensor:
        """Return the place of each value among the terms, -1 for unknown ones, -2 for the mask token."""

    @abstractmethod
    def _as_terms(self, values: Any) -> list[Any]:
        """Return a vocabulary's terms as plain values of the layer's type."""

    @property
    def oov_start(self) -> int:
        """The first place for unknown terms."""
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def token_start(self) -> int:
        """The place of the first term."""
        return self.oov_start + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """Return the number of places: special tokens and terms."""
        return self.token_start + len(self._terms)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the terms in the order of their places.

        Args:
            include_special_tokens: False leaves the mask and out-of-vocabulary tokens out.
        """
        special = self._special_tokens() if include_special_tokens else []
        return [*special, *self._terms]

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self.oov_start + [self.oov_token] * self.num_oov_indices

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: terms, with or without the special tokens at the start, or the path of a text file.
            idf_weights: a weight a term, with `output_mode="tf_idf"` only.

        Raises:
            ArgumentError: repeated or too many terms, misplaced special tokens, weights that do not fit.
        """
        if (idf_weights is not None) != (self.output_mode == "tf_idf"):
            expected = 'idf_weights with mode "tf_idf", and with no other'
            got = f"output_mode={self.output_mode!r} and {'none' if idf_weights is None else 'some'}"
            raise ArgumentError(message(self.label, expected=expected, got=got))
        if isinstance(vocabulary, str):
            vocabulary = vocabulary_from_file(self.label, vocabulary)
        given = self._as_terms(vocabulary)
        oov = self.oov_token if self.invert else None
        special = self._special_tokens()
        terms, found = without_special(self.label, given, special, mask=self.mask_token, oov=oov)
        if self.max_tokens is not None and self.token_start + len(terms) > self.max_tokens:
            got = f"{self.token_start + len(terms)} with the special ones"
            raise ArgumentError(message(self.label, expected=f"at most {self.max_tokens} terms", got=got))
        weights = None if idf_weights is None else self._checked_weights(idf_weights, len(given), found)
        self._keep(terms, weights)

    def _checked_weights(self, weights: Any, count: int, found: bool) -> Any:
        values = np.asarray(as_list(weights), dtype=np.float32)
        if values.shape != (count,):
            expected = f"idf_weights with one number for each of the {count} terms"
            raise ArgumentError(message(self.label, expected=expected, got=f"shape {values.shape}"))
        # Nothing is known of unknown terms: the mean of all weights stands for theirs.
        return values if found else np.concatenate([np.full(self.token_start, values.mean()), values])

    def _keep(self, terms: list[Any], weights: Any) -> None:
        size = self.token_start + len(terms)
        fixed_outputs = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed_outputs and self._frozen_size not in (None, size):
            expected = f"a vocabulary of {self._frozen_size} places, as before: the outputs have that size"
            raise ShapeError(message(self.label, expected=expected, got=size))
        self._terms, self._frozen_size = terms, size
        self._index(terms)
        if weights is not None:
            padding = np.zeros(self.depth() - len(weights))
            self.idf_weights = self.on_device(np.concatenate([weights, padding]).astype(np.float32))

    # --- learning it ----------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary of data: the most frequent terms, ties from high to low.

        Args:
            data: array or list of samples, or an iterable of batches; of (inputs, targets) the inputs.
            steps: how many batches to read.

        Raises:
            ArgumentError: the layer was given its vocabulary.
        """
        self.reset_state()
        for batch in raw_batches(data, steps, self.label):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the terms of one batch; a vector is one document."""
        values = np.asarray(self._checked_values(self.as_array(data)))
        rows = values.reshape(1, -1) if values.ndim < 2 else values.reshape(len(values), -1)
        self.count_rows(rows.tolist())

    def count_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count the terms of documents, each a row of terms."""
        if self._has_input_vocabulary:
            raise ArgumentError(f"{self.label}: expected to learn its vocabulary, but it was given one.")
        self._counts.add(rows, by_document=self.output_mode == "tf_idf")

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        counts = self._counts
        if self._has_input_vocabulary or not counts.terms:
            self._frozen_size = self.vocabulary_size()
            return
        limit = None if self.max_tokens is None else max(self.max_tokens - self.token_start, 0)
        special = [token for token in (self.mask_token, self.oov_token) if token is not None]
        terms = counts.ranked(special, limit)
        weights = None
        if self.output_mode == "tf_idf":
            values = counts.inverse_frequencies(terms)
            weights = np.concatenate([np.full(self.token_start, values.mean()), values])
        self._keep(terms, weights)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._counts = Counts()

    @abstractmethod
    def _checked_values(self, values: Any) -> Any:
        """Return inputs of the layer's type as a NumPy array; others are an error."""

    # --- calling --------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        """Look the values up."""
        if self.invert:
            return self._terms_at(self.expect_integers(inputs))
        return self.encoded(self.places(inputs))

    def places(self, inputs: Any) -> torch.Tensor:
        """Return the place of each value, -2 where it leaves no mark."""
        found = self.find(inputs)
        unknown = found == _UNKNOWN
        mask = 0 if self.output_mode == "int" else _DROPPED
        places = torch.where(found == _DROPPED, mask, found + self.token_start)
        if self.num_oov_indices == 0:
            self._refuse_unknown(inputs, unknown)
            return places
        if self.num_oov_indices == 1:
            return torch.where(unknown, self.oov_start, places)
        return torch.where(unknown, self._hashed(inputs) + self.oov_start, places)

    def _refuse_unknown(self, inputs: Any, unknown: torch.Tensor) -> None:
        if bool(unknown.any()):
            values = np.asarray(self._checked_values(inputs))[unknown.cpu().numpy()]
            got = ", ".join(repr(item) for item in values.tolist()[:5])
            do = "num_oov_indices=1 gives unknown terms a place."
            raise DataError(message(self.label, expected="terms of the vocabulary", got=got, do=do))

    def _hashed(self, inputs: Any) -> torch.Tensor:
        if isinstance(inputs, torch.Tensor) and self.oov_method == "floormod":
            return torch.remainder(inputs.to(torch.int64), self.num_oov_indices)
        values = np.asarray(self._checked_values(inputs))
        return self.on_device(hash_bins(values, self.num_oov_indices, self.salt))

    def encoded(self, places: torch.Tensor) -> torch.Tensor:
        """Return places in the form of `output_mode`."""
        if self.output_mode == "int":
            return places
        dtype = torch_dtype(floatx())
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        rows = encode(places, mode, self.depth(), dtype)
        return rows if self.output_mode != "tf_idf" else rows * self._weights_of_terms().to(dtype)

    def _weights_of_terms(self) -> torch.Tensor:
        if self.idf_weights is None:
            raise NotBuiltError(
                f"{self.label}: has no idf_weights yet. Call adapt(data) first, or give them."
            )
        return self.idf_weights

    def depth(self) -> int:
        """Return the length of the rows of the modes other than `"int"`."""
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        if self._frozen_size is None:
            do = "Call adapt(data) first, or give a vocabulary."
            raise NotBuiltError(message(self.label, expected="to know its vocabulary", got="none", do=do))
        return self._frozen_size

    def _terms_at(self, places: torch.Tensor) -> Any:
        size = self.vocabulary_size()
        inside = torch.where((places >= 0) & (places < size), places, size)
        return self._as_outputs([*self.get_vocabulary(), self.oov_token], inside)

    @abstractmethod
    def _as_outputs(self, terms: list[Any], places: torch.Tensor) -> Any:
        """Return the terms at these places."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the inputs' shape, or that of the rows."""
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        depth = self.max_tokens if self.pad_to_max_tokens else self._frozen_size
        return encoded_shape(tuple(input_shape), mode, depth)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return int64 for places, the default float for rows, `"string"` for terms that are strings."""
        if self.invert:
            return TEXT if self.vocabulary_dtype == TEXT else "int64"
        return "int64" if self.output_mode == "int" else floatx()

    # --- configuration and files ----------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values; a learned vocabulary is not among them."""
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self.vocabulary_dtype,
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": self._frozen_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer from what `get_config` returned; a path in place of the vocabulary is refused."""
        refuse_paths(cls.__name__, config)
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of the terms, which are not trained, into `store`, as Keras does."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights.cpu().numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights of the terms from `store`."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = self.on_device(np.asarray(store["idf_weights"], dtype=np.float32))

    def save_own_assets(self) -> dict[str, str]:
        """Return the texts that a file keeps besides: a learned vocabulary, one term a line."""
        if self.input_vocabulary is not None:
            return {}
        return {"vocabulary.txt": "\n".join(str(term) for term in self.get_vocabulary())}

    def load_own_assets(self, assets: Mapping[str, str]) -> None:
        """Take the vocabulary from what `save_own_assets` returned; `load_own_variables` comes first."""
        if self.input_vocabulary is not None or "vocabulary.txt" not in assets:
            return
        terms = self._as_terms(lines_of(assets["vocabulary.txt"]))
        if len(terms) > self.token_start:
            weights = self._weights_of_terms()[: len(terms)] if self.output_mode == "tf_idf" else None
            self.set_vocabulary(terms, weights)

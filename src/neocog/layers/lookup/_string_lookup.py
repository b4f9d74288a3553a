"""Strings to their places in a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import TEXT, to_text
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._index_lookup import IndexLookup


@LAYERS.register("string_lookup")
class StringLookup(IndexLookup):
    """Look strings up in a vocabulary that is given or learned by `adapt`.

    Args:
        max_tokens: greatest number of places, special tokens included; None for any.
        num_oov_indices: places for unknown strings; 0 makes them an error, several are chosen by a hash.
        mask_token: the string that stands for nothing: place 0, or no mark at all in rows.
        oov_token: what stands for unknown strings with `invert`.
        vocabulary: strings as a list or array, or the path of a text file with one a line.
        idf_weights: a weight a term, for `"tf_idf"` with a vocabulary.
        invert: True goes from places to strings, which come as a NumPy array.
        output_mode: `"int"` places; `"one_hot"` a row for each string; `"multi_hot"`, `"count"`, `"tf_idf"` a
            row for each sample: what is in it, how often, and that times the weight of each term.
        pad_to_max_tokens: True makes rows of length `max_tokens`, however large the vocabulary.
        sparse: not supported; must be False.
        encoding: of strings that come as bytes.
        salt: one or two whole numbers under which unknown strings are hashed.

    Shapes:
        Any; `"int"` keeps it. Other modes give float rows (Keras: whole numbers).

    Raises:
        DataError: numbers in place of strings, or unknown strings with `num_oov_indices=0`.

    Example:
        >>> layer = StringLookup(vocabulary=["a", "b"])
        >>> layer([["a", "c"], ["b", "b"]])
        tensor([[1, 0],
                [2, 2]])
        >>> layer.get_vocabulary()
        ['[UNK]', 'a', 'b']
    """

    encoding: str

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.__dict__["encoding"] = str(encoding)  # a vocabulary may come as bytes
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            vocabulary_dtype=TEXT,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            salt=salt,
            **kwargs,
        )

    @property
    def input_dtype(self) -> str:
        """Type of the inputs."""
        return "int64" if self.invert else TEXT

    def _index(self, terms: list[Any]) -> None:
        self._places = {term: place for place, term in enumerate(terms)}
        if self.mask_token is not None:
            self._places[self.mask_token] = -2

    def find(self, values: Any) -> torch.Tensor:
        """Return the place of each string among the terms, -1 for unknown ones, -2 for the mask token."""
        strings = self._checked_values(values)
        return self.on_device(self.find_all(strings.ravel().tolist()).reshape(strings.shape))

    def find_all(self, strings: list[str]) -> Any:
        """Return the place of each string, as `find` does, as a NumPy array."""
        get = self._places.get
        return np.fromiter((get(item, -1) for item in strings), np.int64, len(strings))

    def _as_terms(self, values: Any) -> list[Any]:
        return [str(item) for item in to_text(values, self.label, self.encoding).ravel().tolist()]

    def _checked_values(self, values: Any) -> Any:
        return self.expect_text(values)

    def _as_outputs(self, terms: list[Any], places: torch.Tensor) -> Any:
        return np.array(terms)[places.cpu().numpy()]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values; a learned vocabulary is not among them."""
        config = {**super().get_config(), "encoding": self.encoding}
        del config["vocabulary_dtype"]
        return config

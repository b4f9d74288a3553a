"""Whole numbers to their places in a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_one_of, to_tensor
from neocog.exceptions import ArgumentError, message
from neocog.layers._registry import LAYERS
from neocog.layers.lookup._index_lookup import IndexLookup
from neocog.layers.lookup._vocabulary import as_list


@LAYERS.register("integer_lookup")
class IntegerLookup(IndexLookup):
    """Look whole numbers up in a vocabulary that is given or learned by `adapt`.

    Args:
        max_tokens: greatest number of places, special tokens included; None for any.
        num_oov_indices: places for unknown numbers; 0 makes them an error, `oov_method` chooses of several.
        mask_token: the number that stands for nothing: place 0, or no mark at all in rows.
        oov_token: what stands for unknown numbers with `invert`.
        vocabulary: numbers as a list or array, or the path of a text file with one a line.
        vocabulary_dtype: `"int64"`, the only type.
        idf_weights: a weight a term, for `"tf_idf"` with a vocabulary.
        invert: True goes from places to numbers.
        output_mode: as in `StringLookup`.
        sparse: not supported; must be False.
        pad_to_max_tokens: True makes rows of length `max_tokens`, however large the vocabulary.
        oov_method: `"floormod"` takes the remainder of unknown numbers, `"farmhash"` their hash.
        salt: one or two whole numbers for the hash.

    Shapes:
        Any; `"int"` keeps it. Other modes give float rows (Keras: whole numbers).

    Example:
        >>> layer = IntegerLookup(vocabulary=[12, 36, 1138, 42])
        >>> layer([[12, 1138, 42], [42, 1000, 36]])
        tensor([[1, 3, 4],
                [4, 0, 2]])
    """

    takes_text = False
    input_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        where = type(self).__name__
        if salt is not None and oov_method != "farmhash":
            raise ArgumentError(
                message(where, expected='salt with oov_method="farmhash"', got=repr(oov_method))
            )
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=None if mask_token is None else int(mask_token),
            oov_token=None if oov_token is None else int(oov_token),
            vocabulary=vocabulary,
            vocabulary_dtype=check_one_of(where, "vocabulary_dtype", vocabulary_dtype, ("int64",)),
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            **kwargs,
        )

    def _index(self, terms: list[Any]) -> None:
        keys = np.array(terms, dtype=np.int64)
        order = np.argsort(keys)
        self.register_buffer("_keys", self.on_device(keys[order]), persistent=False)
        self.register_buffer("_order", self.on_device(order), persistent=False)

    def find(self, values: Any) -> torch.Tensor:
        """Return the place of each number among the terms, -1 for unknown ones, -2 for the mask token."""
        numbers = self.expect_integers(values)
        found = torch.full_like(numbers, -1)
        if self._terms:
            keys, order = self.get_buffer("_keys"), self.get_buffer("_order")
            at = torch.searchsorted(keys, numbers).clamp_max(len(self._terms) - 1)
            found = torch.where(keys[at] == numbers, order[at], found)
        return found if self.mask_token is None else found.masked_fill(numbers == self.mask_token, -2)

    def _as_terms(self, values: Any) -> list[Any]:
        return [int(item) for item in as_list(values) or []]

    def _checked_values(self, values: Any) -> Any:
        return self.expect_integers(values).detach().cpu().numpy()

    def _as_outputs(self, terms: list[Any], places: torch.Tensor) -> Any:
        return to_tensor(np.array(terms, dtype=np.int64), device=places.device)[places]

"""Vocabularies: checked, read from text, counted in data, weighed by how many documents know a term."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neocog.exceptions import ArgumentError, StorageError, message


@dataclass(kw_only=True)
class Counts:
    """What `adapt` has seen: how often each term occurs, in how many documents, and how many there are."""

    terms: Counter[Any] = field(default_factory=Counter)
    documents: Counter[Any] = field(default_factory=Counter)
    num_documents: int = 0

    def add(self, rows: Iterable[Sequence[Any]], *, by_document: bool) -> None:
        """Take in documents, each a row of terms."""
        for row in rows:
            self.terms.update(row)
            self.num_documents += 1
            if by_document:
                self.documents.update(set(row))

    def ranked(self, without: Sequence[Any], limit: int | None) -> list[Any]:
        """Return the terms by how often they occur, ties by the terms themselves, from high to low, as Keras.

        Args:
            without: terms that have a place of their own.
            limit: how many to return at most.
        """
        pairs = [(count, term) for term, count in self.terms.items() if term not in without]
        pairs.sort(reverse=True)
        return [term for _, term in pairs[:limit]]

    def inverse_frequencies(self, terms: Sequence[Any]) -> Any:
        """Return log(1 + documents / (1 + documents with the term)) for each term, as float32."""
        known = np.array([self.documents[term] for term in terms], dtype=np.float64)
        return np.log(1 + self.num_documents / (1 + known)).astype(np.float32)


def without_special(
    where: str, vocabulary: Sequence[Any], special: list[Any], *, mask: Any, oov: Any
) -> tuple[list[Any], bool]:
    """Return the terms of a vocabulary without the special tokens at its start, and whether they were there.

    Args:
        where: how error texts name the layer.
        vocabulary: terms, all different.
        special: the mask and out-of-vocabulary tokens, in their order.
        mask: the mask token, which may stand nowhere else; None for none.
        oov: the out-of-vocabulary token, likewise; None where it may be a term.

    Raises:
        ArgumentError: nothing in it, terms twice, special tokens elsewhere than at the start.
    """
    terms = list(vocabulary)
    if not terms:
        raise ArgumentError(message(where, expected="a vocabulary with terms", got="an empty one"))
    found = terms[: len(special)] == special
    if found:
        terms = terms[len(special) :]
    twice = [term for term, count in Counter(terms).items() if count > 1]
    if twice:
        raise ArgumentError(message(where, expected="a vocabulary without repeated terms", got=twice[:8]))
    for token in (mask, oov):
        if token is not None and token in terms:
            expected = f"the reserved token {token!r} only at the start of the vocabulary, as in {special}"
            got = f"it at place {terms.index(token)}"
            do = "Leave the special tokens out: the layer adds them."
            raise ArgumentError(message(where, expected=expected, got=got, do=do))
    return terms, found


def vocabulary_from_file(where: str, path: str) -> list[str]:
    """Return the lines of a local text file that the user's own code named; addresses are refused.

    Raises:
        ArgumentError: it is no path of a local file.
        StorageError: it cannot be read.
    """
    if "://" in path:
        do = "Download it first, and give the file's path or a list of terms."
        raise ArgumentError(
            message(where, expected="a list of terms or the path of a local file", got=repr(path), do=do)
        )
    if not Path(path).is_file():
        raise ArgumentError(
            message(where, expected="the path of a vocabulary file", got=f"{path!r}: no such file")
        )
    try:
        return lines_of(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path}: could not be read as UTF-8 text ({error}).") from error


def lines_of(text: str) -> list[str]:
    """Return the lines of a vocabulary's text, one term each; empty ones at the end are left out."""
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def refuse_paths(where: str, config: dict[str, Any]) -> None:
    """Raise ArgumentError where a configuration names a file in place of a vocabulary.

    Configurations come from files of others: a path or address in them would have files of this machine read
    and sent along with the next `save`, or addresses opened (CVE-2025-12058).
    """
    for name in ("vocabulary", "idf_weights"):
        value = config.get(name)
        if value is not None and not isinstance(value, (list, tuple, np.ndarray)):
            do = "Configurations never open files: build the layer in code with vocabulary=path."
            got = f"{type(value).__name__} {str(value)[:80]!r}"
            raise ArgumentError(message(f"{where} config", expected=f"{name} as a list", got=got, do=do))


def as_list(values: Any) -> list[Any] | None:
    """Return a vocabulary or weights, given as list, array or tensor, as a list of plain values."""
    if values is None:
        return None
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return [item.item() if isinstance(item, np.generic) else item for item in plain]

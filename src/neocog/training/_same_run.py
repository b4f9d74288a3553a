"""Whether a run that goes on is the one that the snapshot was taken of: its optimizer, its data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from neocog.data import MappedSource, Source
from neocog.exceptions import ArgumentError, message

_WHERE = "fit(snapshots=…)"
_WORDS = {
    "ArraySource": "arrays",
    "DatasetSource": "a torch dataset",
    "GeneratorSource": "a generator",
    "ImageFolderSource": "image files",
    "IterableSource": "a function that gives generators",
    "LoaderSource": "a DataLoader",
    "PyDatasetSource": "a PyDataset",
}


def kinds_of(scene: Any) -> dict[str, Any]:
    """Return what a run's optimizer and data are, for a later process to compare."""
    source = scene.source
    return {
        "optimizer": _optimizer_of(scene.model),
        "data": words_for(source),
        "batches": source.num_batches,
        "samples": source.num_samples,
    }


def check_kinds(scene: Any, state: Mapping[str, Any]) -> None:
    """Compare a run with the one that a snapshot was taken of; other numbers of data are a warning.

    Raises:
        ArgumentError: another optimizer, or data of another kind.
    """
    kept, here = state["kinds"], kinds_of(scene)
    for name, do in (
        ("optimizer", "Compile with the same optimizer"),
        ("data", "Give the data in the same form"),
    ):
        if kept[name] != here[name]:
            expected = f"the {name} of the snapshot, {kept[name]}"
            do = f"{do}, or choose another folder to train anew."
            raise ArgumentError(message(_WHERE, expected=expected, got=here[name], do=do))
    if len(state["processes"]) != scene.world.size:
        return  # data that the processes share out by themselves count anew
    for name in ("batches", "samples"):
        if None not in (kept[name], here[name]) and kept[name] != here[name]:
            expected = f"{kept[name]:,} {name}, as in the run that took the snapshot"
            do = "What follows is not the rest of that run; choose another folder to train anew."
            warnings.warn(
                message(_WHERE, expected=expected, got=f"{here[name]:,}", do=do), UserWarning, stacklevel=3
            )
            return


def words_for(source: Source) -> str:
    """Return what kind of data a source reads, in words."""
    while isinstance(source, MappedSource):
        source = source.source
    name = type(source).__name__
    return _WORDS.get(name, f"a {name}")


def _optimizer_of(model: Any) -> str | None:
    """Return the class of the rule that moves the weights, whatever is wrapped around it."""
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    inner = getattr(inner, "optimizer", inner)  # torch's own
    return None if inner is None else type(inner).__name__

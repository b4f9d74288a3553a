"""What copies mean: known answers in a test, labels that contradict each other, images that count twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.diagnosis._duplicates import Duplicates, Pair
from neocog.diagnosis._findings import Finding, Item, Samples

# Numbers of copies may differ by this part of their standard deviation: people measure anew, or crop.
_SAME_NUMBER = 0.1
_ORDER = {"train": 0, "validation": 1, "test": 2, None: 3}
_NOTES = {"file": "the same file", "pixels": "the same pixels", "near": "the same picture"}


def copy_findings(samples: Samples, found: Duplicates) -> list[Finding | None]:
    """Return the findings on copies, each group once in every finding that it belongs to."""
    closest: dict[tuple[int, ...], list[Pair]] = {group: [] for group in found.groups}
    group_of = {member: group for group in found.groups for member in group}
    for pair in found.pairs:
        closest[group_of[pair.first]].append(pair)
    leaks, conflicts = [], []
    spread = None if samples.numbers is None else np.nanstd(samples.numbers, axis=0)
    for group, pairs in closest.items():
        ordered = _ordered(samples, group)
        parts = sorted(
            {str(samples.part(i)) for i in ordered if samples.part(i)}, key=lambda p: _ORDER.get(p, 4)
        )
        if len(parts) > 1:
            leaks.append(
                Item(images=ordered, note=f"{_note(pairs)} in {' and '.join(parts)}", score=_sure(pairs))
            )
        if _contradict(samples, ordered, spread):
            names = ", ".join(dict.fromkeys(_name(samples, i) for i in ordered))
            conflicts.append(Item(images=ordered, note=f"{_note(pairs)} as {names}", score=_sure(pairs)))
    exact = _inner_groups(found, ("file", "pixels"))
    near = _inner_groups(found, ("near",))
    return [
        Finding(
            kind="leaks",
            title="the same image in two parts",
            severity="error",
            meaning="What was learned is asked again: validation and test come out too well.",
            advice="Keep each group in one part: leaks.csv names the copies outside train, which can go.",
            items=tuple(leaks),
        ),
        _conflicts(samples, conflicts),
        _copies("exact-copies", "exact copies", exact, found, samples),
        _copies("near-copies", "near copies (other size, quality, crop, turn)", near, found, samples),
    ]


def _ordered(samples: Samples, group: Sequence[int]) -> tuple[int, ...]:
    """Return copies, the one to keep first: links behind the files that they may lead to, then by part."""

    def place(index: int) -> tuple[bool, int, int]:
        path = samples.paths[index]
        linked = os.path.realpath(path) != os.path.abspath(path)
        return linked, _ORDER.get(samples.part(index), 4), index

    return tuple(sorted(group, key=place))


def _contradict(samples: Samples, images: Sequence[int], spread: Any) -> bool:
    """Return whether copies have other labels, or numbers that lie further apart than measuring explains."""
    if samples.numbers is None:
        return len({samples.meaning(i) for i in images} - {None}) > 1
    rows = samples.numbers[list(images)]
    rows = rows[~np.isnan(rows).any(1)]
    return len(rows) > 1 and bool((np.ptp(rows, axis=0) > _SAME_NUMBER * spread).any())


def _conflicts(samples: Samples, items: Sequence[Item]) -> Finding:
    """Return what contradicts itself, in words for classes, labels or numbers."""
    title, severity = "the same image in two classes", "error"
    meaning = "One of the labels is wrong, or the classes overlap: no model can learn both."
    advice = "Look at each group and keep the image in the right class alone."
    if samples.numbers is not None:
        title, severity = "the same image with different numbers", "warning"
        meaning = "A model can learn only what lies between them."
        advice = "Look at each group and keep the image with the right numbers alone."
    elif (samples.labels < 0).all():
        title = "the same image with different labels"
        meaning = "Some of the labels are wrong or missing: no model can learn both."
        advice = "Look at each group and give each copy the same labels."
    return Finding(
        kind="label-conflicts",
        title=title,
        severity=severity,
        meaning=meaning,
        advice=advice,
        items=tuple(items),
    )


def _copies(
    kind: str, title: str, groups: Sequence[tuple[int, ...]], found: Duplicates, samples: Samples
) -> Finding:
    by_member: dict[int, list[Pair]] = {}
    kinds = ("file", "pixels") if kind == "exact-copies" else ("near",)
    for pair in found.pairs:
        if pair.kind in kinds:
            by_member.setdefault(pair.first, []).append(pair)
            by_member.setdefault(pair.second, []).append(pair)
    items = []
    for group in groups:
        pairs = [pair for member in group for pair in by_member[member]]
        ordered = _ordered(samples, group)
        items.append(Item(images=ordered, note=_note(pairs), score=_sure(pairs)))
    return Finding(
        kind=kind,
        title=title,
        severity="warning",
        meaning="They count twice in training, and land in two parts when a split does not know of them.",
        advice=f"Keep the first of each group: {kind}.csv names the others.",
        items=tuple(items),
    )


def _inner_groups(found: Duplicates, kinds: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Return the groups that pairs of these kinds alone join."""
    return list(Duplicates.joined([pair for pair in found.pairs if pair.kind in kinds]))


def _note(pairs: Sequence[Pair]) -> str:
    kinds = {pair.kind for pair in pairs}
    return _NOTES[next(kind for kind in ("near", "pixels", "file") if kind in kinds)]


def _sure(pairs: Sequence[Pair]) -> float:
    return round(min(pair.likeness for pair in pairs), 4)


def _name(samples: Samples, index: int) -> str:
    label = int(samples.labels[index])
    return samples.class_names[label] if label >= 0 else str(samples.meaning(index))

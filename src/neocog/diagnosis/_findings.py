"""What the checks find: plain values, worded for people, with positions for machines."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SEVERITIES = ("information", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The images that are checked.

    Attributes:
        paths: where they are.
        labels: class number of each; -1 where an image has no single class.
        class_names: in the order of the labels.
        parts: train, validation or test of each; None where nothing is split.
        meanings: what each image stands for, to tell whether copies contradict each other; None: nothing.
        numbers: what is to be predicted of each image, (images, numbers), NaN where there is none; None where
            images have classes or labels.
    """

    paths: tuple[str, ...]
    labels: Array
    class_names: tuple[str, ...] = ()
    parts: tuple[str | None, ...] = ()
    meanings: tuple[Hashable, ...] = ()
    numbers: Array | None = None

    def part(self, index: int) -> str | None:
        """Return the part of an image."""
        return self.parts[index] if self.parts else None

    def meaning(self, index: int) -> Hashable:
        """Return what an image stands for; images that contradict each other have other meanings."""
        if self.meanings:
            return self.meanings[index]
        label = int(self.labels[index])
        return None if label < 0 else label


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One case of a finding.

    Attributes:
        images: positions of the images, the one to keep first.
        note: what is to be seen, in a few words.
        score: how sure it is, 0 to 1, where that can be said.
        suggested: class number that the first image is likely of.
        classes: class numbers, for findings on classes.
    """

    images: tuple[int, ...] = ()
    note: str = ""
    score: float | None = None
    suggested: int | None = None
    classes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault of one kind.

    Attributes:
        kind: a name for machines: `"unreadable"`, `"exact-copies"`, …
        title: for people.
        severity: `"error"`: results would be wrong; `"warning"`: they would be worse; `"information"`.
        meaning: what it does to a training.
        advice: what to do.
        items: the cases, the worst first.
    """

    kind: str
    title: str
    severity: str
    meaning: str
    advice: str
    items: tuple[Item, ...] = field(repr=False)

    @property
    def count(self) -> int:
        """Number of cases."""
        return len(self.items)

    @property
    def images(self) -> tuple[int, ...]:
        """Positions of all images concerned, sorted."""
        return tuple(sorted({index for item in self.items for index in item.images}))


def sorted_findings(found: Sequence[Finding | None]) -> tuple[Finding, ...]:
    """Return the findings that there are, the gravest first."""
    there = [finding for finding in found if finding is not None and finding.items]
    return tuple(sorted(there, key=lambda finding: -SEVERITIES.index(finding.severity)))

"""Faults that one image shows alone, or a class by its count: unreadable, blank, odd ones out, imbalance."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.diagnosis._duplicates import LEAST_CONTRAST
from neocog.diagnosis._findings import Finding, Item, Samples
from neocog.diagnosis._look import Looks

Array = np.ndarray[Any, Any]

IMBALANCE = 3.0  # images of the largest class over those of the smallest
_SMALL, _LARGE = 0.25, 8.0  # of the median of the shorter sides
_ASPECT = 3.0  # times the median shape
_DARK, _BRIGHT = 16.0, 240.0  # mean grey value
_BLURRED = 0.2  # of the median sharpness
_LEAST_TO_COMPARE = 20  # images; fewer have no usual value
_FAR = 4.0  # robust standard deviations


def unreadable(looks: Looks, first: tuple[tuple[int, str], ...] = ()) -> Finding:
    """Return the images that cannot be read, with the reason."""
    reasons = {**dict(first), **looks.reasons}
    return Finding(
        kind="unreadable",
        title="files that cannot be read",
        severity="error",
        meaning="They are left out of every training.",
        advice="Get them again from their source, let them be read, or delete them.",
        items=tuple(Item(images=(i,), note=reason) for i, reason in sorted(reasons.items())),
    )


def imbalance(samples: Samples, looks: Looks) -> Finding | None:
    """Return the classes that have far fewer images than the largest one."""
    counted = [i for i in looks.readable if samples.labels[i] >= 0 and samples.part(i) in (None, "train")]
    if not counted or len(samples.class_names) < 2:
        return None
    counts = np.bincount(samples.labels[counted], minlength=len(samples.class_names))
    largest = int(counts.argmax())
    small = [
        k for k in np.argsort(counts, kind="stable").tolist() if counts[k] * IMBALANCE <= counts[largest]
    ]
    return Finding(
        kind="imbalance",
        title="classes with few images",
        severity="warning",
        meaning="The accuracy is mostly that of the large classes; the small ones are learned badly.",
        advice="Add images of them, or judge the model by each class's recall.",
        items=tuple(
            Item(
                classes=(k, largest),
                note=f"{samples.class_names[k]}: {counts[k]} images, {samples.class_names[largest]}: "
                f"{counts[largest]}",
            )
            for k in small
        ),
    )


def blank(looks: Looks) -> Finding:
    """Return the images that hold one colour."""
    flat = [i for i in looks.readable.tolist() if looks.contrast[i] < LEAST_CONTRAST / 2]
    return Finding(
        kind="blank",
        title="images of one colour",
        severity="warning",
        meaning="There is nothing to learn from in them.",
        advice="Delete them, unless emptiness is the class.",
        items=tuple(Item(images=(i,), note=f"grey value {looks.brightness[i]:.0f}") for i in flat),
    )


def turned(looks: Looks) -> Finding:
    """Return the images that EXIF turns."""
    found = np.flatnonzero(looks.orientation > 1)
    return Finding(
        kind="exif-rotated",
        title="images turned by EXIF",
        severity="information",
        meaning="neocog turns them upright; other programs may not.",
        advice="Nothing to do here. To be safe elsewhere, save them upright.",
        items=tuple(
            Item(images=(int(i),), note=f"orientation {looks.orientation[i]}")
            for i in found
            if i in looks.readable
        ),
    )


def outliers(looks: Looks) -> list[Finding]:
    """Return the images whose size, shape, brightness or sharpness is far from the others'."""
    rows = looks.readable
    if len(rows) < _LEAST_TO_COMPARE:
        return []
    side = np.minimum(looks.height, looks.width)[rows].astype(np.float64)
    shape = np.log(looks.width[rows] / looks.height[rows])
    light, sharp = looks.brightness[rows], np.log(looks.sharpness[rows] + 1e-6)
    seen = looks.contrast[rows] >= LEAST_CONTRAST
    usual = float(np.median(side))
    odd_size = (side < _SMALL * usual) | (side > _LARGE * usual)
    odd_shape = (np.abs(shape - np.median(shape)) > np.log(_ASPECT)) & (_distance(shape) > _FAR)
    odd_light = ((light < _DARK) | (light > _BRIGHT)) & (_distance(light) > _FAR / 2) & seen
    blurred = (sharp < np.median(sharp[seen]) + np.log(_BLURRED)) & seen if seen.any() else seen & False
    size = [f"{looks.width[i]}×{looks.height[i]} pixels" for i in rows]
    return [
        _outliers("odd-size", "images of an odd size", rows, odd_size, size),
        _outliers("odd-shape", "images of an odd shape", rows, odd_shape, size),
        _outliers(
            "dark-or-bright", "very dark or bright images", rows, odd_light, [f"mean {v:.0f}" for v in light]
        ),
        _outliers("blurred", "blurred images", rows, blurred, ["few fine details"] * len(rows)),
    ]


def _outliers(kind: str, title: str, rows: Array, odd: Array, notes: list[str]) -> Finding:
    return Finding(
        kind=kind,
        title=title,
        severity="information",
        meaning="They may be mistakes of collecting.",
        advice="Look at them; delete what does not belong.",
        items=tuple(Item(images=(int(rows[i]),), note=notes[i]) for i in np.flatnonzero(odd)),
    )


def _distance(values: Array) -> Array:
    """Return the distance from the median in robust standard deviations."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return np.asarray(np.abs(values - middle) / max(spread, 1e-6))

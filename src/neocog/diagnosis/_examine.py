"""All checks of a set of images, in one pass over the files.

Letters: N images, D features.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data import file_sha256, ordered_map
from neocog.diagnosis import _oddities
from neocog.diagnosis._copies import copy_findings
from neocog.diagnosis._duplicates import Duplicates, find_duplicates
from neocog.diagnosis._features import Features
from neocog.diagnosis._findings import Finding, Samples, sorted_findings
from neocog.diagnosis._labels_check import Trust, label_findings
from neocog.diagnosis._look import SIDE, Look, Looks, Progress, gather_looks, look_at_file
from neocog.diagnosis._out_of_fold import FOLDS, out_of_fold
from neocog.diagnosis._store import LookStore

Array = np.ndarray[Any, Any]

_BATCH = 32
_LOOKS_KEY = "look-2"
_PARTS = {"measured", "thumb"}
_WITH_WEIGHTS = (
    "A pretrained network sees more: --weights FILE, or a file in `models` of neocog's folder "
    "(docs/checking-data.md)."
)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What the checks found.

    Attributes:
        findings: the gravest first.
        looks: what was measured of each image.
        duplicates: copies.
        features: (N, D), or None where none were made; rows of unreadable images are 0.
        feature_name: what they are, in words.
        trust: how far the list of wrong labels can be trusted.
    """

    findings: tuple[Finding, ...]
    looks: Looks
    duplicates: Duplicates
    features: Array | None
    feature_name: str
    trust: Trust


def examine(
    samples: Samples,
    features: Features | None = None,
    *,
    seed: int = 0,
    cache: Path | bool | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Check images: faults of files, copies, odd ones out, counts and labels.

    Args:
        samples: the images.
        features: what labels are judged by; None leaves labels unjudged.
        seed: of the folds.
        cache: folder of the store of looks; None the usual one, False none.
        progress: told what is done and how far it is.
    """
    looks, numbers = look_at_all(samples.paths, features, cache=cache, progress=progress)
    duplicates = find_duplicates(looks, samples.paths, progress)
    judged, trust = _judged(samples, looks, duplicates, features, numbers, seed, progress)
    return Diagnosis(
        findings=sorted_findings([*plain_findings(samples, looks, duplicates), *judged]),
        looks=looks,
        duplicates=duplicates,
        features=numbers,
        feature_name="none" if features is None else features.name,
        trust=trust,
    )


def plain_findings(samples: Samples, looks: Looks, duplicates: Duplicates) -> list[Finding | None]:
    """Return the findings that need no features."""
    return [
        _oddities.unreadable(looks),
        *copy_findings(samples, duplicates),
        _oddities.imbalance(samples, looks),
        _oddities.blank(looks),
        *_oddities.outliers(looks),
        _oddities.turned(looks),
    ]


def _judged(
    samples: Samples,
    looks: Looks,
    duplicates: Duplicates,
    features: Features | None,
    numbers: Array | None,
    seed: int,
    progress: Progress | None,
) -> tuple[list[Finding], Trust]:
    """Return the findings on labels, where there are labels and enough images to judge them by."""
    rows = np.array([i for i in looks.readable if samples.labels[i] >= 0], dtype=np.int64)
    classes = np.unique(samples.labels[rows]) if len(rows) else rows
    fault = ""
    if features is None or numbers is None:
        fault = "Labels were not judged."
    elif not len(classes):
        fault = "Labels were not judged: that takes one class an image."
    elif len(classes) < 2:
        fault = "Labels were not judged: that takes two classes or more."
    elif len(rows) < 10 * FOLDS:
        fault = f"Labels were not judged: that takes {10 * FOLDS} images or more."
    if fault or features is None or numbers is None:
        return [], Trust(accuracy=None, guessing=None, listed=False, text=fault)
    groups = duplicates.group_of(len(looks.sha256))
    chances = out_of_fold(
        numbers[rows],
        samples.labels[rows],
        [groups[i] for i in rows],
        parts=features.parts,
        seed=seed,
        progress=progress,
    )
    whole = np.zeros((len(rows), len(samples.class_names)))
    whole[:, : chances.shape[1]] = chances
    found, trust = label_findings(samples, rows, whole, f"Features ({features.name})")
    if not trust.listed and not features.pretrained:
        trust = replace(trust, text=f"{trust.text} {_WITH_WEIGHTS}")
    return list(found), trust


def look_at_all(
    paths: tuple[str, ...],
    features: Features | None,
    *,
    cache: Path | bool | None = None,
    progress: Progress | None = None,
) -> tuple[Looks, Array | None]:
    """Look at every file, once, and make its features; what the store has is not decoded again."""
    store = LookStore(f"{_LOOKS_KEY}-{features.key if features else 'none'}", cache)
    looker = partial(
        _look_or_hash, store=store, side=features.side if features else 128, pixels=bool(features)
    )
    workers = min(os.cpu_count() or 1, 8)
    found = ordered_map(looker, paths, workers=workers, depth=_BATCH + 4 * workers)
    rows: dict[int, Array] = {}
    try:
        looks = gather_looks(_finished(found, features, store, rows), len(paths), progress)
    finally:
        store.close()  # an interrupted check need not begin again
    if features is None:
        return looks, None
    size = next((len(row) for row in rows.values()), 1)
    numbers = np.zeros((len(paths), size), dtype=np.float32)
    for index, row in rows.items():
        numbers[index] = row
    return looks, numbers


def _look_or_hash(path: str, *, store: LookStore, side: int, pixels: bool) -> Look:
    """Look at a file, unless the store knows its content: then its hash alone is given."""
    if len(store):
        try:
            digest = file_sha256(path)
        except (OSError, ValueError):
            digest = ""
        kept = store.get(digest)
        if kept is not None and kept.keys() >= _PARTS and ("features" in kept or not pixels):
            return _unpacked(digest, kept)
    return look_at_file(path, side=side, pixels=pixels)


def _finished(
    found: Iterator[Look], features: Features | None, store: LookStore, rows: dict[int, Array]
) -> Iterator[Look]:
    """Give looks in order with their features made, batch by batch; put new ones into the store."""
    batch: list[Look] = []
    first = 0
    for look in found:
        batch.append(look)
        if len(batch) == _BATCH:
            yield from _finish(batch, first, features, store, rows)
            first, batch = first + len(batch), []
    yield from _finish(batch, first, features, store, rows)


def _finish(
    batch: list[Look], first: int, features: Features | None, store: LookStore, rows: dict[int, Array]
) -> list[Look]:
    fresh = [i for i, look in enumerate(batch) if look.reason is None and look.sha256 not in store]
    made: dict[int, Array] = {}
    if features is not None and fresh:
        images = [batch[i].pixels for i in fresh]
        made = dict(zip(fresh, features.compute(np.stack([i for i in images if i is not None])), strict=True))
    _keep(store, [batch[i] for i in fresh], list(made.values()))
    if features is not None:
        for i, look in enumerate(batch):
            kept = store.get(look.sha256) if look.reason is None and i not in made else None
            if kept is not None:
                rows[first + i] = kept["features"]
            elif i in made:
                rows[first + i] = made[i]
    return [replace(look, pixels=None) for look in batch]


def _keep(store: LookStore, looks: list[Look], made: list[Array]) -> None:
    if not looks:
        return
    measured = [
        (look.height, look.width, look.orientation, look.brightness, look.contrast, look.sharpness)
        for look in looks
    ]
    thumbs = [np.zeros((SIDE, SIDE), np.uint8) if look.thumb is None else look.thumb for look in looks]
    rows = {"measured": np.array(measured, dtype=np.float64), "thumb": np.stack(thumbs)}
    if made:
        rows["features"] = np.stack(made)
    store.put([look.sha256 for look in looks], rows)


def _unpacked(digest: str, kept: dict[str, Array]) -> Look:
    height, width, orientation = (int(value) for value in kept["measured"][:3])
    light, contrast, sharpness = (float(value) for value in kept["measured"][3:])
    return Look(digest, height, width, orientation, light, contrast, sharpness, kept["thumb"])

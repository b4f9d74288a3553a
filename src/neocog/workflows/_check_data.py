"""What `check` and `train` share: a scan's images as samples, findings with names, progress."""

from __future__ import annotations

import os
import time
from collections.abc import Hashable
from typing import Any

import numpy as np

from neocog.data import FolderScan, ImageFile
from neocog.diagnosis import Finding, Samples
from neocog.workflows._events import Reading, Reporter

_TELL_EVERY = 0.1  # seconds


class Progress:
    """Tells a reporter how far a check is, and how long it will take, a few times a second."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self._what, self._began, self._told = "", 0.0, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Tell it."""
        now = time.perf_counter()
        if what != self._what:
            self._what, self._began, self._told = what, now, 0.0
        if done < total and now - self._told < _TELL_EVERY:
            return
        self._told = now
        left = (now - self._began) / max(done, 1) * (total - done)
        text = what if now - self._began < 1 else f"{what}, {left:.0f} s left"
        self.report(Reading(what=text, done=done, total=total))


def samples_of(scan: FolderScan) -> tuple[Samples, dict[int, str]]:
    """Return the images of a scan to check, and the reasons for those that it could not use, by position."""
    files = scan.files
    paths = [scan.absolute(file) for file in files]
    seen = {os.path.normpath(path) for path in paths}
    for broken in scan.broken:
        path = str(scan.root / broken.path)
        # A row of a file that has another one: the file is looked at once, it is no copy of itself.
        paths.append("" if os.path.normpath(path) in seen else path)
        seen.add(os.path.normpath(path))
    labels = [file.label for file in files] + [-1] * len(scan.broken)
    reasons = {len(files) + i: file.reason for i, file in enumerate(scan.broken)}
    samples = Samples(
        paths=tuple(paths),
        labels=np.array(labels, dtype=np.int64).reshape(-1),
        class_names=scan.class_names if scan.task != "regression" else (),
        parts=(*(file.split for file in files), *(None for _ in scan.broken)) if scan.splits else (),
        meanings=(*(_meaning(scan, file) for file in files), *(None for _ in scan.broken)),
        numbers=_numbers(scan) if scan.task == "regression" else None,
    )
    return samples, reasons


def _numbers(scan: FolderScan) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what is to be predicted, (images, numbers), NaN for those that could not be used."""
    missing = np.full((len(scan.broken), len(scan.class_names)), np.nan)
    return np.concatenate([np.array([file.targets for file in scan.files], dtype=np.float64), missing])


def _meaning(scan: FolderScan, file: ImageFile) -> Hashable:
    if scan.task == "single-label":
        return file.label
    if scan.task == "multi-label":
        return ", ".join(scan.class_names[label] for label in file.labels) or "no label"
    return ", ".join(f"{value:g}" for value in file.targets)


def finding_dict(finding: Finding, samples: Samples, ids: tuple[str, ...]) -> dict[str, Any]:
    """Return a finding as plain values, with names instead of positions."""
    names = samples.class_names
    cases = []
    for item in finding.items:
        labels = item.classes or tuple(int(samples.labels[i]) for i in item.images)
        cases.append(
            {
                "files": [ids[i] for i in item.images],
                "classes": [names[k] if k >= 0 and names else None for k in labels],
                "parts": [samples.part(i) for i in item.images],
                "suggested": None if item.suggested is None else names[item.suggested],
                "score": item.score,
                "note": item.note,
            }
        )
    return {
        "kind": finding.kind,
        "title": finding.title,
        "severity": finding.severity,
        "count": finding.count,
        "images": len(finding.images),
        "meaning": finding.meaning,
        "advice": finding.advice,
        "cases": cases,
    }

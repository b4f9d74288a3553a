"""The checks inside `train`: copies kept in one part, faults told before training, labels judged after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neocog.data import FolderScan, ImageFile
from neocog.diagnosis import (
    Duplicates,
    Finding,
    Looks,
    Samples,
    Trust,
    find_duplicates,
    label_findings,
    look_at_all,
    plain_findings,
    sorted_findings,
)
from neocog.workflows._check_data import Progress, finding_dict, samples_of
from neocog.workflows._data import PARTS, Part
from neocog.workflows._events import Reporter, Warned

LEAKS = ("keep", "move")
FINDINGS = "findings.json"
# What is told elsewhere: broken files while they are read, imbalance as a hint, odd ones out in the report.
MOST_COMPARED = 200_000  # images; beyond, near copies are left to `neocog check`: by there 4 minutes and 2 GB
_TOLD = ("leaks", "label-conflicts", "exact-copies", "near-copies", "blank")


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """What was found of a scan's files before they are split.

    Attributes:
        scan: the images.
        looks: what was measured of them.
        duplicates: copies among them.
    """

    scan: FolderScan
    looks: Looks = field(repr=False)
    duplicates: Duplicates = field(repr=False)

    def kept_together(self, leaks: str) -> FolderScan:
        """Return the scan with copies in one part: by groups where neocog splits; of given parts by `leaks`.

        Args:
            leaks: `"keep"` leaves given parts as they are; `"move"` puts all copies of an image into the
                earliest of the parts that have one, of train, validation and test.
        """
        files = list(self.scan.files)
        if leaks == "move":
            for group in self.duplicates.groups:
                given = [files[i].split for i in group if files[i].split is not None]
                if given:
                    part = min(given, key=lambda name: PARTS.index(str(name)))
                    for i in group:
                        files[i] = replace(files[i], split=part)
        return replace(self.scan, files=tuple(_grouped(files, self.duplicates)))

    def findings(self, parts: Mapping[str, Sequence[ImageFile]]) -> CheckedData:
        """Return what was found, with the parts that the images came to be in."""
        part_of = {file.path: name for name, files in parts.items() for file in files}
        samples, _ = samples_of(replace(self.scan, broken=()))
        samples = replace(samples, parts=tuple(part_of.get(file.path) for file in self.scan.files))
        found = sorted_findings(plain_findings(samples, self.looks, self.duplicates))
        return CheckedData(samples=samples, ids=tuple(file.path for file in self.scan.files), findings=found)


def check_scan(scan: FolderScan, report: Reporter) -> DataCheck:
    """Look at every image of a scan once, small, and find the copies; of very many images the same files."""
    paths = tuple(scan.absolute(file) for file in scan.files)
    progress = Progress(report)
    looks, _ = look_at_all(paths, None, progress=progress)
    near = len(paths) <= MOST_COMPARED
    if not near:
        text = f"{len(paths)} images: only the same files count as copies; neocog check finds near copies too"
        report(Warned(text=text))
    return DataCheck(scan=scan, looks=looks, duplicates=find_duplicates(looks, paths, progress, near=near))


@dataclass(frozen=True, kw_only=True)
class CheckedData:
    """Findings on the data of a run.

    Attributes:
        samples: the images that were checked, with their parts.
        ids: their paths below the root.
        findings: the gravest first.
        trust: how far a list of wrong labels can be trusted; empty before training.
    """

    samples: Samples = field(repr=False)
    ids: tuple[str, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    trust: str = ""

    def tell(self, report: Reporter) -> None:
        """Tell what should be known before the training."""
        for finding in self.findings:
            if finding.kind in _TOLD:
                case = finding.items[0]
                names = " = ".join(self.ids[i] for i in case.images[:2])
                report(
                    Warned(text=f"{finding.title}: {finding.count} ({names}: {case.note}). {finding.meaning}")
                )

    def judged(self, outputs: Sequence[tuple[Part, Any]]) -> CheckedData:
        """Return the findings with likely wrong labels among images that the training never saw.

        Args:
            outputs: parts with the probabilities of their images, (images, classes).
        """
        position = {name: i for i, name in enumerate(self.ids)}
        rows, chances = [], []
        for part, outputs_of_part in outputs:
            for name, row in zip(part.ids, np.asarray(outputs_of_part, dtype=np.float64), strict=True):
                if name in position and self.samples.labels[position[name]] >= 0:
                    rows.append(position[name])
                    chances.append(row)
        if not rows or len(chances[0]) < 2:
            return self
        found, trust = _judge(self.samples, rows, np.stack(chances))
        return replace(self, findings=sorted_findings([*self.findings, *found]), trust=trust.text)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "format": "neocog check",
            "version": 1,
            "trust": self.trust,
            "findings": [finding_dict(finding, self.samples, self.ids) for finding in self.findings],
        }


def _judge(samples: Samples, rows: list[int], chances: Any) -> tuple[list[Finding], Trust]:
    return label_findings(samples, rows, chances, "On images held out, the model")


def _grouped(files: list[ImageFile], duplicates: Duplicates) -> list[ImageFile]:
    """Join groups whose images are copies of each other; copies without a group become one."""
    name_of: dict[str, str] = {}

    def root(name: str) -> str:
        while name_of.setdefault(name, name) != name:
            name = name_of[name]
        return name

    found = list(files)
    for group in duplicates.groups:
        for part in {files[i].split for i in group}:
            members = [i for i in group if files[i].split == part]
            names = [root(files[i].group or f"copies of {files[members[0]].path}") for i in members]
            if len(members) < 2 and files[members[0]].group is None:
                continue
            for name in names:
                name_of[name] = names[0]
            for i in members:
                found[i] = replace(found[i], group=names[0])
    return [file if file.group is None else replace(file, group=root(file.group)) for file in found]

"""`check`: what is wrong with images before anything is trained on them."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neocog.core import check_int, check_one_of
from neocog.data import FolderScan, scan_images
from neocog.diagnosis import (
    SEVERITIES,
    Diagnosis,
    Features,
    Finding,
    Item,
    Samples,
    choose_features,
    classical,
    examine,
    sorted_findings,
)
from neocog.exceptions import ArgumentError, DataError, StorageError, message
from neocog.workflows._check_data import Progress, finding_dict, samples_of
from neocog.workflows._check_pages import check_page, finding_rows, sheet, shown_thumbs
from neocog.workflows._environment import environment
from neocog.workflows._events import Reporter, Warned, silent
from neocog.workflows._load_data import find_data
from neocog.workflows._run_folder import RunFolder, check_free, storage_error

FEATURES = ("auto", "classical", "none")
FINDINGS, PAGE = "findings.json", "report.html"


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """What `check` is asked for.

    Attributes:
        data: a folder of images, a manifest, or the name of a data set of photographs.
        out: folder for the findings, which must be new or empty; default `checks/<data>-<n>`.
        weights: weight file of the network whose features labels are judged by; None takes a known file on
            this machine.
        features: `"auto"`: pretrained where weights are at hand, else classical; `"classical"`; `"none"`:
            labels are not judged, which is quicker.
        seed: of the folds that labels are judged in.
        task, label, pattern, images: how the data are read, as in `TrainConfig`.
    """

    data: str
    out: str | None = None
    weights: str | None = None
    features: str = "auto"
    seed: int = 0
    task: str = "auto"
    label: str | None = None
    pattern: str | None = None
    images: str | None = None

    def check(self) -> None:
        """Raise for values that cannot work."""
        check_one_of("check", "features", self.features, FEATURES)
        check_int("check", "seed", self.seed, minimum=0)
        if self.weights is not None and self.features != "auto":
            got = f"features {self.features!r}"
            raise ArgumentError(message("check", expected="weights or features, not both", got=got))


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What `check` found.

    Attributes:
        folder: where the findings lie.
        name: of the data.
        images: number of image files.
        classes: number of classes.
        findings: the gravest first; their images are positions in `files`.
        files: paths below the root.
        features: what labels were judged by, in words.
        trust: how far the list of wrong labels can be trusted.
        seconds: that the check took.
    """

    folder: Path
    name: str
    images: int
    classes: int
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    features: str
    trust: str
    seconds: float
    details: tuple[dict[str, Any], ...] = ()

    @property
    def worst(self) -> str | None:
        """The gravest severity; None when there is no finding."""
        return self.findings[0].severity if self.findings else None

    def fails(self, fail_on: str) -> bool:
        """Return whether a finding is as grave as `fail_on`, or graver; `"never"` is never reached."""
        if fail_on == "never" or self.worst is None:
            return False
        return SEVERITIES.index(self.worst) >= SEVERITIES.index(fail_on)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "folder": str(self.folder),
            "report": str(self.folder / PAGE),
            "data": self.name,
            "images": self.images,
            "classes": self.classes,
            "worst": self.worst,
            "features": self.features,
            "trust": self.trust,
            "seconds": round(self.seconds, 2),
            "findings": list(self.details),
        }


def check(config: CheckConfig, report: Reporter = silent) -> CheckResult:
    """Check images and leave what was found: a table, a page with pictures, lists to act on.

    Nothing of the user's is changed.

    Raises:
        ArgumentError: settings that cannot be used, a folder that holds something.
        DataError: data that cannot be read.
        StorageError: full or read-only disk; nothing half-written is left.
    """
    config.check()
    target = find_data(config.data)
    if target.folder is None:
        expected = "a folder of images or a manifest"
        raise DataError(
            message(target.name, expected=expected, got="a data set of arrays, known to be whole")
        )
    path = _choose_folder(config.out, target.name)
    check_free(path)
    began = time.perf_counter()
    features = _features(config)
    scan = scan_images(
        target.folder,
        task=config.task,
        label=config.label,
        pattern=config.pattern,
        images=config.images,
        check="none",
    )
    for note in scan.notes:
        report(Warned(text=note))
    samples, unusable = samples_of(scan)
    diagnosis = examine(samples, features, seed=config.seed, progress=Progress(report))
    findings = sorted_findings([*_with_reasons(diagnosis.findings, unusable), *_empty(scan)])
    ids = (*(file.path for file in scan.files), *(file.path for file in scan.broken))
    details = tuple(finding_dict(finding, samples, ids) for finding in findings)
    result = CheckResult(
        folder=path,
        name=target.name,
        images=len(samples.paths),
        classes=len(scan.class_names) if scan.task != "regression" else 0,
        findings=findings,
        files=ids,
        features=diagnosis.feature_name,
        trust=diagnosis.trust.text,
        seconds=time.perf_counter() - began,
        details=details,
    )
    _write(result, config, scan, samples, diagnosis)
    return result


def _features(config: CheckConfig) -> Features | None:
    if config.features == "none":
        return None
    return classical() if config.features == "classical" else choose_features(config.weights)


def _with_reasons(findings: tuple[Finding, ...], unusable: dict[int, str]) -> list[Finding]:
    """Put what the scan says of files that it could not use into the finding on unreadable ones."""
    found = [finding for finding in findings if finding.kind != "unreadable"]
    items = {i: item for f in findings if f.kind == "unreadable" for item in f.items for i in item.images}
    items.update({i: Item(images=(i,), note=reason) for i, reason in unusable.items()})
    if not items:
        return found
    row = next((finding for finding in findings if finding.kind == "unreadable"), None)
    if row is None:
        row = Finding(
            kind="unreadable",
            title="files that cannot be used",
            severity="error",
            meaning="They are left out of every training.",
            advice="Correct or delete them.",
            items=(),
        )
    return [replace(row, items=tuple(items[i] for i in sorted(items))), *found]


def _empty(scan: FolderScan) -> list[Finding]:
    items = tuple(Item(note=folder) for folder in scan.empty_folders)
    return [
        Finding(
            kind="empty-folders",
            title="class folders without an image",
            severity="warning",
            meaning="They count as no class.",
            advice="Fill them, or delete them.",
            items=items,
        )
    ]


def _choose_folder(out: str | None, name: str) -> Path:
    if out is not None:
        if not out.strip():
            raise ArgumentError(message("--out", expected="a folder", got="an empty name"))
        return Path(out).expanduser()
    stem = re.sub(r"[^\w.]+", "-", name).strip("-.") or "images"
    number = 1
    while (path := Path("checks") / f"{stem}-{number}").exists():
        number += 1
    return path


def _write(
    result: CheckResult, config: CheckConfig, scan: FolderScan, samples: Samples, diagnosis: Diagnosis
) -> None:
    folder = RunFolder(result.folder)
    try:
        document = {"format": "neocog check", "version": 1, "root": str(scan.root), "asked": asdict(config)}
        folder.write_json(FINDINGS, {**document, **result.as_dict(), "environment": environment()})
        thumbs = shown_thumbs(result.findings, samples)
        for finding, details in zip(result.findings, result.details, strict=True):
            folder.write_csv(f"{finding.kind}.csv", *finding_rows(details))
            picture = sheet(finding, details, thumbs)
            if picture is not None:
                picture.save(folder.file(f"{finding.kind}.jpg"), "JPEG", quality=85)
        folder.write_text(PAGE, check_page(result.as_dict(), result.findings, samples, diagnosis, thumbs))
    except BaseException as error:
        folder.discard()
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            raise storage_error(result.folder, error) from error
        raise

"""A short run of the fuzzer for each format, and the fuzzer shown to notice faults."""

from __future__ import annotations

import pytest
from fuzzing.mutate_files import FORMATS, mutated
from fuzzing.run import Report, _note, fuzz
from fuzzing.seeds import seeds


@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_files_are_opened_or_refused(kind: str) -> None:
    report = fuzz(kind, 120, first=1_000_000)
    assert report.findings == []
    assert sum(report.outcomes.values()) == 120
    assert report.outcomes["FileFormatError"] > 12  # it does mutate


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_number_gives_the_same_file(kind: str) -> None:
    sources = seeds(kind)
    made = [mutated(kind, sources, number, ["Dense"]) for number in (1, 2, 1)]
    assert made[1] not in sources
    if kind in ("json", "safetensors"):  # zips and HDF5 hold the time
        assert made[0] == made[2]


def test_faults_are_findings() -> None:
    report = Report()
    _note(report, {"end": 3, "outcome": "FAULT KeyError: 'x'", "s": 0.1})
    _note(report, {"end": 4, "outcome": "ShapeError", "s": 0.2})
    assert report.findings == [(3, "FAULT KeyError: 'x'")]
    assert report.slowest_number == 4

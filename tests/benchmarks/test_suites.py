"""The parts of the suites around a contest: cases, networks, environments, peak, files, the README's rows."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import environments
import keras_networks
import learning
import numpy as np
import pytest
import readme_rows
import run
import torch_networks
from cases import CASES, Case
from competitors import all_of, chosen
from environments import Absent
from fit import picked
from inputs import prepared
from peak import measure

import neocog

SMALL = ["mlp", "lenet", "fashion", "cats", "resnet18", "mobilenet", "quick-mnist", "quick-fashion", "tiny"]


@pytest.mark.parametrize("name", SMALL)
def test_both_forms_of_a_network_have_the_same_weights(name: str) -> None:
    ours = keras_networks.NETWORKS[name](neocog)
    theirs = torch_networks.NETWORKS[name]()
    mine = sorted(weight.numel() for weight in ours.parameters() if weight.requires_grad)
    assert mine == sorted(weight.numel() for weight in theirs.parameters() if weight.requires_grad)


def test_every_case_has_its_network_and_its_competitors() -> None:
    for case in CASES.values():
        assert case.network in keras_networks.NETWORKS
        assert case.network in torch_networks.NETWORKS
        names = [competitor.name for competitor in all_of(case)]
        assert len(names) == len(set(names))
        assert {competitor.family for competitor in all_of(case)} == {"neocog", "eager", "tuned", "keras"}


def test_competitors_by_name_and_by_beginning() -> None:
    case = CASES["vgg16"]
    assert [each.name for each in chosen(case, "neocog")] == ["neocog"]
    assert {each.family for each in chosen(case, "tuned,eager")} == {"tuned", "eager"}
    assert len(chosen(case, "keras-jax")) == 2
    with pytest.raises(SystemExit, match="got 'karas'"):
        chosen(case, "karas")
    with pytest.raises(SystemExit, match="expected some of a, b"):
        picked("c", ["a", "b"])


def test_an_environment_that_cannot_be_made_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_PEERS", str(tmp_path))
    monkeypatch.setattr(environments, "sys", SimpleNamespace(executable="/nowhere/python", stderr=sys.stderr))
    with pytest.raises(Absent, match="Keras on jax could not be made"):
        environments.python_of("jax")
    python = tmp_path / "jax" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (tmp_path / "jax" / ".done").write_text((environments.PEERS / "jax.txt").read_text(encoding="utf-8"))
    assert environments.python_of("jax") == str(python)


def test_the_peak_is_positive_and_larger_than_nothing() -> None:
    found = measure(0.01, (64,), 1 << 20)
    assert found["float32 FLOP/s"] > 1e6
    assert found["copy B/s"] > 1e6


def test_random_data_have_the_form_that_is_asked_for(tmp_path: Path) -> None:
    case = Case(
        name="t", title="", network="tiny", batch=4, data="random", shape=(6, 6, 3), samples=10, binary=True
    )
    folder, _ = prepared(case, tmp_path)
    assert np.load(folder / "x.npy").shape == (10, 6, 6, 3)
    assert set(np.load(folder / "y.npy")) <= {0.0, 1.0}
    assert prepared(case, tmp_path)[0] == folder


def test_a_course_ends_at_its_target_and_knows_its_first_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 12.0, 15.0])
    monkeypatch.setattr(learning.time, "perf_counter", lambda: next(clock))
    course = learning.Course(0.9)
    assert [course.note(value) for value in (0.5, 0.8, 0.95)] == [False, False, True]
    found = course.as_dict()
    assert found["seconds"] == 15.0
    assert found["seconds, first epoch as the others"] == 3.0 + 2.0 + 3.0
    assert found["reached"]


def test_rows_stay_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path)
    suite = SimpleNamespace(run=lambda done: None)
    options = argparse.Namespace(suite="fit", only="b")
    first = run._Result(options, suite)
    first.add({"case": "a", "value": 1})
    first.add({"case": "b", "value": 2})
    again = run._Result(options, suite)
    again.add({"case": "b", "value": 3})
    (path,) = tmp_path.glob("*.json")
    rows = json.loads(path.read_text())["rows"]
    assert [(row["case"], row["value"]) for row in rows] == [("a", 1), ("b", 3)]
    assert "| b | 3 |" in path.with_suffix(".md").read_text()


def test_the_rows_for_the_readme_link_the_newest_file(tmp_path: Path) -> None:
    def row(median: float) -> dict[str, Any]:
        ratios = {key: {"median": median, "who": "x"} for key in readme_rows._AGAINST}
        return {"case": "a", "title": "A", "batch": 32, "samples a second": {}, **ratios}

    for day, rows in (("20", [row(1.0)]), ("21", [row(2.0)]), ("22", [{"network": "an older form"}])):
        (tmp_path / f"2026-11-{day}-fit-2cores.json").write_text(json.dumps({"rows": rows}))
    found = readme_rows.readme_rows(tmp_path)
    assert "2.00, 2.00, 2.00" in found
    assert "(benchmarks/results/2026-11-21-fit-2cores.md)" in found

"""`neocog bench`: thresholds out of measurements, the machine's file, what the commands print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from neocog import workflows
from neocog.cli._app import app
from neocog.exceptions import ArgumentError, StorageError
from neocog.training import NEVER, _precision, half_precision
from neocog.workflows import _bench, _calibrate
from neocog.workflows._calibrate import GAIN, crossover, last_gain


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "calibration.json"
    monkeypatch.setenv("NEOCOG_CALIBRATION", str(path))
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that multiplies bfloat16, and networks that take no time."""
    monkeypatch.setattr(_precision, "has_working_amx", lambda: True)
    half_precision.cache_clear()
    ladder = [("dense", f"3 × {w}", lambda w=w: _calibrate._dense(w), (w,), 8) for w in (4, 8)]
    ladder += [("convolutional", "4 × 2", lambda: _calibrate._convolutional(2), (32, 32, 2), 2)]
    monkeypatch.setattr(_calibrate, "_ladders", lambda device: ladder)
    monkeypatch.setattr(_bench, "_GEMM", 16)
    monkeypatch.setattr(_bench, "_COPIED", 1 << 12)
    monkeypatch.setattr(_bench, "_NETWORKS", (("tiny", lambda: (_calibrate._dense(4), (4,), 8)),))
    yield
    half_precision.cache_clear()


def test_where_a_way_begins_to_gain() -> None:
    assert crossover([]) == NEVER
    assert crossover([(1.0, 0.5), (4.0, 1.0)]) == NEVER
    assert crossover([(16.0, 2.0), (4.0, 1.2), (1.0, 0.5)]) == 2.0
    assert crossover([(1.0, 3.0), (4.0, 0.9), (16.0, 2.0)]) == 8.0  # one that gains below one that does not
    assert crossover([(3.0, 2.0), (9.0, 2.0)]) == 3.0
    assert last_gain([(1.0, 2.0), (4.0, 1.2), (16.0, 1.0)]) == 8.0
    assert last_gain([(1.0, 1.0)]) == 0.0


@given(st.lists(st.tuples(st.floats(1.0, 1e12), st.floats(0.1, 10.0)), max_size=6, unique_by=lambda p: p[0]))
def test_all_sizes_above_a_threshold_gain(points: list[tuple[float, float]]) -> None:
    threshold = crossover(points)
    assert all(gain >= GAIN for size, gain in points if size > threshold)
    below = [gain for size, gain in sorted(points) if size < threshold]
    assert not below or below[-1] < GAIN


def test_a_calibration_is_kept_and_used(small: None, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    gains = {"3 × 4": 0.5, "3 × 8": 2.0, "4 × 2": 0.5}
    monkeypatch.setattr(_calibrate, "_faster", lambda ways, seconds: gains[told[-1].what.split(" ", 1)[1]])
    result = workflows.calibrate(seconds=0.01, report=told.append)
    assert [point.gain for point in result.points] == [0.5, 2.0, 0.5]
    low, high = (2.0 * 8 * (3 * w * w + 10 * w) for w in (4, 8))  # operations of both perceptrons
    assert [point.size for point in result.points[:2]] == [low, high]
    assert result.calibration.bfloat16_dense == pytest.approx((low * high) ** 0.5)
    assert result.calibration.bfloat16_convolutional == NEVER
    assert [event.done for event in told] == [0, 1, 2, 3]
    assert told[-1].total == 3
    assert result.file == file
    assert workflows.thresholds().calibration == result.calibration
    model = _calibrate._dense(8)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(torch.rand(8, 8).numpy(), torch.zeros(8).numpy(), batch_size=8, verbose=0)
    assert (model.plan.precision, model.plan.calibration) == ("bfloat16", result.calibration.source)


def test_measuring_really_trains(small: None, file: Path) -> None:
    result = workflows.calibrate(seconds=0.01, keep=False)
    assert all(point.gain > 0 for point in result.points)
    assert not file.exists()
    found = workflows.bench(seconds=0.01)
    assert [speed.unit for speed in found.speeds] == ["GFLOP/s", "GFLOP/s", "GB/s", "samples/s"]
    assert all(speed.value > 0 for speed in found.speeds)
    assert "cpu" in found.speeds[-1].how
    with pytest.raises(ArgumentError, match="seconds"):
        workflows.bench(seconds=0)


def test_the_command(small: None, file: Path) -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["bench", "--show"])
    assert shown.exit_code == 0
    assert "built in" in shown.stdout
    done = runner.invoke(app, ["bench", "--calibrate", "--seconds", "0.01"])
    assert done.exit_code == 0
    assert str(file) in done.stdout.replace("\n", "")
    assert "3 × 8" in done.stdout
    shown = runner.invoke(app, ["bench", "--show", "--json"])
    assert json.loads(shown.stdout)["calibration"]["source"][:2] == "20"
    speeds = runner.invoke(app, ["bench", "--seconds", "0.01", "--json"])
    assert [speed["unit"] for speed in json.loads(speeds.stdout)["speeds"]][-1] == "samples/s"
    assert "forgotten" in runner.invoke(app, ["bench", "--reset"]).stdout
    assert "nothing was measured" in runner.invoke(app, ["bench", "--reset"]).stdout


@pytest.mark.parametrize(
    "arguments", [["--show", "--reset"], ["--seconds", "0"], ["--seconds", "x"], ["more"]]
)
def test_bad_arguments(arguments: list[str], file: Path) -> None:
    assert CliRunner().invoke(app, ["bench", *arguments]).exit_code == 2
    assert not file.exists()


def test_no_place_to_keep_it(small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is measured."""
    (tmp_path / "file").write_text("")
    told: list[Any] = []
    for place in ("off", str(tmp_path), str(tmp_path / "file" / "calibration.json")):
        monkeypatch.setenv("NEOCOG_CALIBRATION", place)
        with pytest.raises((ArgumentError, StorageError)):
            workflows.calibrate(seconds=0.01, report=told.append)
        done = CliRunner().invoke(app, ["bench", "--calibrate", "--seconds", "0.01"])
        assert done.exit_code == 2
    assert not told

"""A run that is killed with SIGKILL at any moment ends, resumed, with the files of the undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_shapes import mosaics
from PIL import Image
from test_pretrained import photographs, weight_file

from neocog.utils import clear_session
from neocog.workflows import Event, Featured, Resumed, TrainConfig, resume, train

pytestmark = pytest.mark.usefixtures("blank_pictures")

SAME = ("model.json", "model.safetensors", "history.csv", "split.csv", "predictions.csv")
Moment = tuple[str, str, int]

MOMENTS: dict[str, Moment] = {
    "while files are read": ("event", "Reading", 2),
    "after the split": ("file", "split.csv", 1),
    "in a later epoch": ("verb", "on_train_batch_end", 4),
    "in a validation": ("verb", "on_test_batch_end", 2),
    "while a snapshot is written": ("snapshot", "", 3),
    "at the end of an epoch": ("file", "history.csv", 1),
    "while testing": ("event", "Evaluating", 1),
    "before the report": ("file", "report.html", 1),
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)


def kill(folder: Path, cases: Sequence[tuple[TrainConfig, Moment]]) -> None:
    """Train as each case says, in a process that is killed at its moment."""
    path = folder / "cases.json"
    path.write_text(json.dumps([{"config": asdict(config), "moment": moment} for config, moment in cases]))
    script = Path(__file__).with_name("killed_runs.py")
    subprocess.run(
        [sys.executable, script, path],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    ended = json.loads(Path(f"{path}.ended").read_text())
    assert ended == [-signal.SIGKILL] * len(cases)


def check_same(whole: Path, other: Path) -> None:
    """Check that two runs ended alike, to the bit."""
    for name in SAME:
        assert (whole / name).read_bytes() == (other / name).read_bytes(), name
    ours, theirs = (json.loads((run / "metrics.json").read_text()) for run in (whole, other))
    for key in ("test", "validation", "epochs", "best_epoch", "plan", "interrupted"):
        assert ours[key] == theirs[key], key
    assert {path.name for path in whole.iterdir()} == {path.name for path in other.iterdir()}


def undisturbed(config: TrainConfig) -> Path:
    """Train to the end, with the names of layers that a new process gives, and return the run."""
    clear_session()
    return train(config).folder


def resumed(folder: Path) -> list[Event]:
    """Resume a run, likewise, and return what was told."""
    clear_session()
    events: list[Event] = []
    assert resume(folder, events.append) is not None
    return events


def test_killed_at_any_moment(tmp_path: Path) -> None:
    data = mosaics(tmp_path / "mosaics", {"dark": 14, "bright": 14})
    config = TrainConfig(
        data=str(data), model="mlp", epochs=2, batch_size=8, augment="light", every="2steps", out=""
    )
    whole = undisturbed(replace(config, out=str(tmp_path / "whole")))
    cases = []
    for name, moment in MOMENTS.items():
        cases.append((replace(config, out=str(tmp_path / name)), moment))
    kill(tmp_path, cases)
    for name in MOMENTS:
        resumed(tmp_path / name)
        check_same(whole, tmp_path / name)


def test_the_comparison_sees_one_bit(tmp_path: Path) -> None:
    for name in ("a", "b"):
        out = str(tmp_path / name)
        undisturbed(TrainConfig(data="digits", model="mlp", epochs=1, batch_size=512, out=out))
    check_same(tmp_path / "a", tmp_path / "b")
    weights = bytearray((tmp_path / "b" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "b" / "model.safetensors").write_bytes(weights)
    with pytest.raises(AssertionError):
        check_same(tmp_path / "a", tmp_path / "b")


def manifests(folder: Path) -> dict[str, Path]:
    """Draw gray images, with two labels each and with a number each."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[str]] = {"labels": ["file,labels"], "numbers": ["file,level"]}
    (folder / "images").mkdir()
    for number in range(40):
        bright, wide = number % 2, number // 2 % 2
        pixels = rng.integers(0, 90, (12, 12, 3), dtype=np.uint8)
        pixels[3 : 9 if wide else 6] += 100 * bright + 40
        name = f"images/{number}.png"
        Image.fromarray(pixels).save(folder / name)
        labels = "|".join(text for text, there in (("bright", bright), ("wide", wide)) if there)
        rows["labels"].append(f"{name},{labels}")
        rows["numbers"].append(f"{name},{pixels.mean() / 10:.4f}")
    paths = {}
    for name, lines in rows.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text("\n".join(lines) + "\n")
    return paths


def test_other_tasks_and_data(tmp_path: Path) -> None:
    paths = manifests(tmp_path)
    common: dict[str, Any] = {"model": "mlp", "epochs": 2, "every": "3steps"}
    configs = {
        "labels": {"data": str(paths["labels"]), "task": "multi-label", "batch_size": 8, **common},
        "numbers": {"data": str(paths["numbers"]), "task": "regression", "batch_size": 8, **common},
        "digits": {"data": "digits", "batch_size": 256, **common},
        "mixed": {"data": "digits", "batch_size": 256, "augment": "mixup", **common},
    }
    moment: Moment = ("verb", "on_train_batch_end", 5)
    cases = [(TrainConfig(out=str(tmp_path / name), **one), moment) for name, one in configs.items()]
    kill(tmp_path, cases)
    for name, one in configs.items():
        whole = undisturbed(TrainConfig(out=str(tmp_path / f"{name} whole"), **one))
        resumed(tmp_path / name)
        check_same(whole, tmp_path / name)


def test_every_phase_on_a_pretrained_base(tmp_path: Path) -> None:
    weights = weight_file(tmp_path / "mobilenet.safetensors")
    data = photographs(tmp_path / "photos", {"train": 10, "validation": 4, "test": 4})
    common: dict[str, Any] = {
        "data": str(data),
        "model": "mobilenet",
        "weights": str(weights),
        "image_size": (32, 32),
        "finetune": "1",
        "epochs": 2,
        "batch_size": 8,
        "every": "2steps",
    }
    moments: dict[str, Moment] = {
        "features": ("event", "Featured", 1),
        "head": ("verb", "on_train_batch_end", 3),
    }
    whole = undisturbed(TrainConfig(out=str(tmp_path / "whole"), **common))
    head = json.loads((whole / "metrics.json").read_text())["transfer"]["feature_extraction_alone"]
    moments["top"] = ("verb", "on_epoch_end", head["epochs"] + 1)
    kill(tmp_path, [(TrainConfig(out=str(tmp_path / name), **common), at) for name, at in moments.items()])
    told = {name: resumed(tmp_path / name) for name in moments}
    for name in moments:
        check_same(whole, tmp_path / name)
    assert all(event.cached for event in told["head"] if isinstance(event, Featured))
    phases = [(event.phase, event.finished) for event in told["top"] if isinstance(event, Resumed)]
    assert phases == [("head", True), ("top", False)]

"""When a run may be resumed, and what is said where it may not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_shapes import mosaics

from neocog.exceptions import ArgumentError, DataError, FileFormatError
from neocog.training import Hook
from neocog.utils import clear_session
from neocog.workflows import (
    Complete,
    Event,
    Resumed,
    TrainConfig,
    Unfinished,
    Warned,
    evaluate,
    found_run,
    load_run,
    resume,
    train,
    train_or_resume,
)
from neocog.workflows._processes import wanted_processes
from neocog.workflows._resume_lock import LOCK, Lock
from neocog.workflows._resume_snapshots import check_every

pytestmark = pytest.mark.usefixtures("blank_pictures")

OPTIONS: dict[str, Any] = {
    "data": "digits",
    "model": "mlp",
    "epochs": 3,
    "batch_size": 256,
    "every": "2steps",
}


@pytest.fixture(autouse=True)
def _pythons_own_handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Test workers ignore signals that `train` respects."""
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    clear_session()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Signalled(Hook):
    """Sends this process a signal in a step."""

    def __init__(self, number: int, step: int) -> None:
        self.number, self.left = number, step

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


class Broken(Hook):
    """Fails in a step."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        raise RuntimeError("broken")


def config(out: str, **options: Any) -> TrainConfig:
    return TrainConfig(**{**OPTIONS, "every": "2steps", **options, "out": out})


def stopped(out: str, step: int = 8, number: int = signal.SIGTERM, **options: Any) -> Path:
    """Leave a run that a signal stopped."""
    with pytest.raises(SystemExit) as left:
        train(config(out, **options), hooks=(Signalled(number, step),))
    assert left.value.code == 143
    return Path(out)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_sigterm_leaves_a_snapshot_and_ctrl_c_a_measured_run_too() -> None:
    events: list[Event] = []
    whole = train(config("whole"))
    with pytest.raises(SystemExit):
        train(config("terminated"), events.append, hooks=(Signalled(signal.SIGTERM, 8),))
    assert events[-1] == Unfinished(folder="terminated")
    assert not Path("terminated/model.json").exists()
    assert max(Path("terminated/snapshots").iterdir()).name.startswith("snapshot-000000000008-")
    clear_session()
    cut = train(config("interrupted"), events.append, hooks=(Signalled(signal.SIGINT, 8),))
    assert cut.interrupted
    assert events[-1] == Unfinished(folder="interrupted")
    assert evaluate("interrupted").scores.count == 359
    for name in ("terminated", "interrupted"):
        clear_session()
        events.clear()
        result = resume(name, events.append)
        assert result is not None
        assert not result.interrupted
        places = [(event.epoch, event.step) for event in events if isinstance(event, Resumed)]
        assert places == [(2, 4)]
        for file in ("model.safetensors", "history.csv", "predictions.csv"):
            assert Path(name, file).read_bytes() == (whole.folder / file).read_bytes()
        assert not Path(name, "snapshots").exists()


def test_a_complete_run_is_left_alone() -> None:
    train(config("run", epochs=1))
    before = contents(Path("run"))
    events: list[Event] = []
    assert resume("run", events.append) is None
    assert events == [Complete(folder="run")]
    assert contents(Path("run")) == before


def test_one_process_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl")
    monkeypatch.setattr(Lock.take, "__defaults__", (0.1,))
    run = stopped("run")
    code = f"import fcntl, os, time; lock = os.open({str(run / LOCK)!r}, os.O_RDWR | os.O_CREAT); "
    code += "fcntl.flock(lock, fcntl.LOCK_EX); os.write(lock, f'process {os.getpid()}'.encode()); "
    code += "print('taken', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        with pytest.raises(ArgumentError, match=rf"no other process works on, got process {other.pid}"):
            resume(run)
        other.kill()
    Lock(run).take(5.0)  # the system gave it back


def test_changed_data_are_named() -> None:
    mosaics(Path("shapes"), {"circle": 14, "square": 14})
    run = stopped("run", data="shapes", batch_size=8, step=3)
    first, second = Path("shapes/circle/001.jpg"), Path("shapes/circle/002.jpg")
    whole = first.read_bytes()
    first.unlink()
    with pytest.raises(DataError, match=r"1 gone \(circle/001\.jpg\)\. Put the data back"):
        resume(run)
    first.write_bytes(second.read_bytes())
    with pytest.raises(DataError, match=r"1 changed \(circle/001\.jpg\)"):
        resume(run)
    first.write_bytes(whole)
    shutil.copy(second, "shapes/square/new.jpg")
    with pytest.raises(DataError, match=r"1 new \(square/new\.jpg\)"):
        resume(run)
    Path("shapes/square/new.jpg").unlink()
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")  # the run knows where its data are
    assert resume("../run") is not None


def test_other_settings_are_refused_by_name() -> None:
    run = stopped("run")
    with pytest.raises(ArgumentError, match=r"got --epochs 9 \(the run: 3\); --seed 4 \(the run: 0\)\."):
        resume(run, given={"epochs": 9, "seed": 4, "data": "digits"})
    with pytest.raises(ArgumentError, match="learning rate falls over all epochs"):
        train_or_resume(config("run", epochs=9), given={"epochs": 9})
    assert train_or_resume(config("run"), given={"data": "digits", "every": "1epochs"}) is not None


def test_a_damaged_snapshot_is_passed_over() -> None:
    run = stopped("run")
    newest = max((run / "snapshots").iterdir())
    newest.write_bytes(newest.read_bytes()[:-100])
    events: list[Event] = []
    clear_session()
    resume(run, events.append)
    clear_session()
    told = [event.text for event in events if isinstance(event, Warned)]
    assert any("a damaged snapshot was passed over" in text and newest.name in text for text in told)
    whole = train(config("whole"))
    assert (whole.folder / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_the_run_that_is_meant_is_found() -> None:
    assert found_run(TrainConfig(data="digits")) is None
    run = stopped("one")
    for number in (1, 2, 3):
        shutil.copytree(run, f"runs/digits-{number}")
    path = Path("runs/digits-3/config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "complete"}))
    assert found_run(TrainConfig(data="digits")) == Path("runs/digits-2")
    assert found_run(TrainConfig(data="digits", out="new")) is None
    with pytest.raises(ArgumentError, match=r"holds another run.*neocog resume one"):
        train(config("one"))


def test_without_snapshots_a_run_starts_anew() -> None:
    with pytest.raises(RuntimeError):
        train(config("broken", every=None), hooks=(Broken(),))
    assert not Path("broken").exists()
    with pytest.raises(RuntimeError):
        train(config("broken"), hooks=(Broken(),))
    assert Path("broken/snapshots").is_dir()
    shutil.rmtree("broken/snapshots")
    events: list[Event] = []
    resume("broken", events.append)
    assert any("begins anew" in event.text for event in events if isinstance(event, Warned))


def test_what_cannot_be_resumed_is_told() -> None:
    with pytest.raises(DataError, match="no such folder"):
        resume("nowhere")
    Path("empty").mkdir()
    with pytest.raises(DataError, match=r"without config\.json"):
        resume("empty")
    run = stopped("run")
    with pytest.raises(DataError, match=r"`neocog resume run` goes on with it"):
        load_run(run)
    settings = json.loads((run / "config.json").read_text())
    for name, value in (("data", 3), ("epochs", "many"), ("seed", True), ("unheard_of", 1)):
        changed = {**settings, "asked": {**settings["asked"], name: value}}
        (run / "config.json").write_text(json.dumps(changed))
        with pytest.raises(FileFormatError, match="asked"):
            resume(run)


@pytest.mark.parametrize("text", ["", "5parsecs", "0", "1.5steps", "-1s"])
def test_a_bad_interval_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="every"):
        check_every(text)


def test_intervals_and_processes_are_read() -> None:
    assert check_every("30s").seconds == 30
    assert (check_every("100steps").steps, check_every("7").steps) == (100, 7)
    assert check_every("1epochs").epochs == 1
    assert (wanted_processes("3"), wanted_processes(None, 2)) == (3, 2)
    for text in ("none", "0", "-1", "1.5", "5000"):
        with pytest.raises(ArgumentError, match="--processes"):
            wanted_processes(text)

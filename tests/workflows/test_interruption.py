"""Ctrl-C at any moment: what was learned is kept, and the run can be used."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neocog.training import Hook
from neocog.workflows import Interrupted, TrainConfig, TrainResult, evaluate, load_run, train

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(autouse=True)
def _pythons_own_handler() -> Iterator[None]:
    """Test workers and background jobs ignore SIGINT, which `train` respects; here it means Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupt(Hook):
    """Does what Ctrl-C does, in a chosen epoch and batch (None: at the epoch's begin)."""

    def __init__(self, epoch: int, batch: int | None, *, signalled: bool = False) -> None:
        self.at = (epoch, batch)
        self.signalled = signalled
        self.epoch = -1
        self.batches_after = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        if self.at == (epoch, None):
            self._now()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.batches_after >= 0:
            self.batches_after += 1
        if self.at == (self.epoch, batch):
            self._now()

    def _now(self) -> None:
        if not self.signalled:
            raise KeyboardInterrupt
        self.batches_after = 0
        os.kill(os.getpid(), signal.SIGINT)


def interrupted(folder: Path, hook: Hook) -> tuple[TrainResult, list[Any]]:
    """Train on the digits until the hook stops it."""
    events: list[Any] = []
    config = TrainConfig(data="digits", model="mlp", epochs=50, out=str(folder))
    return train(config, events.append, hooks=(hook,)), events


@pytest.mark.parametrize("batch", [None, 5])
def test_the_best_so_far_is_kept(batch: int | None, tmp_path: Path) -> None:
    result, events = interrupted(tmp_path / "run", Interrupt(3, batch))
    assert result.interrupted
    assert result.epochs == 3
    assert 1 <= result.best_epoch <= 3
    assert [event.epoch for event in events if isinstance(event, Interrupted)] == [3]
    report = result.report.read_text(encoding="utf-8")
    assert "interrupted after epoch 3" in report
    assert result.validation_accuracy is not None
    again = evaluate(tmp_path / "run")
    assert again.scores.correct == result.test.correct > 200
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 4


def test_a_stop_in_the_first_epoch_leaves_a_run_too(tmp_path: Path) -> None:
    result, _ = interrupted(tmp_path / "run", Interrupt(0, 2))
    assert result.interrupted
    assert (result.epochs, result.best_epoch, result.validation_accuracy) == (0, 0, None)
    assert "Interrupted in the first epoch" in result.report.read_text(encoding="utf-8")
    assert evaluate(tmp_path / "run").scores.count == 359


def test_a_signal_stops_after_the_batch(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    hook = Interrupt(1, 4, signalled=True)
    result, _ = interrupted(tmp_path / "run", hook)
    assert result.interrupted
    assert result.epochs == 1
    assert hook.batches_after == 0  # the batch was finished, no other one begun
    assert signal.getsignal(signal.SIGINT) is handler


class TwiceInOneBatch(Interrupt):
    """A second Ctrl-C before the batch has ended."""

    def _now(self) -> None:
        super()._now()
        os.kill(os.getpid(), signal.SIGINT)


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    result, _ = interrupted(tmp_path / "run", TwiceInOneBatch(1, 4, signalled=True))
    assert result.interrupted
    assert load_run(tmp_path / "run").model is not None


def test_a_stop_while_measuring_keeps_the_model(tmp_path: Path) -> None:
    from neocog.workflows import Evaluating

    def stop(event: Any) -> None:
        if isinstance(event, Evaluating):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TrainConfig(data="digits", model="mlp", epochs=1, out=str(tmp_path / "run")), stop)
    assert evaluate(tmp_path / "run").scores.count == 359


def test_a_stop_before_training_leaves_nothing(tmp_path: Path) -> None:
    from neocog.workflows import DataReady

    def stop(event: Any) -> None:
        if isinstance(event, DataReady):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TrainConfig(data="digits", out=str(tmp_path / "runs" / "1")), stop)
    assert list(tmp_path.iterdir()) == []

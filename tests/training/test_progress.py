"""The progress line, with a clock and a stream of the test's own."""

from __future__ import annotations

import doctest
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.training import HookList, Progress, ProgressBar, _progress_bar


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class CountedLogs(Mapping[str, Any]):
    """Logs that count how often a value is read."""

    def __init__(self, **values: float) -> None:
        self.values_ = values
        self.reads = 0

    def __getitem__(self, key: str) -> float:
        self.reads += 1
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def make(**options: Any) -> tuple[io.StringIO, Clock, dict[str, Any]]:
    stream, clock = io.StringIO(), Clock()
    return stream, clock, {"stream": stream, "clock": clock, "width": 200, **options}


def on_screen(text: str) -> list[str]:
    """Return the lines that a terminal shows: a carriage return goes back to the start of the line."""
    lines = []
    for line in text.split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


def fit(
    progress: Progress, clock: Clock, *, epochs: int = 2, steps: int = 4, validation: int = 0, **params: Any
) -> CountedLogs:
    logs = CountedLogs(accuracy=0.91, loss=0.0005)
    hooks = HookList([progress])
    hooks.set_params({"epochs": epochs, "steps": steps, "verbose": 1, **params})
    hooks.on_train_begin()
    for epoch in range(epochs):
        hooks.on_epoch_begin(epoch)
        for step in range(steps):
            clock.now += 0.5
            hooks.on_train_batch_end(step, logs)
        found = dict(logs.values_)
        if validation:
            hooks.on_test_begin()
            for step in range(validation):
                clock.now += 1.0
                hooks.on_test_batch_end(step, logs)
            hooks.on_test_end(logs)
            found["val_loss"] = 0.25
        hooks.on_epoch_end(epoch, found)
    hooks.on_train_end()
    return logs


def test_the_finished_lines_are_those_that_keras_users_know() -> None:
    stream, clock, options = make(live=True)
    fit(Progress(**options), clock, validation=3)
    bar = "━" * 20
    line = f"4/4 {bar} 5s 500ms/step - accuracy: 0.9100 - loss: 5.0000e-04 - val_loss: 0.2500"
    assert on_screen(stream.getvalue()) == ["Epoch 1/2", line, "Epoch 2/2", line, ""]


def test_the_live_line_shows_what_is_left_and_how_far_validation_is() -> None:
    stream, clock, options = make(live=True)
    fit(Progress(**options), clock, epochs=1, validation=3, validation_steps=3)
    shown = [part.rstrip() for part in stream.getvalue().split("\r")]
    assert "2/4 ━━━━━━━━━━────────── 1s 500ms/step - accuracy: 0.9100 - loss: 5.0000e-04" in shown
    assert any(part.endswith("- validation 2/3") for part in shown)
    assert "Epoch" not in stream.getvalue()


def test_values_are_read_only_when_the_line_is_written() -> None:
    stream, clock, options = make(live=True)
    progress = Progress(**options)
    logs = CountedLogs(loss=1.0)
    progress.set_params({"epochs": 1, "steps": 1000, "verbose": 1})
    progress.on_epoch_begin(0)
    for step in range(1000):
        clock.now += 0.001
        progress.on_train_batch_end(step, logs)
    assert logs.reads == stream.getvalue().count("\r")
    assert 9 <= logs.reads <= 11  # one second, ten times a second


@pytest.mark.parametrize(("verbose", "live"), [(0, True), (1, False), (2, True), (2, False)])
def test_without_a_live_line_batches_are_not_watched(verbose: int, live: bool) -> None:
    stream, clock, options = make(live=live)
    progress = Progress(**options)
    logs = fit(progress, clock, verbose=verbose)
    assert logs.reads == 0
    text = stream.getvalue()
    assert "\r" not in text
    assert "\x1b" not in text
    assert (text == "") == (verbose == 0)
    assert not HookList([progress]).listens("on_train_batch_end")


def test_verbose_2_is_one_plain_line_an_epoch() -> None:
    stream, clock, options = make(live=True)
    fit(Progress(**options), clock, verbose=2, validation=2)
    line = "4/4 - 4s 500ms/step - accuracy: 0.9100 - loss: 5.0000e-04 - val_loss: 0.2500"
    assert stream.getvalue().splitlines() == ["Epoch 1/2", line, "Epoch 2/2", line]


@pytest.mark.parametrize(("live", "expected"), [(True, 1), (False, 2)])
def test_auto_depends_on_the_stream(live: bool, expected: int) -> None:
    _, _, options = make(live=live)
    progress = Progress(**options)
    progress.set_params({"verbose": "auto", "epochs": 1, "steps": 1})
    assert progress.verbose == expected


def test_a_stream_is_live_where_it_is_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert _progress_bar.is_live(Terminal())
    assert not _progress_bar.is_live(io.StringIO())


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("verbose", [1, 2])
def test_an_unknown_number_of_steps_is_counted_and_then_known(live: bool, verbose: int) -> None:
    stream, clock, options = make(live=live)
    progress = Progress(**options)
    hooks = HookList([progress])
    hooks.set_params({"epochs": 2, "steps": None, "verbose": verbose})
    assert hooks.listens("on_train_batch_end")
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        for step in range(3):
            clock.now += 1
            hooks.on_train_batch_end(step, {"loss": 1.0})
        hooks.on_epoch_end(epoch, {"loss": 1.0})
    assert progress.target == 3
    lines = [line for line in on_screen(stream.getvalue()) if line.startswith("3/3")]
    assert len(lines) == 2
    assert all(line.endswith("3s 1s/step - loss: 1.0000") for line in lines)
    if live and verbose == 1:
        assert "2/? " in stream.getvalue()


def test_evaluate_and_predict_have_lines_of_their_own() -> None:
    stream, clock, options = make(live=True)
    hooks = HookList([Progress(**options)])
    hooks.set_params({"steps": 2, "verbose": 1, "epochs": 1})
    hooks.on_test_begin()
    for step in range(2):
        clock.now += 1
        hooks.on_test_batch_end(step, {"loss": 0.5})
    hooks.on_test_end({"loss": 0.5})
    hooks.on_predict_begin()
    for step in range(2):
        clock.now += 0.25
        hooks.on_predict_batch_end(step, {"outputs": torch.rand(3)})
    hooks.on_predict_end()
    bar = "━" * 20
    assert on_screen(stream.getvalue()) == [
        f"2/2 {bar} 2s 1s/step - loss: 0.5000",
        f"2/2 {bar} 0s 250ms/step",
        "",
    ]


def test_a_run_that_stops_inside_an_epoch_leaves_its_line() -> None:
    stream, clock, options = make(live=True)
    progress = Progress(**options)
    progress.set_params({"epochs": 1, "steps": 9, "verbose": 1})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    clock.now += 1
    progress.on_train_batch_end(0, {"loss": 1.0})
    assert not stream.getvalue().endswith("\n")
    progress.on_train_end()
    assert stream.getvalue().endswith("\n")
    progress.on_train_end()
    assert stream.getvalue().count("\n") == 1


@given(width=st.integers(10, 120), steps=st.integers(1, 2000), metrics=st.integers(0, 8))
def test_the_live_line_never_wraps(width: int, steps: int, metrics: int) -> None:
    stream, clock, options = make(live=True, width=width)
    bar = ProgressBar(steps, **options)
    for step in range(1, min(steps, 5) + 1):
        clock.now += 1
        bar.update(step, {f"metric_{index}": index / 7 for index in range(metrics)})
    assert max(len(part.rstrip()) for part in stream.getvalue().split("\r")) < width


def test_a_shorter_line_covers_the_longer_one() -> None:
    stream, clock, options = make(live=True)
    bar = ProgressBar(10, **options)
    clock.now += 1
    bar.update(1, {"a_long_name_of_a_metric": 1.0})
    clock.now += 1
    bar.update(2, {"loss": 1.0})
    assert on_screen(stream.getvalue())[0].endswith("loss: 1.0000")


def test_a_stream_without_the_bar_s_character_gets_plain_ones() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="")
    clock = Clock()
    bar = ProgressBar(4, stream=stream, clock=clock, live=True, width=30)
    clock.now += 1
    bar.update(2, {"a_metric_with_a_long_name": 1.0})
    bar.finish({"loss": 1.0})
    assert re.search(rb"4/4|2/4 =", raw.getvalue())


def test_odd_values_are_shown_and_never_stop_the_run() -> None:
    shown = _progress_bar.format_values(
        {"vector": torch.tensor([1.0, 2.0]), "text": "n/a", "zero": 0.0, "nan": float("nan"), "int": 3}
    )
    assert shown == " - vector: 1.5000 - text: n/a - zero: 0.0000e+00 - nan: nan - int: 3.0000"


def test_no_steps_at_all() -> None:
    stream, _, options = make(live=True)
    bar = ProgressBar(None, **options)
    bar.finish({})
    bar.finish({})
    assert stream.getvalue().count("\n") == 1


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(_progress_bar).failed == 0

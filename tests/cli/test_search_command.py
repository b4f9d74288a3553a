"""`neocog search` as people type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from neocog.cli import app
from neocog.cli._search import parse_time
from neocog.exceptions import ArgumentError
from neocog.workflows import SearchRequest
from neocog.workflows import _search_work as work
from neocog.workflows._search_trial import Score


def neocog(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials, a winner and a page that cost nothing."""

    def run(images: Any, params: Any, level: int, report: Any, stopped: Any, begun: Any) -> Score:
        begun(2, 100)
        score = 1 - float(params["learning_rate"])
        report(score, 1)
        return Score(score=score, loss=1.0, epochs=2, parameters=100, seconds=0.0)

    monkeypatch.setattr(work, "run_trial", run)
    monkeypatch.setattr("neocog.workflows._search.is_trained", lambda *_: True)
    monkeypatch.setattr("neocog.workflows._search.train_winner", lambda *_: {"test": {"accuracy": 0.75}})
    monkeypatch.setattr("neocog.workflows._search_best.search_page", lambda *_: "<p>")


def test_a_search_shows_its_trials_and_its_result(tmp_path: Path) -> None:
    out = tmp_path / "study"
    done = neocog(
        "search", "digits", "--trials", 3, "--search", "lr=0.001:0.01", "--fix", "depth=3", "--out", out
    )
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("trial ") and "/3)" in line] == [
        "1",
        "2",
        "3",
    ]
    assert "       learning_rate 0.001:0.01" in lines
    assert not any(line.strip().startswith("depth") for line in lines)
    assert "best validation accuracy 0.9980 (the recipe: 0.9980): lr 0.002" in done.stdout
    assert "test accuracy 0.7500" in lines
    again = neocog("search", out, "--json")
    assert again.exit_code == 0, again.stderr
    found = json.loads(again.stdout)
    assert [row["number"] for row in found["trials"]] == [1, 2, 3]
    assert found["default"] == pytest.approx(0.998)


def test_a_file_of_settings_and_the_command_line_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[SearchRequest] = []

    def keep(request: SearchRequest, report: Any) -> Any:
        asked.append(request)
        raise ArgumentError("enough")

    monkeypatch.setattr("neocog.workflows.search", keep)
    path = tmp_path / "space.toml"
    path.write_text('[fix]\nbatch_size = 32\ndepth = 2\n[search]\nlr = "1e-4:1e-3"\nwidth = "0.5:1"\n')
    options = ("--fix", "width=2", "--search", "lr=1e-3:1e-2", "--search", "depth=2,3", "--time", "90s")
    assert neocog("search", "digits", "--space", path, *options).exit_code == 2
    assert asked[0].fix == {"batch_size": 32, "width": 2.0}
    assert asked[0].search == {"learning_rate": "1e-3:1e-2", "depth": "2,3"}
    assert asked[0].seconds == 90


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--trials", "0"), "trials"),
        (("--workers", "0"), "workers"),
        (("--time", "soon"), "--time: expected a time such as 90s, 30m or 2h, got 'soon'"),
        (("--time", "0s"), "time in seconds"),
        (("--fix", "lr"), "--fix: expected name=value, got 'lr'"),
        (("--fix", "lr=fast"), "a number for learning_rate, got 'fast'"),
        (("--fix", "lr=1", "--fix", "learning_rate=2"), "learning_rate once"),
        (("--search", "lr=1e-4"), None),
        (("--search", "lr="), "name=low:high"),
        (("--search", "speed=1:2"), "expected one of learning_rate"),
        (("--search", "lr=2:1"), "low below high"),
        (("--search", "dropout=0:2"), "--search dropout=0:2: expected dropout in [0, 0.95], got 2"),
        (
            ("--search", "lr=-1:1"),
            "--search learning_rate=-1:1: expected learning_rate in [1e-08, 10], got -1",
        ),
        (("--search", "depth=0,2"), "--search depth=0,2: expected depth to be a whole number of 1 or more"),
        (("--search", "augment=light,hevy"), "--search augment=light,hevy: expected augment to be one of"),
        (("--space", "nowhere.toml"), "a TOML file"),
        (("--resume",), "a study to go on with"),
        (("--model", "nothing"), "model"),
        (("--search", "finetune=0:3"), "--weights with finetune"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path: Path, options: tuple[str, ...], text: str | None
) -> None:
    done = neocog("search", "digits", "--trials", 1, "--out", tmp_path / "study", *options)
    if text is None:  # one value is a choice of one
        assert done.exit_code == 0, done.stderr
        return
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert text in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5H", 5400), ("2", 120), ("1d", 86400)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1m", "1w", "m", "1e3s", "9999999h"])
def test_no_times(text: str) -> None:
    with pytest.raises(ArgumentError, match="--time"):
        parse_time(text)

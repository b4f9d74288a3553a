"""A search from beginning to end: what counts, what is the same again, what goes on, what is refused."""

from __future__ import annotations

import csv
import json
import os
import pickle
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from neocog.exceptions import (
    ArgumentError,
    FileFormatError,
    MissingExtraError,
    TrainingError,
    UnknownNameError,
)
from neocog.workflows import (
    Event,
    SearchRequest,
    SearchResult,
    TrainConfig,
    TrialDone,
    load_run,
    search,
    train,
)
from neocog.workflows import _search_work as work
from neocog.workflows._search_trial import Score

CONFIG = TrainConfig(data="digits", model="mlp", epochs=2)
# Few settings: what is tested here is the search, not what it finds.
FIX = {"batch_size": 64, "weight_decay": 0.01, "augment_strength": 0.0}


def request(out: Path, **options: Any) -> SearchRequest:
    return SearchRequest(**{"config": CONFIG, "out": str(out), "trials": 6, "fix": FIX, **options})


@dataclass
class Searched:
    result: SearchResult
    events: list[Event] = field(default_factory=list)


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Six trials of a perceptron on the digits."""
    events: list[Event] = []
    out = tmp_path_factory.mktemp("studies") / "digits"
    return Searched(search(request(out), events.append), events)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, dict[str, Any]]]:
    """Trials that train nothing: their score is 1 minus their rate, and what ran is listed."""
    ran: list[tuple[int, dict[str, Any]]] = []

    def run(images: Any, params: Any, level: int, report: Any, stopped: Any, begun: Any) -> Score:
        begun(4, 100)
        ran.append((level, dict(params)))
        score = 1 - float(params["learning_rate"])
        for epoch in range(1, 5):
            if report(score, epoch):
                raise work.LeftError
        return Score(score=score, loss=1.0, epochs=4, parameters=100, seconds=0.0)

    monkeypatch.setattr(work, "run_trial", run)
    return ran


@pytest.fixture
def no_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that ends with its trials, and draws nothing."""
    monkeypatch.setattr("neocog.workflows._search.is_trained", lambda *_: True)
    monkeypatch.setattr("neocog.workflows._search_best.search_page", lambda *_: "<p>")
    monkeypatch.setattr("neocog.workflows._search.train_winner", lambda *_: {"test": {"accuracy": 0.5}})


def test_every_trial_counts_once_and_the_winner_is_an_ordinary_run(searched: Searched) -> None:
    result = searched.result
    assert [row.number for row in result.trials] == [1, 2, 3, 4, 5, 6]
    assert [row.level for row in result.trials] == [0, 0, 1, 1, 2, 2]
    assert [event.number for event in searched.events if isinstance(event, TrialDone)] == [1, 2, 3, 4, 5, 6]
    assert all(row.attempts == 1 for row in result.trials)
    assert result.best is not None
    assert result.best.level == 2
    assert result.default is not None
    assert result.best.score is not None
    assert result.best.score >= result.default
    assert result.run is not None
    assert load_run(result.run).model.count_params() == result.best.parameters


def test_a_full_trial_and_the_winners_run_are_the_same_training(searched: Searched) -> None:
    result = searched.result
    assert result.run is not None
    assert result.best is not None
    metrics = json.loads((result.run / "metrics.json").read_text())
    assert metrics["validation"] == {"accuracy": result.best.score, "loss": result.best.loss}
    assert metrics["test"] == result.test


def test_the_first_trial_of_the_full_budget_is_what_train_does(searched: Searched, tmp_path: Path) -> None:
    row = next(row for row in searched.result.trials if row.level == 2)
    assert row.is_default
    plain = replace(CONFIG, out=str(tmp_path / "run"), **FIX)
    found = train(plain)
    assert found.validation == {"accuracy": row.score, "loss": row.loss}
    assert searched.result.default == row.score


def test_small_comes_first(searched: Searched) -> None:
    rows = searched.result.trials
    assert [row.epochs for row in rows] == [1, 1, 1, 1, 2, 2]
    assert rows[0].params["width"] == 0.5
    assert rows[0].parameters < rows[2].parameters
    assert all(row.params["width"] <= 1 for row in rows[:2])


def test_the_files_say_what_the_result_says(searched: Searched) -> None:
    result = searched.result
    with open(result.table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [float(row["score"]) for row in rows] == [row.score for row in result.trials]
    assert [row["trial"] for row in rows if row["best"]] == [str(result.best and result.best.number)]
    study = json.loads((result.folder / "study.json").read_text())
    assert study["results"]["best"]["params"] == dict(result.best.params if result.best else {})
    page = result.page.read_text()
    assert page.count("data:image/png") == 2
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert not list((result.folder / "workers").iterdir())


def test_the_same_call_gives_the_same_and_trains_nothing(searched: Searched, quick: list[Any]) -> None:
    again = search(request(searched.result.folder))
    assert again.trials == searched.result.trials
    assert again.test == searched.result.test
    assert quick == []


def test_same_seed_same_trials_also_when_stopped_in_between(
    searched: Searched, tmp_path: Path, no_winner: None
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, TrialDone) and event.number == 3:
            os.kill(os.getpid(), signal.SIGINT)

    first = search(request(tmp_path / "study"), stop)
    assert first.interrupted
    assert first.run is None
    assert len(first.trials) == 3
    assert (tmp_path / "study" / "search.html").is_file()
    second = search(request(tmp_path / "study", resume=True))
    assert not second.interrupted
    one = [(row.params, row.score, row.loss, row.scores) for row in searched.result.trials]
    assert [(row.params, row.score, row.loss, row.scores) for row in second.trials] == one


def test_a_trial_that_is_stopped_goes_back_to_the_queue(tmp_path: Path, no_winner: None) -> None:
    def stop(event: Event) -> None:
        if type(event).__name__ == "TrialEpoch":
            os.kill(os.getpid(), signal.SIGINT)

    first = search(request(tmp_path / "study", trials=1), stop)
    assert first.interrupted
    assert first.trials == ()
    second = search(request(tmp_path / "study", trials=1))
    assert [(row.number, row.state, row.attempts) for row in second.trials] == [(1, "complete", 2)]


def test_more_trials_go_on_at_the_full_budget(tmp_path: Path, quick: list[Any], no_winner: None) -> None:
    search(request(tmp_path / "study", trials=3))
    result = search(request(tmp_path / "study", trials=5))
    assert [row.level for row in result.trials] == [0, 1, 2, 2, 2]
    assert len(quick) == 5
    # a study's folder in the place of the data: its settings and its number of trials
    again = search(SearchRequest(config=TrainConfig(data=str(tmp_path / "study"))))
    assert again.trials == result.trials
    assert len(quick) == 5


def test_worse_trials_are_left_early_and_the_recipe_never(
    tmp_path: Path, quick: list[Any], no_winner: None
) -> None:
    result = search(request(tmp_path / "study", trials=18))
    states = [row.state for row in result.trials]
    assert states.count("pruned") >= 2
    assert set(states) == {"pruned", "complete"}
    assert all(row.state == "complete" for row in result.trials if row.is_default)
    assert all(row.epochs < 4 for row in result.trials if row.state == "pruned")
    assert result.best is not None
    assert result.best.score == max(row.score or 0 for row in result.trials if row.level == 2)
    assert set(result.importance) == {"learning_rate", "dropout", "width", "depth"}
    assert max(result.importance, key=result.importance.__getitem__) == "learning_rate"


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (TrainingError("NaN"), "diverged"),
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out of memory"),
    ],
)
def test_settings_that_cannot_be_trained_count_and_stop_nothing(
    tmp_path: Path,
    quick: list[Any],
    no_winner: None,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    state: str,
) -> None:
    run = work.run_trial

    def sometimes(*arguments: Any) -> Score:
        if len(quick) == 1:
            quick.append(())
            raise fault
        return run(*arguments)

    monkeypatch.setattr(work, "run_trial", sometimes)
    result = search(request(tmp_path / "study", trials=3))
    assert [row.state for row in result.trials] == ["complete", state, "complete"]
    assert result.trials[1].score is None


def test_a_loss_that_is_not_finite_is_seen(tmp_path: Path, no_winner: None) -> None:
    with pytest.raises(TrainingError, match=r"a trial that came to its end.*1 trials: diverged"):
        search(request(tmp_path / "study", trials=1, config=replace(CONFIG, precision="float32"), fix={
            **FIX, "learning_rate": 10.0, "weight_decay": 10.0}))  # fmt: skip


def test_a_fault_of_another_kind_is_told_and_its_trial_stays_open(
    tmp_path: Path, no_winner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Score:
        raise KeyError("a fault")

    monkeypatch.setattr(work, "run_trial", fail)
    with pytest.raises(KeyError):
        search(request(tmp_path / "study"))
    monkeypatch.undo()
    with closing(sqlite3.connect(tmp_path / "study" / "study.db")) as database:
        assert database.execute("select state from trials").fetchall() == [("FAIL",)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"search": {"learning_rate": "1e-4:1e-3"}}, "learning_rate: 0.0002:0.01 there, 0.0001:0.001 here"),
        (
            {"fix": {**FIX, "dropout": 0.1}},
            "dropout: None there, 0.1 here; dropout: 0:0.6 there, not searched here",
        ),
        ({"config": replace(CONFIG, seed=1)}, "seed: 0 there, 1 here"),
    ],
)
def test_another_search_in_the_same_folder_is_refused(searched: Searched, options: Any, text: str) -> None:
    before = (searched.result.folder / "study.json").read_bytes()
    with pytest.raises(ArgumentError, match="expected the same search, got") as caught:
        search(request(searched.result.folder, **options))
    assert text in str(caught.value)
    assert (searched.result.folder / "study.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"trials": 0}, ArgumentError, "trials"),
        ({"workers": 0}, ArgumentError, "workers"),
        ({"seconds": 0.0}, ArgumentError, "time in seconds"),
        (
            {"search": {"learning_rate": "1e-3"}, "fix": {"learning_rate": 0.1}},
            ArgumentError,
            "fixed or searched",
        ),
        ({"search": {"learning_rate": "1e-3:100"}}, ArgumentError, "learning_rate in"),
        ({"search": {"learning_rate": "1e-2:1e-3"}}, ArgumentError, "low below high"),
        ({"search": {"learning_rate": "a:1"}}, ArgumentError, "a number for learning_rate"),
        ({"search": {"batch_size": "1.5:8"}}, ArgumentError, "a whole number for batch_size"),
        ({"search": {"width": "0.5:99"}}, ArgumentError, "width in"),
        ({"search": {"model": "mlp:lenet"}}, ArgumentError, "names of model"),
        ({"search": {"model": "mlp,lenett"}}, UnknownNameError, "lenett"),
        ({"search": {"head_rate": "0.1:0.2"}}, ArgumentError, "--weights with head_rate"),
        ({"fix": {"depth": 99}}, ArgumentError, "depth"),
        (
            {"search": {"dropout": "0:2"}, "config": TrainConfig(data="nothing-of-that-name")},
            ArgumentError,
            "--search dropout=0:2",  # before any data are looked for
        ),
        ({"resume": True}, ArgumentError, "a study to go on with"),
        ({"out": "  "}, ArgumentError, "an empty name"),
        ({"config": TrainConfig(data="nothing-of-that-name")}, ValueError, "no such folder"),
    ],
)
def test_bad_input_costs_nothing(tmp_path: Path, options: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        search(request(**{"out": tmp_path / "study", **options}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_or_a_damaged_study_is_left_alone(
    tmp_path: Path, quick: list[Any]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ArgumentError, match=r"letter\.txt"):
        search(request(tmp_path / "mine"))
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    for text in (
        "",
        "{",
        "[]",
        '{"format": "other"}',
        '{"format": "neocog study", "version": 1, "config": 3}',
    ):
        (tmp_path / "mine" / "study.json").write_text(text)
        with pytest.raises(FileFormatError, match=r"study\.json"):
            search(request(tmp_path / "mine"))


def test_a_damaged_file_of_trials_is_told(tmp_path: Path, quick: list[Any], no_winner: None) -> None:
    search(request(tmp_path / "study", trials=1))
    (tmp_path / "study" / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(FileFormatError, match=r"study\.db: expected the trials of a study"):
        search(request(tmp_path / "study", trials=1))


def test_nothing_in_a_study_is_unpickled(
    tmp_path: Path, quick: list[Any], no_winner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(request(tmp_path / "study", trials=9))

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a pickle was opened")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    with pytest.raises(AssertionError):
        pickle.loads(b"")  # noqa: S301 (it is refused)
    assert len(search(request(tmp_path / "study", trials=11)).trials) == 11


def test_the_extra_is_named_where_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'neocog\[search\]'"):
        search(request(tmp_path / "study"))
    assert list(tmp_path.iterdir()) == []


def test_time_that_is_over_trains_the_best_so_far(tmp_path: Path, quick: list[Any], no_winner: None) -> None:
    result = search(request(tmp_path / "study", trials=10_000, seconds=2.5))
    assert 0 < len(result.trials) < 10_000
    assert result.run is not None
    assert not result.interrupted

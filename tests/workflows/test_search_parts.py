"""The parts of a search alone: the plan, the space, trials whose worker dies at any step."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core import file_lock, try_file_lock
from neocog.exceptions import ArgumentError, UnknownNameError
from neocog.workflows._search_alive import Presence, host
from neocog.workflows._search_config import read_space_file
from neocog.workflows._search_plan import (
    Done,
    at_rung,
    budget,
    given_params,
    is_default,
    is_left,
    level_of,
    winner,
)
from neocog.workflows._search_space import Axis, apply_wishes, scratch_space, setting_name
from neocog.workflows._search_study import COMPLETE, KILLED, Study, TakenAwayError

SPACE = (
    Axis(name="learning_rate", low=1e-4, high=1e-2, default=1e-3),
    Axis(name="width", low=0.5, high=2.0, step=0.25, default=1.0),
)


@given(st.integers(1, 200))
@settings(max_examples=15, deadline=None)
def test_levels_grow_and_each_begins_with_the_recipe(planned: int) -> None:
    levels = [level_of(slot, planned) for slot in range(planned)]
    assert levels == sorted(levels)
    assert levels[-1] == 2
    assert levels.count(2) >= planned / 3
    firsts = [slot for slot in range(planned) if is_default(slot, planned)]
    assert [levels[slot] for slot in firsts] == sorted(set(levels))
    for slot in firsts:
        given_now = given_params(SPACE, slot, planned, 0, [])
        small = planned > 2 and levels[slot] == 0
        assert given_now == {"learning_rate": 1e-3, "width": 0.5 if small else 1.0}


def test_the_better_half_is_promoted_and_grows() -> None:
    done = [
        Done(slot=i, level=0, params={"learning_rate": 1e-3 * (i + 1), "width": 0.5}, score=i / 10)
        for i in range(4)
    ]
    assert given_params(SPACE, 5, 12, 0, done) == {"learning_rate": 4e-3, "width": 0.75}
    first, second = {"learning_rate": 4e-3, "width": 0.75}, {"learning_rate": 3e-3, "width": 0.75}
    assert given_params(SPACE, 6, 12, 0, done, [first]) == second
    assert given_params(SPACE, 7, 12, 0, done, [first, second]) == {}  # the worse half is not: Optuna chooses
    recipe = [Done(slot=0, level=1, params={"learning_rate": 1e-3, "width": 1.0}, score=0.9)]
    assert given_params(SPACE, 9, 12, 0, recipe) == {}  # the recipe is tried there already
    assert given_params(SPACE, 5, 12, 0, []) == {}


def test_the_winner_comes_from_the_highest_budget() -> None:
    def done(slot: int, level: int, score: float | None, loss: float = 1.0) -> Done:
        return Done(slot=slot, level=level, params={}, score=score, loss=loss)

    assert winner([]) is None
    assert winner([done(0, 2, None)]) is None
    both = [done(0, 0, 0.99), done(1, 2, 0.9, 0.3), done(2, 2, 0.9, 0.2), done(3, 2, 0.8)]
    assert winner(both) == both[2]
    assert winner(both[:1]) == both[0]


def test_the_worse_half_is_left_at_the_rungs_alone() -> None:
    rivals = [({1: 0.1 * i, 2: 0.1 * i, 3: 0.1 * i, 4: 0.1 * i}, 8) for i in range(1, 5)]
    assert [at_rung(8, share) for share in (0.25, 0.5)] == [2, 4]
    assert is_left({1: 0.1, 2: 0.15}, 8, rivals)
    assert not is_left({1: 0.2, 2: 0.35}, 8, rivals)
    assert not is_left({1: 0.5, 2: 0.15}, 8, rivals)  # its best so far counts
    assert not is_left({1: 0.05}, 8, rivals)
    assert not is_left({1: 0.05, 2: 0.05, 3: 0.05}, 8, rivals)
    assert is_left({1: 0.05, 2: 0.05, 3: 0.05, 4: 0.05}, 8, rivals)
    assert not is_left({1: 0.2, 2: 0.15}, 8, rivals[:2])  # too few to compare with
    assert not is_left({1: 0.0}, 1, rivals)


def test_budgets_take_less_of_large_data_alone() -> None:
    assert budget(0, 26, 1222, (8, 8), False) == {"epochs": 7, "image_size": None, "share": 1.0}
    assert budget(0, 20, 9000, (180, 120), True) == {"epochs": 5, "image_size": (90, 60), "share": 0.5}
    assert budget(2, 20, 9000, (180, 180), True) == {"epochs": 20, "image_size": None, "share": 1.0}


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
@settings(max_examples=15, deadline=None)
def test_ranges_are_read_as_they_are_written(a: float, b: float) -> None:
    low, high = sorted((float(f"{a:.3g}"), float(f"{b:.3g}")))
    if low == high:
        return
    (axis,) = apply_wishes((), {"learning_rate": f"{low:g}:{high:g}"}, {})
    assert (axis.low, axis.high) == (low, high)
    assert low <= axis.default <= high  # type: ignore[operator]
    assert apply_wishes((), {"learning_rate": axis.written()}, {}) == (axis,)


def test_the_recipes_value_stays_the_default_inside_a_range() -> None:
    space = scratch_space(2e-3, 32, 1e-2, 1222, depth=3, dropout=0.4, strength=True)
    names = {axis.name for axis in space}
    assert names == {
        "learning_rate",
        "batch_size",
        "weight_decay",
        "dropout",
        "augment_strength",
        "width",
        "depth",
    }
    found = {
        a.name: a for a in apply_wishes(space, {"learning_rate": "1e-3:1e-1", "width": "1:3"}, {"depth": 3})
    }
    assert "depth" not in found
    assert found["learning_rate"].default == 2e-3
    assert found["width"].step == 0.25
    assert found["width"].values()[0] == found["width"].default == 1.0
    assert found["width"].larger(1.0) == 1.25
    assert found["width"].larger(3.0) == 3.0
    assert found["batch_size"].values() == [8, 16, 32, 64, 128]
    assert all(found["width"].small(random.Random(i)) == 1.0 for i in range(5))


def test_names_of_settings() -> None:
    assert setting_name("lr", "x") == setting_name("Learning-Rate", "x") == "learning_rate"
    with pytest.raises(UnknownNameError, match="'width'"):
        setting_name("widht", "--search")


def test_a_file_of_settings(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        '[fix]\nbatch = 32\n[search]\nlr = "1e-4:1e-2"\nmodel = ["mlp", "lenet"]\nwidth = [0.5, 1]\n'
    )
    fix, search = read_space_file(str(path))
    assert fix == {"batch_size": 32}
    assert search == {"learning_rate": "1e-4:1e-2", "model": "mlp,lenet", "width": "0.5,1"}
    for text in (
        "[fix",
        "fix = 3",
        "[other]\na = 1",
        "[fix]\nlr = true",
        "[fix]\nlr = [1]",
        "[search]\nx = 1",
    ):
        path.write_text(text)
        with pytest.raises((ArgumentError, UnknownNameError), match="--space"):
            read_space_file(str(path))


class DeadError(BaseException):
    """Stands for SIGKILL: nothing is tidied up."""


@contextmanager
def worker(folder: Path) -> Iterator[Presence]:
    """Be a worker that is killed at the end: its lock is gone and its file stays."""
    presence = Presence(folder).__enter__()
    try:
        yield presence
    finally:
        presence._end.set()
        os.close(presence._handle or -1)


def study(folder: Path) -> Study:
    return Study(folder, SPACE, 3, 0)


def complete(found: Study, trial: Any, score: float = 0.5) -> None:
    found.finish(trial, COMPLETE, score, {"epochs": 1, "seconds": 1.0, "loss": 1.0, "parameters": 1})


def numbers(found: Study) -> list[tuple[int, int]]:
    return [(row.number, row.attempts) for row in found.rows()]


@pytest.mark.parametrize("step", ["enqueue_trial", "ask", "after"])
def test_a_worker_that_dies_while_it_claims_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    dying = study(tmp_path)
    if step == "after":  # between the claim and its worker's name
        monkeypatch.setattr(dying, "_sampler", lambda found: _dying_sampler(dying))
    else:
        done = getattr(dying.study, step)

        def die(*arguments: Any, **options: Any) -> Any:
            done(*arguments, **options)
            raise DeadError

        monkeypatch.setattr(dying.study, step, die)
    with worker(tmp_path) as presence, pytest.raises(DeadError):
        dying.claim(3, presence)
    alive = study(tmp_path)
    with Presence(tmp_path) as presence:
        while (trial := alive.claim(3, presence)) is not None:
            complete(alive, trial)
    assert [number for number, _ in numbers(alive)] == [1, 2, 3]
    assert alive.running(3) == 0


def _dying_sampler(found: Study) -> Any:
    sampler = found.optuna.samplers.RandomSampler(seed=0)

    def die(*arguments: Any) -> Any:
        raise DeadError

    sampler.before_trial = die
    return sampler


def test_the_trial_of_a_dead_worker_is_run_once_again_with_its_settings(tmp_path: Path) -> None:
    first, second = study(tmp_path), study(tmp_path)
    with Presence(tmp_path) as alive:
        with worker(tmp_path) as presence:
            lost = first.claim(3, presence)
            other = second.claim(3, alive)
            assert lost.user_attrs["slot"] == 0
            assert other.user_attrs["slot"] == 1
            complete(second, other)
        again = second.claim(3, alive)
        assert again.user_attrs["slot"] == 0
        assert again.params == lost.params
        last = second.claim(3, alive)
        assert last.user_attrs["slot"] == 2
        assert second.claim(3, alive) is None
        complete(second, again)
        complete(second, last)
        # the one that was thought dead comes to its end: it counts no second time
        with pytest.raises(TakenAwayError):
            complete(first, lost, 0.9)
        with pytest.raises(TakenAwayError):
            first.report(lost, 0.9, 1)
    assert numbers(second) == [(1, 2), (2, 1), (3, 1)]
    assert [row.score for row in second.rows()] == [0.5, 0.5, 0.5]


def test_a_trial_that_ends_every_worker_is_given_up(tmp_path: Path) -> None:
    found = study(tmp_path)
    for _ in range(3):
        with worker(tmp_path) as presence:
            assert found.claim(1, presence).user_attrs["slot"] == 0
    with Presence(tmp_path) as presence:
        assert found.claim(1, presence) is None
    assert [(row.state, row.score, row.attempts) for row in found.rows()] == [(KILLED, None, 3)]


def test_a_trial_given_back_is_no_death(tmp_path: Path) -> None:
    found = study(tmp_path)
    with Presence(tmp_path) as presence:
        for _ in range(5):
            found.give_back(found.claim(1, presence))
        complete(found, found.claim(1, presence))
    assert numbers(found) == [(1, 6)]


def test_locks_and_signs_of_life(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"):
        assert try_file_lock(tmp_path / "lock") is None
    handle = try_file_lock(tmp_path / "lock")
    assert handle is not None
    os.close(handle)
    with Presence(tmp_path) as one:
        with worker(tmp_path) as other:
            assert one.is_alive(other.name)
            assert one.is_alive(one.name)
        assert not one.is_alive(other.name)
        assert not one.is_alive("../../etc/passwd")
        assert not one.is_alive("")
        far = tmp_path / "workers" / f"far{host()}-123456789abc"
        far.write_bytes(b"")
        assert one.is_alive(far.name)  # a moment ago
        os.utime(far, (1.0, 1.0))
        assert not one.is_alive(far.name)

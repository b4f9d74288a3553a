"""Start small, then grow: which trial runs with which budget, and where its settings come from."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neocog.workflows._search_space import Space, Value

RUNGS = (0.25, 0.5)  # of a trial's epochs: there, the worse half of its level is left
LEAST_RIVALS = 3  # trials that must have been there before one is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A budget.

    Attributes:
        name: as tables show it.
        epochs: share of the recipe's epochs.
        data: share of the training images, where there are many.
        side: factor on the sides of the images, where they are photographs.
    """

    name: str
    epochs: float
    data: float
    side: float


LEVELS = (
    Level(name="small", epochs=0.25, data=0.5, side=0.5),
    Level(name="middle", epochs=0.5, data=1.0, side=1.0),
    Level(name="full", epochs=1.0, data=1.0, side=1.0),
)
FULL = len(LEVELS) - 1
MANY_IMAGES = 2000  # from which the smallest level takes a part of them
LARGE_SIDE = 96  # pixels from which the smallest level takes smaller images


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A trial that counts, as planning sees it: its place, budget, settings and score (None: it has none)."""

    slot: int
    level: int
    params: Mapping[str, Value]
    score: float | None
    loss: float = math.inf


def level_of(slot: int, planned: int) -> int:
    """Return the level of a trial of a study planned for so many: a third each, the last not less."""
    full = max(-(-planned // 3), 1)
    middle = (planned - full) // 2
    small = planned - full - middle
    return 0 if slot < small else 1 if slot < small + middle else FULL


def place_in_level(slot: int, planned: int) -> int:
    """Return how many trials of its level come before a trial."""
    level = level_of(slot, planned)
    first = slot
    while first and level_of(first - 1, planned) == level:
        first -= 1
    return slot - first


def is_default(slot: int, planned: int) -> bool:
    """Whether a trial takes the recipe's settings: the first of each level, so that there is a base line."""
    return place_in_level(slot, planned) == 0


def given_params(
    space: Space,
    slot: int,
    planned: int,
    seed: int,
    done: Sequence[Done],
    begun: Sequence[Mapping[str, Value]] = (),
) -> dict[str, Value]:
    """Return the settings that a trial is given; Optuna chooses the others.

    The first of a level takes the recipe's settings, on the smallest level with the smallest network. On the
    smallest level networks are small. The next levels begin with the best settings of the level below, every
    second one with a network one size larger; then Optuna is free.

    Args:
        space: what is searched.
        slot: of the trial, from 0.
        planned: trials that the levels were laid out for.
        seed: of what is drawn.
        done: trials that count.
        begun: settings of the trials of its level, those under way too: none is taken twice.
    """
    level, place = level_of(slot, planned), place_in_level(slot, planned)
    rng = random.Random(f"{seed} {slot}")
    if place == 0:
        lowest = level == 0 and planned > 2
        return {axis.name: axis.values()[0] if lowest and axis.grows else axis.default for axis in space}
    if level == 0:
        return {axis.name: axis.small(rng) for axis in space if axis.grows}
    recipe = {axis.name: axis.default for axis in space}
    taken = [recipe, *(dict(params) for params in begun)]
    return next((params for params in _promoted(space, done, level) if params not in taken), {})


def _promoted(space: Space, done: Sequence[Done], level: int) -> list[dict[str, Value]]:
    """Return the settings of the better half of the level below, the best first, grown on the way."""
    below = ranked([trial for trial in done if trial.level == level - 1])
    found = []
    for rank, trial in enumerate(below[: -(-len(below) // 2)]):
        params = {axis.name: trial.params[axis.name] for axis in space if axis.name in trial.params}
        if level < FULL or rank % 2:
            params |= {a.name: a.larger(params[a.name]) for a in space if a.grows and a.name in params}
        found.append(params)
    return found


def ranked(done: Sequence[Done]) -> list[Done]:
    """Return the trials that have a score, the best first: by score, then loss, then order."""
    scored = [trial for trial in done if trial.score is not None]
    return sorted(scored, key=lambda trial: (-(trial.score or 0.0), trial.loss, trial.slot))


def winner(done: Sequence[Done]) -> Done | None:
    """Return the best trial of the highest level that has any: others had a smaller budget."""
    for level in reversed(range(len(LEVELS))):
        found = ranked([trial for trial in done if trial.level == level])
        if found:
            return found[0]
    return None


def is_left(own: Mapping[int, float], epochs: int, rivals: Sequence[tuple[Mapping[int, float], int]]) -> bool:
    """Return whether a trial is among the worse half of its level at the rung it has just reached.

    Args:
        own: its scores by epoch, from 1.
        epochs: its most epochs.
        rivals: (scores, most epochs) of the others of its level.
    """
    epoch = max(own, default=0)
    for rung in RUNGS:
        if epoch != at_rung(epochs, rung) or epoch >= epochs:
            continue
        here = _best(own, epoch)
        others = [_best(found, at_rung(most, rung)) for found, most in rivals]
        reached = [value for value in others if value is not None]
        if here is None or len(reached) < LEAST_RIVALS:
            return False
        better = sum(value > here for value in reached)
        return better >= math.ceil((len(reached) + 1) / 2)
    return False


def at_rung(epochs: int, rung: float) -> int:
    """Return the epoch, from 1, at which a rung is reached."""
    return max(math.ceil(epochs * rung), 1)


def _best(found: Mapping[int, float], epoch: int) -> float | None:
    """Return the best score up to an epoch, of a trial that reached it or had stopped by then."""
    values = [value for number, value in found.items() if number <= epoch]
    return max(values) if values and max(found) >= epoch else None


def budget(level: int, epochs: int, samples: int, size: tuple[int, int], given: Any) -> dict[str, Any]:
    """Return what a level changes: `epochs`, `image_size` (or None), `share` of the training images.

    Args:
        level: of the trial.
        epochs: the recipe's.
        samples: training images.
        size: (height, width) of the images.
        given: whether images can be read at another size.
    """
    found = LEVELS[level]
    smaller = bool(given) and found.side < 1 and min(size) >= LARGE_SIDE
    return {
        "epochs": max(math.ceil(epochs * found.epochs), 1),
        "image_size": tuple(int(side * found.side) for side in size) if smaller else None,
        "share": found.data if samples >= MANY_IMAGES else 1.0,
    }

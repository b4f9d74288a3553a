"""The same samples give the same number, to the bit, in any parts and however often one looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from test_parity import PARAMETERS, Batch, Maker, number, update

from neocog.metrics import METRICS, Mean
from neocog.training._world import World, state_of_all

BATCHES = (64, 64, 37, 1)  # uneven last ones: of four processes three have no row of the last


def part(batch: Batch, rows: slice) -> Batch:
    return tuple(item[rows] for item in batch)  # type: ignore[return-value]


def shared(name: str, arguments: dict[str, Any], batches: list[Batch], size: int, weighted: bool) -> Any:
    """Return the metric of `size` processes, each with its rows of every batch, as all have it at the end."""
    metrics = [METRICS.resolve(name)(**arguments) for _ in range(size)]
    for batch in batches:
        for rank, metric in enumerate(metrics):
            rows = World(rank, size).rows(len(batch[0]))
            if rows.stop > rows.start:
                update(metric, name, part(batch, rows), weighted)
    states = [metric.state_dict() for metric in metrics]
    metrics[-1].load_state_dict(state_of_all(metrics[-1], states))
    return metrics[-1]


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_processes_measure_what_one_does(
    name: str, arguments: dict[str, Any], maker: Maker, weighted: bool
) -> None:
    rng = np.random.default_rng(3)
    batches = [maker(rng, size, 3) for size in BATCHES]
    alone = shared(name, arguments, batches, 1, weighted)
    for size in (2, 4):
        together = shared(name, arguments, batches, size, weighted)
        np.testing.assert_array_equal(number(together.result()), number(alone.result()))
    assert alone.result().dtype is not torch.float64


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
def test_looking_changes_nothing(name: str, arguments: dict[str, Any], maker: Maker) -> None:
    """A progress line reads values by the clock, a snapshot copies the state: the end is the same."""
    rng = np.random.default_rng(4)
    unseen, seen = (METRICS.resolve(name)(**arguments) for _ in range(2))
    for size in (33, 60, 5):
        batch = maker(rng, size, 3)
        for metric in (unseen, seen):
            update(metric, name, batch, weighted=True)
        seen.result()
        copy = METRICS.resolve(name)(**arguments)
        copy.load_state_dict(seen.state_dict())
        seen = copy
    np.testing.assert_array_equal(number(seen.result()), number(unseen.result()))


def test_the_comparison_sees_sums_in_float32() -> None:
    """Numbers that float32 cannot add up without rounding: read on the way, they would end elsewhere."""
    values = torch.rand(3000, generator=torch.Generator().manual_seed(0))
    exact = Mean()
    for value in values:
        exact.update_state(value[None])
    rounded = torch.zeros(())
    for value in values:
        rounded += value
    assert float(exact.result()) == np.float32(values.double().mean().item())
    assert float(rounded / 3000) != float(exact.result())

"""Several processes train one model as one process does with the same batches, also when some of them die."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _launched import break_off, endings, result, results

from neocog.data import Batch, as_source
from neocog.training._shares import SharedSource
from neocog.training._world import World

needs_distributed = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch without distributed training"
)
CASES = [
    "adam", "momentum", "penalties", "classes", "clipped", "averaged", "gathered", "cnn", "masked",
    "weighted", "shares", "shares_cnn", "shares_gathered", "mixed", "mixing", "generator", "loader",
    "pieces", "outputs", "asks_at_begin", "asks_at_end", "asks_at_once", "stateful", "unreached",
    "skipped", "skipped_gathered", "scarce_unreached", "scarce_forward", "scarce_backward",
    "scarce_gathered", "scarce_update", "scarce_own_loss", "own_steps", "own_steps_grad",
    "own_steps_clipped", "own_steps_gathered", "own_around", "own_two", "own_state",
]  # fmt: skip
TO_BE_KILLED = ["fragile", "elastic", "elastic_shares", "asked_to_end"]
# Whatever counts is the same to the bit; what is computed from outputs moves with their last digit.
COMPUTED = ("loss", "crossentropy", "size")
# Other sums round otherwise, and Adam hands on what small gradients lost: up to 2.2e-6, by processor.
SUMMATION = 5e-6


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, list[Any]]]:
    """What every case ends with, by the number of processes."""
    folder = tmp_path_factory.mktemp("processes")
    return {processes: results(folder, processes, [*CASES, *TO_BE_KILLED]) for processes in (1, 2, 4)}


def furthest(one: Any, other: Any) -> float:
    pairs = zip(one["weights"], other["weights"], strict=True)
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in pairs)


def check_same_training(alone: Any, together: list[Any]) -> None:
    assert all(one == together[0] for one in together[1:])
    assert furthest(alone, together[0]) < SUMMATION
    for name, values in alone["history"].items():
        found = together[0]["history"][name]
        if name.endswith(COMPUTED):
            np.testing.assert_allclose(found, values, rtol=2e-6)
        else:
            assert found == values, name


@needs_distributed
@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_processes_end_as_one_does(ended: Any, case: str, processes: int) -> None:
    """54 steps of batches of 32 and last ones of 3: with four processes one of them has no row of those."""
    check_same_training(ended[1][case][0], ended[processes][case])


@needs_distributed
def test_the_comparison_sees_a_difference(ended: Any) -> None:
    alone, together = ended[1]["adam"][0], ended[2]["adam"]
    with pytest.raises(AssertionError):
        check_same_training(alone, ended[2]["momentum"])
    moved = json.loads(json.dumps(together))
    for one in moved:
        one["history"]["accuracy"][-1] += 1e-7
    with pytest.raises(AssertionError):
        check_same_training(alone, moved)


@needs_distributed
@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("in_python", 'InPython "in_python": expected state in variables, to be added up over 2 processes'),
        (
            "fixed",
            "inputs that take batches of any size: 2 processes share the rows of each, got an Input for 32",
        ),
        ("shorter", "163 samples in 6 batches in process 0, 100 samples in 4 batches in process 1. Give all"),
        (
            "no_validation",
            "validation data in all 2 processes, got 45 samples in 1 batch in process 0, none in",
        ),
    ],
)
def test_what_processes_cannot_share_is_refused(tmp_path: Path, case: str, reason: str) -> None:
    (tmp_path / "found").mkdir()
    assert reason in break_off(tmp_path / "found", 2, case, kills="")


@needs_distributed
def test_gathered_gradients_are_exchanged_in_the_steps_that_apply_them(ended: Any) -> None:
    assert ended[2]["gathered"][0]["exchanges"] == 54 // 4
    assert ended[2]["adam"][0]["exchanges"] == 54


@needs_distributed
@pytest.mark.slow
@pytest.mark.parametrize(("case", "kills"), [("fragile", "3:20,0:7,1:5"), ("own_state", "3:12,0:7,1:5")])
def test_processes_that_are_killed_cost_nothing(ended: Any, tmp_path: Path, case: str, kills: str) -> None:
    """Of four processes three are killed one after the other, the first one among them."""
    found = result(tmp_path, "found", 4, case, kills=kills)
    assert endings(found) == endings(ended[4][case])
    assert len(list((tmp_path / "found").glob("*.killed.*"))) == 3


@needs_distributed
def test_a_signal_within_a_validation_ends_all_processes_there(ended: Any, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    text = break_off(tmp_path / "found", 2, "asked_to_end", kills="")
    assert "SIGINT" not in text  # also where another process got the signal
    (newest,) = (tmp_path / "found" / "snapshots").glob("*8-*")  # two epochs of four steps
    assert newest.is_file()
    found = results(tmp_path / "found", 2, ["asked_to_end"], kills="")["asked_to_end"]
    assert endings(found) == endings(ended[2]["asked_to_end"])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_every_row_belongs_to_one_process(size: int) -> None:
    x = np.arange(50, dtype="float32")[:, None]
    seen: list[float] = []
    shares: dict[int, float] = {}
    for rank in range(size):
        source = SharedSource(as_source(x, batch_size=16, seed=4), World(rank, size))
        for number, batch in enumerate(source.batches(3)):
            shares[number] = shares.get(number, 0.0) + batch.share
            seen += batch.x[: batch.size, 0].tolist()
    assert sorted(seen) == x[:, 0].tolist()
    assert shares == pytest.approx(dict.fromkeys(range(4), float(size)))


def test_a_process_without_rows_stays_in_step() -> None:
    source = SharedSource(as_source(np.zeros((2, 1), "float32")), World(0, 4))
    batch = next(source.batches(0))
    assert isinstance(batch, Batch)
    assert (batch.size, batch.share, len(batch.x), batch.rows) == (0, 0.0, 1, (1, 2))


@needs_distributed
@pytest.mark.parametrize("case", ["elastic", pytest.param("elastic_shares", marks=pytest.mark.slow)])
def test_another_number_of_processes_goes_on(ended: Any, tmp_path: Path, case: str) -> None:
    """Two processes of which one is killed, without a restart; one process goes on, or four with shares."""
    (tmp_path / "found").mkdir()
    break_off(tmp_path / "found", 2, case, kills="1:20")
    goes_on = 4 if case.endswith("shares") else 1
    found = results(tmp_path / "found", goes_on, [case], kills="")[case]
    check_same_training(ended[1][case][0], found)

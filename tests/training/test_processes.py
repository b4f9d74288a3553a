"""Several processes train one model as one process does with the same batches, also when one of them dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neocog.data import Batch, as_source
from neocog.training._shares import SharedSource
from neocog.training._world import World

SCRIPT = """
    import json, os, sys
    import numpy as np
    import neocog as keras
    from neocog import layers

    out, snapshots, dies = sys.argv[1], sys.argv[2] or None, int(sys.argv[3])
    rank, restarts = os.environ.get("RANK", "0"), os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")

    class Die(keras.callbacks.Callback):
        batches = 0
        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1
            if self.batches == dies and rank == "1" and restarts == "0":
                os._exit(9)

    keras.utils.set_random_seed(3)
    draw = np.random.RandomState(0)
    x, y = draw.rand(163, 6, 6, 2).astype("float32"), draw.randint(0, 5, 163)
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
        layers.Flatten(),
        layers.Dense(5, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x, y, batch_size=32, epochs=10, validation_data=(x[:45], y[:45]), verbose=0, snapshots=snapshots,
        every=3, callbacks=[Die(), keras.callbacks.CSVLogger(out + ".csv")],
    )
    weights = [weight.tolist() for weight in model.get_weights()]
    text = json.dumps({"weights": weights, "history": history.history})
    open(out + "." + rank + ".json", "w").write(text)
"""


def result(folder: Path, name: str, processes: int, snapshots: str = "", dies: int = 0) -> list[Any]:
    """Run the script in so many processes and return what each ends with."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--max-restarts", "1"]
    command = [sys.executable, *(launch if processes > 1 else [])]
    command += [str(script), str(folder / name), snapshots, str(dies)]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f"{name}.{rank}.json").read_text()) for rank in range(processes)]


def furthest(one: Any, other: Any) -> float:
    pairs = zip(one["weights"], other["weights"], strict=True)
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in pairs)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed training")
@pytest.mark.parametrize("processes", [2, 4])
def test_processes_end_as_one_does(tmp_path: Path, processes: int) -> None:
    """Batches of 32 and a last one of 3: with four processes one of them has no row of it."""
    alone = result(tmp_path, "alone", 1)[0]
    together = result(tmp_path, "together", processes)
    assert all(one == together[0] for one in together[1:])
    assert furthest(alone, together[0]) < 2e-6
    for name in ("accuracy", "val_accuracy"):
        assert together[0]["history"][name] == alone["history"][name]
    np.testing.assert_allclose(together[0]["history"]["loss"], alone["history"]["loss"], rtol=1e-6)
    rows = (tmp_path / "together.csv").read_text().splitlines()
    assert len(rows) == 11  # one process writes


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed training")
def test_a_process_that_dies_costs_nothing(tmp_path: Path) -> None:
    whole = result(tmp_path, "whole", 2)
    found = result(tmp_path, "found", 2, str(tmp_path / "snapshots"), dies=20)
    assert found == whole
    assert (tmp_path / "found.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


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
    assert (batch.size, batch.share, len(batch.x)) == (0, 0.0, 1)

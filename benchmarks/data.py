"""Suite `data`: a folder of JPEG photographs as batches of 32 at 180×180, the first time and from the cache.

Competitors: a plain Pillow loop, torch's `DataLoader` with a worker a core over the same loop, Keras's
`image_dataset_from_directory` on tf.data and on grain. Each runs in a process of its own and they take turns;
the photographs are in the system's file cache. Ours gives what `fit` reads (uint8, resized and antialiased);
Keras gives float32 and does not antialias. Further rows: how long `fit` waits for data, as part of an epoch.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import Absent, python_of

import neocog as keras
from neocog.data import Batch, ImageFolderSource, Source
from neocog.data._datasets._home import search_folders

HERE = Path(__file__).parent
PEERS = HERE / "peers"
OTHERS = ("pillow", "dataloader", "keras-tf", "keras-grain")
OURS = ("neocog-first", "neocog-uncached", "neocog-disk", "neocog-memory")
NAMES = {
    "pillow": "Pillow, plain loop",
    "dataloader": "torch DataLoader, a worker a core",
    "keras-tf": "Keras image_dataset_from_directory",
    "keras-grain": 'the same, format="grain"',
    "neocog-first": "neocog, first epoch of a first run",
    "neocog-uncached": "neocog, cache=False",
    "neocog-disk": "neocog, first epoch of a second run",
    "neocog-memory": "neocog, later epochs",
}


def run(seconds: float = 2.0, rounds: int = 5) -> list[dict[str, Any]]:
    """Run the suite; `seconds` is not used: an epoch takes as long as it takes."""
    folder = _photographs()
    count = len(list(folder.rglob("*.jpg")))
    scratch = tempfile.mkdtemp(prefix="neocog-bench-")
    try:
        rows = _epochs(folder, count, scratch, rounds)
        return rows + _waiting(folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _photographs() -> Path:
    for place in search_folders():
        if (place / "cats-vs-dogs" / "train").is_dir():
            return place / "cats-vs-dogs" / "train"
    raise SystemExit("the suite `data` needs the photographs cats-vs-dogs: name their folder in NEOCOG_DATA")


def _epochs(folder: Path, count: int, scratch: str, rounds: int) -> list[dict[str, Any]]:
    peers: dict[str, _Peer] = {}
    skipped: dict[str, str] = {}
    for kind in (*OTHERS, *OURS):
        try:
            peers[kind] = _Peer(kind, folder, scratch)
        except Absent as error:
            skipped[kind] = str(error)
    speeds: dict[str, list[float]] = {kind: [] for kind in peers}
    processor: dict[str, list[float]] = {kind: [] for kind in peers}
    after: dict[str, list[float]] = {kind: [] for kind in peers}
    for _ in range(rounds):
        for kind, peer in peers.items():
            answer = peer.epoch()
            speeds[kind].append(count / answer["seconds"])
            processor[kind].append(1000 * answer["processor"] / count)
            after[kind].append(1000 * answer["after"] / count)
            print(f"{NAMES[kind]}: {speeds[kind][-1]:,.0f} images a second", file=sys.stderr, flush=True)
    for peer in peers.values():
        peer.close()
    best = max((kind for kind in OTHERS if kind in peers), key=lambda kind: statistics.median(speeds[kind]))
    rows = []
    for kind, values in speeds.items():
        ratios = [a / b for a, b in zip(values, speeds[best], strict=True)]
        # What worker processes use is not seen before they end.
        cpu: Any = "" if kind == "dataloader" else statistics.median(processor[kind])
        rows.append(
            {
                "what": NAMES[kind],
                "images a second (median)": statistics.median(values),
                "min": min(values),
                "max": max(values),
                f"against {NAMES[best]}": statistics.median(ratios),
                "processor ms an image": cpu,
                "written to the cache afterwards, ms an image": _afterwards(after[kind]),
            }
        )
    return rows + [{"what": NAMES[kind], "note": f"skipped: {why}"} for kind, why in skipped.items()]


def _afterwards(values: list[float]) -> Any:
    return statistics.median(values) if max(values) > 0.01 else ""


class _Peer:
    """A process that reads an epoch whenever it is told to."""

    def __init__(self, kind: str, folder: Path, scratch: str) -> None:
        python = _peer_python() if kind.startswith("keras") else sys.executable
        environment = {**os.environ, "BENCH_SCRATCH": scratch, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("NEOCOG_CACHE_GB", None)
        if kind.startswith("keras"):
            environment["KERAS_BACKEND"] = "tensorflow"
        self.process = subprocess.Popen(
            [python, str(PEERS / "epochs.py"), kind, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if kind.startswith("keras") else None,
            text=True,
            env=environment,
        )
        if not self._line():
            last = (self.process.stderr.read() if self.process.stderr else "").strip().splitlines()[-1:]
            raise Absent(f"it ended ({''.join(last)[:120] or self.process.wait()})")

    def epoch(self) -> dict[str, float]:
        self.process.stdin.write("go\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        answer: dict[str, float] = self._line()
        if not answer:
            raise RuntimeError(f"{self.process.args} ended early")
        return answer

    def close(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait(timeout=60)

    def _line(self) -> dict[str, Any]:
        for line in self.process.stdout:  # type: ignore[union-attr]
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        return {}


def _peer_python() -> str:
    """Return the Python that has TensorFlow: BENCH_TENSORFLOW_PYTHON, or an environment that is made once."""
    return os.environ.get("BENCH_TENSORFLOW_PYTHON") or python_of("tensorflow")


def _waiting(folder: Path, scratch: str, count: int = 640) -> list[dict[str, Any]]:
    """Return how long `fit` waits for data: the notes' small network with augmentation."""
    os.environ["NEOCOG_HOME"] = tempfile.mkdtemp(dir=scratch)
    os.environ.pop("NEOCOG_CACHE_GB", None)
    everything = sorted(str(path) for path in folder.rglob("*.jpg"))
    files = everything[:: max(len(everything) // count, 1)][:count]
    labels = [int(Path(file).parent.name != "cat") for file in files]
    rows = []
    for name, cache in (("first epoch", True), ("from the disk's cache", "disk"), ("cache=False", False)):
        keras.utils.set_random_seed(0)
        model = _small_network()
        model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
        warm = ImageFolderSource(files[:64], labels[:64], (180, 180), 32, label_mode="binary", cache=False)
        model.fit(warm, epochs=1, verbose=0)
        source = _Timed(
            ImageFolderSource(files, labels, (180, 180), 32, seed=0, label_mode="binary", cache=cache)
        )
        start = time.perf_counter()
        model.fit(source, epochs=1, verbose=0)
        whole = time.perf_counter() - start
        rows.append(
            {
                "what": f"fit, small network, augmentation, {name}",
                "images a second (median)": len(files) / whole,
                "waiting for data, % of the epoch": 100 * source.waited / whole,
            }
        )
    return rows


def _small_network() -> Any:
    """Return the notes' network for cats and dogs at 180×180, its augmentation in front."""
    layers = keras.layers
    stages = [layers.Conv2D(32, 3, activation="relu")]
    for filters in (64, 128, 256, 256):
        stages += [layers.MaxPooling2D(2), layers.Conv2D(filters, 3, activation="relu")]
    return keras.Sequential(
        [
            keras.Input((180, 180, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.2),
            layers.Rescaling(1 / 255),
            *stages,
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


class _Timed(Source):
    """A source that adds up how long its reader waits for the next batch."""

    rewindable = True

    def __init__(self, source: ImageFolderSource) -> None:
        self.source, self.waited = source, 0.0
        self.num_batches, self.num_samples = source.num_batches, source.num_samples

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the source's batches."""
        batches = self.source.batches(epoch, start)
        while True:
            begin = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - begin
            if batch is None:
                return
            yield batch

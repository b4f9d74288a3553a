"""One competitor of the suite `data`: reads a folder of photographs, an epoch for each line on its input.

`python epochs.py KIND FOLDER` prints one JSON object a line: batches, seconds, processor seconds. Imports
stand in the functions: each kind runs in the environment that has its packages.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

SIZE = (180, 180)
BATCH = 32
Epoch = Callable[[], Iterable[Any]]


def files_below(folder: str) -> list[str]:
    """Return the photographs."""
    return sorted(str(path) for path in Path(folder).rglob("*.jpg"))


def pillow(folder: str) -> Epoch:
    """A loop as people write it."""
    import numpy as np

    files = files_below(folder)

    def epoch() -> Iterator[Any]:
        random.shuffle(files)
        for first in range(0, len(files), BATCH):
            part = files[first : first + BATCH]
            yield np.stack([_opened(file) for file in part])

    return epoch


def _opened(file: str) -> Any:
    import numpy as np
    from PIL import Image

    return np.array(Image.open(file).convert("RGB").resize(SIZE, Image.Resampling.BILINEAR))


class Photographs:
    """A map-style data set for torch's `DataLoader`."""

    def __init__(self, folder: str) -> None:
        self.files = files_below(folder)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        return _opened(self.files[index])


def dataloader(folder: str) -> Epoch:
    """Torch's `DataLoader` with a worker a core; they stay alive, so that their start is not counted."""
    from torch.utils.data import DataLoader

    workers = os.cpu_count() or 1
    loader = DataLoader(
        Photographs(folder), BATCH, shuffle=True, num_workers=workers, persistent_workers=True
    )
    return lambda: loader


def keras_tf(folder: str) -> Epoch:
    """Keras's function as it is: a `tf.data.Dataset`."""
    return _keras(folder)


def keras_grain(folder: str) -> Epoch:
    """Keras's function with `format="grain"`, on its torch backend where there is torch."""
    return _keras(folder, format="grain")


def _keras(folder: str, **options: Any) -> Epoch:
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=SIZE, batch_size=BATCH, seed=1, verbose=False, **options
    )
    return lambda: ((x, y) for x, y in dataset)


def neocog_first(folder: str) -> Epoch:
    """The first epoch of a first run: nothing decoded before; the cache is filled, as by default.

    The folder is listed before, as Keras's is.
    """
    files = files_below(folder)

    def epoch() -> Iterator[Any]:
        os.environ["NEOCOG_HOME"] = tempfile.mkdtemp(dir=os.environ["BENCH_SCRATCH"])
        yield from _source(files).batches(0)

    return epoch


def neocog_uncached(folder: str) -> Epoch:
    """An epoch with `cache=False`."""
    source = _source(files_below(folder), cache=False)
    return lambda: source.batches(0)


def neocog_disk(folder: str) -> Epoch:
    """The first epoch of a second run, from the cache on disk, its look-up included."""
    from neocog.data import _decode_cache

    files = files_below(folder)
    os.environ["NEOCOG_HOME"] = tempfile.mkdtemp(dir=os.environ["BENCH_SCRATCH"])
    for _ in _source(files, cache="disk").batches(0):
        pass

    def epoch() -> Iterator[Any]:
        _decode_cache._open.clear()  # as a new process
        yield from _source(files).batches(0)

    return epoch


def neocog_memory(folder: str) -> Epoch:
    """A later epoch of the same run, from memory."""
    source = _source(files_below(folder), cache="memory")
    for _ in source.batches(0):
        pass
    return lambda: source.batches(1)


def _source(files: list[str], cache: bool | str = True) -> Any:
    from neocog.core import keep_freed_memory
    from neocog.data import ImageFolderSource

    keep_freed_memory()  # as `fit` does
    return ImageFolderSource(files, [0] * len(files), SIZE, BATCH, seed=0, cache=cache)


KINDS = {
    "pillow": pillow,
    "dataloader": dataloader,
    "keras-tf": keras_tf,
    "keras-grain": keras_grain,
    "neocog-first": neocog_first,
    "neocog-uncached": neocog_uncached,
    "neocog-disk": neocog_disk,
    "neocog-memory": neocog_memory,
}


def main(kind: str, folder: str) -> None:
    """Answer each line with an epoch, after a few batches that do not count."""
    epoch = KINDS[kind](folder)
    for _, batch in zip(range(8), epoch(), strict=False):
        del batch
    print(json.dumps({"ready": kind}), flush=True)
    for _ in sys.stdin:
        start, cpu = time.perf_counter(), _processor_seconds()
        batches = sum(1 for _ in epoch())
        wall, cpu = time.perf_counter() - start, _processor_seconds() - cpu
        start = time.perf_counter()
        for thread in threading.enumerate():
            if thread.name == "neocog-cache":  # writes what the epoch has decoded; counted apart
                thread.join()
        after = time.perf_counter() - start
        answer = {"batches": batches, "seconds": wall, "processor": cpu, "after": after}
        print(json.dumps(answer), flush=True)


def _processor_seconds() -> float:
    """Return the processor time of this process; of worker processes only what has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main(*sys.argv[1:])

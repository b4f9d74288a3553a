"""The child process: opens mutated files one after another and says for each what came of it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fuzzing.mutate_files import mutated
from fuzzing.seeds import models, seeds

SECONDS = 10  # for one file, where Python still runs
MEMORY = 2**30  # beyond what the process had before the first file
_FORBIDDEN = (
    *("socket.connect", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class"),
    *("urllib.Request", "os.remove", "os.rename", "os.mkdir", "shutil.rmtree"),
)


def work(kind: str, start: int, stop: int, folder: Path) -> None:
    """Open files `start` to `stop`; one line of JSON a file goes to stdout."""
    from neocog.exceptions import NeocogError
    from neocog.layers import LAYERS

    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what HDF5 prints about itself
    sources, classes = seeds(kind), [*LAYERS.names(), "TFSMLayer", "eval", "Adam", "MeanSquaredError"]
    path = folder / f"model.{'keras' if kind == 'json' else kind}"
    opened = _opener(kind, path)
    for number in range(3):  # loads what is loaded on first use
        _write(path, sources[number])
        opened()
    torch.rsqrt(torch.conv2d(torch.empty(1, 1, 3, 3, device="meta"), torch.empty(1, 1, 3, 3, device="meta")))
    forbidden: list[str] = []
    sys.addaudithook(
        lambda event, args: forbidden.append(f"{event} {args!r:.80}") if event in _FORBIDDEN else None
    )
    signal.signal(signal.SIGALRM, _too_slow)
    _limit_memory()
    print(json.dumps({"ready": True}), flush=True)
    for number in range(start, stop):
        _write(path, mutated(kind, sources, number, classes))
        forbidden.clear()
        print(json.dumps({"start": number}), flush=True)
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            opened()
            outcome = "opened"
        except NeocogError as error:
            outcome = type(error).__name__
        except BaseException as error:
            outcome = "FAULT " + "".join(traceback.format_exception(error))[-1500:]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if forbidden:
            outcome = f"FAULT did {forbidden[:3]}"
        print(json.dumps({"end": number, "outcome": outcome, "s": time.perf_counter() - began}), flush=True)


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _opener(kind: str, path: Path) -> Callable[[], Any]:
    from neocog.models import load_model, model_from_json

    if kind in ("keras", "h5"):
        return lambda: load_model(path)
    if kind == "json":
        return lambda: model_from_json(path.read_bytes().decode("utf-8", "surrogateescape"))
    targets = models()

    def load() -> None:
        fits = 0
        for model in targets:
            try:
                model.load_weights(path)
                fits += 1
            except Exception as error:
                last = error
        if not fits:
            raise last

    return load


def _too_slow(*args: Any) -> None:
    raise TimeoutError("took too long")


def _limit_memory() -> None:
    with open("/proc/self/status") as file:
        used = next(int(line.split()[1]) for line in file if line.startswith("VmData")) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))

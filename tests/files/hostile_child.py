"""The process that opens hostile files: what it raised, its time and memory, and what else it did."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

WATCHED = (
    *("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.mkdir"),
    *("os.remove", "os.rename", "pickle.find_class", "urllib.Request", "shutil.rmtree", "os.posix_spawn"),
)


def main(folder: Path) -> None:
    """Open every file that `cases.json` lists."""
    import neocog as keras
    from neocog.exceptions import NeocogError

    warnings.simplefilter("ignore")
    log: list[str] = []
    watching = [False]
    libraries = (
        sys.prefix,
        sys.base_prefix,
        str(Path(keras.__file__).parent),
        "/proc/",
        "/sys/",
        "/dev/null",
    )

    def watch(event: str, args: Any) -> None:
        if watching[0] and event in WATCHED:
            path = str(args[0]) if args else ""
            own = event == "open" and (path.startswith((str(folder), *libraries)) or path.isdigit())
            writes = (
                event == "open" and len(args) > 1 and any(letter in str(args[1] or "r") for letter in "wax+")
            )
            if not own or writes:
                log.append(f"{event} {path[:100]}")

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    opener = {
        "load_model": keras.models.load_model,
        "load_weights": model.load_weights,
        "load_torch": model.load_torch_weights,
        "model_from_json": lambda path: keras.models.model_from_json(
            path.read_text("utf-8", "surrogateescape")
        ),
    }
    good = folder / "good.keras"
    model.save(good)
    keras.models.load_model(good)
    sys.addaudithook(watch)
    for case in json.loads((folder / "cases.json").read_text()):
        path = folder / case["file"]
        log.clear()
        before, began = _reset_peak(), time.perf_counter()
        watching[0] = True
        error: BaseException | None = None
        try:
            opener[case["opened"]](path)
        except BaseException as raised:
            error = raised
        watching[0] = False
        seconds, memory = time.perf_counter() - began, _peak() - before
        result = {"file": case["file"], "error": type(error).__name__, "text": str(error), "s": seconds}
        result |= {"bytes": memory, "own": isinstance(error, NeocogError), "did": log[:5]}
        print(json.dumps(result), flush=True)


def _reset_peak() -> int:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key)) * 1024


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main(Path(sys.argv[1]))

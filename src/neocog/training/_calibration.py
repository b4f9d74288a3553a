"""The thresholds of the training plan: built in, or measured on this machine by `neocog bench --calibrate`.

A threshold is read, never measured, when `fit` makes its plan: as long as the file stays, the same model and
batch get the same plan.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from neocog.core import default_device, neocog_home, processor_name, write_text
from neocog.exceptions import ArgumentError, StorageError, message

NEVER = math.inf
_LARGEST_FILE = 1 << 20
_BUILT_IN = "built-in"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Where one way to run becomes faster than another. Operations are of a forward pass over a batch.

    Attributes:
        bfloat16_dense: operations from which half precision gains in networks without convolutions.
        bfloat16_convolutional: the same for networks with convolutions.
        graphs_flops_per_layer: operations a layer up to which a GPU waits for Python, so that a CUDA graph
            gains.
        compile_flops: operations from which `torch.compile` gains on a GPU.
        source: "built-in", or the date of the measurement.
    """

    bfloat16_dense: float = 1e9
    bfloat16_convolutional: float = 1e9
    graphs_flops_per_layer: float = 1.5e9
    compile_flops: float = 1e11
    source: str = _BUILT_IN

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; None stands for "never"."""
        return {key: None if value == NEVER else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Return what `as_dict` described.

        Raises:
            ValueError: a value is missing, or no number of 0 or more.
        """
        found: dict[str, Any] = {}
        for name in (field.name for field in fields(cls)):
            if name not in values:
                raise ValueError(f"{name} is missing")
            found[name] = _checked(name, values[name])
        return cls(**found)


def _checked(name: str, value: Any) -> Any:
    if name == "source":
        if not isinstance(value, str) or not value or len(value) > 40 or not value.isprintable():
            raise ValueError("source is no date")
        return value
    if value is None:
        return NEVER
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(f"{name} is no number of 0 or more")
    return float(value)


# Measured with `scripts/bench fit` on two cores with AMX; those of GPUs are estimates (docs/speed.md).
_DEFAULTS = Calibration()
VECTORS, DOUBLE_VECTORS = "AVX-512", "AVX-512 BF16"
_BY_HARDWARE = {
    # AMD's Zen 4, two cores. AMX needs larger matrices than these before it gains.
    DOUBLE_VECTORS: replace(_DEFAULTS, bfloat16_dense=1e8, bfloat16_convolutional=1e8),
    # Intel's without AMX: bfloat16 saves less than the casts cost; never, until measured otherwise.
    VECTORS: replace(_DEFAULTS, bfloat16_dense=NEVER, bfloat16_convolutional=NEVER),
}

_forced: list[Calibration] = []


def calibration_for(device: torch.device, hardware: str | None) -> Calibration:
    """Return the thresholds of this machine: those of its file, else the built-in ones.

    Args:
        device: where the model trains.
        hardware: what multiplies half precision there, or None.
    """
    if _forced:
        return _forced[-1]
    measured = _from_file(machine_key(device))
    return built_in(hardware) if measured is None else measured


def built_in(hardware: str | None) -> Calibration:
    """Return the thresholds that neocog comes with for a kind of hardware."""
    return _BY_HARDWARE.get(hardware or "", _DEFAULTS)


@contextmanager
def calibrated(calibration: Calibration) -> Iterator[None]:
    """Let plans made in the block go by these thresholds: for measuring and for tests."""
    _forced.append(calibration)
    try:
        yield
    finally:
        _forced.pop()


def machine_key(device: torch.device) -> str:
    """Return what a measurement holds for: the processor or GPU, its threads, the version of torch."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{processor_name()}, {torch.get_num_threads()} threads"
        name += f", {os.environ['ONEDNN_MAX_CPU_ISA']}" if os.environ.get("ONEDNN_MAX_CPU_ISA") else ""
    return f"{name}, torch {torch.__version__}"


def calibration_file() -> Path | None:
    """Return where measurements are kept: `$NEOCOG_CALIBRATION` ("off" for none), else neocog's folder."""
    named = os.environ.get("NEOCOG_CALIBRATION")
    if named:
        return None if named.lower() == "off" else Path(named).expanduser()
    return neocog_home() / "calibration.json"


def save_calibration(calibration: Calibration, device: torch.device | None = None) -> Path:
    """Keep a measurement for this machine, beside those of others; return the file.

    Raises:
        StorageError: the file cannot be written.
        ArgumentError: files are switched off.
    """
    path = calibration_place()
    machines = {**_entries(path), machine_key(device or default_device()): calibration.as_dict()}
    write_text(path, json.dumps({"format": 1, "machines": machines}, indent=1) + "\n")
    return path


def calibration_place() -> Path:
    """Return where a measurement can be kept: to be asked before one is made.

    Raises:
        StorageError: nothing can be written there.
        ArgumentError: files are switched off.
    """
    path = calibration_file()
    if path is None:
        expected = "a file to keep the measurement in"
        do = "Unset NEOCOG_CALIBRATION, or let it name a file."
        raise ArgumentError(message("calibration", expected=expected, got="NEOCOG_CALIBRATION=off", do=do))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path.parent, os.W_OK) and not path.is_dir()
    except OSError:
        writable = False
    if not writable:
        do = "Let NEOCOG_CALIBRATION name another file."
        raise StorageError(message(str(path), expected="a file that can be written", got="none", do=do))
    return path


def forget_calibration(device: torch.device | None = None) -> bool:
    """Forget this machine's measurement; return whether there was one. A damaged file is put right."""
    path = calibration_file()
    if path is None or not path.exists():
        return False
    machines = _entries(path)
    found = machines.pop(machine_key(device or default_device()), None) is not None
    write_text(path, json.dumps({"format": 1, "machines": machines}, indent=1) + "\n")
    return found


def _from_file(key: str) -> Calibration | None:
    path = calibration_file()
    if path is None:
        return None
    entry = _entries(path).get(key)
    if entry is None:
        return None
    try:
        return Calibration.from_dict(entry)
    except (ValueError, TypeError, AttributeError) as error:
        _say_damaged(path, str(error))
        return None


def _entries(path: Path) -> dict[str, Any]:
    """Return the file's machines; a damaged file has none, and a warning says so."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"it has {path.stat().st_size:,} bytes")
        document = json.loads(path.read_text(encoding="utf-8"))
        machines = document["machines"]
        if document["format"] != 1 or not isinstance(machines, dict):
            raise ValueError("it is of another format")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _say_damaged(path, str(error) or type(error).__name__)
        return {}
    return machines


def _say_damaged(path: Path, why: str) -> None:
    text = (
        f"{path}: expected thresholds of `neocog bench --calibrate`, got a file that cannot be used ({why}). "
        "The built-in ones hold. Measure again, or reset it with `neocog bench --reset`."
    )
    warnings.warn(text, UserWarning, stacklevel=2)

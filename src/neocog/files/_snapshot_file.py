"""Snapshots of a run as files: nested plain values and tensors, no code, each file checked by its own name.

A snapshot is one safetensors file, `snapshot-<steps>-<first 16 digits of its SHA-256>.safetensors`: tensors
by number, everything else as JSON in its header. The name makes a half-written, truncated or damaged file
known for what it is before anything in it is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neocog.core import atomic_path, generator_state, is_generator, new_generator
from neocog.exceptions import ArgumentTypeError, FileFormatError, message

FORMAT = "neocog-snapshot-1"
_NAME = re.compile(r"snapshot-(\d{1,18})-([0-9a-f]{16})\.safetensors")
_DEEPEST = 40  # levels of nesting
_BLOCK = 1 << 20


def write_snapshot(folder: str | os.PathLike[str], steps: int, state: Any) -> Path:
    """Write a snapshot, whole or not at all, and return its path.

    Args:
        folder: where to; made if it is not there.
        steps: number of training steps so far, which orders the snapshots.
        state: nested dicts, lists, tuples, sets and deques of tensors, arrays, numbers, texts, None, and
            generators of random numbers (NumPy's, Python's, torch's on the CPU).

    Raises:
        ArgumentTypeError: the state holds something else; the text says where.
        StorageError: a full or read-only disk; the snapshots that are there stay.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_encoded(state, tensors, "state"), separators=(",", ":"))
    folder = Path(folder)
    written: list[Path] = []

    def named_by(whole: Path) -> Path:
        written.append(folder / f"snapshot-{steps:012d}-{file_digest(whole)}.safetensors")
        return written[0]

    with atomic_path(folder / "snapshot", named_by=named_by) as temporary:
        try:
            save_file(tensors, temporary, metadata={"format": FORMAT, "state": text})
        except SafetensorError as error:  # its writer says "No space left on device" in a type of its own
            raise OSError(str(error)) from error
    _sync_folder(folder)
    return written[0]


def read_snapshot(path: str | os.PathLike[str]) -> Any:
    """Return the state that `write_snapshot` wrote.

    Raises:
        FileFormatError: the file is damaged, cut off, or no snapshot.
        OSError: it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    named = _NAME.fullmatch(path.name)
    if named is None or file_digest(path) != named[2]:
        raise _damaged(path, "content that does not belong to its name")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise _damaged(path, f"the format {header.get('format')!r}")
            return _decoded(json.loads(header["state"]), file.get_tensor)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error)[:200]) from error


def snapshots_in(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the snapshots of a folder, the newest first; damaged ones among them."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    named = [(_NAME.fullmatch(entry.name), entry) for entry in folder.iterdir()]
    found = [(int(match[1]), entry.lstat().st_mtime_ns, entry) for match, entry in named if match]
    return [entry for _, _, entry in sorted(found, reverse=True)]


def remove_unfinished(folder: str | os.PathLike[str], older_than: float = 60.0) -> None:
    """Remove what processes that were killed left of snapshots under a temporary name.

    Args:
        folder: where the snapshots lie.
        older_than: seconds since the last byte was written; what is younger may be another process's.
    """
    now = time.time()
    for left in Path(folder).glob(".snapshot.*.tmp"):
        with suppress(OSError):
            if now - left.stat().st_mtime >= older_than:
                left.unlink()


def steps_of_snapshot(path: Path) -> int:
    """Return the number of steps that stands in a snapshot's name."""
    found = _NAME.fullmatch(path.name)
    return -1 if found is None else int(found[1])


def is_storable(value: Any) -> bool:
    """Return whether a snapshot can hold a value.

    Example:
        >>> is_storable({"best": [0.5, None]}), is_storable(print)
        (True, False)
    """
    try:
        check_storable(value, "value")
    except ArgumentTypeError:
        return False
    return True


def check_storable(value: Any, where: str) -> None:
    """Raise `ArgumentTypeError` for what a snapshot cannot hold; the text says where in `value` it is."""
    _encoded(value, {}, where)


def _damaged(path: Path, got: str) -> FileFormatError:
    return FileFormatError(message(str(path), expected="an undamaged snapshot", got=got))


def file_digest(path: Path) -> str:
    """Return the first 16 digits of a file's SHA-256."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()[:16]


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a loss of power, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _encoded(value: Any, tensors: dict[str, torch.Tensor], where: str, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ArgumentTypeError(message(where, expected=f"at most {_DEEPEST} levels", got="more"))
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (np.integer, int)):
        return int(value)
    if isinstance(value, (np.floating, float)):
        number = float(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _encoded_array(value, tensors, where)
    if isinstance(value, dict):
        pairs = [
            [_encoded(key, tensors, where, depth + 1), _encoded(item, tensors, f"{where}.{key}", depth + 1)]
            for key, item in value.items()
        ]
        plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
        return {key: item for key, item in pairs} if plain else {"$dict": pairs}  # noqa: C416
    if isinstance(value, (list, tuple)):
        items = [_encoded(item, tensors, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, (set, frozenset, deque)):
        items = [_encoded(item, tensors, where, depth + 1) for item in value]
        return {"$set": items} if not isinstance(value, deque) else {"$deque": items, "maxlen": value.maxlen}
    if is_generator(value) and not (isinstance(value, torch.Generator) and value.device.type != "cpu"):
        return {"$generator": _encoded(generator_state(value), tensors, where, depth + 1)}
    expected = "numbers, texts, tensors, and dicts, lists, tuples and sets of them"
    raise ArgumentTypeError(message(where, expected=expected, got=type(value).__name__))


def _encoded_array(value: Any, tensors: dict[str, torch.Tensor], where: str) -> dict[str, Any]:
    name = f"t{len(tensors)}"
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise ArgumentTypeError(message(where, expected="a dense tensor", got=f"{value.layout}"))
        tensors[name] = value.detach().to("cpu").as_subclass(torch.Tensor).contiguous()
        return {"$tensor": name}
    if value.dtype.kind == "U":
        return {"$texts": value.reshape(-1).tolist(), "shape": list(value.shape)}
    kind = str(value.dtype.newbyteorder("="))
    same_bits = {"uint16": "int16", "uint32": "int32", "uint64": "int64"}.get(kind, kind)
    try:
        plain = np.array(value, dtype=kind, order="C").view(
            "int64" if value.dtype.kind in "mM" else same_bits
        )
        tensors[name] = torch.from_numpy(plain)
    except (TypeError, ValueError) as error:  # objects, records, more bits than torch has
        raise ArgumentTypeError(message(where, expected="an array of numbers or texts", got=kind)) from error
    return {"$array": name, "dtype": kind}


def _decoded(value: Any, tensor: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item, tensor) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensor(value["$tensor"])
    if "$array" in value:
        return tensor(value["$array"]).numpy().view(np.dtype(str(value["dtype"])))
    if "$texts" in value:
        return np.array([str(text) for text in value["$texts"]], dtype=np.str_).reshape(value["shape"])
    if "$float" in value:
        return float(value["$float"])
    if "$tuple" in value:
        return tuple(_decoded(item, tensor) for item in value["$tuple"])
    if "$set" in value:
        return {_decoded(item, tensor) for item in value["$set"]}
    if "$deque" in value:
        return deque((_decoded(item, tensor) for item in value["$deque"]), value["maxlen"])
    if "$generator" in value:
        return new_generator(_decoded(value["$generator"], tensor))
    if "$dict" in value:
        return {_decoded(key, tensor): _decoded(item, tensor) for key, item in value["$dict"]}
    return {key: _decoded(item, tensor) for key, item in value.items()}

"""Foreign weights as named tensors: safetensors as they are, `torch.save` files converted to it once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from neocog.core import atomic_path, neocog_home
from neocog.exceptions import FileFormatError, StorageError, message
from neocog.files._refuse import _REFUSED, kind_of_path
from neocog.files._safetensors import read_metadata
from neocog.files._torch_state import named_tensors, read_checkpoint, read_safetensors

_COUNTER = ".num_batches_tracked"  # torch's BatchNorm counts; Keras's does not
_MOST_BYTES = 8 * 2**30
_SPREAD = 4  # tensors may share memory, but not stand for many times what the file holds


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFile:
    """The tensors of a weight file, as the one who wrote it names them.

    Attributes:
        path: the file.
        sha256: its checksum.
        tensors: by name, without wrappers and counters.
        metadata: texts that the file carries.
    """

    path: Path
    sha256: str
    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str]


def holds_state_dict(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is none of Keras's by its first bytes: `read_state_dict` reads or refuses it."""
    return kind_of_path(Path(path)) not in ("KERAS", "HDF5")


def read_state_dict(path: str | os.PathLike[str]) -> StateFile:
    """Return the named tensors of a safetensors file or of a torch checkpoint.

    A checkpoint is opened with `weights_only=True` alone, unwrapped (`state_dict`, `model`, `module.` …) and
    written once as safetensors to `models/converted/<SHA-256>.safetensors` in neocog's own folder, where it
    is read from the next time.

    Raises:
        FileFormatError: damaged, cut short, packed, not of tensors alone, or another kind of file.
        StorageError: it cannot be read.
    """
    path = Path(path)
    kind = kind_of_path(path)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise FileFormatError(message(str(path), expected=f"at most {_MOST_BYTES:,} bytes", got=f"{size:,}"))
    if kind not in ("SAFETENSORS", "torch", "pickle", "KERAS"):
        text, do = _REFUSED.get(kind, (kind, "It is damaged, or a page of errors saved under its name."))
        raise FileFormatError(message(str(path), expected="a file of weights", got=text, do=do))
    if kind == "SAFETENSORS":
        tensors, metadata = read_safetensors(path), read_metadata(path)
        return _state(path, _sha256(path), named_tensors(str(path), tensors), metadata)
    digest = _sha256(path) if kind in ("torch", "pickle", "KERAS") else ""
    converted = neocog_home() / "models" / "converted" / f"{digest}.safetensors"
    if digest and converted.is_file():
        try:
            return _state(path, digest, read_safetensors(converted), {})
        except (FileFormatError, StorageError):
            pass  # cut short by a full disk, say: convert anew
    tensors = named_tensors(str(path), read_checkpoint(path))
    _check_size(path, size, tensors)
    tensors = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    if _keep(converted, tensors):
        tensors = read_safetensors(converted)  # mapped into memory, where pages can be dropped again
    return _state(path, digest, tensors, {})


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _state(path: Path, digest: str, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> StateFile:
    kept = {name: value for name, value in tensors.items() if not name.endswith(_COUNTER)}
    return StateFile(path=path, sha256=digest, tensors=kept, metadata=metadata)


def _check_size(path: Path, size: int, tensors: Mapping[str, torch.Tensor]) -> None:
    """A tensor of stride 0 may stand for a terabyte that four bytes of the file hold."""
    total = sum(value.numel() * value.element_size() for value in tensors.values())
    if total > _SPREAD * size:
        got = f"tensors of {total:,} bytes in a file of {size:,}"
        raise FileFormatError(
            message(str(path), expected="tensors as large as the file", got=got, do="Do not use this file.")
        )


def _keep(path: Path, tensors: Mapping[str, torch.Tensor]) -> bool:
    """Write the converted file; a full or read-only disk costs only the next conversion."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            save_file(dict(tensors), temporary, metadata={"format": "pt"})
    except (SafetensorError, StorageError, OSError):
        return False
    return True

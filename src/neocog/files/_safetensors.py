"""Weights as safetensors: a torch `state_dict` in a file that holds data and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neocog._version import __version__
from neocog.core import atomic_path
from neocog.exceptions import ArgumentTypeError, FileFormatError, ShapeError, StorageError, message
from neocog.files._refuse import Format, expect_format

_SHARED = "neocog_shared"  # metadata key: which names stand for the same tensor as another

_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a file and a module had not in common.

    Attributes:
        missing: tensors of the module that the file does not have.
        unexpected: tensors of the file that the module does not have.
        metadata: texts that the file carries.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    metadata: Mapping[str, str]


def save_state(
    module: nn.Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a module's `state_dict` as safetensors, whole or not at all; shared tensors are written once.

    Args:
        module: layer, model or plain torch module.
        path: where to; replaced if it exists.
        metadata: texts to keep with it; which neocog wrote the file is added.

    Raises:
        ArgumentTypeError: the state holds something besides tensors, or the metadata something besides texts.
        StorageError: full or read-only disk, missing permission; what was there stays.

    Example:
        >>> import tempfile
        >>> layer = nn.Linear(2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_state(layer, folder + "/model.safetensors", {"epoch": "3"})
        ...     load_state(layer, folder + "/model.safetensors").metadata["epoch"]
        '3'
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors, shared = _without_copies(module)
    texts = {"format": "pt", "neocog_version": __version__, **_checked_metadata(metadata)}
    if shared:
        texts[_SHARED] = json.dumps(shared)
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=texts)
        except SafetensorError as error:  # its writer says "No space left on device" in a type of its own
            raise OSError(str(error)) from error
        _order_metadata(temporary)


def _order_metadata(path: Path) -> None:
    """Sort the metadata, which the library writes in any order: the same state gives the same bytes."""
    with open(path, "rb+") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= size:  # spaces may follow, as in what the library writes
            file.seek(8)
            file.write(text.ljust(size))


def load_state(module: nn.Module, path: str | os.PathLike[str], strict: bool = True) -> LoadReport:
    """Read a safetensors file into a module; nothing changes if one tensor does not fit.

    Args:
        module: layer, model or plain torch module.
        path: file written by `save_state`, or by safetensors elsewhere, under torch's names.
        strict: False lets the file have fewer or more tensors than the module; shapes must fit always.

    Raises:
        ShapeError: tensors are missing, unexpected, or of another shape; the message lists the first of each.
        FileFormatError: it is no safetensors file, or damaged.
        StorageError: it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    expect_format(path, Format.SAFETENSORS)
    state = _tensors(module)
    try:
        with safe_open(Path(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            sources = _sources(state, set(file.keys()), _shared_names(metadata))
            wrong = _wrong_shapes(file, state, sources)
            missing = tuple(name for name in state if name not in sources)
            unexpected = tuple(sorted(set(file.keys()) - set(sources.values()) - set(state)))
            _check(str(path), missing if strict else (), unexpected if strict else (), wrong)
            with torch.no_grad():
                for name, source in sources.items():
                    state[name].copy_(file.get_tensor(source))
    except SafetensorError as error:
        raise FileFormatError(
            message(
                str(path), expected="an undamaged safetensors file", got=str(error)[:200], do="Get it again."
            )
        ) from error
    except OSError as error:
        raise StorageError(
            f"{path}: could not be read ({error}). Check that the file may be read."
        ) from error
    return LoadReport(missing=missing, unexpected=unexpected, metadata=metadata)


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the texts that a safetensors file carries; no tensor is read."""
    from safetensors import SafetensorError, safe_open

    expect_format(path, Format.SAFETENSORS)
    try:
        with safe_open(Path(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise FileFormatError(
            message(
                str(path), expected="an undamaged safetensors file", got=str(error)[:200], do="Get it again."
            )
        ) from error


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    state = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise ArgumentTypeError(
                message(
                    f'{type(module).__name__}, state "{name}"', expected="a tensor", got=type(value).__name__
                )
            )
    return dict(state)


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Return what two names have in common when they stand for the same values in memory."""
    return (tensor.device, tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())


def _without_copies(module: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return each tensor under its first name, and the other names with the name that stands for them."""
    first: dict[tuple[Any, ...], str] = {}
    tensors: dict[str, torch.Tensor] = {}
    shared: dict[str, str] = {}
    for name, tensor in _tensors(module).items():
        known = first.setdefault(_place(tensor), name) if tensor.numel() else name
        if known != name:
            shared[name] = known
            continue
        values = tensor.detach().cpu().contiguous()
        # A view into a larger tensor would be refused by the writer: give it memory of its own.
        fits = values.untyped_storage().nbytes() == values.numel() * values.element_size()
        tensors[name] = values if fits else values.clone()
    return tensors, shared


def _sources(
    state: Mapping[str, torch.Tensor], stored: set[str], shared: Mapping[str, str]
) -> dict[str, str]:
    """Return for each tensor of the module the name in the file that it is read from."""
    by_place: dict[tuple[Any, ...], str] = {}
    for name, tensor in state.items():
        if name in stored and tensor.numel():
            by_place.setdefault(_place(tensor), name)
    found: dict[str, str] = {}
    for name, tensor in state.items():
        source = name if name in stored else shared.get(name, by_place.get(_place(tensor)))
        if source is not None and source in stored:
            found[name] = source
    return found


def _shared_names(metadata: Mapping[str, str]) -> dict[str, str]:
    try:
        names = json.loads(metadata.get(_SHARED, "{}"))
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in names.items()} if isinstance(names, dict) else {}


def _wrong_shapes(file: Any, state: Mapping[str, torch.Tensor], sources: Mapping[str, str]) -> list[str]:
    wrong = []
    for name, source in sources.items():
        stored = file.get_slice(source)
        shape, own = tuple(stored.get_shape()), state[name]
        if shape != tuple(own.shape):
            wrong.append(f"{name} {shape}, the model's is {tuple(own.shape)}")
            continue
        dtype = _TYPES.get(stored.get_dtype())
        if dtype is None or dtype.is_floating_point != own.is_floating_point():
            wrong.append(f"{name} of type {stored.get_dtype()}, the model's is {own.dtype}")
    return wrong


def _check(where: str, missing: tuple[str, ...], unexpected: tuple[str, ...], wrong: list[str]) -> None:
    parts = [
        f"{len(names)} {text} ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})"
        for names, text in (
            (missing, "missing"),
            (unexpected, "unexpected"),
            (wrong, "of another shape or type"),
        )
        if names
    ]
    if parts:
        do = "Build the model that the file was saved from; nothing was loaded."
        raise ShapeError(message(where, expected="the tensors of the model", got=" and ".join(parts), do=do))


def _checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    for key, value in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ArgumentTypeError(
                message(
                    "save_state",
                    expected="metadata of texts",
                    got=f"{key!r}: {value!r}",
                    do="Use str(value).",
                )
            )
    return dict(metadata or {})

"""Weights of torch models onto ours: by names, by a map of names, or in order; shapes are checked first."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from neocog.exceptions import ArgumentTypeError, FileFormatError, ShapeError, StorageError, message
from neocog.files._refuse import Format, check_torch_file, expect_format
from neocog.files._safetensors import LoadReport

NameMap: TypeAlias = Mapping[str, str | None] | Callable[[str], str | None]

_WRAPPERS = (
    "state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "module",
    "state_dict_ema", "model_ema", "ema_state_dict",
)  # fmt: skip
_PREFIXES = ("module.", "_orig_mod.")  # what DistributedDataParallel and torch.compile put before names
_COUNTER = "num_batches_tracked"  # torch's BatchNorm counts; Keras's does not
_ONLY_TENSORS = "Where the model was made, keep its weights alone: torch.save(model.state_dict(), 'w.pt')."


def load_torch_state(
    model: nn.Module,
    source: str | os.PathLike[str] | Mapping[str, Any],
    mapping: NameMap | None = None,
    strict: bool = True,
) -> LoadReport:
    """Copy a torch `state_dict` onto a built model: all of it, or nothing where it does not fit.

    Without a map, tensors go by name where the names are the model's own, else in order. Layouts are torch's
    on both sides (a kernel is OIHW), so nothing is turned. One thing no check can see: after `Flatten`, torch
    models count features channel by channel, ours place by place; the columns of the next layer's weight must
    be reordered before.

    Args:
        model: layer, model or torch module; built.
        source: `.pt` or `.pth` file (opened with `weights_only=True` alone), `.safetensors`, or the dict.
        mapping: the file's names to the model's, as `state_dict` lists them: a dict of full names or of
            leading parts (`{"features.0": "stem"}`), or a function; None leaves the tensor out.
        strict: False lets tensors be missing or left over; shapes must fit always.

    Returns:
        What was missing in the file, and what was left over.

    Raises:
        ShapeError: missing, unexpected or differently shaped tensors; the message lists the first of each.
        FileFormatError: the file is damaged, or holds objects besides tensors.
        StorageError: it cannot be read.

    Example:
        >>> state = {"fc.weight": torch.ones(1, 2), "fc.bias": torch.ones(1)}
        >>> load_torch_state(nn.Linear(2, 1), state).missing
        ()
    """
    is_path = isinstance(source, (str, os.PathLike))
    where = str(source) if is_path else "torch state"
    found = named_tensors(where, read_torch_state(source) if is_path else source)  # type: ignore[arg-type]
    wanted = _own_tensors(model)
    if mapping is None and where.lower().endswith(".safetensors") and not set(found) & set(wanted):
        raise _different_count(where, found, wanted, do="safetensors files keep names, not their order: ")
    pairs, unexpected = _paired(where, found, wanted, mapping)
    missing = tuple(name for name in wanted if name not in pairs)
    if mapping is None and (missing or unexpected) and strict and not set(found) & set(wanted):
        raise _different_count(where, found, wanted)
    _check(where, pairs, wanted, missing if strict else (), unexpected if strict else ())
    with torch.no_grad():
        for name, (_, tensor) in pairs.items():
            wanted[name].copy_(tensor)
    return LoadReport(missing=missing, unexpected=unexpected, metadata={})


def read_torch_state(path: str | os.PathLike[str]) -> Any:
    """Return what a `.pt`, `.pth` or `.safetensors` file holds: tensors in plain containers, never objects.

    Raises:
        FileFormatError: it holds anything else, or is damaged.
        StorageError: it cannot be read.
    """
    if Path(path).suffix.lower() == ".safetensors":
        return read_safetensors(Path(path))
    return read_checkpoint(path)


def read_checkpoint(path: str | os.PathLike[str]) -> Any:
    """Return what a file of `torch.save` holds, whatever its name ends in; errors as `read_torch_state`'s."""
    where = str(path)
    check_torch_file(path)
    try:
        _check_zip(where, Path(path))
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileFormatError:
        raise
    except OSError as error:
        raise StorageError(
            f"{where}: could not be read ({error}). Check that the file may be read."
        ) from error
    except Exception as error:  # UnpicklingError, RuntimeError, KeyError …: torch names no base class
        raise FileFormatError(
            message(
                where,
                expected="a torch.save file of tensors alone",
                got="one that is damaged, or holds objects that could run code",
                do=_ONLY_TENSORS,
            )
        ) from error


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file, whatever its name ends in."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    expect_format(path, Format.SAFETENSORS)
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        got = str(error)[:200]
        raise FileFormatError(
            message(str(path), expected="an undamaged safetensors file", got=got, do="Get it again.")
        ) from error


def _check_zip(where: str, path: Path) -> None:
    """torch.save packs nothing: a file that would grow is none of its own."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            cut_short = file.read(4) == b"PK\x03\x04"
        if cut_short:
            got = f"one that is cut short ({path.stat().st_size:,} bytes)"
            raise FileFormatError(
                message(where, expected="a whole torch.save file", got=got, do="Get it again.")
            )
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > path.stat().st_size or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise FileFormatError(
            message(where, expected="a torch.save file, unpacked", got=f"packed members of {total:,} bytes",
                    do="Do not use this file.")
        )  # fmt: skip


def named_tensors(where: str, state: Any) -> dict[str, torch.Tensor]:
    """Return the named tensors of a checkpoint, without what training scripts put around them."""
    if isinstance(state, nn.Module):
        state = state.state_dict()
    for key in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    named = {} if not isinstance(state, Mapping) else {str(key): value for key, value in state.items()}
    tensors = {key: value for key, value in named.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise ArgumentTypeError(
            message(where, expected="a state_dict: names to tensors", got=type(state).__name__)
        )
    sparse = [key for key, value in tensors.items() if value.layout != torch.strided]
    if sparse:
        raise ArgumentTypeError(message(where, expected="dense tensors", got=f"{sparse[0]} is not dense"))
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def _own_tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    if getattr(model, "built", True) is False:
        label = getattr(model, "label", type(model).__name__)
        raise ShapeError(
            message(label, expected="a built model", got="one without weights", do="Call it on data first.")
        )
    return {name: value for name, value in model.state_dict().items() if isinstance(value, torch.Tensor)}


def _paired(
    where: str, found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], mapping: NameMap | None
) -> tuple[dict[str, tuple[str, torch.Tensor]], tuple[str, ...]]:
    """Return for each name of the model the file's name and tensor, and the file's other names."""
    if not any(name.endswith(_COUNTER) for name in wanted):
        found = {name: value for name, value in found.items() if not name.endswith(_COUNTER)}
    if mapping is None and not set(found) & set(wanted):
        names = dict(zip(found, wanted, strict=False)) if len(found) == len(wanted) else {}
        pairs = {own: (name, found[name]) for name, own in names.items()}
        return pairs, tuple(name for name in found if name not in names)
    pairs, unexpected = {}, []
    for name, tensor in found.items():
        own = name if mapping is None else _mapped(name, mapping)
        if own is None:
            continue
        if own in pairs:
            raise ArgumentTypeError(
                message(
                    where, expected="one tensor for each name", got=f"{pairs[own][0]} and {name} for {own}"
                )
            )
        if own in wanted:
            pairs[own] = (name, tensor)
        else:
            unexpected.append(name if own == name else f"{name} (as {own})")
    return pairs, tuple(unexpected)


def _mapped(name: str, mapping: NameMap) -> str | None:
    if not isinstance(mapping, Mapping):
        return mapping(name)
    steps = name.split(".")
    for count in range(len(steps), 0, -1):
        start = ".".join(steps[:count])
        if start in mapping:
            own = mapping[start]
            return None if own is None else ".".join([own, *steps[count:]])
    return name


def _check(
    where: str,
    pairs: Mapping[str, tuple[str, torch.Tensor]],
    wanted: Mapping[str, torch.Tensor],
    missing: tuple[str, ...],
    unexpected: tuple[str, ...],
) -> None:
    wrong = []
    for name, (source, tensor) in pairs.items():
        own = wanted[name]
        if tensor.shape != own.shape or tensor.is_floating_point() != own.is_floating_point():
            shapes = (
                f"{tuple(tensor.shape)} {tensor.dtype}, the model's {name} is {tuple(own.shape)} {own.dtype}"
            )
            wrong.append(f"{source} {shapes}")
    kinds = ((missing, "missing"), (unexpected, "unexpected"), (wrong, "of another shape or type"))
    parts = [
        f"{len(names)} {text} ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})"
        for names, text in kinds
        if names
    ]
    if parts:
        do = "Give mapping, the file's names to the model's, or strict=False; nothing was loaded."
        raise ShapeError(message(where, expected="the tensors of the model", got=" and ".join(parts), do=do))


def _different_count(
    where: str, found: Mapping[str, Any], wanted: Mapping[str, Any], do: str = ""
) -> ShapeError:
    theirs = [name for name in found if not name.endswith(_COUNTER)]
    ours = ", ".join(list(wanted)[:4])
    got = f"{len(theirs)} under other names ({', '.join(theirs[:4])}, …; the model has {ours}, …)"
    do += "give mapping, the file's names to the model's; nothing was loaded."
    do = do[0].upper() + do[1:] if not do.startswith("safetensors") else do
    return ShapeError(message(where, expected=f"{len(wanted)} tensors, to go in order", got=got, do=do))

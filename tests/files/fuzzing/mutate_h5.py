"""HDF5 files whose structure went wrong: members lost, exchanged, linked elsewhere, of other shapes."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress
from typing import Any

import h5py
import numpy as np

from fuzzing.mutate_json import json_bytes, mutate_json, mutate_json_text

ELSEWHERE = "/proc/self/environ"


def mutate_h5(data: bytes, draw: random.Random, classes: list[str]) -> bytes:
    """Return an HDF5 file with one to a few members or attributes changed."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for _ in range(draw.choice((1, 1, 2, 5))):
            with suppress(Exception):  # a change that does not fit the ones before it
                if draw.random() < 0.4:
                    _mutate_attribute(file, draw, classes)
                else:
                    _mutate_member(file, draw)
    return buffer.getvalue()


def _mutate_member(file: h5py.File, draw: random.Random) -> None:
    names: list[str] = []
    file.visit(names.append)
    if not names:
        return
    name = draw.choice(names)
    kind = draw.randrange(11)
    item = file[name]
    if kind == 0:
        file.create_group(f"{name}_more/vars" if draw.random() < 0.5 else f"extra{draw.randrange(99)}")
        return
    del file[name]
    if kind == 1:
        file[name] = h5py.SoftLink(draw.choice(("/", *names)))
    elif kind == 2:
        file[name] = h5py.ExternalLink(draw.choice((ELSEWHERE, "x.h5", "/dev/zero")), "/x")
    elif kind == 3:
        file[name] = file[draw.choice(names)] if draw.choice(names) in file else file["/"]
    elif kind == 4:
        file.create_dataset(name, (2 ** draw.choice((10, 40, 62)),), "f4", chunks=(1024,), compression="gzip")
    elif kind == 5:
        file.create_dataset(name, (3,), "float32", external=[(ELSEWHERE, 0, 12)])
    elif kind == 6:
        layout = h5py.VirtualLayout((3,), "float32")
        layout[:] = h5py.VirtualSource("x.h5", "x", (3,))
        file.create_virtual_dataset(name, layout)
    elif kind == 7:
        file.create_dataset(name, data=_odd_values(draw))
    elif kind == 8 and isinstance(item, h5py.Dataset):
        file.create_dataset(
            name, data=np.zeros(item.shape, draw.choice(("f2", "f8", "i8", "u1", ">f4", "?")))
        )
    elif kind == 9 and isinstance(item, h5py.Dataset):
        shape = tuple(size + draw.choice((0, 1, -1)) for size in item.shape)
        file.create_dataset(name, data=np.zeros([max(0, size) for size in shape], item.dtype))


def _odd_values(draw: random.Random) -> Any:
    return draw.choice((
        np.zeros(3, "c16"), np.array([b"a"]), np.zeros(2, [("a", "f4")]), np.zeros((2, 0)), np.float32(1),
        h5py.Empty("f4"), np.zeros(2, "V2"), np.full(3, np.nan, "f4"),
    ))  # fmt: skip


def _mutate_attribute(file: h5py.File, draw: random.Random, classes: list[str]) -> None:
    holders: list[Any] = [file]
    file.visititems(lambda name, item: holders.append(item))
    holders = [holder for holder in holders if len(holder.attrs)] or [file]
    holder = draw.choice((file, draw.choice(holders)))
    names = list(holder.attrs)
    if not names:
        holder.attrs[draw.choice(("layer_names", "model_config", "weight_names", "name"))] = _odd_values(draw)
        return
    name = draw.choice(names)
    text = _text(holder.attrs[name])
    kind = draw.randrange(4)
    if text is not None and text[:1] in b"{[" and kind:
        try:
            changed = json_bytes(mutate_json(json.loads(text), draw, classes))
        except (ValueError, RecursionError):
            changed = text
        changed = mutate_json_text(changed, draw) if draw.random() < 0.1 else changed
        if isinstance(holder.attrs[name], np.ndarray) and len(changed) < 60_000:
            holder.attrs[name] = np.frombuffer(changed, np.uint8)
        elif len(changed) < 60_000:
            holder.attrs[name] = np.bytes_(changed)
    elif kind == 0:
        del holder.attrs[name]
    elif kind == 1:
        holder.attrs[draw.choice((name, f"{name}0", "layer_names", "weight_names"))] = _odd_attribute(draw)
    else:
        value = holder.attrs[name]
        holder.attrs[name] = np.concatenate([value, value]) if np.ndim(value) == 1 else _odd_attribute(draw)


def _odd_attribute(draw: random.Random) -> Any:
    return draw.choice((
        np.array([b"../../x", b"/"]), np.zeros(3), 7, "text", b"", np.array([b"dense/kernel:0"] * 3),
        h5py.Empty("S1"), np.zeros(0, "S5"), np.array([b"\xff\xfe"]), "x" * 5000, np.array([[1, 2], [3, 4]]),
    ))  # fmt: skip


def _text(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return value.tobytes()
    return None

"""One mutated file of each format, from seeds and a number: the same number gives the same file."""

from __future__ import annotations

import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from fuzzing.mutate_bytes import mutate_bytes
from fuzzing.mutate_h5 import mutate_h5
from fuzzing.mutate_json import json_bytes, mutate_json, mutate_json_text

FORMATS = ("keras", "weights.h5", "h5", "safetensors", "json")
_WEIGHTS = "model.weights.h5"
_NAMES = (
    "config.json",
    "../x",
    "/etc/x",
    "assets/vocabulary.txt",
    "assets/../x",
    _WEIGHTS.upper(),
    "a\\b",
    "m.pkl",
)


def mutated(kind: str, seeds: list[bytes], number: int, classes: list[str]) -> bytes:
    """Return mutated file `number` of a format."""
    draw = random.Random(f"{kind} {number}")
    data, other = draw.choice(seeds), draw.choice(seeds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "keras":
            return _mutate_keras(data, other, draw, classes)
        if kind == "json":
            return _mutate_config(data, draw, classes)
        if kind == "safetensors":
            return _mutate_safetensors(data, other, draw, classes)
        return mutate_h5(data, draw, classes) if draw.random() < 0.5 else mutate_bytes(data, draw, other)


def _mutate_config(text: bytes, draw: random.Random, classes: list[str]) -> bytes:
    chance = draw.random()
    if chance < 0.1:
        return mutate_bytes(text, draw, text)
    changed = json_bytes(mutate_json(json.loads(text), draw, classes))
    return mutate_json_text(changed, draw) if chance < 0.15 else changed


def _mutate_safetensors(data: bytes, other: bytes, draw: random.Random, classes: list[str]) -> bytes:
    if draw.random() < 0.4:
        return mutate_bytes(data, draw, other)
    size = int.from_bytes(data[:8], "little")
    header = json_bytes(mutate_json(json.loads(data[8 : 8 + size]), draw, classes))
    length = draw.choice((len(header), len(header), len(header), size, 2**62, 0, len(header) + 1))
    return length.to_bytes(8, "little") + header + data[8 + size :]


def _mutate_keras(data: bytes, other: bytes, draw: random.Random, classes: list[str]) -> bytes:
    chance = draw.random()
    if chance < 0.15:
        return mutate_bytes(data, draw, other)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    if chance < 0.65:
        members = _changed(members, "config.json", lambda body: _mutate_config(body, draw, classes))
    elif chance < 0.85:
        by_structure = draw.random() < 0.6
        change = (
            (lambda body: mutate_h5(body, draw, classes))
            if by_structure
            else (lambda body: mutate_bytes(body, draw, body))
        )
        members = _changed(members, _WEIGHTS, change)
    else:
        members = _mutate_members(members, draw)
    return _zip(members, draw)


def _changed(
    members: list[tuple[str, bytes]], which: str, change: Callable[[bytes], bytes]
) -> list[tuple[str, bytes]]:
    return [(name, change(body) if name == which else body) for name, body in members]


def _mutate_members(members: list[tuple[str, bytes]], draw: random.Random) -> list[tuple[str, bytes]]:
    place = draw.randrange(len(members))
    name, body = members[place]
    kind = draw.randrange(6)
    if kind == 0:
        return members[:place] + members[place + 1 :]
    if kind == 1:
        return [*members, (name, body)]
    if kind == 2:
        return [*members, (draw.choice(_NAMES), body)]
    if kind == 3:
        return [*members[:place], (draw.choice(_NAMES), body), *members[place + 1 :]]
    if kind == 4:
        return [*members[:place], (name, b""), *members[place + 1 :]]
    return [*members[:place], (name, members[draw.randrange(len(members))][1]), *members[place + 1 :]]


def _zip(members: list[tuple[str, bytes]], draw: random.Random) -> bytes:
    buffer = io.BytesIO()
    packing: Any = draw.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    )
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, body in members:
            archive.writestr(name, body)
    data = buffer.getvalue()
    return mutate_bytes(data, draw) if draw.random() < 0.05 else data

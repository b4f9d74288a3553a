"""Configurations that went wrong: values, keys, classes and whole branches exchanged."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 2**31, 2**63, 10**12, 10**30, -(10**9), 0.5, -0.5, 1e308, 1e-320),
    *(float("nan"), float("inf"), "", "a", "../../x", "/etc/passwd", "http://127.0.0.1:9/x", "\ud800"),
    *("é" * 50, "x" * 3000, [], {}, [[]], [None], [0], [1, 2], [-1, -1], [10**9, 10**9, 10**9], ["a"]),
    *({"class_name": "Dense"}, {"class_name": "function", "config": "get_file"}, {"a": 1}, [[[[[[1]]]]]]),
    *({"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}, "same", "float16"),
    *({"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}}, "bfloat16", "int32"),
    *({"class_name": "__lambda__"}, "relu"),
)
KEYS = (
    *("name", "units", "filters", "class_name", "config", "module", "registered_name", "layers", "shape"),
    *("inbound_nodes", "function", "vocabulary", "dtype", "activation", "batch_shape", "build_config"),
    *("input_layers",),
)


def mutate_json(value: Any, draw: random.Random, classes: list[str]) -> Any:
    """Return a copy of plain values with one to a few of them changed."""
    value = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        places = _places(value)
        if not places:
            return draw.choice(VALUES)
        holder, key = draw.choice(places)
        _change(holder, key, draw, classes, places)
    return value


def json_bytes(value: Any) -> bytes:
    """Return JSON text; half characters stay in it."""
    try:
        return json.dumps(value, ensure_ascii=True).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        return b"{}"


def mutate_json_text(text: bytes, draw: random.Random) -> bytes:
    """Return JSON text that is deep, doubled or broken."""
    kind = draw.randrange(6)
    if kind == 0:
        return b"[" * draw.choice((100, 5000, 200_000)) + text
    if kind == 1:
        return text.replace(b'"name"', b'"config"', draw.choice((1, 3)))
    if kind == 2:
        return text.replace(b"32", b"9" * draw.choice((5, 400, 5000)))
    if kind == 3:
        return text.replace(b'": "', b'": "\\ud83d', 1)
    if kind == 4:
        return text.replace(b"true", draw.choice((b"NaN", b"Infinity", b"1e999", b"-0", b"TRUE")))
    return b"\xef\xbb\xbf" + text


def _change(holder: Any, key: Any, draw: random.Random, classes: list[str], places: list[Any]) -> None:
    kind = draw.randrange(10)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[draw.choice(KEYS)] = holder.pop(key)
    elif kind == 2:
        source, name = draw.choice(places)
        holder[key] = copy.deepcopy(source[name]) if name in source or isinstance(source, list) else None
    elif kind == 3 and isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key] * draw.choice((2, 3, 20))
    elif kind == 4 and isinstance(holder, dict) and "class_name" in holder:
        holder["class_name"] = draw.choice(classes)
    elif kind == 5 and isinstance(holder, list):
        draw.shuffle(holder)
    elif kind == 6 and type(holder[key]) is int:
        holder[key] = holder[key] + draw.choice((-1, 1, 2, -holder[key], 10**6, 10**9))
    elif kind == 7 and isinstance(holder, dict):
        holder[draw.choice(KEYS)] = draw.choice(VALUES)
    else:
        holder[key] = copy.deepcopy(draw.choice(VALUES))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found, waiting = [], [value]
    while waiting and len(found) < 20_000:
        current = waiting.pop()
        items = current.items() if isinstance(current, dict) else enumerate(current)
        for key, item in list(items):
            found.append((current, key))
            if isinstance(item, (dict, list)):
                waiting.append(item)
    return [(holder, key) for holder, key in found if _still_there(holder, key)]


def _still_there(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)

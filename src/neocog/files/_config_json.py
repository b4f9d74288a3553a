"""Configurations to JSON and back: only plain values are written, and what is read is bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from neocog.core import dtype_name
from neocog.exceptions import ArgumentTypeError, FileFormatError, message

MAX_BYTES = 16 * 2**20  # the largest configurations of published models are below 2 MB
MAX_DEPTH = 200  # a nested model adds about six levels
MAX_VALUES = 500_000  # bounds the memory of the parsed values to about 100 MB


def encode_config(config: Any, where: str = "config", *, indent: int | None = None) -> str:
    """Return a configuration as JSON text.

    NumPy's numbers, arrays and tensors become numbers and nested lists, tuples lists, torch's dtypes their
    names. What has no plain form (sets, bytes, functions, objects) is refused with the path of keys to it.

    Args:
        config: nested dicts, lists and plain values.
        where: how error texts name it.
        indent: spaces per level, or None for one line.

    Raises:
        ArgumentTypeError: a value or key has no plain form.
        FileFormatError: the text would be longer or deeper than `decode_config` reads.

    Example:
        >>> encode_config({"shape": (None, np.int64(3)), "dtype": torch.float32})
        '{"shape": [null, 3], "dtype": "float32"}'
    """
    text = json.dumps(_plain(config, where, "", 0), indent=indent)
    _check_size(where, text.encode())
    return text


def decode_config(data: bytes | str, where: str = "config") -> Any:
    """Return what JSON text holds; its size, depth and number of values are bounded, double keys refused.

    Raises:
        FileFormatError: it is not JSON in UTF-8, or beyond the bounds.

    Example:
        >>> decode_config(b'{"units": 3}')
        {'units': 3}
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    _check_size(where, raw)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique_keys)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are both
        raise FileFormatError(
            message(
                where, expected="JSON in UTF-8", got=f"text that is not ({error})", do="The file is damaged."
            )
        ) from error
    _check_depth(where, value)
    return value


def _check_size(where: str, raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise FileFormatError(message(where, expected=f"at most {MAX_BYTES} bytes of JSON", got=len(raw)))
    values = raw.count(b",") + raw.count(b"[") + raw.count(b"{")  # an upper bound, found without parsing
    if values > MAX_VALUES:
        raise FileFormatError(
            message(where, expected=f"at most {MAX_VALUES} values in JSON", got=f"{values} or so")
        )


def _check_depth(where: str, value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise _too_deep(where)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep(where: str) -> FileFormatError:
    return FileFormatError(message(where, expected=f"JSON at most {MAX_DEPTH} levels deep", got="more"))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _plain(value: Any, where: str, path: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep(where)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {
            _plain_key(key, where, path): _plain(
                item, where, f"{path}.{key}" if path else str(key), depth + 1
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, where, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _plain_array(value, where, path)


def _plain_array(value: Any, where: str, path: str) -> Any:
    if isinstance(value, torch.dtype):
        return dtype_name(value)
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufU":
        return value.tolist()
    what = (
        "an array of objects" if isinstance(value, np.ndarray) else f"{type(value).__name__} {value!r}"[:120]
    )
    raise ArgumentTypeError(
        message(
            f'{where}, "{path}"' if path else where,
            expected="numbers, texts, lists and dicts",
            got=what,
            do="Let get_config return plain values: sort sets into lists, serialize objects.",
        )
    )


def _plain_key(key: Any, where: str, path: str) -> str:
    if not isinstance(key, str):
        raise ArgumentTypeError(
            message(
                f'{where}, "{path}"' if path else where, expected="texts as keys of a dict", got=repr(key)
            )
        )
    return key

"""Configurations to JSON and back: plain values only, bounded when read."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.exceptions import ArgumentTypeError, FileFormatError
from neocog.files import decode_config, encode_config

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(plain)
def test_plain_values_come_back(value: object) -> None:
    assert decode_config(encode_config(value)) == value


def test_numpy_torch_and_tuples_become_plain() -> None:
    config = {
        "size": np.int64(3), "rate": np.float32(0.5), "flag": np.bool_(True), "shape": torch.Size([1, 2]),
        "mean": np.arange(4).reshape(2, 2), "tensor": torch.ones(2), "pair": (1, (2, None)),
        "dtype": torch.bfloat16, "numpy_dtype": np.dtype("int32"), "type": np.float64, "name": np.str_("x"),
    }  # fmt: skip
    assert decode_config(encode_config(config)) == {
        "size": 3, "rate": 0.5, "flag": True, "shape": [1, 2],
        "mean": [[0, 1], [2, 3]], "tensor": [1.0, 1.0], "pair": [1, [2, None]],
        "dtype": "bfloat16", "numpy_dtype": "int32", "type": "float64", "name": "x",
    }  # fmt: skip


def test_infinities_come_back_as_keras_writes_them() -> None:
    assert encode_config({"max": math.inf}) == json.dumps({"max": math.inf})
    assert decode_config('{"max": Infinity}') == {"max": math.inf}


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ({1, 2}, r"set \{1, 2\}"),
        (b"raw", "bytes b'raw'"),
        (lambda x: x, "function <function"),
        (object(), "object <object"),
        (np.array([None, object()]), "an array of objects"),
        (1j, "complex 1j"),
    ],
)
def test_the_path_to_a_value_without_plain_form_is_named(value: object, got: str) -> None:
    with pytest.raises(
        ArgumentTypeError, match=rf'x.json, "layers\[1\].rate": expected numbers.*, got {got}'
    ):
        encode_config({"layers": [{}, {"rate": value}]}, "x.json")


def test_keys_must_be_texts() -> None:
    with pytest.raises(ArgumentTypeError, match=r'"weights": expected texts as keys of a dict, got 0'):
        encode_config({"weights": {0: 1.0}})


def test_what_cannot_be_read_back_is_not_written() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(FileFormatError, match="200 levels deep"):
        encode_config(loop)
    with pytest.raises(FileFormatError, match="at most 500000 values"):
        encode_config(np.zeros(600_000))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"[" * 100_000, "levels deep|JSON"),
        (b"[" * 300 + b"]" * 300, "at most 200 levels deep"),
        (b'{"a":' * 250 + b"1" + b"}" * 250, "at most 200 levels deep"),
        (b'"' + b"x" * 20_000_000 + b'"', "at most 16777216 bytes"),
        (b"[" + b"[]," * 600_000 + b"1]", "at most 500000 values"),
        (b"1" * 100_000, "expected JSON"),
        (b'{"a": 1, "a": 2}', "a key stands twice"),
        (b"\xff\xfe{}", "expected JSON in UTF-8"),
        (b"", "expected JSON"),
        (b"{'a': 1}", "expected JSON"),
        (b"__import__('os')", "expected JSON"),
    ],
)
def test_hostile_json_is_refused_quickly(data: bytes, text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(FileFormatError, match=text):
        decode_config(data, "config.json")
    assert time.perf_counter() - started < 2


def test_as_deep_as_allowed_is_read() -> None:
    assert decode_config(b"[" * 200 + b"]" * 200)

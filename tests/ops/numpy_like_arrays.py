"""One row or more for each NumPy-like operation: the arguments that it is called with beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

Case = tuple[tuple[Any, ...], dict[str, Any]]

_rng = np.random.default_rng(7)


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray[Any, Any]:
    return _rng.uniform(low, high, shape).astype("float32")


def integers(*shape: int, low: int = 0, high: int = 9, dtype: str = "int32") -> np.ndarray[Any, Any]:
    return _rng.integers(low, high, shape).astype(dtype)


def booleans(*shape: int) -> np.ndarray[Any, Any]:
    return _rng.integers(0, 2, shape).astype(bool)


def definite(*shape: int) -> np.ndarray[Any, Any]:
    rows = floats(*shape)
    return rows @ np.swapaxes(rows, -1, -2) + 2 * np.eye(shape[-1], dtype="float32")


def call(*args: Any, **kwargs: Any) -> Case:
    return args, kwargs


F, G = floats(3, 4), floats(3, 4)
POSITIVE = floats(3, 4, low=0.2, high=3.0)
UNIT = floats(3, 4, low=-0.9, high=0.9)
I, J = integers(3, 4, low=1), integers(3, 4, low=1)
B, C = booleans(3, 4), booleans(3, 4)
IMAGE = floats(2, 5, 6, 3)
HOLES = np.where(booleans(3, 4), np.float32(np.nan), floats(3, 4))
SPECIAL = np.array([[1.0, np.nan, np.inf, -np.inf, -0.0]], "float32")
COMPLEX = (floats(3, 4) + 1j * floats(3, 4)).astype("complex64")
SQUARE = definite(2, 3, 3)
ROW = floats(6)
SIGNAL = floats(2, 40)
LOWER = np.tril(SQUARE)


def elementwise(*arrays: np.ndarray[Any, Any]) -> list[Case]:
    return [call(array) for array in arrays]


def pairs(left: Any, right: Any) -> list[Case]:
    return [call(left, right), call(left, right[0]), call(left[:, :1], right)]


ANY_FLOAT = [*elementwise(F, IMAGE, F.astype("float64"), F.astype("float16"), I), call(0.5), call([0.5, 1.0])]
ANY_NUMBER = [*elementwise(F, I, F.astype("float64"), I.astype("int64"), I.astype("uint8")), call([1, 2])]
ARITHMETIC = [
    *pairs(F, G),
    call(I, J),
    call(F, I),
    call(I, 2),
    call(I, 2.5),
    call(F, 2),
    call(F.astype("float64"), G),
    call(F.astype("float16"), 2.0),
    call(I.astype("int8"), J.astype("uint8")),
    call(I.astype("int64"), J),
    call([1, 2], [3.0, 4.0]),
    call(3, 4),
]
COMPARED = [*pairs(I, J), call(F, 0.0), call(I, 3), call(B, C), call(F, I), call(I, 2.5)]
LOGICAL = [*pairs(B, C), call(I, B), call(F, True)]
BITS = [call(I, J), call(I, 2), call(I.astype("int64"), J.astype("int64"))]
REDUCED = [
    call(F),
    call(F, axis=0),
    call(F, axis=-1, keepdims=True),
    call(IMAGE, axis=(1, 2)),
    call(IMAGE, axis=[1, 2], keepdims=True),
    call(I),
    call(I, axis=1),
    call(I.astype("int64"), axis=1),
    call(I.astype("uint8"), axis=1),
    call(F.astype("float64"), axis=0),
    call(F.astype("float16"), axis=0),
    call([[1.0, 2.0], [3.0, 4.0]], 1),
]
INDICES = [call(F), call(F, axis=0), call(F, axis=-1), call(I, axis=1), call(B, axis=1), call(F, 1, True)]
NAN_REDUCED = [
    call(HOLES),
    call(HOLES, axis=0),
    call(HOLES, axis=1, keepdims=True),
    call(IMAGE, axis=(1, 2)),
    call(I, axis=1),
]
RUNNING = [
    call(F),
    call(F, axis=0),
    call(F, axis=-1),
    call(I, axis=1),
    call(B, axis=0),
    call(I, 1, "float32"),
]
QUANTILES = [
    call(F, 0.3),
    call(F, [0.1, 0.5], axis=1),
    call(IMAGE, 0.7, axis=(1, 2), keepdims=True),
    call(IMAGE, [0.2, 0.7], axis=(1, 2), keepdims=True),
    call(I, 0.5, axis=0),
    call(F, 0.4, axis=0, method="lower"),
    call(F, 0.4, axis=0, method="nearest"),
]
PERCENTS = [call(args[0], np.asarray(args[1], "float32") * 100, **kw) for args, kw in QUANTILES]
LIKE = [call(F), call(I), call(F, "int32"), call(I, dtype="float16")]
SHAPED = [call((2, 3)), call([2]), call((2, 3), "int32"), call(4, dtype="float16")]
PAIR = (floats(2, 8), floats(2, 8))
PICTURES = (floats(2, 4, 8), floats(2, 4, 8))
GROUPS = [
    call(floats(5, 2), np.array([0, 0, 1, 2, 2]), num_segments=4),
    call(floats(5), np.array([0, 2, 1, 0, 1]), num_segments=3),
    call(floats(5, 2, 2), np.array([0, -1, 1, 0, 5]), num_segments=2),
    call(integers(5), np.array([0, 1, 1, 0, 1]), num_segments=2),
    call(floats(5), np.array([0, 2, 1, 0, 1])),
]
FOURIER = {"sequence_length": 8, "sequence_stride": 4, "fft_length": 8}

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

CASES: dict[str, list[Case]] = {
    "abs": [*ANY_NUMBER, call(B)],
    "absolute": [*ANY_NUMBER, call(B)],
    "add": [*ARITHMETIC, call(B, C)],
    "all": [call(B), call(B, axis=0), call(I, axis=(0, 1), keepdims=True), call(F, -1)],
    "allclose": [
        call(F, F),
        call(F, F + np.float32(1e-3)),
        call(I, I),
        call(F, F + 0.01, rtol=0.5, atol=1.0),
    ],
    "amax": REDUCED,
    "amin": REDUCED,
    "angle": [call(F), call(COMPLEX), call(I)],
    "any": [call(B), call(B, axis=0), call(I, axis=(0, 1), keepdims=True), call(F, -1)],
    "append": [call(F, G), call(F, G, 0), call(F, I, axis=1)],
    "arange": [call(5), call(2, 7), call(0, 1, 0.25), call(2.5), call(5, dtype="float32"), call(9, 0, -2)],
    "arccos": elementwise(UNIT),
    "arccosh": elementwise(POSITIVE + 1),
    "arcsin": elementwise(UNIT),
    "arcsinh": ANY_FLOAT,
    "arctan": ANY_FLOAT,
    "arctan2": [*pairs(F, G), call(I, J), call(F, I)],
    "arctanh": elementwise(UNIT),
    "argmax": INDICES,
    "argmin": INDICES,
    "argpartition": [call(np.array([3, 1, 2, 0]), 3), call(np.array([[4, 1, 2], [0, 5, 7]]), 2)],
    "argsort": [call(F), call(F, 0), call(I, None), call(I, axis=1), call(B)],
    "array": [
        call([1, 2]),
        call([1.0, 2]),
        call(F, "int32"),
        call(3.5),
        call(np.ones(2)),
        call([True, False]),
    ],
    "array_split": [call(F, 2), call(F, 3, axis=1), call(ROW, 4)],
    "average": [
        call(F),
        call(F, axis=1),
        call(F, axis=-1, weights=floats(4, low=0.1, high=1.0)),
        call(ROW, axis=0, weights=floats(6, low=0.1, high=1.0)),
        call(I, axis=0),
    ],
    "bartlett": [call(5), call(1)],
    "bincount": [
        call(integers(7)),
        call(integers(2, 5), minlength=12),
        call(integers(5), weights=floats(5)),
        call(integers(2, 5), weights=floats(2, 5), minlength=9),
    ],
    "bitwise_and": [*BITS, call(B, C)],
    "bitwise_invert": [call(I), call(B)],
    "bitwise_left_shift": BITS,
    "bitwise_not": [call(I), call(B)],
    "bitwise_or": [*BITS, call(B, C)],
    "bitwise_right_shift": BITS,
    "bitwise_xor": [*BITS, call(B, C)],
    "blackman": [call(5), call(8)],
    "broadcast_to": [call(ROW, (3, 6)), call(F[:, :1], (3, 5)), call(2.0, (2, 2))],
    "cbrt": [call(F), call(I), call(B), call(I.astype("int64"))],
    "cdist": [call(floats(2, 3, 4), floats(2, 5, 4)), call(F, G)],
    "ceil": [*ANY_NUMBER, call(B)],
    "cholesky": [call(SQUARE), call(SQUARE, upper=True)],
    "cholesky_inverse": [call(LOWER), call(np.swapaxes(LOWER, 1, 2).copy(), upper=True)],
    "clip": [
        call(F, -1.0, 1.0),
        call(I, 2, 5),
        call(F, -1, 1),
        call(IMAGE, 0.0, floats(3, low=1)),
        call(B, 0, 1),
    ],
    "concatenate": [call([F, G]), call([F, G], axis=-1), call((F, I), axis=1), call([I, J], 0)],
    "conj": [call(COMPLEX)],
    "conjugate": [call(COMPLEX)],
    "copy": ANY_NUMBER,
    "corrcoef": [call(F), call(I), call(I.astype("int64"))],
    "correlate": [call(ROW, floats(3)), call(ROW, floats(3), mode="same"), call(ROW, floats(3), mode="full")],
    "cos": ANY_FLOAT,
    "cosh": ANY_FLOAT,
    "count_nonzero": [call(I), call(B, axis=0), call(IMAGE, axis=(1, 2))],
    "cross": [call(floats(4, 3), floats(4, 3), axis=-1), call(floats(3, 4), floats(3, 4), axis=0)],
    "cumprod": RUNNING,
    "cumsum": RUNNING,
    "deg2rad": ANY_NUMBER,
    "det": [call(SQUARE), call(SQUARE[0])],
    "diag": [call(ROW), call(F), call(F, k=1), call(ROW, -2)],
    "diagflat": [call(F), call(ROW, k=1)],
    "diagonal": [call(F), call(IMAGE, 1, 1, 2), call(IMAGE, offset=-1, axis1=0, axis2=-1)],
    "diff": [call(F), call(IMAGE, 2, 1), call(I, axis=0)],
    "digitize": [
        call(F, np.array([-1.0, 0.0, 1.0], "float32")),
        call(I, np.array([2, 5])),
        call(F, [0.0, 1.5]),
    ],
    "divide": ARITHMETIC[:-1],
    "divide_no_nan": [*pairs(F, np.where(B, 0, G)), call(I, I - 3)],
    "dot": [call(F, floats(4, 2)), call(ROW, floats(6)), call(2.0, F), call(I, I.T.copy()), call(F, ROW[:4])],
    "dsplit": [call(IMAGE, 2), call(IMAGE, [1, 4])],
    "dstack": [call([F, G]), call([ROW, ROW])],
    "eig": [call(SQUARE[0])],
    "eigh": [call(SQUARE)],
    "einsum": [
        call("ij,jk->ik", F, floats(4, 2)),
        call("bhwc->bc", IMAGE),
        call("ij,ij->", F, G),
        call("...c,cd->...d", IMAGE, floats(3, 2)),
        call("ij,jk->ik", integers(2, 3, dtype="int8"), integers(3, 2, dtype="int8")),
    ],
    "empty": SHAPED[:3],
    "empty_like": LIKE,
    "equal": COMPARED,
    "erf": elementwise(F, POSITIVE),
    "erfc": elementwise(F, POSITIVE),
    "erfinv": elementwise(UNIT),
    "exp": [*ANY_FLOAT, call(B)],
    "exp2": ANY_FLOAT,
    "expand_dims": [call(F, 0), call(F, -1), call(F, (0, -1)), call(ROW, [1, 2])],
    "expm1": ANY_FLOAT,
    "extract_sequences": [call(SIGNAL, 8, 4), call(ROW, 3, 2)],
    "eye": [call(3), call(3, 4), call(3, k=1), call(3, 3, -1, "int32")],
    "fabs": ANY_NUMBER,
    "fft": [call(PAIR)],
    "fft2": [call(PICTURES)],
    "flip": [call(F), call(F, 0), call(IMAGE, axis=(1, 2))],
    "fliplr": [call(F), call(IMAGE)],
    "flipud": [call(F), call(IMAGE)],
    "floor": [*ANY_NUMBER, call(B)],
    "floor_divide": [*pairs(F, POSITIVE), call(I, J), call(I, 2), call(7, I), call(F, 2)],
    "fmax": ARITHMETIC,
    "fmin": ARITHMETIC,
    "fmod": [*pairs(F, POSITIVE), call(I, J), call(-I, 3)],
    "full": [call((2, 3), 1.5), call((2, 3), 2, "int32"), call((2, 3), ROW[:3])],
    "full_like": [call(F, 2), call(I, 3), call(F, 1.5, "float16")],
    "gcd": BITS,
    "geomspace": [call(1.0, 100.0, 5), call(2.0, 32.0, 4, endpoint=False)],
    "get_item": [call(F, 1), call(F, (slice(None), 0)), call(IMAGE, (..., slice(0, 2))), call(F, (None, 1))],
    "greater": COMPARED,
    "greater_equal": COMPARED,
    "hamming": [call(5)],
    "hanning": [call(5)],
    "heaviside": [*pairs(F, G), call(I, J), call(SPECIAL, 0.5)],
    "histogram": [call(ROW), call(ROW, 4), call(ROW, 5, (-1.0, 1.0))],
    "hsplit": [call(F, 2), call(F, [1, 3]), call(ROW, 3)],
    "hstack": [call([F, G]), call([ROW, ROW])],
    "hypot": [*pairs(F, G), call(I, J), call(I.astype("int64"), J)],
    "i0": [call(F), call(I), call(F.astype("float64"))],
    "identity": [call(3), call(2, "int32")],
    "ifft2": [call(PICTURES)],
    "imag": [call(COMPLEX)],
    "in_top_k": [call(np.array([1, 0, 3]), F, 2), call(np.array([1, 0, 3], "int32"), F, k=1)],
    "inner": [call(F, G), call(ROW, ROW), call(I, J)],
    "inv": [call(SQUARE)],
    "irfft": [call((floats(2, 5), floats(2, 5))), call((floats(2, 5), floats(2, 5)), 8)],
    "isclose": [
        call(F, F + np.float32(1e-6)),
        call(F, G),
        call(I, I),
        call(SPECIAL, SPECIAL, equal_nan=True),
    ],
    "isfinite": [call(SPECIAL), call(I)],
    "isin": [call(I, [1, 2, 3]), call(F, G), call(I, J, invert=True), call(B, C)],
    "isinf": [call(SPECIAL), call(I)],
    "isnan": [call(SPECIAL), call(I)],
    "isneginf": [call(SPECIAL)],
    "isposinf": [call(SPECIAL)],
    "isreal": [call(SPECIAL), call(COMPLEX)],
    "istft": [
        call((floats(2, 9, 5), floats(2, 9, 5)), **FOURIER),
        call((floats(2, 9, 5), floats(2, 9, 5)), **FOURIER, length=30),
        call((floats(9, 5), floats(9, 5)), sequence_length=6, sequence_stride=3, fft_length=8),
        call((floats(2, 9, 5), floats(2, 9, 5)), **FOURIER, window="hamming", center=False),
        call((floats(2, 9, 5), floats(2, 9, 5)), **FOURIER, window=None),
    ],
    "kaiser": [call(5, 8.0)],
    "kron": [call(F, floats(2, 2)), call(I, J)],
    "lcm": BITS,
    "ldexp": [call(F, I), call(F, 2)],
    "left_shift": BITS,
    "less": COMPARED,
    "less_equal": COMPARED,
    "linspace": [
        call(0.0, 1.0, 5),
        call(0, 10, 4, endpoint=False),
        call(0.0, 1.0, 3, dtype="float16"),
        call(floats(3), floats(3), 4),
    ],
    "log": elementwise(POSITIVE, I),
    "log10": elementwise(POSITIVE, I),
    "log1p": elementwise(POSITIVE, I),
    "log2": elementwise(POSITIVE, I),
    "logaddexp": [*pairs(F, G), call(I, J)],
    "logaddexp2": [*pairs(F, G), call(I, J)],
    "logdet": [call(SQUARE), call(SQUARE[0])],
    "logical_and": LOGICAL,
    "logical_not": [call(B), call(I)],
    "logical_or": LOGICAL,
    "logical_xor": LOGICAL,
    "logspace": [call(0.0, 2.0, 5), call(0.0, 2.0, 4, base=2.0), call(0.0, 2.0, 4, endpoint=False)],
    "logsumexp": [call(F), call(F, 1), call(IMAGE, axis=(1, 2), keepdims=True)],
    "lstsq": [call(floats(5, 3), floats(5, 2)), call(floats(5, 3), floats(5, 2), rcond=1e-4)],
    "lu_factor": [call(SQUARE)],
    "matmul": [
        call(F, floats(4, 2)),
        call(floats(2, 3, 4), floats(4, 5)),
        call(ROW, floats(6, 2)),
        call(I, I.T.copy()),
        call(F, I.T.copy()),
        call(integers(2, 3, dtype="int8"), integers(3, 2, dtype="int8")),
    ],
    "matrix_rank": [call(SQUARE), call(F, tol=0.1)],
    "max": [*REDUCED, call(F, axis=1, initial=0.5), call(np.zeros((0, 2), "float32"), initial=1.0)],
    "maximum": [*ARITHMETIC, call(F, 0), call(0.0, F)],
    "mean": [*REDUCED, call(B, axis=0), call(F, ())],
    "median": [call(F), call(F, axis=1), call(IMAGE, axis=(1, 2), keepdims=True), call(I, axis=0)],
    "meshgrid": [call(ROW, floats(3)), call(ROW, floats(3), indexing="ij"), call(floats(2), ROW, floats(3))],
    "min": [*REDUCED, call(F, axis=1, initial=0.5), call(np.zeros((0, 2), "float32"), initial=1.0)],
    "minimum": [*ARITHMETIC, call(F, 0), call(0.0, F)],
    "mod": [*pairs(F, POSITIVE), call(I, J), call(-I, 3), call(F, 1.5)],
    "moveaxis": [call(IMAGE, 3, 1), call(IMAGE, (0, 1), (-1, -2))],
    "multiply": [*ARITHMETIC, call(B, C)],
    "nan_to_num": [call(SPECIAL), call(SPECIAL, 1.0, 2.0, 3.0), call(I)],
    "nanargmax": [call(HOLES, axis=0), call(HOLES, axis=1), call(I, axis=0), call(HOLES, 0, True)],
    "nanargmin": [call(HOLES, axis=0), call(HOLES, axis=1), call(I, axis=0), call(HOLES, 0, True)],
    "nancumprod": [call(HOLES), call(HOLES, axis=0), call(I, 1)],
    "nancumsum": [call(HOLES), call(HOLES, axis=0), call(I, 1)],
    "nanmax": NAN_REDUCED,
    "nanmean": NAN_REDUCED,
    "nanmedian": [call(HOLES), call(HOLES, axis=0), call(HOLES, axis=1, keepdims=True)],
    "nanmin": NAN_REDUCED,
    "nanpercentile": PERCENTS,
    "nanprod": NAN_REDUCED,
    "nanquantile": QUANTILES,
    "nanstd": NAN_REDUCED,
    "nansum": NAN_REDUCED,
    "nanvar": NAN_REDUCED,
    "ndim": [call(F), call(IMAGE)],
    "negative": ANY_NUMBER[:4],
    "nextafter": [call(F, G)],
    "nonzero": [call(I), call(B), call(ROW)],
    "norm": [
        call(F),
        call(F, axis=1),
        call(F, ord=1, axis=-1, keepdims=True),
        call(F, ord="fro"),
        call(SQUARE, ord="nuc", axis=(1, 2)),
        call(F, ord=np.inf, axis=0),
        call(I),
    ],
    "not_equal": COMPARED,
    "ones": SHAPED,
    "ones_like": LIKE,
    "outer": [call(ROW, floats(3)), call(F, ROW), call(I, J)],
    "pad": [
        call(F, ((1, 2), (0, 1))),
        call(F, 1),
        call(F, (1, 2)),
        call(F, [[1, 1], [2, 0]], constant_values=3.0),
        call(F, ((1, 1), (1, 1)), mode="reflect"),
        call(IMAGE, ((0, 0), (2, 1), (1, 2), (0, 0)), mode="reflect"),
        call(F, ((1, 1), (1, 1)), mode="symmetric"),
        call(I, ((1, 0), (0, 2)), constant_values=7),
    ],
    "percentile": PERCENTS,
    "pinv": [call(F), call(SQUARE), call(F, rcond=1e-3)],
    "power": [call(POSITIVE, G), call(F, 2), call(I, 2), call(I, 2.0), call(2.0, F), call(POSITIVE, 0.5)],
    "prod": [*REDUCED, call(B, axis=0), call(F, axis=0, dtype="float64")],
    "ptp": [call(F), call(F, axis=0), call(IMAGE, axis=(1, 2), keepdims=True), call(I, axis=1)],
    "qr": [call(F), call(SQUARE), call(floats(5, 3), mode="complete")],
    "quantile": QUANTILES,
    "rad2deg": ANY_NUMBER,
    "ravel": [call(F), call(IMAGE), call([[1], [2]])],
    "real": [call(COMPLEX), call(F)],
    "reciprocal": elementwise(POSITIVE, I),
    "repeat": [call(F, 2, 0), call(F, 2, axis=-1), call(F, np.array([1, 2, 3]), axis=0), call(F, 3)],
    "reshape": [call(F, (4, 3)), call(F, (-1,)), call(F, [2, -1]), call(F, -1), call(IMAGE, (2, -1, 3))],
    "rfft": [call(PAIR[0]), call(PAIR[0], 6), call(SIGNAL, fft_length=64)],
    "right_shift": BITS,
    "roll": [call(F, 1), call(F, 2, 0), call(F, (1, 2), (0, 1)), call(IMAGE, -1, axis=1)],
    "rot90": [call(F), call(IMAGE, 2, (1, 2)), call(F, k=-1)],
    "round": [call(F), call(F, 1), call(I), call(F * 100, -1), call(I * 7, -1)],
    "rsqrt": elementwise(POSITIVE),
    "searchsorted": [
        call(np.sort(ROW), floats(4)),
        call(np.sort(ROW), F, side="right"),
        call([1, 3, 5], [2, 3]),
    ],
    "segment_max": GROUPS[:2],
    "segment_min": GROUPS[:2],
    "segment_prod": GROUPS,
    "segment_sum": GROUPS,
    "select": [call([F > 0, F < -1], [F, G], 5.0), call([B, C], [I, J], 0), call([B], [I])],
    "sign": [call(F), call(I)],
    "signbit": [call(F), call(SPECIAL), call(I)],
    "sin": ANY_FLOAT,
    "sinc": [call(F), call(I)],
    "sinh": ANY_FLOAT,
    "size": [call(F), call(IMAGE)],
    "slogdet": [call(SQUARE[0]), call(-SQUARE[0])],
    "solve": [call(SQUARE, floats(2, 3, 4)), call(SQUARE[0], floats(3))],
    "solve_triangular": [
        call(LOWER, floats(2, 3, 4), lower=True),
        call(np.triu(SQUARE[0]), floats(3)),
    ],
    "sort": [call(F), call(F, 0), call(I, None), call(B)],
    "split": [call(F, 3), call(F, [1, 2]), call(IMAGE, 2, axis=2), call(F, (1, 3), axis=-1)],
    "sqrt": [call(POSITIVE), call(I), call(I.astype("int64")), call(4)],
    "square": [*ANY_NUMBER, call(B)],
    "squeeze": [call(F[None]), call(F[None, :, None], 0), call(F[None, :, None], axis=(0, 2))],
    "stack": [call([F, G]), call([F, G], axis=-1), call((I, J), 1)],
    "std": [call(F), call(F, axis=0), call(IMAGE, axis=(1, 2), keepdims=True), call(I, axis=1)],
    "stft": [
        call(SIGNAL, **FOURIER),
        call(SIGNAL[0], 6, 3, 8),
        call(floats(2, 3, 40), 8, 4, 16, window="hamming", center=False),
        call(SIGNAL, 8, 4, 8, window=None),
        call(SIGNAL, 8, 4, 8, window=np.ones(8, "float32")),
    ],
    "subtract": [*ARITHMETIC, call(I, B), call(B, I)],
    "sum": [*REDUCED, call(B), call(F, ()), call([F, G], axis=0)],
    "svd": [call(SQUARE), call(F, full_matrices=False), call(F, compute_uv=False)],
    "swapaxes": [call(IMAGE, 1, -1), call(F, 0, 1)],
    "take": [
        call(F, 1, 0),
        call(F, [0, 2], axis=0),
        call(F, [[0, -1]], axis=1),
        call(F, [3, 5]),
        call(IMAGE, I[:2, :2] % 2, axis=2),
    ],
    "take_along_axis": [call(F, I % 3, axis=1), call(F, np.argsort(F, 0), axis=0), call(F, [3, 5])],
    "tan": ANY_FLOAT,
    "tanh": ANY_FLOAT,
    "tensordot": [
        call(IMAGE, floats(3, 2), 1),
        call(F, G),
        call(IMAGE, floats(3, 6), axes=[[3, 2], [0, 1]]),
        call(F, floats(4, 5), axes=(1, 0)),
    ],
    "tile": [call(F, 2), call(F, (2, 1)), call(F, [2, 1, 3])],
    "top_k": [call(F, 2), call(ROW, k=3), call(I.astype("float32"), 1)],
    "trace": [call(F), call(IMAGE, 1, 1, 2), call(I), call(B)],
    "transpose": [call(F), call(IMAGE, (0, 3, 1, 2)), call(IMAGE), call(IMAGE, [0, -1, 1, 2])],
    "trapezoid": [call(F), call(F, x=floats(4)), call(F, dx=0.5, axis=0), call(B)],
    "tri": [call(3), call(3, 4, 1), call(2, dtype="int32")],
    "tril": [call(F), call(F, 1), call(SQUARE, k=-1)],
    "triu": [call(F), call(F, 1), call(SQUARE, k=-1)],
    "true_divide": ARITHMETIC[:-1],
    "trunc": [call(F * 3), call(I), call(B)],
    "unique": [
        call(I),
        call(I, return_counts=True),
        call(I.reshape(-1), return_index=True, return_inverse=True, return_counts=True),
        call(np.array([[1, 2], [0, 1], [1, 2]]), axis=0),
        call(I, size=3),
        call(np.array([1, 1, 2]), size=5, fill_value=9),
        call(np.array([1, 1, 2]), size=1, return_counts=True),
    ],
    "unravel_index": [call(np.array([0, 5, 11]), (3, 4)), call(np.array([[7], [3]]), (2, 2, 3))],
    "vander": [call(ROW), call(ROW, 3), call(np.array([1, 2, 3]), increasing=True)],
    "var": [call(F), call(F, axis=0), call(IMAGE, axis=(1, 2), keepdims=True), call(I, axis=1), call(F, ())],
    "vdot": [call(ROW, floats(6)), call(integers(4), integers(4))],
    "view": [call(F, "int32"), call(I, "uint8"), call(F, dtype="float16")],
    "view_as_complex": [call(floats(3, 2))],
    "view_as_real": [call(COMPLEX)],
    "vsplit": [call(F, 3), call(F, [1, 2])],
    "vstack": [call([F, G]), call([ROW, ROW])],
    "where": [
        call(B, F, G),
        call(B, I, 0),
        call(B, F, 0.0),
        call(B[:, :1], F, I),
        call(B),
        call(I, 1.0, 0.0),
    ],
    "zeros": SHAPED,
    "zeros_like": LIKE,
}

"""Where the NumPy-like operations leave Keras on torch, old spellings, refusals, and their use in a model."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from beside_keras import same
from numpy_like_arrays import IMAGE, ROW, SQUARE, F, G, I

import neocog
from neocog import ops


def test_where_keras_on_torch_goes_astray_numpy_is_followed() -> None:
    same(
        "count",
        ops.count_nonzero(IMAGE > 0, axis=(1, 2)),
        np.count_nonzero(IMAGE > 0, (1, 2)).astype("int32"),
    )
    same("pad", ops.pad(F, 1), np.pad(F, 1))
    same("pad", ops.pad(F, (1, 2)), np.pad(F, (1, 2)))
    for mode in ("reflect", "symmetric", "edge"):
        same(
            mode,
            ops.pad(IMAGE, ((0, 1), (2, 3), (3, 1), (1, 0)), mode),
            np.pad(IMAGE, ((0, 1), (2, 3), (3, 1), (1, 0)), mode),
        )
    for name in ("sum", "max", "min", "prod", "amax", "amin", "nansum"):
        assert getattr(ops, name)(F, keepdims=True).shape == (1, 1)
    same("take", ops.take(F, [-1, -5]), np.take(F, [-1, -5]))
    same("along", ops.take_along_axis(F, np.array([-1, 3])), F.reshape(-1)[[-1, 3]])
    same("linspace", ops.linspace(F, G, 5, axis=-1), np.linspace(F, G, 5, axis=-1))
    same(
        "lstsq",
        ops.lstsq(F, ROW[:3]),
        np.linalg.lstsq(F, ROW[:3], rcond=None)[0].astype("float32"),
        rtol=1e-3,
    )
    same("cross", ops.cross(IMAGE, IMAGE[:, :, ::-1], axisc=0), np.cross(IMAGE, IMAGE[:, :, ::-1], axisc=0))


def test_old_spelling_of_keepdims() -> None:
    with pytest.warns(DeprecationWarning, match="keepdims"):
        assert ops.mean(F, 1, keep_dims=1).shape == (3, 1)  # type: ignore[call-arg]
    x = neocog.Input((4,))
    with pytest.warns(DeprecationWarning, match="keepdims"):
        assert ops.mean(x, -1, keep_dims=True).shape == (None, 1)  # type: ignore[call-arg]


def test_vectorize_and_jvp() -> None:
    for signature, function in ((None, lambda a, b: a + 2 * b), ("(n),(n)->()", lambda a, b: (a * b).sum())):
        mine = ops.vectorize(function, signature=signature)(F, ROW[:4])
        same("vectorize", mine, keras.ops.vectorize(function, signature=signature)(F, ROW[:4]))
    power = ops.vectorize(lambda a, n: a**n, excluded={1})
    same("excluded", power(torch.tensor(F), 2), torch.tensor(F) ** 2)
    mine = ops.jvp(torch.sin, (F,), (G,))
    same("jvp", mine, keras.ops.jvp(torch.sin, (torch.tensor(F),), (torch.tensor(G),)))


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("reshape", (F, (-1, -1)), "at most one -1"),
        ("squeeze", (F, 0), "axes of size 1"),
        ("split", (F, 2), "divides the 3 entries"),
        ("max", (np.zeros((0,), "float32"),), "Give `initial`"),
        ("mean", (F, 2), "an axis of a tensor with 2"),
        ("where", (F > 0, 1.0), "both of x1 and x2"),
        ("pad", (F, ((1, 1),) * 3), "each of 2 axes"),
        ("pad", (F, 1, "wrap"), "mode to be"),
        ("inv", (F,), "square matrices"),
        ("cholesky", (-SQUARE,), "positive definite"),
        ("fft", (F,), "a pair"),
        ("stft", (F, 4, 0, 4), "positive integer"),
        ("bincount", (I, None, 0, True), "sparse=False"),
        ("eye", (2.0,), "an integer N"),
        ("repeat", (F, [1, 2], 0), "one for each entry"),
    ],
)
def test_bad_arguments_are_refused(name: str, args: Any, text: str) -> None:
    with pytest.raises(neocog.exceptions.NeocogError, match=text):
        getattr(ops, name)(*args)


def test_facades_hold_what_those_of_keras_hold() -> None:
    for name in ("numpy", "linalg"):
        theirs = {entry for entry in dir(getattr(keras.ops, name)) if not entry.startswith("_")}
        assert set(getattr(ops, name).__all__) == theirs


def test_ops_in_a_functional_model() -> None:
    x = neocog.Input((4,))
    y = ops.concatenate([ops.square(x), ops.mean(x, axis=-1, keepdims=True), x[:, :1] * 2.0], axis=-1)
    model = neocog.Model(x, ops.where(y > 0.5, y, np.zeros(6, "float32")))
    want = np.concatenate([F**2, F.mean(-1, keepdims=True), F[:, :1] * 2], -1)
    np.testing.assert_allclose(model.predict(F, verbose=0), np.where(want > 0.5, want, 0), rtol=1e-5)

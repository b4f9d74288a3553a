"""`rearrange` beside real Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import pytest
from beside_keras import same
from numpy_like_arrays import IMAGE

from neocog import Input, ops
from neocog.exceptions import ArgumentError


@pytest.mark.parametrize(
    ("pattern", "lengths"),
    [
        ("b h w c -> b c h w", {}),
        ("b h w c -> (b h) w c", {}),
        ("b h w c -> b (c h w)", {}),
        ("b h (w2 w) c -> b h w (w2 c)", {"w2": 2}),
        ("b h (w2 w) c->(b w2) h w c", {"w2": 3}),
    ],
)
def test_values_are_those_of_keras(pattern: str, lengths: dict[str, int]) -> None:
    same(pattern, ops.rearrange(IMAGE, pattern, **lengths), keras.ops.rearrange(IMAGE, pattern, **lengths))


def test_the_batch_stays_unknown() -> None:
    x = Input((4, 6, 3))
    assert ops.rearrange(x, "b (h a) (w c) d -> b h w (a c d)", a=2, c=3).shape == (None, 2, 2, 18)
    assert ops.rearrange(x, "b h w c -> (b h) w c").shape == (None, 6, 3)


@pytest.mark.parametrize(
    "pattern", ["b h w -> b w h", "b h w c", "b h w c -> b h w", "b h (w x) c -> b h w x c", "... c -> c"]
)
def test_patterns_that_do_not_fit_are_refused(pattern: str) -> None:
    with pytest.raises(ArgumentError, match=r"ops\.rearrange"):
        ops.rearrange(IMAGE, pattern)

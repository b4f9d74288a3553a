"""The process-wide settings, seeds and generators."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import core
from neocog.exceptions import ArgumentError

DEFAULTS = ("float32", "channels_last", 1e-7)


def now() -> tuple[str, str, float]:
    return core.floatx(), core.image_data_format(), core.epsilon()


def test_settings_are_those_of_keras() -> None:
    assert now() == DEFAULTS


def test_settings_change(restored: None) -> None:
    core.set_floatx("float64")
    core.set_image_data_format("channels_first")
    core.set_epsilon(1e-3)
    assert now() == ("float64", "channels_first", 1e-3)
    assert core.standardize_data_format(None) == "channels_first"


def test_settings_are_back_after_the_test_that_changed_them() -> None:
    assert now() == DEFAULTS


@pytest.mark.parametrize("bad", ["float31", "int32", "FLOAT32", None, 32, ["float32"], torch.float32])
def test_no_other_float_type(bad: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^set_floatx: expected one of "):
        core.set_floatx(bad)
    assert now() == DEFAULTS


@pytest.mark.parametrize("bad", ["NHWC", "last", None, 1])
def test_no_other_layout(bad: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^set_image_data_format: expected one of "):
        core.set_image_data_format(bad)
    if bad is not None:
        with pytest.raises(ArgumentError, match=r"^data_format: expected one of "):
            core.standardize_data_format(bad)
    assert now() == DEFAULTS


def test_a_layout_in_capitals_is_understood() -> None:
    assert core.standardize_data_format("Channels_First") == "channels_first"
    assert core.standardize_data_format(None) == "channels_last"


def draws() -> tuple[float, float, float, int]:
    return random.random(), float(np.random.rand()), float(torch.rand(())), core.draw_seed()


@given(st.integers(0, 2**32 - 1))
def test_one_seed_repeats_every_source(seed: int) -> None:
    core.set_random_seed(seed)
    first, second = draws(), draws()
    core.set_random_seed(np.int64(seed))
    assert (draws(), draws()) == (first, second)
    assert first != second


@pytest.mark.parametrize("bad", [-1, 2**32, 1.5, "1", None, True, np.nan, [1]])
def test_no_other_seed(bad: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"^set_random_seed: expected a whole number from 0 to 2\*\*32 - 1"
    ):
        core.set_random_seed(bad)


def test_different_seeds_draw_differently() -> None:
    core.set_random_seed(1)
    one = draws()
    core.set_random_seed(2)
    assert all(a != b for a, b in zip(one, draws(), strict=True))


def test_a_drawn_seed_seeds_anything() -> None:
    seeds = {core.draw_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_generator_has_its_own_stream() -> None:
    assert core.make_generator(None) is None
    one, same = core.make_generator(7), core.make_generator(7)
    assert one is not None
    state = torch.get_rng_state()
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=same))
    assert torch.equal(state, torch.get_rng_state())  # the global one did not move

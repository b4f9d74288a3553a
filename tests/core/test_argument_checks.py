"""Argument checks, with drawn good and bad values."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.core import check_int, check_ntuple, check_number, check_one_of
from neocog.exceptions import ArgumentError, ArgumentTypeError

NO_NUMBERS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.complex_numbers(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(object),
    st.just(int),
    st.just(torch.ones(())),
    st.just(np.ones(2)),
)


@given(st.integers(-5, 2**70))
def test_whole_numbers_pass(value: int) -> None:
    got = check_int("Dense", "units", value, minimum=-5)
    assert got == value
    assert type(got) is int


@pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), 3.0, np.float64(3.0)])
def test_whole_numbers_of_other_kinds_become_int(value: Any) -> None:
    got = check_int("Dense", "units", value)
    assert got == 3
    assert type(got) is int


@given(NO_NUMBERS | st.floats(allow_nan=True).filter(lambda x: not x.is_integer()))
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^Dense: expected units to be a whole number of 1 or more"):
        check_int("Dense", "units", value, minimum=1)


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_the_minimum_is_included(value: int, minimum: int) -> None:
    if value >= minimum:
        assert check_int("Dense", "units", value, minimum=minimum) == value
    else:
        with pytest.raises(ArgumentError, match=f"of {minimum} or more, got {value}"):
            check_int("Dense", "units", value, minimum=minimum)


@given(st.floats(allow_nan=False) | st.integers(-(2**70), 2**70) | st.fractions())
def test_numbers_pass(value: float | Fraction) -> None:
    got = check_number("Dropout", "rate", value)
    assert got == float(value)
    assert type(got) is float


@given(NO_NUMBERS)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^Dropout: expected rate to be a number, got "):
        check_number("Dropout", "rate", value, minimum=0, maximum=1)


@given(
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_both_bounds_are_included_exactly(value: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    for edge in (low, high):
        assert check_number("f", "x", edge, minimum=low, maximum=high) == edge
    if low <= value <= high:
        assert check_number("f", "x", value, minimum=low, maximum=high) == value
    else:
        with pytest.raises(ArgumentError, match=r"^f: expected x in "):
            check_number("f", "x", value, minimum=low, maximum=high)


def test_a_bound_with_many_digits_is_not_rounded() -> None:
    assert check_number("f", "x", 0.1234567, minimum=0.1234567) == 0.1234567
    assert check_number("f", "x", 2**31 - 1, maximum=2**31 - 1) == 2**31 - 1
    with pytest.raises(ArgumentError, match=r"x in \[-inf, 2147483647\], got 2147483648"):
        check_number("f", "x", 2**31, maximum=2**31 - 1)


@pytest.mark.parametrize("bounds", [{}, {"minimum": 0.0}, {"maximum": 1.0}])
def test_nan_is_never_in_range(bounds: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="got nan"):
        check_number("f", "x", math.nan, **bounds)


def test_a_number_that_no_float_holds_is_refused() -> None:
    with pytest.raises(ArgumentError, match="x that a float can hold"):
        check_number("f", "x", 10**400)


@given(st.sampled_from(["same", "valid", "causal"]), st.data())
def test_options_compare_without_case(option: str, data: st.DataObject) -> None:
    drawn = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in option)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert check_one_of("Conv2D", "padding", drawn, ("same", "valid", "causal")) == option
    said = [str(warning.message) for warning in caught]
    text = f"Conv2D: padding={drawn!r} is an older spelling; write {option!r}."
    assert said == ([] if drawn == option else [text])


@given(NO_NUMBERS.filter(lambda value: value is not None))
def test_what_is_no_option_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^Conv2D: expected padding to be one of "):
        check_one_of("Conv2D", "padding", value, ("same", "valid", None))


def test_the_nearest_option_is_offered() -> None:
    with pytest.raises(ArgumentError, match=r"got 'smae'. Did you mean 'same'\?"):
        check_one_of("Conv2D", "padding", "smae", ("same", "valid"))
    with pytest.raises(ArgumentError, match=r"got 'xyz'.$"):
        check_one_of("Conv2D", "padding", "xyz", ("same", "valid"))
    assert check_one_of("Conv2D", "padding", None, ("same", None)) is None


@given(st.integers(1, 4), st.data())
def test_tuples_of_the_rank_pass(rank: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(1, 99), min_size=rank, max_size=rank))
    for form in (list(values), tuple(values), np.array(values), iter(values)):
        assert check_ntuple("Conv2D", "strides", form, rank) == tuple(values)
    assert check_ntuple("Conv2D", "strides", values[0], rank) == (values[0],) * rank


@given(st.integers(1, 4), st.lists(st.integers(1, 9), max_size=6))
def test_tuples_of_another_rank_are_refused(rank: int, values: list[int]) -> None:
    if len(values) != rank:
        with pytest.raises(ArgumentError, match=f"strides with 1 or {rank} numbers"):
            check_ntuple("Conv2D", "strides", values, rank)


@pytest.mark.parametrize(
    "value", ["33", b"33", {3, 4}, {3: 1, 4: 1}, None, True, torch.ones(()), np.ones(()), (3, "3"), (3, 2.5)]
)
def test_tuples_of_no_numbers_are_refused(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="strides to be a whole number of 1 or more"):
        check_ntuple("Conv2D", "strides", value, 2)


def test_a_tuple_may_have_another_minimum() -> None:
    assert check_ntuple("ZeroPadding2D", "padding", (0, 2), 2, minimum=0) == (0, 2)
    with pytest.raises(ArgumentError, match="of 1 or more, got 0"):
        check_ntuple("Conv2D", "strides", (0, 2), 2)

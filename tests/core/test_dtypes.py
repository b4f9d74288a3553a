"""Types by name, and tensors from whatever a user holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neocog.core import dtype_name, set_floatx, to_tensor, torch_dtype
from neocog.exceptions import ArgumentError

NAMES = ("float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")


@pytest.mark.parametrize("name", NAMES)
def test_every_spelling_of_a_type_is_the_same_type(name: str) -> None:
    kind = getattr(torch, name)
    assert torch_dtype(name) is torch_dtype(kind) is kind
    assert dtype_name(kind) == dtype_name(name) == name
    if name != "bfloat16":
        assert dtype_name(np.dtype(name)) == dtype_name(getattr(np, name, bool)) == name


@pytest.mark.parametrize(
    ("given_as", "name"),
    [(int, "int64"), (float, "float32"), (bool, "bool"), ("half", "float16"), (None, "float32")],
)
def test_python_types_and_aliases(given_as: Any, name: str) -> None:
    assert dtype_name(given_as) == name


@pytest.mark.parametrize(
    "bad", ["float31", "complex256", torch.complex32, np.datetime64, object(), [1], "", 3]
)
def test_unknown_types_are_refused(bad: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^dtype: expected one of "):
        dtype_name(bad)


def test_the_default_float_follows_floatx(restored: None) -> None:
    set_floatx("float64")
    assert dtype_name(None) == dtype_name(float) == "float64"
    assert to_tensor([0.5]).dtype is torch.float64
    set_floatx("bfloat16")
    assert torch_dtype(None) is torch.bfloat16


# What torch has no arithmetic for is widened, and NumPy's floats become the default float.
CHANGED = {
    "uint16": "int64",
    "uint32": "int64",
    "uint64": "int64",
    "float16": "float32",
    "float64": "float32",
}
KINDS = (
    "float16",
    "float32",
    "float64",
    "uint8",
    "int8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "bool",
)


@given(
    kind=st.sampled_from(KINDS),
    order=st.sampled_from("<>"),
    step=st.sampled_from([-2, -1, 1, 2]),
    writable=st.booleans(),
    data=st.data(),
)
def test_arrays_keep_shape_and_values(
    kind: str, order: str, step: int, writable: bool, data: st.DataObject
) -> None:
    dtype = np.dtype(kind).newbyteorder(order)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    array = data.draw(
        hnp.arrays(dtype, shape, elements=hnp.from_dtype(np.dtype(kind), min_value=0, max_value=99))
    )
    array = array[::step] if array.ndim else array
    array.flags.writeable = writable
    before = array.copy()
    got = to_tensor(array)
    assert tuple(got.shape) == array.shape
    np.testing.assert_array_equal(got.numpy(), array.astype("float32" if array.dtype.kind == "f" else kind))
    assert got.dtype is getattr(torch, CHANGED.get(kind, kind))
    got.zero_()  # a tensor that may be written to, and a read-only array that stays as it is
    if not writable:
        np.testing.assert_array_equal(array, before)


def test_large_unsigned_numbers_keep_their_value() -> None:
    assert to_tensor(np.array([2**16 - 1], np.uint16)).item() == 2**16 - 1
    assert to_tensor(np.array([2**32 - 1], np.uint32)).item() == 2**32 - 1
    assert to_tensor(np.array([2**63 - 1], np.uint64)).item() == 2**63 - 1


def test_integers_beyond_int64_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"expected integers below 2\*\*63, got 9223372036854775808"):
        to_tensor(np.array([2**63], np.uint64))


def test_a_field_of_packed_records_and_a_broadcast_array() -> None:
    records = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i1"), ("b", "f4")])
    assert to_tensor(records["b"]).tolist() == [2.5, 4.5]
    assert to_tensor(np.broadcast_to(np.float32(2), (2, 2))).tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, torch.int64),
        (2.5, torch.float32),
        (True, torch.bool),
        ([1, 2], torch.int64),
        ([[0.5]], torch.float32),
    ],
)
def test_numbers_and_lists(value: Any, kind: torch.dtype) -> None:
    got = to_tensor(value)
    assert got.dtype is kind
    assert got.tolist() == value


def test_a_tensor_is_itself_and_keeps_its_type_unless_asked() -> None:
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert to_tensor(x) is x
    assert to_tensor(x, dtype="float32").dtype is torch.float32
    assert to_tensor(x, dtype="float32").requires_grad
    assert to_tensor([1, 2], dtype="float16").dtype is torch.float16
    assert to_tensor([1.0], dtype=np.float64).dtype is torch.float64
    assert to_tensor([1.0], device="meta").device.type == "meta"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "cat",
        b"cat",
        {"a": 1},
        object(),
        np.array(["cat", "dog"]),
        np.array([1, None], dtype=object),
        np.array([np.ones(1), np.ones(2)], dtype=object),
        np.zeros(2, "V3"),
        np.array(["2026-11-21"], "M8[D]"),
        2**70,
        [[1], [1, 2]],
    ],
    ids=lambda bad: type(bad).__name__,
)
def test_what_holds_no_numbers_is_refused(bad: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^tensor: expected numbers"):
        to_tensor(bad)

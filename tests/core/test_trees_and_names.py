"""Nested structures, and the names that are made."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.core import auto_name, reset_names, to_snake_case, tree_any, tree_flatten, tree_map, tree_pack


class Pair(NamedTuple):
    left: Any
    right: Any


TREES = st.recursive(
    st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=8,
)


@given(TREES)
def test_packing_undoes_flattening(tree: Any) -> None:
    assert tree_pack(tree, tree_flatten(tree)) == tree


@given(TREES)
def test_mapping_keeps_the_structure(tree: Any) -> None:
    wrapped = tree_map(lambda leaf: ("leaf", leaf).__repr__(), tree)
    assert tree_flatten(wrapped) == [repr(("leaf", leaf)) for leaf in tree_flatten(tree)]
    assert tree_map(lambda leaf: leaf, tree) == tree
    assert type(tree_map(lambda leaf: leaf, tree)) is type(tree)


@given(TREES)
def test_any_asks_the_leaves(tree: Any) -> None:
    assert tree_any(lambda leaf: leaf is None, tree) == any(leaf is None for leaf in tree_flatten(tree))


def test_dicts_flatten_by_key_and_keep_their_own_order() -> None:
    tree = {"b": [1, 2], "a": (3, {"d": 4, "c": 5})}
    assert tree_flatten(tree) == [3, 5, 4, 1, 2]
    packed = tree_pack(tree, list("xyzuv"))
    assert packed == {"b": ["u", "v"], "a": ("x", {"d": "z", "c": "y"})}
    assert list(packed) == ["b", "a"]


def test_a_leaf_alone_is_a_tree() -> None:
    assert tree_flatten(3) == [3]
    assert tree_pack(None, [4]) == 4
    assert tree_map(lambda x: x + 1, 3) == 4


NAMES = (
    "Dense Conv2D MaxPooling2D GRUCell LSTM ReLU ELU PReLU BatchNormalization Conv2DTranspose MyLSTM2DCell "
    "AUC MeanIoU F1Score HTTPServer a A already_snake R2Score RMSprop AdamW SGD KLDivergence"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_snake_case_is_that_of_keras(name: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from keras.src.utils.naming import to_snake_case as keras_snake_case

    assert to_snake_case(name) == keras_snake_case(name)


def test_names_are_numbered_and_start_anew() -> None:
    assert [auto_name("Conv2D") for _ in range(3)] == ["conv2d", "conv2d_1", "conv2d_2"]
    assert auto_name("conv2d") == "conv2d_3"
    assert auto_name("Dense") == "dense"
    reset_names()
    assert auto_name("Conv2D") == "conv2d"

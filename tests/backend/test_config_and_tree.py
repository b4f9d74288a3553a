"""`config` and `tree` against Keras."""

from __future__ import annotations

import collections
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import config, tree

Point = collections.namedtuple("Point", "x y")
STRUCTURES = [
    1,
    None,
    [1, (2, {"b": 3, "a": [4, None]})],
    {"z": (), "y": Point(1, [2])},
    collections.OrderedDict([("b", 1), ("a", [2])]),
    [],
]


def public(module: Any) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


def test_names() -> None:
    assert public(keras.config) == set(config.__all__)
    assert public(keras.tree) == set(tree.__all__)
    quantised = {"AWQDTypePolicy", "DTypePolicyMap", "GPTQDTypePolicy", "Int4DTypePolicy"}
    quantised |= {"QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy"}
    assert public(keras.dtype_policies) - quantised == set(neocog.dtype_policies.__all__)
    assert public(keras.mixed_precision) == set(neocog.mixed_precision.__all__)


@pytest.mark.parametrize("structure", STRUCTURES, ids=range(6))
def test_tree_as_in_keras(structure: Any) -> None:
    assert tree.is_nested(structure) == keras.tree.is_nested(structure)
    assert tree.flatten(structure) == keras.tree.flatten(structure)
    assert tree.flatten_with_path(structure) == keras.tree.flatten_with_path(structure)

    def double(leaf: Any) -> Any:
        return None if leaf is None else leaf * 2

    assert tree.map_structure(double, structure) == keras.tree.map_structure(double, structure)
    packed = tree.pack_sequence_as(structure, tree.flatten(structure))
    assert packed == structure
    assert type(packed) is type(structure)
    assert tree.lists_to_tuples(structure) == keras.tree.lists_to_tuples(structure)
    tree.assert_same_structure(structure, structure)
    tree.assert_same_paths(structure, structure)


def test_tree_of_several() -> None:
    assert tree.map_structure(lambda a, b: a + b, [1, {"a": 2}], [3, {"a": 4}]) == [4, {"a": 6}]
    assert tree.map_structure(lambda a: a + 1, [1, None], none_is_leaf=False) == [2, None]
    assert tree.map_structure_up_to([0, 0], len, [[1, 2], [3]]) == [2, 1]
    assert tree.map_shape_structure(tuple, {"a": [None, 3]}) == {"a": (None, 3)}
    assert tree.traverse(lambda p: tree.MAP_TO_NONE if p == 1 else None, [1, 2]) == [None, 2]
    assert tree.traverse(lambda p: 0 if isinstance(p, dict) else None, [{"a": 1}, 2]) == [0, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda: tree.map_structure(lambda a, b: a, [1], [1, 2]),
        lambda: tree.pack_sequence_as([0, 0], [1]),
        lambda: tree.assert_same_structure([1], (1,)),
        lambda: tree.assert_same_structure({"a": 1}, {"b": 1}),
        lambda: tree.assert_same_paths([1], [1, 2]),
        lambda: tree.map_structure_up_to([0, 0], len, [1]),
        lambda: tree.map_structure("f", [1]),
        lambda: tree.map_structure(len),
    ],
    ids=range(8),
)
def test_tree_errors(call: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="expected"):
        call()


def test_settings() -> None:
    assert config.backend() == "torch"
    assert config.set_backend("torch") is None
    with pytest.raises(ValueError, match="PyTorch alone"):
        config.set_backend("jax")
    with pytest.raises(ValueError, match="safe_mode=False"):
        config.enable_unsafe_deserialization()
    assert not config.is_nnx_enabled()
    for name in ("interactive_logging", "traceback_filtering"):
        assert getattr(config, f"is_{name}_enabled")()
        getattr(config, f"disable_{name}")()
        assert not getattr(config, f"is_{name}_enabled")()
        getattr(config, f"enable_{name}")()
    config.disable_flash_attention()
    assert config.is_flash_attention_enabled() is False
    config.enable_flash_attention()
    assert config.is_flash_attention_enabled() is None


def model() -> Any:
    built = neocog.Sequential([neocog.Input((2,)), neocog.layers.Dense(1)])
    built.compile("sgd", "mse", metrics=["mae"])
    return built


X, Y = np.ones((12, 2), "float32"), np.ones((12, 1), "float32")


def test_bounds_of_training() -> None:
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    try:
        assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
        trained = model()
        history = trained.fit(X, Y, epochs=9, batch_size=1, verbose=0)
        assert len(history.history["loss"]) == 2
        assert int(trained.optimizer.iterations) == 6
        assert len(trained.predict(X, batch_size=1, verbose=0)) == 3
        trained.evaluate(X, Y, batch_size=1, verbose=0)
    finally:
        config.set_max_epochs(None)
        config.set_max_steps_per_epoch(None)
    with pytest.raises(ValueError, match="max_epochs"):
        config.set_max_epochs(0)


def test_plain_lines() -> None:
    from neocog.training import Progress

    assert Progress(live=True).live
    config.disable_interactive_logging()
    try:
        assert not Progress(live=True).live
    finally:
        config.enable_interactive_logging()


def test_floatx_reaches_policies() -> None:
    config.set_floatx("float64")
    try:
        assert config.dtype_policy().name == "float64"
        assert neocog.layers.Dense(1)(torch.ones(1, 2)).dtype == torch.float64
    finally:
        config.set_floatx("float32")

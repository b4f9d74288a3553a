"""Activations computed again: the same numbers to the bit, and fewer of them kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError

X = np.random.default_rng(0).random((24, 8, 8, 3), dtype="float32")
Y = np.random.default_rng(1).integers(0, 4, 24)
MODES: list[tuple[str, dict[str, Any]]] = [
    ("full", {}),
    ("activations", {}),
    ("larger_than", {"output_size_threshold": 100}),
    ("list_of_layers", {"layer_names": ["conv_1", "conv_3"]}),
]


def network(mode: str | None, depth: int = 4, **options: Any) -> Any:
    keras.utils.set_random_seed(1)
    with keras.RematScope(mode, **options):
        inputs = x = layers.Input((8, 8, 3))
        for number in range(depth):
            regular = {"kernel_regularizer": "l2", "activity_regularizer": "l2"}
            conv = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"conv_{number}", **regular)
            x = layers.Dropout(0.2, seed=number if number % 2 else None)(layers.BatchNormalization()(conv(x)))
        outputs = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], precision="float32")
    return model


def trained(model: Any) -> Any:
    history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history
    return history, [np.array(weight) for weight in model.get_weights()]


@pytest.mark.parametrize(("mode", "options"), MODES)
def test_training_gives_the_same_numbers(mode: str, options: dict[str, Any]) -> None:
    expected, found = trained(network(None)), trained(network(mode, **options))
    assert found[0] == expected[0]
    for ours, theirs in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7)


def kept(model: Any) -> int:
    """Bytes kept for the backward pass."""
    seen: dict[int, int] = {}

    def pack(value: torch.Tensor) -> torch.Tensor:
        seen[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        model(torch.as_tensor(X), training=True)
    return sum(seen.values())


def test_a_deep_model_keeps_a_fraction() -> None:
    assert kept(network("full", depth=12)) < 0.4 * kept(network(None, depth=12))


def test_a_block_inside_a_model_is_one() -> None:
    def make(mode: str | None) -> Any:
        keras.utils.set_random_seed(2)
        with keras.RematScope(mode):
            block = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()])
        model = keras.Sequential([layers.Input((8, 8, 3)), block, layers.Flatten(), layers.Dense(4)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    expected, found = trained(make(None)), trained(make("full"))
    assert found[0] == expected[0]
    assert all((ours == theirs).all() for ours, theirs in zip(found[1], expected[1], strict=True))


def test_a_function_and_a_layer_of_ones_own() -> None:
    class Twice(layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm = layers.BatchNormalization()
            self.again = keras.remat(self.inner)

        def inner(self, x: Any) -> Any:
            return torch.sin(self.norm(x, training=True)) * 2

        def call(self, x: Any) -> Any:
            return self.again(x)

    layer, x = Twice(), torch.randn(6, 3, requires_grad=True)
    layer(x).sum().backward()
    found, moved = x.grad, np.array(layer.norm.moving_mean)
    x.grad = None
    plain = Twice()
    plain.again = plain.inner
    plain(x).sum().backward()
    assert torch.equal(found, x.grad)
    np.testing.assert_array_equal(moved, np.array(plain.norm.moving_mean))


def test_scopes_nest_and_bad_modes_are_refused() -> None:
    with keras.RematScope("full"), keras.RematScope(None):
        assert layers.Dense(2)._remat is None
    with keras.RematScope("list_of_layers", layer_names=["a"]):
        assert layers.Dense(2)._remat.layer_names == ("a",)
    assert layers.Dense(2)._remat is None
    with pytest.raises(ArgumentError, match="mode"):
        keras.RematScope("some")

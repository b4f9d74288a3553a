"""Whole models exchanged with real Keras: the same code builds both, weights and files go both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import torch
from saving_files import same_values, tree, values

import neocog
from neocog.exceptions import ShapeError
from neocog.files import weight_groups

# Keras's torch backend meets NumPy 2 here; nothing of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


def perceptron(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(5, activation="relu", name="stem"),
            k.layers.Dropout(0.5),
            k.layers.BatchNormalization(),
            k.layers.Dense(3, use_bias=False),
            k.layers.LayerNormalization(),
            k.layers.Activation("softmax"),
        ]
    )


def shared_and_nested(k: Any) -> Any:
    first, second = k.Input((4,), name="first"), k.Input((4,), name="second")
    shared = k.layers.Dense(4, activation="tanh")
    head = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)], name="head")
    inner_input = k.Input((4,))
    inner = k.Model(inner_input, k.layers.Dense(4)(k.layers.ReLU()(inner_input)), name="inner")
    x = k.layers.Concatenate()([shared(first), inner(shared(second))])
    x = k.layers.Add()([head(x), k.layers.Dense(2)(first)])
    return k.Model([first, second], [x, k.layers.Dense(1, name="side")(x)])


def grouped_convolutions(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((9, 8, 3)),
            k.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            k.layers.SeparableConv2D(4, 3, depth_multiplier=2),
            k.layers.DepthwiseConv2D(2),
            k.layers.Conv2DTranspose(3, 3),
            k.layers.MaxPooling2D(2),
            k.layers.Flatten(),
            k.layers.Dense(2),
        ]
    )


def subclassed(k: Any) -> Any:
    class Block(k.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = k.layers.Dense(3)
            self.norms = [k.layers.BatchNormalization(), k.layers.LayerNormalization()]

        def call(self, inputs: Any) -> Any:
            inputs = self.dense(inputs)
            for norm in self.norms:
                inputs = norm(inputs)
            return inputs

    class Net(k.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.alpha = k.layers.Dense(4)
            self.block = Block()
            self.out = k.layers.Dense(2)  # after "layers" in the alphabet: Keras files it there
            self.hidden = [k.layers.Dense(3) for _ in range(2)]
            self._last = k.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            inputs = self.block(self.alpha(inputs))
            for layer in self.hidden:
                inputs = layer(inputs)
            return self._last(self.out(inputs))

    return called(Net(), (4,))


def stack_with_more(k: Any) -> Any:
    class Stack(k.Sequential):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__([k.Input((4,)), k.layers.Dense(3)])
            self.extra = k.layers.Dense(2)

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return self.extra(super().call(inputs))

    return called(Stack(), (4,))


def embedding(k: Any) -> Any:
    return k.Sequential(
        [k.Input((5,), dtype="int32"), k.layers.Embedding(7, 3), k.layers.Flatten(), k.layers.Dense(1)]
    )


def called(model: Any, shape: tuple[int, ...]) -> Any:
    model(np.zeros((1, *shape), "float32"))
    return model


BUILDERS: dict[str, tuple[Callable[[Any], Any], list[tuple[int, ...]]]] = {
    "perceptron": (perceptron, [(4,)]),
    "shared_and_nested": (shared_and_nested, [(4,), (4,)]),
    "grouped_convolutions": (grouped_convolutions, [(9, 8, 3)]),
    "subclassed": (subclassed, [(4,)]),
    "stack_with_more": (stack_with_more, [(4,)]),
    "embedding": (embedding, [(5,)]),
}
FILED_WHOLE = ["perceptron", "shared_and_nested", "grouped_convolutions", "embedding"]


def data(name: str) -> Any:
    arrays = [np.random.rand(3, *shape).astype("float32") for shape in BUILDERS[name][1]]
    if name == "embedding":
        arrays = [(array * 7).astype("int32") for array in arrays]
    return arrays if len(arrays) > 1 else arrays[0]


def outputs(model: Any, inputs: Any) -> list[np.ndarray]:
    with torch.no_grad():
        found = model(inputs, training=False)
    return [tensor.detach().numpy() for tensor in (found if isinstance(found, (list, tuple)) else [found])]


def agree(one: Any, other: Any, inputs: Any) -> bool:
    pairs = zip(outputs(one, inputs), outputs(other, inputs), strict=True)
    return all(np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in pairs)


def randomize(model: Any) -> None:
    model.set_weights(
        [np.asarray(np.random.rand(*weight.shape) + 0.1, "float32") for weight in model.weights]
    )


@pytest.fixture(params=BUILDERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_real_keras_loads_our_weights(name: str, tmp_path: Path) -> None:
    ours, theirs = BUILDERS[name][0](neocog), BUILDERS[name][0](keras)
    randomize(ours)
    ours.save_weights(str(tmp_path / "m.weights.h5"))
    inputs = data(name)
    assert not agree(ours, theirs, inputs)
    theirs.load_weights(str(tmp_path / "m.weights.h5"))
    assert agree(ours, theirs, inputs)


def test_we_load_weights_of_real_keras(name: str, tmp_path: Path) -> None:
    ours, theirs = BUILDERS[name][0](neocog), BUILDERS[name][0](keras)
    randomize(theirs)
    theirs.save_weights(str(tmp_path / "m.weights.h5"))
    ours.load_weights(str(tmp_path / "m.weights.h5"))
    assert agree(ours, theirs, data(name))


def test_the_trees_are_the_same(name: str, tmp_path: Path) -> None:
    ours, theirs = BUILDERS[name][0](neocog), BUILDERS[name][0](keras)
    ours.save_weights(str(tmp_path / "ours.weights.h5"))
    theirs.save_weights(str(tmp_path / "theirs.weights.h5"))
    assert tree(tmp_path / "ours.weights.h5") == tree(tmp_path / "theirs.weights.h5")


def test_a_compiled_and_trained_model_of_keras_is_read(tmp_path: Path) -> None:
    theirs = perceptron(keras)
    theirs.compile("adam", "mse", metrics=["mae"])
    theirs.fit(np.random.rand(8, 4), np.random.rand(8, 3), verbose=0)
    theirs.save_weights(str(tmp_path / "m.weights.h5"))
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert "optimizer" in file
    ours = perceptron(neocog)
    ours.load_weights(str(tmp_path / "m.weights.h5"))
    assert agree(ours, theirs, data("perceptron"))


@pytest.mark.parametrize("name", FILED_WHOLE)
def test_real_keras_opens_our_keras_file(name: str, tmp_path: Path) -> None:
    ours = BUILDERS[name][0](neocog)
    randomize(ours)
    ours.save(str(tmp_path / "m.keras"))
    theirs = keras.models.load_model(str(tmp_path / "m.keras"))
    assert agree(ours, theirs, data(name))


@pytest.mark.parametrize("name", FILED_WHOLE)
def test_we_open_a_keras_file_of_real_keras(name: str, tmp_path: Path) -> None:
    theirs = BUILDERS[name][0](keras)
    randomize(theirs)
    theirs.save(str(tmp_path / "m.keras"))
    ours = neocog.models.load_model(str(tmp_path / "m.keras"))
    assert agree(ours, theirs, data(name))


def test_dropout_that_keras_saved_drops_when_it_is_trained(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    frozen = keras.layers.BatchNormalization()(keras.layers.Dropout(0.5)(inputs), training=False)
    keras.Model(inputs, keras.layers.GaussianNoise(1.0)(frozen)).save(str(tmp_path / "m.keras"))
    ours = neocog.models.load_model(str(tmp_path / "m.keras"))
    x = torch.ones(16, 4)
    before = [w.copy() for w in ours.get_weights()]
    assert not torch.equal(ours(x, training=True), ours(x, training=True))
    assert torch.equal(ours(x, training=False), ours(x))
    assert same_values(before, ours.get_weights())  # `training=False` that the user wrote stays


def mixed(k: Any) -> Any:
    layers, half = k.layers, {"dtype": "mixed_bfloat16"}
    return k.Sequential(
        [
            k.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", **half),
            layers.BatchNormalization(**half),
            layers.SeparableConv2D(4, 3, padding="same", **half),
            layers.DepthwiseConv2D(3, padding="same", **half),
            layers.Conv2DTranspose(3, 3, strides=2, **half),
            layers.Flatten(**half),
            layers.Dense(6, activation="tanh", **half),
            layers.LayerNormalization(**half),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )


def test_half_precision_is_rounded_where_keras_rounds(tmp_path: Path) -> None:
    ours, theirs = mixed(neocog), mixed(keras)
    weights = [np.random.uniform(0.1, 0.4, w.shape).astype("float32") for w in ours.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x = np.random.normal(size=(5, 8, 8, 3)).astype("float32")
    assert agree(ours, theirs, x)


def wrapped(k: Any) -> Any:
    return k.Sequential([k.Input((4,)), k.layers.SpectralNormalization(k.layers.Dense(3))])


def test_a_wrapper_that_files_the_kernel_inside_too(tmp_path: Path) -> None:
    ours, theirs = wrapped(neocog), wrapped(keras)
    inputs = np.random.rand(3, 4).astype("float32")
    ours.save_weights(str(tmp_path / "m.weights.h5"))
    theirs.load_weights(str(tmp_path / "m.weights.h5"))
    assert agree(ours, theirs, inputs)
    randomize(theirs)
    assert not agree(ours, theirs, inputs)
    theirs.save(str(tmp_path / "m.keras"))
    assert agree(neocog.models.load_model(str(tmp_path / "m.keras")), theirs, inputs)


def test_another_architecture_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    perceptron(neocog).save_weights(str(tmp_path / "m.weights.h5"))
    other = shared_and_nested(neocog)
    before = values(other)
    with pytest.raises(ShapeError, match=r"does not fit the model in \d+ places"):
        other.load_weights(str(tmp_path / "m.weights.h5"))
    assert same_values(before, values(other))


def test_every_weight_is_in_one_group(name: str) -> None:
    model = BUILDERS[name][0](neocog)
    grouped = [weight.value for group in weight_groups(model) for weight in group.weights]
    assert {id(tensor) for tensor in grouped} == {id(view.value) for view in model.weights}
    assert len(grouped) == len(model.weights)

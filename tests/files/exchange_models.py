"""The models that neocog and real Keras exchange: one code for both, `k` is the one or the other.

Imported by the tests with neocog, and by `exchange_worker.py` with Keras, where neocog is never imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def draw(shapes: Any, integers: bool = False) -> Any:
    """Return arrays of a few samples for shapes without the batch, nested alike."""
    rng = np.random.default_rng(5)
    if isinstance(shapes, dict):
        return {key: draw(shape) for key, shape in shapes.items()}
    if shapes and isinstance(shapes[0], (list, tuple)):
        return [draw(shape) for shape in shapes]
    values = rng.random((3, *shapes)).astype("float32")
    return (values * 9).astype("int32") if integers else values


def layer_model(k: Any, name: str, arguments: dict[str, Any], shapes: Any) -> Any:
    """Return a functional model of one layer."""
    arguments = {key: _as_tuples(value) for key, value in arguments.items()}
    if arguments.get("function") == "relu":
        arguments["function"] = k.activations.relu
    if arguments.get("layer") == "Dense":
        arguments["layer"] = k.layers.Dense(3)
    if arguments.get("layer") == "LSTM":
        arguments["layer"] = k.layers.LSTM(3)
    if arguments.get("cell") == "cells":
        arguments["cell"] = [k.layers.LSTMCell(4), k.layers.GRUCell(3)]
    if arguments.get("layers") == "augmentations":
        arguments["layers"] = [k.layers.AutoContrast(), k.layers.RandomFlip()]
    dtype = "int32" if name.endswith("Embedding") else "float32"
    several = isinstance(shapes[0], (list, tuple))
    inputs = [k.Input(tuple(shape)) for shape in shapes] if several else k.Input(tuple(shapes), dtype=dtype)
    layer = getattr(k.layers, name)(**arguments)
    if name in ("MultiHeadAttention", "GroupQueryAttention"):
        return k.Model(inputs, layer(*inputs))
    return k.Model(inputs, layer(inputs))


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def several_inputs(k: Any) -> Any:
    one, two = k.Input((4,), name="one"), k.Input((3,), name="two")
    joined = k.layers.Concatenate()([k.layers.Dense(4, name="left")(one), k.layers.Dense(4)(two)])
    side = k.layers.Dense(2, activation="softmax", name="side")(joined)
    main = k.layers.Add()([k.layers.Dense(2)(joined), side])
    return k.Model({"one": one, "two": two}, {"main": main, "side": side})


def shared_layers(k: Any) -> Any:
    one, two = k.Input((4,)), k.Input((4,))
    shared, narrow = k.layers.Dense(4, activation="tanh"), k.layers.Dense(2)
    deep = narrow(shared(shared(one)))
    return k.Model([one, two], [k.layers.Subtract()([deep, narrow(shared(two))]), deep])


def nested(k: Any) -> Any:
    inner_in = k.Input((4,))
    inner = k.Model(inner_in, k.layers.Dense(4)(k.layers.ReLU()(k.layers.Dense(4)(inner_in))), name="inner")
    stack = k.Sequential([k.layers.Dense(4), k.layers.BatchNormalization()], name="stack")
    outer = k.Input((4,))
    return k.Model(outer, k.layers.Dense(2)(inner(stack(inner(outer)))))


def convolutional(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((9, 8, 3)),
            k.layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2", kernel_constraint="max_norm"),
            k.layers.BatchNormalization(),
            k.layers.Activation("relu"),
            k.layers.SeparableConv2D(4, 3),
            k.layers.MaxPooling2D(2),
            k.layers.Dropout(0.5),
            k.layers.Flatten(),
            k.layers.Dense(3, activation="softmax"),
        ]
    )


def branching(k: Any) -> Any:
    """Layers of one class at the same depth: files tell them apart by their order alone."""
    x = k.Input((5, 5, 2))
    branches = [k.layers.Conv2D(2, size, padding="same")(x) for size in (1, 3, 5)]
    deep = k.layers.Conv2D(2, 3, padding="same")(k.layers.Conv2D(2, 1)(x))
    joined = k.layers.Concatenate()([deep, branches[2], branches[0], branches[1]])
    skip = k.layers.Conv2D(8, 1)(x)
    return k.Model(x, k.layers.GlobalAveragePooling2D()(k.layers.Add()([joined, skip])))


def recurrent(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((6,), dtype="int32"),
            k.layers.Embedding(9, 4),
            k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True)),
            k.layers.GRU(4, return_sequences=True),
            k.layers.TimeDistributed(k.layers.Dense(3)),
            k.layers.SimpleRNN(3),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )


def operations(k: Any) -> Any:
    x = k.Input((4,))
    y = k.layers.Dense(6)(x)
    z = 2.0 * y[:, 1:5] - x / (k.ops.abs(x) + 1.0)
    z = k.ops.concatenate([z, -y], axis=-1)
    z = k.ops.reshape(z, (-1, 5, 2))
    z = k.ops.mean(k.ops.relu(z), axis=1) + k.ops.sum(y, axis=-1, keepdims=True)
    return k.Model(x, k.layers.Dense(2)(z))


def mixed_precision(k: Any) -> Any:
    x = k.Input((4,))
    y = k.layers.Dense(5, activation="relu", dtype="mixed_bfloat16")(x)
    return k.Model(x, k.layers.Dense(2, dtype="float32")(y))


def registered(k: Any) -> dict[str, Any]:
    """Return classes of a user's, registered with `k`."""

    @k.saving.register_keras_serializable("exchange")
    class Scale(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape: Any) -> None:
            self.weight = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="weight")

        def call(self, inputs: Any) -> Any:
            return inputs * self.weight * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    @k.saving.register_keras_serializable("exchange")
    class OwnForm(k.layers.Layer):  # type: ignore[misc]
        """Says itself what it files."""

        def build(self, input_shape: Any) -> None:
            self.weight = self.add_weight(shape=(input_shape[-1],), initializer="uniform", name="weight")

        def call(self, inputs: Any) -> Any:
            return inputs + self.weight

        def save_own_variables(self, store: Any) -> None:
            store["twice"] = 2 * np.asarray(self.get_weights()[0])

        def load_own_variables(self, store: Any) -> None:
            self.set_weights([np.asarray(store["twice"]) / 2])

    @k.saving.register_keras_serializable("exchange")
    class Net(k.Model):  # type: ignore[misc]
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = k.layers.Dense(units)
            self.blocks = [Scale(3.0), k.layers.BatchNormalization(), Scale()]
            self.last = k.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            inputs = self.first(inputs)
            for block in self.blocks:
                inputs = block(inputs)
            return self.last(inputs)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    @k.saving.register_keras_serializable("exchange")
    def squared_gap(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2

    return {"Scale": Scale, "OwnForm": OwnForm, "Net": Net, "squared_gap": squared_gap}


_CLASSES: dict[str, dict[str, Any]] = {}


def classes(k: Any) -> dict[str, Any]:
    return (
        _CLASSES.setdefault(k.__name__, registered(k)) if k.__name__ not in _CLASSES else _CLASSES[k.__name__]
    )


def with_own_layers(k: Any) -> Any:
    own = classes(k)
    x = k.Input((4,))
    return k.Model(x, k.layers.Dense(2)(own["OwnForm"]()(own["Scale"](0.5)(x))))


def subclassed(k: Any) -> Any:
    model = classes(k)["Net"](4)
    model(np.zeros((1, 4), "float32"))
    return model


# name -> (builder, shapes of the inputs without the batch, whether they are whole numbers)
WHOLE: dict[str, tuple[Callable[[Any], Any], Any, bool]] = {
    "several_inputs": (several_inputs, {"one": (4,), "two": (3,)}, False),
    "shared_layers": (shared_layers, [(4,), (4,)], False),
    "nested": (nested, (4,), False),
    "convolutional": (convolutional, (9, 8, 3), False),
    "branching": (branching, (5, 5, 2), False),
    "recurrent": (recurrent, (6,), True),
    "operations": (operations, (4,), False),
    "mixed_precision": (mixed_precision, (4,), False),
    "with_own_layers": (with_own_layers, (4,), False),
    "subclassed": (subclassed, (4,), False),
}


def settle(model: Any) -> None:
    """Give a model weights that are not those it starts with."""
    rng = np.random.default_rng(9)
    model.set_weights([rng.uniform(0.2, 0.9, np.shape(w)).astype(w.dtype) if w.dtype.kind == "f" else w
                       for w in model.get_weights()])  # fmt: skip


def flat(outputs: Any) -> list[np.ndarray]:
    """Return nested predictions as a list of float32 arrays, dicts by sorted keys."""
    if isinstance(outputs, dict):
        return [array for key in sorted(outputs) for array in flat(outputs[key])]
    if isinstance(outputs, (list, tuple)):
        return [array for item in outputs for array in flat(item)]
    return [np.asarray(outputs, dtype="float32")]


def trainable(k: Any) -> Any:
    """Return a model none of whose gradients is zero but for rounding: Adam would blow that up."""
    return k.Sequential(
        [
            k.Input((4,)),
            k.layers.Dense(5, activation="tanh"),
            k.layers.BatchNormalization(center=False),
            k.layers.Dense(2),
        ]
    )

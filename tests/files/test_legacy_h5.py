"""The older `.h5`: files in the form of Keras 2, written by hand, and what neocog writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neocog
from neocog.exceptions import ArgumentError, ShapeError
from neocog.layers import BatchNormalization, Conv2DTranspose, Dense, DepthwiseConv2D, Flatten, Input
from neocog.models import Sequential

RNG = np.random.default_rng(4)
KERNEL, BIAS = RNG.normal(size=(4, 2)).astype("float32"), RNG.normal(size=(2,)).astype("float32")


def keras_2_file(
    path: Path,
    config: dict[str, Any],
    layers: dict[str, dict[str, np.ndarray]],
    training: dict[str, Any] | None = None,
    *,
    pieces: bool = False,
) -> Path:
    """Write a model as Keras 2 did: names that end in `:0`, bytes, long lists of names in pieces."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        names = [name.encode() for name in layers]
        if pieces:
            group.attrs["layer_names0"], group.attrs["layer_names1"] = names[:1], names[1:]
        else:
            group.attrs["layer_names"] = names
        for layer, weights in layers.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in weights]
            for name, values in weights.items():
                inner.create_dataset(f"{layer}/{name}:0", data=values)
    return path


def dense_config(**more: Any) -> dict[str, Any]:
    initializer = {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}
    return {
        "class_name": "Dense",
        "config": {
            "name": "dense_7", "trainable": True, "batch_input_shape": [None, 4], "dtype": "float32",
            "units": 2, "activation": "linear", "use_bias": True, "kernel_initializer": initializer,
            "bias_initializer": {"class_name": "Zeros", "config": {"dtype": "float32"}},
            "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}, "bias_regularizer": None,
            "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None, **more,
        },
    }  # fmt: skip


DENSE = {"dense_7": {"kernel": KERNEL, "bias": BIAS}}
TRAINING = {
    "loss": "mse", "metrics": ["mae"], "weighted_metrics": None, "sample_weight_mode": None,
    "loss_weights": None,
    "optimizer_config": {
        "class_name": "SGD",
        "config": {"name": "SGD", "lr": 0.125, "momentum": 0.5, "decay": 0.0, "nesterov": False},
    },
}  # fmt: skip


@pytest.mark.parametrize("old_list", [False, True])
def test_a_stack_of_keras_2_opens_compiled(tmp_path: Path, old_list: bool) -> None:
    layers = [dense_config()]
    config = {"class_name": "Sequential", "config": layers if old_list else {"name": "s", "layers": layers}}
    model = neocog.models.load_model(keras_2_file(tmp_path / "m.h5", config, DENSE, TRAINING))
    x = RNG.normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), x @ KERNEL + BIAS, rtol=1e-5)
    assert float(model.optimizer.learning_rate) == 0.125
    assert model.loss == "mse"
    model.fit(x, np.zeros((3, 2)), verbose=0)


def graph_config() -> dict[str, Any]:
    def entry(kind: str, name: str, config: dict[str, Any], nodes: list[Any]) -> dict[str, Any]:
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}

    conv = {"kernel_size": [2, 2], "groups": 1, "padding": "valid", "strides": [1, 1]}
    layers = [
        entry(
            "InputLayer",
            "in",
            {"batch_input_shape": [None, 4, 4, 1], "dtype": "float32", "sparse": False},
            [],
        ),
        entry("DepthwiseConv2D", "depth", {**conv, "depth_multiplier": 2}, [[["in", 0, 0, {}]]]),
        entry("BatchNormalization", "norm", {"axis": [3]}, [[["depth", 0, 0, {}]]]),
        entry("Conv2DTranspose", "back", {**conv, "filters": 1}, [[["norm", 0, 0, {}]]]),
        entry("Add", "sum", {}, [[["back", 0, 0, {}], ["in", 0, 0, {}]]]),
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["sum", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "m", "layers": layers, **ends}}


@pytest.mark.parametrize("pieces", [False, True])
def test_a_graph_of_keras_2(tmp_path: Path, pieces: bool) -> None:
    source = Sequential([Input((4, 4, 1)), DepthwiseConv2D(2, depth_multiplier=2), BatchNormalization()])
    source.add(Conv2DTranspose(1, 2))
    source.set_weights([np.abs(RNG.normal(size=w.shape)).astype("float32") for w in source.weights])
    order = ["depthwise_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias"]
    values = dict(enumerate(source.get_weights()))
    groups = {"in": {}, "depth": [0, 1], "norm": [2, 3, 4, 5], "back": [6, 7], "sum": {}}
    layers = {name: {order[i]: values[i] for i in numbers} for name, numbers in groups.items()}
    path = keras_2_file(tmp_path / "m.hdf5", graph_config(), layers, pieces=pieces)
    model = neocog.models.load_model(path)
    x = RNG.normal(size=(2, 4, 4, 1)).astype("float32")
    np.testing.assert_allclose(
        model.predict(x, verbose=0), source.predict(x, verbose=0) + x, rtol=1e-4, atol=1e-5
    )
    assert not model.compiled


def two_dense(first: str, second: str, units: int = 3) -> Sequential:
    return Sequential([Input((4,)), Dense(2, name=first), Flatten(), Dense(units, name=second)])


def test_weights_in_order_and_by_name(tmp_path: Path) -> None:
    source = two_dense("one", "two")
    source.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        first = file.attrs["layer_names"][0]
        assert (first if isinstance(first, str) else first.decode()) == "one"
        assert "neocog_version" in file.attrs
    renamed = two_dense("uno", "due")
    renamed.load_weights(tmp_path / "w.h5")
    for got, want in zip(renamed.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    partly = two_dense("one", "other")
    before = partly.get_weights()
    partly.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(partly.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(partly.get_weights()[2], before[2])


def test_a_mismatch_is_refused_or_skipped(tmp_path: Path) -> None:
    source = two_dense("one", "two")
    source.save_weights(tmp_path / "w.h5")
    wider = two_dense("one", "two", units=5)
    before = wider.get_weights()
    with pytest.raises(ShapeError, match=r'layer "two": expected weights of shapes'):
        wider.load_weights(tmp_path / "w.h5")
    assert all(np.array_equal(a, b) for a, b in zip(before, wider.get_weights(), strict=True))
    with pytest.warns(UserWarning, match="keep their weights"):
        wider.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(wider.get_weights()[0], source.get_weights()[0])
    source.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ArgumentError, match="by_name"):
        wider.load_weights(tmp_path / "w.weights.h5", by_name=True)


def test_layer_names_longer_than_an_attribute(tmp_path: Path) -> None:
    layers = [Dense(2, name=f"layer_{number}_{'x' * 200}") for number in range(350)]
    model = Sequential([Input((2,)), *layers])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert "layer_names1" in file["model_weights"].attrs
    again = neocog.models.load_model(tmp_path / "m.h5")
    assert len(again.layers) == 350


def test_without_the_optimizer(tmp_path: Path) -> None:
    model = two_dense("one", "two")
    model.compile("adam", "mse")
    model.save(tmp_path / "m.h5", include_optimizer=False)
    with h5py.File(tmp_path / "m.h5") as file:
        assert "optimizer_weights" not in file
    assert not neocog.models.load_model(tmp_path / "m.h5").compiled

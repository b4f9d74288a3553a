"""Architectures against Keras's: names, order and shapes of weights, numbers of values, predictions."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import torch

from neocog import applications
from neocog.core import reset_names
from neocog.layers import _weight_owner

# Values in all weights, as Keras publishes them.
COUNTS = {
    "VGG16": 138_357_544,
    "VGG19": 143_667_240,
    "ResNet50": 25_636_712,
    "ResNet101": 44_707_176,
    "ResNet152": 60_419_944,
    "ResNet50V2": 25_613_800,
    "ResNet101V2": 44_675_560,
    "ResNet152V2": 60_380_648,
    "InceptionV3": 23_851_784,
    "Xception": 22_910_480,
    "MobileNet": 4_253_864,
    "MobileNetV2": 3_538_984,
    "MobileNetV3Small": 2_554_968,
    "MobileNetV3Large": 5_507_432,
    "DenseNet121": 8_062_504,
    "DenseNet169": 14_307_880,
    "DenseNet201": 20_242_984,
    "EfficientNetB0": 5_330_571,
    "EfficientNetB1": 7_856_239,
    "EfficientNetB2": 9_177_569,
    "EfficientNetB3": 12_320_535,
    "EfficientNetB4": 19_466_823,
    "EfficientNetB5": 30_562_527,
    "EfficientNetB6": 43_265_143,
    "EfficientNetB7": 66_658_687,
    "InceptionResNetV2": 55_873_736,
    "NASNetMobile": 5_326_716,
    "NASNetLarge": 88_949_818,
}
# name -> smallest size that is quick and allowed
FAMILIES = {
    "VGG16": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "InceptionV3": 75,
    "Xception": 71,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "MobileNetV3Large": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "InceptionResNetV2": 75,
    "NASNetMobile": 32,
}
# models without classifier: how they end
HEADLESS = {"VGG16": None, "MobileNet": "max", "MobileNetV3Small": "avg", "EfficientNetB0": "max"}


@pytest.fixture
def no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make weights without values: a network of a gigabyte costs nothing."""

    def empty(where: str, name: str, shape: Any, initializer: Any, dtype: Any) -> torch.Tensor:
        return torch.empty(tuple(shape or ()), device="meta")

    monkeypatch.setattr(_weight_owner, "initial_values", empty)


@pytest.fixture
def fresh_names() -> Iterator[None]:
    """Let both libraries count the names of layers from the start."""
    keras.backend.clear_session()
    reset_names()
    yield
    keras.backend.clear_session()


def make(name: str, library: Any = applications, **arguments: Any) -> Any:
    if name == "NASNetMobile" and library is keras.applications:  # itself it refuses the torch backend
        forms = {"penultimate_filters": 1056, "num_blocks": 4, "stem_block_filters": 32, "default_size": 224}
        build = keras.src.applications.nasnet.NASNet
        return build(weights=None, skip_reduction=False, name="nasnet_mobile", **forms, **arguments)
    return getattr(library, name)(weights=None, **arguments)


def described(model: Any) -> tuple[list[Any], list[Any]]:
    weights = [(weight.name, tuple(weight.shape)) for weight in model.weights]
    return weights, [(type(layer).__name__, layer.name) for layer in model.layers]


def give_same_weights(ours: Any, theirs: Any, seed: int = 0) -> None:
    """Draw weights that keep the sizes of what passes, so that a difference in any layer shows."""
    rng = np.random.default_rng(seed)
    values = []
    for weight in theirs.weights:
        value = rng.normal(size=tuple(weight.shape)).astype("float32")
        if value.ndim > 1:
            value /= np.sqrt(np.prod(value.shape[:-1]))
        elif "variance" in weight.name:
            value = np.abs(value) + 0.5
        else:
            value = 0.1 * value + ("gamma" in weight.name)
        values.append(
            value.astype(weight.dtype) if str(weight.dtype) == "float32" else np.zeros((), weight.dtype)
        )
    theirs.set_weights(values)
    ours.set_weights(values)


def assert_same_predictions(ours: Any, theirs: Any, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(1).uniform(0, 255, (2, *shape)).astype("float32")
    with torch.no_grad():
        got = ours(torch.from_numpy(images)).numpy()
        want = theirs(torch.from_numpy(images), training=False).detach().numpy()
    assert got.shape == want.shape
    scale = float(np.abs(want).max())
    assert scale > 0
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.usefixtures("no_values")
@pytest.mark.parametrize("name", COUNTS)
def test_number_of_values(name: str) -> None:
    model = make(name)
    assert model.count_params() == COUNTS[name]
    assert model.output_shape == (None, 1000)
    assert len({layer.name for layer in model.layers}) == len(model.layers)


def test_every_function_is_counted() -> None:
    functions = {name for name in applications.__all__ if callable(getattr(applications, name))}
    assert functions == set(COUNTS)


@pytest.mark.usefixtures("no_values", "fresh_names")
@pytest.mark.parametrize("name", ["VGG19", "ResNet101", "NASNetLarge"])
def test_deeper_forms_are_those_of_keras(name: str) -> None:
    with keras.device("meta"):
        theirs = make(name, keras.applications)
    assert described(make(name)) == described(theirs)


@pytest.mark.usefixtures("fresh_names")
@pytest.mark.parametrize("name", FAMILIES)
def test_layers_weights_and_predictions_are_those_of_keras(name: str) -> None:
    shape = (FAMILIES[name], FAMILIES[name], 3)
    arguments = {"input_shape": shape, "classes": 7}
    ours, theirs = make(name, **arguments), make(name, keras.applications, **arguments)
    assert described(ours) == described(theirs)
    assert ours.name == theirs.name
    give_same_weights(ours, theirs)
    assert_same_predictions(ours, theirs, shape)


@pytest.mark.parametrize("name", HEADLESS)
def test_features_are_those_of_keras(name: str) -> None:
    arguments = {"input_shape": (32, 40, 3), "include_top": False, "pooling": HEADLESS[name]}
    ours, theirs = make(name, **arguments), make(name, keras.applications, **arguments)
    give_same_weights(ours, theirs)
    assert_same_predictions(ours, theirs, (32, 40, 3))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MobileNet", {"alpha": 0.5, "depth_multiplier": 2, "dropout": 0.1}),
        ("MobileNetV2", {"alpha": 1.3}),
        ("MobileNetV3Small", {"alpha": 0.75, "include_preprocessing": False}),
        ("MobileNetV3Small", {"minimalistic": True, "dropout_rate": 0.0}),
        ("MobileNetV3Small", {"alpha": 1.25, "minimalistic": True}),
    ],
)
def test_forms_of_the_mobile_networks(name: str, arguments: dict[str, Any]) -> None:
    arguments = {"input_shape": (33, 47, 3), "classes": 5, "classifier_activation": None, **arguments}
    ours, theirs = make(name, **arguments), make(name, keras.applications, **arguments)
    assert ours.name == theirs.name
    give_same_weights(ours, theirs)
    assert_same_predictions(ours, theirs, (33, 47, 3))


def test_other_weights_are_seen() -> None:
    arguments = {"input_shape": (32, 32, 3), "include_top": False}
    ours, theirs = make("MobileNet", **arguments), make("MobileNet", keras.applications, **arguments)
    give_same_weights(ours, theirs)
    ours.weights[-1].assign(2 * ours.weights[-1].numpy())
    with pytest.raises(AssertionError):
        assert_same_predictions(ours, theirs, (32, 32, 3))

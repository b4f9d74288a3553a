"""Test-time augmentation: the mean over passes, seeded, the same whatever the batch size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError

RNG = np.random.default_rng(3)
X = RNG.random((11, 8, 8, 3), "float32") * 255
Y = RNG.integers(0, 4, 11)


def classifier(*row: Any, activation: str | None = "softmax") -> Any:
    keras.utils.set_random_seed(1)
    head = [layers.Flatten(), layers.Dropout(0.5), layers.BatchNormalization(), layers.Dense(4, activation)]
    model = keras.Sequential([keras.Input((8, 8, 3)), *row, layers.Rescaling(1 / 255), *head])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


ROWS = {
    "warps": lambda: [layers.RandomFlip("horizontal"), layers.RandomRotation(0.2), layers.RandomZoom(0.2)],
    "colours": lambda: [layers.RandomContrast(0.5), layers.RandomColorJitter((0, 255), 0.3, 0.3, 0.3, 0.2)],
    "noise": lambda: [layers.RandomErasing(), layers.RandomElasticTransform(), layers.RandomGaussianBlur()],
    "RandAugment": lambda: [layers.RandAugment()],
    "AugMix": lambda: [layers.AugMix()],
    "nested": lambda: [keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1, seed=4)])],
    "pipeline": lambda: [layers.Pipeline([layers.RandomFlip(), layers.RandomTranslation(0.2, 0.2)])],
    "seeded": lambda: [layers.RandomCrop(8, 8), layers.RandomPCALighting(2.0, seed=5)],
}


@pytest.mark.parametrize("name", ROWS)
def test_does_not_depend_on_the_batch_size_or_on_the_generator(name: str) -> None:
    model = classifier(*ROWS[name]())
    plain = model.predict(X, verbose=0)
    found = model.predict(X, tta=3, verbose=0)
    torch.rand(5)
    for size in (1, 4, 7):
        np.testing.assert_allclose(model.predict(X, batch_size=size, tta=3, verbose=0), found, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X, tta=3, verbose=0), found)
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-5)
    assert np.abs(found - plain).max() > 1e-3
    assert np.abs(model.predict(X, tta=4, verbose=0) - found).max() > 1e-4
    np.testing.assert_array_equal(model.predict(X, verbose=0), plain)  # nothing stays switched on
    assert not any(module.training for module in model.modules())


def test_samples_differ_and_places_count() -> None:
    model = classifier(*ROWS["warps"]())
    same = np.repeat(X[:1], 6, 0)
    found = model.predict(same, tta=2, verbose=0)
    assert len(np.unique(found.round(6), axis=0)) == 6


def test_is_the_mean_of_the_passes() -> None:
    model = classifier(layers.RandomRotation((0.5, 0.5)))  # every draw is the same half turn
    turned = X[:, ::-1, ::-1].copy()
    plain, other = (model.predict(x, verbose=0).astype("float64") for x in (X, turned))
    np.testing.assert_allclose(model.predict(X, tta=4, verbose=0), (plain + 3 * other) / 4, atol=1e-4)
    np.testing.assert_array_equal(model.predict(X, tta=1, verbose=0), plain.astype("float32"))


@pytest.mark.parametrize("passes", [2, 5])
def test_without_augmentations_it_mirrors(passes: int) -> None:
    model = classifier()
    mirrored = model.predict(X[:, :, ::-1].copy(), verbose=0)
    expected = (model.predict(X, verbose=0) + mirrored) / 2
    np.testing.assert_allclose(model.predict(X, tta=passes, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        lambda: layers.RandomRotation((0.5, 0.5)),
        lambda: [layers.RandomRotation((0.25, 0.25)), layers.RandomRotation((0.25, 0.25))],
        lambda: layers.Pipeline([layers.RandomRotation((0.5, 0.5))]),
        lambda: keras.Sequential([layers.RandomRotation((0.5, 0.5))]),
    ],
)
def test_layers_of_ones_own(given: Any) -> None:
    model = classifier(layers.RandomContrast(0.9))  # stays off
    turned = model.predict(X[:, ::-1, ::-1].copy(), verbose=0)
    plain = model.predict(X, verbose=0)
    np.testing.assert_allclose(
        model.predict(X, tta=(3, given()), verbose=0), (plain + 2 * turned) / 3, atol=1e-4
    )
    np.testing.assert_allclose(model.predict(X, tta=given(), verbose=0), (plain + 7 * turned) / 8, atol=1e-4)
    bytes_in = X.astype("uint8")
    assert model.predict(bytes_in, tta=given(), verbose=0).shape == (11, 4)


def test_logits_stay_logits() -> None:
    model = classifier(activation=None)
    mirrored = model.predict(X[:, :, ::-1].copy(), verbose=0)
    expected = (model.predict(X, verbose=0) + mirrored) / 2
    np.testing.assert_allclose(model.predict(X, tta=2, verbose=0), expected, atol=1e-5)


def test_evaluate_measures_the_mean() -> None:
    model = classifier(*ROWS["warps"]())
    chances = model.predict(X, tta=5, verbose=0).astype("float64")
    logs = model.evaluate(X, Y, tta=5, verbose=0, return_dict=True, batch_size=4)
    assert logs["accuracy"] == pytest.approx((chances.argmax(1) == Y).mean())
    assert logs["loss"] == pytest.approx(-np.log(chances[np.arange(11), Y]).mean(), abs=1e-5)
    plain = model.evaluate(X, Y, verbose=0)
    assert plain[0] != pytest.approx(logs["loss"])
    np.testing.assert_array_equal(model.evaluate(X, Y, verbose=0), plain)


def test_several_outputs_are_averaged_each() -> None:
    x = keras.Input((8, 8, 3))
    flat = layers.Flatten()(layers.RandomFlip()(x))
    model = keras.Model(x, {"a": layers.Dense(2, "softmax")(flat), "b": layers.Dense(1)(flat)})
    found = model.predict(X, tta=3, verbose=0)
    assert set(found) == {"a", "b"}
    np.testing.assert_allclose(found["a"].sum(1), 1.0, atol=1e-5)
    many = model.predict(X, tta=3, verbose=0, batch_size=2)
    np.testing.assert_allclose(many["b"], found["b"], rtol=1e-4)


def test_a_subclass_mirrors() -> None:
    class Mine(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.flip, self.dense = layers.RandomFlip(), layers.Dense(2)

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return self.dense(self.flip(inputs, training=training).flatten(1))

    model = Mine()
    plain = model.predict(X, verbose=0)
    expected = (plain + model.predict(X[:, :, ::-1].copy(), verbose=0)) / 2
    np.testing.assert_allclose(model.predict(X, tta=2, verbose=0), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("tta", "error"),
    [
        (0, ArgumentError),
        (-2, ArgumentError),
        (True, ArgumentTypeError),
        (2.5, ArgumentTypeError),
        ("flip", ArgumentTypeError),
        ([], ArgumentTypeError),
        ((0, layers.RandomFlip()), ArgumentError),
        ([layers.RandomFlip(), 3], ArgumentTypeError),
        (layers.MixUp(), ArgumentError),
        ([layers.Pipeline([layers.CutMix()])], ArgumentError),
    ],
)
def test_refused(tta: Any, error: type[Exception]) -> None:
    model = classifier()
    with pytest.raises(error, match="tta"):
        model.predict(X, tta=tta, verbose=0)
    with pytest.raises(error, match="tta"):
        model.evaluate(X, Y, tta=tta, verbose=0)


def test_refused_models() -> None:
    pictures = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(1, 1)])
    with pytest.raises(ShapeError, match="outputs that are numbers for each sample"):
        pictures.predict(X, tta=2, verbose=0)
    vectors = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(ShapeError, match="one input of images"):
        vectors.predict(np.zeros((2, 3), "float32"), tta=2, verbose=0)

    class Own(keras.Sequential):  # type: ignore[misc]
        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data)

    own = Own([keras.Input((8, 8, 3)), layers.Flatten()])
    with pytest.raises(ArgumentError, match="predict_step of its own"):
        own.predict(X, tta=2, verbose=0)
    assert own.predict(X, verbose=0).shape == (11, 192)

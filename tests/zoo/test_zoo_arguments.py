"""What architectures are asked for, and what they say of what they cannot give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers, zoo
from neocog.core import set_image_data_format

SMALL: dict[str, dict[str, Any]] = {
    "squeezenet1_1": {"input_shape": (32, 32, 3)},
    "resnet18": {"width": 4, "stem": "small", "input_shape": (16, 16, 3)},
    "resnet20": {"width": 4, "input_shape": (16, 16, 3)},
    "vgg11_bn": {"hidden": 8, "input_shape": (32, 32, 3)},
    "alexnet": {"hidden": 8, "input_shape": (63, 63, 3)},
    "alexnet_two_towers": {"hidden": 8, "input_shape": (67, 67, 3)},
    "googlenet": {"input_shape": (32, 32, 3)},
    "mobilenet_v2": {"alpha": 0.35, "input_shape": (32, 32, 3)},
    "lenet5": {},
    "lenet5_modern": {},
    "lenet5_tanh": {"input_shape": (28, 28, 1)},
    "mnist_cnn": {},
    "fashion_cnn": {},
    "cats_and_dogs_cnn": {"input_shape": (64, 64, 3), "classes": 3},
}


def images(model: Any, batch: int = 3) -> np.ndarray[Any, Any]:
    shape = (batch, *model.input_shape[1:])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("name", SMALL)
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    model = zoo.build(name, **SMALL[name])
    expected = model.predict(images(model), verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(images(model), verbose=0), expected)
    model.save_weights(tmp_path / "m.weights.h5")
    other = zoo.build(name, **SMALL[name], weights=str(tmp_path / "m.weights.h5"))
    np.testing.assert_array_equal(other.predict(images(model), verbose=0), expected)


@pytest.mark.parametrize("name", [name for name in SMALL if name not in ("vgg11_bn", "googlenet")])
def test_trains(name: str) -> None:
    model = zoo.build(name, **{**SMALL[name], "classes": 3})
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(images(model, 4), np.array([0, 1, 2, 1]), epochs=1, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "alexnet", "lenet5", "mnist_cnn"])
def test_without_classifier(name: str) -> None:
    options = {**SMALL[name], "include_top": False}
    maps = zoo.build(name, **options)
    assert len(maps.output_shape) == 4
    x = images(maps)
    features = maps.predict(x, verbose=0)
    for pooling, pooled in (("avg", features.mean((1, 2))), ("max", features.max((1, 2)))):
        model = zoo.build(name, pooling=pooling, **options)
        model.set_weights(maps.get_weights())
        np.testing.assert_allclose(model.predict(x, verbose=0), pooled, rtol=1e-4, atol=1e-5)


def test_without_classifier_images_may_have_any_size() -> None:
    model = zoo.resnet18(include_top=False, width=4)
    assert model.input_shape == (None, None, None, 3)
    for size, left in ((64, 2), (45, 2), (33, 2), (32, 1)):
        assert model.predict(np.zeros((1, size, size, 3), "float32"), verbose=0).shape == (1, left, left, 32)


def test_one_output_gets_a_sigmoid_and_several_softmax() -> None:
    for name, options in (("cats_and_dogs_cnn", {}), ("text_cnn", {"vocabulary": 9})):
        for arguments, want in (
            ({"classes": 1}, "sigmoid"),
            ({"classes": 3}, "softmax"),
            ({"classes": 3, "classifier_activation": None}, "linear"),
        ):
            assert zoo.build(name, **options, **arguments).layers[-1].activation.__name__ == want


def test_starts_from_a_tensor() -> None:
    image = layers.Input((40, 40, 3), name="photo")
    model = zoo.squeezenet1_1(input_tensor=layers.Rescaling(1 / 255)(image), classes=4)
    assert model.inputs[0].name == "photo"
    assert model.output_shape == (None, 4)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("resnet18", {"input_shape": (32, 32)}, "three sizes"),
        ("resnet18", {"classes": 0}, "classes"),
        ("resnet18", {"pooling": "mean"}, "pooling"),
        ("resnet18", {"width": 0}, "width"),
        ("resnet18", {"stem": "large"}, "stem"),
        ("resnet18", {"weights": "nowhere.pth"}, "nowhere.pth"),
        ("squeezenet1_0", {"input_shape": (20, 20, 3)}, "21×21"),
        ("vgg16", {"input_shape": (31, 31, 3)}, "32×32"),
        ("alexnet_one_tower", {"input_shape": (66, 227, 3)}, "67×67"),
        ("lenet5", {"input_shape": (28, 28, 1)}, "32×32"),
        ("googlenet", {"aux": True, "include_top": False}, "include_top"),
        ("mobilenet_v2", {"alpha": 0}, "alpha"),
        ("text_cnn", {"widths": ()}, "widths"),
        ("text_cnn", {"widths": (3, 3)}, "widths"),
        ("text_cnn", {"length": 4}, "length"),
        ("text_cnn", {"vocabulary": 0}, "vocabulary"),
    ],
)
def test_errors_in_words(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        zoo.build(name, **arguments)


@pytest.mark.parametrize("name", ["squeezenet1_1", "alexnet", "googlenet", "alexnet_two_towers"])
def test_smallest_size_works(name: str) -> None:
    least = {"squeezenet1_1": 17, "alexnet": 63, "googlenet": 32, "alexnet_two_towers": 67}[name]
    options: dict[str, Any] = {"hidden": 4} if "alexnet" in name else {}
    model = zoo.build(name, input_shape=(least, least, 3), classes=2, **options)
    assert np.isfinite(model.predict(images(model), verbose=0)).all()
    with pytest.raises(ValueError, match=f"{least}×{least}"):
        zoo.build(name, input_shape=(least - 1, least, 3), classes=2)


def test_channels_first() -> None:
    expected, values, x = {}, {}, np.random.default_rng(0).normal(size=(2, 67, 67, 3)).astype("float32")
    cases = {"resnet20": {}, "alexnet": {"hidden": 4}, "googlenet": {"classes": 4}}
    for name, options in cases.items():
        model = zoo.build(name, input_shape=(67, 67, 3), **options)
        expected[name], values[name] = model.predict(x, verbose=0), model.get_weights()
    set_image_data_format("channels_first")
    try:
        assert zoo.lenet5(include_top=False).input_shape in ((None, None, None, 1), (None, 1, 32, 32))
        for name, options in cases.items():
            model = zoo.build(name, input_shape=(3, 67, 67), **options)
            model.set_weights(values[name])
            got = model.predict(np.moveaxis(x, 3, 1), verbose=0)
            np.testing.assert_allclose(got, expected[name], rtol=1e-4, atol=1e-5)
    finally:
        set_image_data_format("channels_last")


def test_auxiliary_heads_train() -> None:
    model = zoo.googlenet(aux=True, input_shape=(32, 32, 3), classes=3)
    model.compile("sgd", ["sparse_categorical_crossentropy"] * 3, loss_weights=[1, 0.3, 0.3])
    labels = np.array([0, 1, 2, 1])
    before = model.get_layer("loss1_classifier").get_weights()[0].copy()
    history = model.fit(images(model, 4), [labels] * 3, epochs=1, batch_size=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert (model.get_layer("loss1_classifier").get_weights()[0] != before).any()
    small = zoo.without_aux(model)
    np.testing.assert_array_equal(
        small.predict(images(model), verbose=0), model.predict(images(model), verbose=0)[0]
    )


def test_lenet_learns_its_codes() -> None:
    """Distances to the drawn digits and cross-entropy are the paper's loss: they go down."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    patterns = rng.normal(size=(10, 32, 32, 1)).astype("float32")
    x = patterns[labels] + 0.1 * rng.normal(size=(40, 32, 32, 1)).astype("float32")
    model = zoo.lenet5()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = model.fit(x, labels, epochs=25, batch_size=20, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]
    assert model.evaluate(x, labels, verbose=0)[1] > 0.9


def test_text_cnn_on_numbers_and_on_strings(tmp_path: Path) -> None:
    numbers = layers.TextVectorization(max_tokens=50, output_sequence_length=8)
    texts = np.array(["good film that I like", "bad film that I hate"] * 4, dtype=object)
    numbers.adapt(texts)
    model = zoo.text_cnn(numbers, 1, dimensions=8, filters=4, embedding_dropout=0.1)
    model.compile("adam", "binary_crossentropy")
    model.fit(texts, np.array([1, 0] * 4), epochs=1, verbose=0)
    assert model.predict(texts, verbose=0).shape == (8, 1)
    plain = zoo.build("text_cnn", vocabulary=30, dimensions=6, filters=3, widths=(2, 3))
    plain.save(tmp_path / "t.keras")
    again = keras.models.load_model(tmp_path / "t.keras")
    for length in (3, 11):
        x = np.random.default_rng(0).integers(0, 30, (2, length))
        np.testing.assert_array_equal(again.predict(x, verbose=0), plain.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("resnet18", [(255 / 255 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]),
        ("lenet5", [1.175, -0.1, -0.1]),
        ("mnist_cnn", [1.0, 0.0, 0.0]),
        ("alexnet_one_tower", [-103.939, -116.779, 255 - 123.68]),
        ("Xception", [1.0, -1.0, -1.0]),
        ("EfficientNetB0", [255.0, 0.0, 0.0]),
    ],
)
def test_preprocessing(name: str, want: list[float]) -> None:
    red = np.array([[[[255, 0, 0]]]], dtype="uint8")
    for x in (red, torch.from_numpy(red)):
        got = zoo.preprocess_input(x, name)
        np.testing.assert_allclose(np.asarray(got).ravel(), want, rtol=1e-5, atol=1e-5)
    assert red.ravel().tolist() == [255, 0, 0]
    with pytest.raises(ValueError, match="for images"):
        zoo.preprocess_input(red, "text_cnn")

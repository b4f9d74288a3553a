"""Images prepared as Keras prepares them, and the names of classes."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import applications, layers
from neocog.applications import _predictions, imagenet_utils
from neocog.exceptions import ArgumentError, DataError, DownloadError, FileFormatError, ShapeError

RNG = np.random.default_rng(2)
MODULES = [name for name in applications.__all__ if hasattr(getattr(applications, name), "preprocess_input")]


@pytest.mark.parametrize("shape", [(2, 3, 5, 3), (3, 5, 3), (2, 3, 4, 3)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocess_input(mode: str, data_format: str, shape: tuple[int, ...]) -> None:
    images = RNG.uniform(0, 255, shape).astype("float32")
    if data_format == "channels_first":
        images = np.moveaxis(images, -1, -3).copy()
    kept = images.copy()
    theirs = keras.applications.imagenet_utils.preprocess_input(images.copy(), data_format, mode)
    options = {"data_format": data_format, "mode": mode}
    ours = imagenet_utils.preprocess_input(images, **options)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(images, kept)
    tensor = imagenet_utils.preprocess_input(torch.from_numpy(images), **options)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), theirs, rtol=1e-5, atol=1e-5)
    whole = images.astype("uint8")
    from_whole = imagenet_utils.preprocess_input(torch.from_numpy(whole), **options)
    expected = imagenet_utils.preprocess_input(whole, **options)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(from_whole.numpy(), expected, rtol=1e-5, atol=1e-5)
    if len(shape) == 4:
        symbol = layers.Input(shape[1:] if data_format == "channels_last" else images.shape[1:])
        model = neocog.Model(symbol, imagenet_utils.preprocess_input(symbol, **options))
        np.testing.assert_allclose(model(images).numpy(), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MODULES)
def test_each_family_prepares_as_in_keras(name: str) -> None:
    images = RNG.uniform(0, 255, (1, 2, 2, 3)).astype("float32")
    ours = getattr(applications, name).preprocess_input(images)
    theirs = getattr(keras.applications, name).preprocess_input(images.copy())
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_prepared_inside_a_model_goes_to_files(tmp_path: Path) -> None:
    symbol = layers.Input((4, 4, 3))
    x = applications.xception.preprocess_input(symbol)
    model = neocog.Model(symbol, layers.Flatten()(applications.vgg16.preprocess_input(127.5 * (x + 1.0))))
    images = RNG.uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    expected = model.predict(images, verbose=0)
    model.save(tmp_path / "m.keras")
    again = neocog.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(images, verbose=0), expected, rtol=1e-5)
    theirs = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(theirs(torch.from_numpy(images)).numpy(), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: imagenet_utils.preprocess_input(np.ones((1, 2, 2, 3)), mode="pil"), "mode"),
        (lambda: imagenet_utils.preprocess_input(np.ones((1, 2, 2, 1))), "3 channels"),
        (lambda: imagenet_utils.preprocess_input(np.ones((2, 3))), "3 channels"),
        (lambda: imagenet_utils.preprocess_input(np.ones((1, 2, 2, 3)), "channels_middle"), "data_format"),
    ],
)
def test_preprocess_refuses(call: Any, text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        call()


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path))
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path / "data"))
    path = tmp_path / "models" / "imagenet_class_index.json"
    path.parent.mkdir()
    path.write_text(json.dumps({str(i): [f"n{i:08d}", f"thing_{i}"] for i in range(1000)}))
    _predictions._classes.cache_clear()
    return path


def test_decode_predictions(names: Path) -> None:
    scores = np.zeros((2, 1000), "float32")
    scores[0, [3, 999, 7]] = 0.2, 0.5, 0.3
    scores[1, 12] = 1.0
    decoded = applications.resnet50.decode_predictions(scores, top=3)
    assert [item[:2] for item in decoded[0]] == [
        ("n00000999", "thing_999"),
        ("n00000007", "thing_7"),
        ("n00000003", "thing_3"),
    ]
    assert decoded[0][0][2] == np.float32(0.5)
    assert decoded[1][0][1] == "thing_12"
    assert len(imagenet_utils.decode_predictions(torch.from_numpy(scores))[0]) == 5
    assert len(imagenet_utils.decode_predictions(scores, top=2000)[0]) == 1000


def test_names_beside_the_data_sets(names: Path, tmp_path: Path) -> None:
    target = tmp_path / "data" / "weights" / names.name
    target.parent.mkdir(parents=True)
    names.rename(target)
    assert _predictions.class_index_file() == target


def test_decode_refuses(names: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ShapeError, match="1000"):
        imagenet_utils.decode_predictions(np.ones((2, 10)))
    with pytest.raises(ShapeError, match="1000"):
        imagenet_utils.decode_predictions(np.ones(1000))
    with pytest.raises(ArgumentError, match="top"):
        imagenet_utils.decode_predictions(np.ones((1, 1000)), top=0)
    with pytest.raises(DataError, match="NaN"):
        imagenet_utils.decode_predictions(np.full((1, 1000), np.nan))
    for text in ("{", '{"0": ["n0", "a"]}', json.dumps({str(i): [1, 2] for i in range(1000)}), "[" * 5000):
        names.write_text(text)
        _predictions._classes.cache_clear()
        with pytest.raises(FileFormatError, match="imagenet_class_index"):
            imagenet_utils.decode_predictions(np.ones((1, 1000)))
    names.unlink()
    monkeypatch.setattr(_predictions, "URL", "http://127.0.0.1:9/imagenet_class_index.json")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError, match=r"Check the connection.* Without one: put imagenet_class_index"):
        imagenet_utils.decode_predictions(np.ones((1, 1000)))

"""What applications take and refuse; weights from files and from the web."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import hashlib
import inspect
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import applications, layers
from neocog.applications._weights import WeightFile, WeightFiles, fetch
from neocog.exceptions import ArgumentError, ArgumentTypeError, DownloadError, NeocogError

FUNCTIONS = [name for name in applications.__all__ if callable(getattr(applications, name))]
SMALL = {"weights": None, "include_top": False, "input_shape": (32, 32, 3), "alpha": 0.25}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature_is_that_of_keras(name: str) -> None:
    ours = inspect.signature(getattr(applications, name)).parameters
    theirs = inspect.signature(getattr(keras.applications, name)).parameters
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]
    text = inspect.getdoc(getattr(applications, name)) or ""
    assert all(f"\n    {argument}: " in text for argument in ours), "an argument without a line"
    assert getattr(applications, name).__name__ == name


def test_modules_are_those_of_keras() -> None:
    for name in applications.__all__:
        ours, theirs = getattr(applications, name), getattr(keras.applications, name)
        if inspect.ismodule(ours):
            assert set(ours.__all__) == {key for key in dir(theirs) if not key.startswith("_")}, name


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("VGG16", {"weights": "cifar"}, '"imagenet", or the path'),
        ("VGG16", {"weights": 3}, "weights"),
        ("VGG16", {"weights": "imagenet", "classes": 10}, "classes=1000"),
        ("ResNet50", {"weights": "imagenet", "classifier_activation": "sigmoid"}, "softmax"),
        ("ResNet50", {"weights": "imagenet", "input_shape": (64, 64, 3)}, r"\(224, 224, 3\)"),
        ("ResNet50", {"weights": "imagenet", "include_top": False, "input_shape": (64, 64, 1)}, "3 channels"),
        ("ResNet50", {"weights": None, "input_shape": (31, 64, 3)}, "32×32"),
        ("InceptionV3", {"weights": None, "input_shape": (74, 75, 3)}, "75×75"),
        ("Xception", {"weights": None, "input_shape": (70, 71, 3)}, "71×71"),
        ("MobileNetV3Small", {"weights": None, "input_shape": (31, 31, 3)}, "32×32"),
        ("VGG16", {"weights": None, "input_shape": (None, None, 3)}, "known input_shape"),
        ("VGG16", {"weights": None, "input_shape": (64, 64)}, "three sizes"),
        ("VGG16", {"weights": None, "input_shape": 64}, "three sizes"),
        ("VGG16", {"weights": None, "pooling": "mean"}, "pooling"),
        ("VGG16", {"weights": None, "classes": 0}, "classes"),
        ("MobileNet", {"weights": "imagenet", "alpha": 0.3}, "alpha"),
        ("MobileNet", {"weights": "imagenet", "depth_multiplier": 2}, "depth_multiplier"),
        ("MobileNetV2", {"weights": "imagenet", "alpha": 0.6}, "alpha"),
        ("MobileNetV3Large", {"weights": "imagenet", "alpha": 0.5}, "alpha"),
        ("MobileNetV2", {"weights": None, "alpha": 0}, "alpha"),
    ],
)
def test_refuses(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}: .*{text}"):
        getattr(applications, name)(**arguments)


def test_input_tensor() -> None:
    image = layers.Input((40, 40, 1))
    three = layers.Concatenate()([image, image, image])
    model = applications.MobileNet(
        alpha=0.25, weights=None, include_top=False, pooling="avg", input_tensor=three
    )
    assert model.input_shape == (None, 40, 40, 1)
    assert model(torch.rand(2, 40, 40, 1)).shape == (2, 256)
    with pytest.raises(ArgumentTypeError, match="input_tensor"):
        applications.MobileNet(weights=None, input_tensor=torch.rand(1, 32, 32, 3))
    with pytest.raises(ArgumentError, match="same size"):
        applications.MobileNetV2(
            weights=None, input_tensor=layers.Input((64, 64, 3)), input_shape=(32, 32, 3)
        )


def test_images_of_any_size_and_odd_channels() -> None:
    model = applications.MobileNetV2(alpha=0.35, weights=None, include_top=False)
    assert model.input_shape == (None, None, None, 3)
    assert model(torch.rand(1, 64, 96, 3)).shape == (1, 2, 3, 1280)
    with pytest.warns(UserWarning, match="1 or 3 channels"):
        model = applications.MobileNet(**{**SMALL, "input_shape": (32, 32, 4)})
    assert model(torch.rand(1, 32, 32, 4)).shape == (1, 1, 1, 256)


@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small"])
def test_channels_first(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    last = getattr(applications, name)(weights=None, classes=3, input_shape=(32, 32, 3))
    from neocog import core

    before = core.image_data_format()
    core.set_image_data_format("channels_first")
    try:
        first = getattr(applications, name)(weights=None, classes=3, input_shape=(3, 32, 32))
    finally:
        core.set_image_data_format(before)
    first.set_weights(last.get_weights())
    images = torch.rand(2, 32, 32, 3)
    torch.testing.assert_close(first(images.permute(0, 3, 1, 2)), last(images), rtol=1e-4, atol=1e-5)


def test_keras_reads_a_saved_application_and_it_trains(tmp_path: Path) -> None:
    base = applications.MobileNetV3Small(
        weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3)
    )
    base.trainable = False
    model = neocog.Sequential([base, layers.Dense(2)])
    images = torch.rand(4, 32, 32, 3) * 255
    expected = model.predict(images, verbose=0)
    model.save(tmp_path / "m.keras")
    again = neocog.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-5)
    theirs = keras.models.load_model(tmp_path / "m.keras")
    with torch.no_grad():
        got = theirs(images, training=False).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    frozen = base.get_weights()
    model.compile("sgd", "mse")
    model.fit(images, torch.ones(4, 2), verbose=0)
    for a, b in zip(frozen, base.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- weights from files and from the web --------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:__array__", "ignore:You are saving")
@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_weights_by_path(suffix: str, tmp_path: Path) -> None:
    theirs = keras.applications.MobileNet(**SMALL)
    path = tmp_path / f"mobile{suffix}"
    theirs.save_weights(path) if suffix == ".weights.h5" else theirs.save(path)
    ours = applications.MobileNet(**{**SMALL, "weights": str(path)})
    for a, b in zip(ours.get_weights(), theirs.weights, strict=True):
        np.testing.assert_array_equal(a, b.value.detach().numpy())
    with pytest.raises(NeocogError):
        applications.MobileNet(**{**SMALL, "weights": path, "alpha": 0.5})


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", folder
        http.shutdown()


def test_weights_of_imagenet(
    server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    address, folder = server
    published = applications.MobileNet(**SMALL)
    published.save_weights(folder / "mobile.weights.h5")
    digest = hashlib.md5((folder / "mobile.weights.h5").read_bytes()).hexdigest()
    url = f"{address}/mobile.weights.h5"
    for md5 in (digest, None):
        file = WeightFile(url, md5)
        monkeypatch.setattr(applications._mobilenet, "WeightFiles", lambda *_: WeightFiles(None, file))
        with pytest.warns(UserWarning, match="224×224"):
            model = applications.MobileNet(**{**SMALL, "weights": "imagenet"})
        for a, b in zip(model.get_weights(), published.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert (tmp_path / "home" / "models" / "mobile.weights.h5").is_file()
    (tmp_path / "home" / "models" / "mobile.weights.h5").unlink()
    with pytest.raises(ArgumentError, match=r"nothing is fetched unchecked.*pass weights=PATH"):
        fetch(WeightFile(url, None))
    with pytest.raises(DownloadError, match="MD5"):
        fetch(WeightFile(url, "0" * 32))


def test_offline_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError, match="Check the connection"):
        fetch(WeightFile("http://127.0.0.1:9/none.h5", "0" * 32))


PUBLISHED: dict[str, dict[str, Any]] = {
    "VGG16": {},
    "VGG19": {},
    "ResNet50": {},
    "ResNet50V2": {},
    "InceptionV3": {},
    "Xception": {},
    "MobileNetV3Small": {"input_shape": (224, 224, 3)},
    "MobileNetV3Large": {"input_shape": (224, 224, 3), "minimalistic": True},
    "DenseNet121": {},
    "EfficientNetB0": {},
    "InceptionResNetV2": {},
    "NASNetMobile": {},
    "NASNetLarge": {},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_those_of_keras(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[WeightFiles] = []
    monkeypatch.setattr("neocog.applications._request.load", lambda *arguments: asked.append(arguments[3]))
    monkeypatch.setattr("neocog.layers._weight_owner.initial_values", _empty)
    getattr(applications, name)(**PUBLISHED[name])
    module = inspect.getmodule(getattr(keras.applications, name))
    assert module is not None
    source = inspect.getsource(module)
    if name == "ResNet50V2":
        source = inspect.getsource(keras.src.applications.resnet)
    for file in (asked[0].with_top, asked[0].without_top):
        assert file is not None
        assert f'"{file.md5}"' in source
        assert file.url.rpartition("/")[0].rpartition("/")[2] in source


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("MobileNet", {"alpha": 0.5}), ("MobileNetV2", {"alpha": 0.35}), ("EfficientNetB1", {})],
)
@pytest.mark.parametrize("top", [True, False])
def test_published_addresses_are_those_of_keras(
    name: str, arguments: dict[str, Any], top: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ours(where: str, model: Any, weights: Any, files: WeightFiles, include_top: bool) -> None:
        file = files.with_top if include_top else files.without_top
        asked.append((file.name, file.url, file.md5) if file is not None else None)

    def theirs(fname: str, origin: str, cache_subdir: str, file_hash: str | None = None) -> str:
        asked.append((fname, origin, file_hash))
        return "none"

    from keras.src.models import Functional
    from keras.src.utils import file_utils

    monkeypatch.setattr("neocog.applications._request.load", ours)
    monkeypatch.setattr("neocog.layers._weight_owner.initial_values", _empty)
    monkeypatch.setattr(file_utils, "get_file", theirs)
    monkeypatch.setattr(Functional, "load_weights", lambda *args, **kwargs: None)
    arguments = {**arguments, "include_top": top, "input_shape": None if top else (128, 128, 3)}
    getattr(applications, name)(**arguments)
    with keras.device("meta"):
        getattr(keras.applications, name)(**arguments)
    assert asked[0] == asked[1]


def _empty(where: str, name: str, shape: Any, initializer: Any, dtype: Any) -> torch.Tensor:
    return torch.empty(tuple(shape or ()), device="meta")

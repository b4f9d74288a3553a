"""Files that real Keras writes of its applications, statistics drawn as well, load and predict the same."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import gc
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import torch

from neocog import applications, zoo
from neocog.applications._keras_names import keras_application
from neocog.exceptions import ShapeError
from neocog.layers import _weight_owner

# name -> smallest size without classifier, size with it
FAMILIES = {
    "VGG16": (32, 224),
    "ResNet50": (32, 224),
    "ResNet50V2": (32, 224),
    "InceptionV3": (75, 299),
    "Xception": (71, 299),
    "MobileNet": (32, 224),
    "MobileNetV2": (32, 224),
    "DenseNet121": (32, 224),
    "EfficientNetB0": (32, 224),
}
pytestmark = pytest.mark.filterwarnings("ignore:__array__", "ignore:You are saving")


def randomized(name: str, seed: int = 0, **arguments: Any) -> Any:
    """Return a model of Keras's with drawn weights, statistics and scales: sizes of what passes are kept."""
    model = getattr(keras.applications, name)(weights=None, **arguments)
    generator = torch.Generator().manual_seed(seed)
    for weight in model.weights:
        if str(weight.dtype) != "float32":
            continue
        value = torch.randn(tuple(weight.shape), generator=generator)
        if value.dim() > 1:
            fan = value.shape[:-1] if "depthwise" not in weight.path else value.shape[:2]
            value *= (1.5 / np.prod(fan)) ** 0.5
        elif "variance" in weight.name:
            value = value.abs() + 0.5
        else:
            value = 0.1 * value + ("gamma" in weight.name)
        weight.assign(value)
    return model


def write(model: Any, folder: Path, form: str) -> Path:
    path = folder / f"file{form}"
    if form == ".weights.h5":
        model.save_weights(path)
    elif form == "weights alone.h5":  # as the published files are
        from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

        with h5py.File(path, "w") as file:
            save_weights_to_hdf5_group(file, model)
    else:
        model.save(path)
    return path


def assert_same(ours: Any, theirs: Any, size: int) -> None:
    images = torch.rand(1, size, size, 3) * 2 - 1
    with torch.no_grad():
        got, want = ours(images).numpy(), theirs(images, training=False).numpy()
    scale = float(np.abs(want).max())
    assert scale > 0
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * scale)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draw nothing that is overwritten anyway, and leave no model behind."""
    initializers = keras.src.initializers.random_initializers
    for kind in (initializers.VarianceScaling, initializers.RandomUniform):
        monkeypatch.setattr(kind, "__call__", lambda self, shape, dtype=None: torch.zeros(tuple(shape)))
    monkeypatch.setattr(
        _weight_owner, "initial_values", lambda *given: torch.full(tuple(given[2]), torch.nan)
    )
    yield
    keras.backend.clear_session()
    gc.collect()


@pytest.mark.parametrize("name", FAMILIES)
def test_without_classifier(name: str, tmp_path: Path) -> None:
    small = FAMILIES[name][0]
    arguments = {"include_top": False, "input_shape": (small, small, 3)}
    theirs = randomized(name, **arguments)
    forms = [".weights.h5", ".h5"]
    forms += [".keras", "weights alone.h5"] if name in ("InceptionV3", "MobileNet") else []
    for form in forms:
        ours = getattr(applications, name)(weights=write(theirs, tmp_path, form), **arguments)
        assert_same(ours, theirs, small)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_with_classifier(name: str, tmp_path: Path) -> None:
    theirs = randomized(name, classifier_activation=None)
    path = write(theirs, tmp_path, ".weights.h5")
    ours = getattr(applications, name)(weights=path, classifier_activation=None)
    assert_same(ours, theirs, FAMILIES[name][1])
    path.unlink()


@pytest.mark.parametrize(
    ("name", "form"), [("MobileNet", ".weights.h5"), ("MobileNet", ".h5"), ("MobileNetV2", ".keras")]
)
def test_classifier_is_left_out_by_rule(name: str, form: str, tmp_path: Path) -> None:
    shape = {"input_shape": (32, 32, 3)}
    theirs = randomized(name, classes=4, **shape)
    path = write(theirs, tmp_path, form)
    ours = getattr(applications, name)(weights=path, include_top=False, **shape)
    head = {"MobileNet": "conv_pw_13_relu", "MobileNetV2": "out_relu"}[name]
    assert_same(ours, keras.Model(theirs.input, theirs.get_layer(head).output), 32)
    with pytest.raises(ShapeError, match="include_top=False"):
        getattr(applications, name)(weights=path, classes=5, **shape)
    base = zoo.backbone(name, path, image_size=32, preprocessing="none")
    assert base.classes == 4
    assert base.weights_sha256 is not None
    assert_same(base.model, keras.Model(theirs.input, theirs.get_layer(head).output), 32)
    assert_same(base.top, theirs, 32)


def test_a_name_of_two_forms_follows_the_file(tmp_path: Path) -> None:
    path = write(randomized("ResNet50", include_top=False, input_shape=(32, 32, 3)), tmp_path, ".weights.h5")
    base = zoo.backbone("resnet50", path, image_size=32)
    assert (base.name, base.classes, base.preparation.bgr) == ("ResNet50", None, True)


@pytest.mark.parametrize("form", [".h5", ".weights.h5", ".keras"])
def test_another_network_is_refused(form: str, tmp_path: Path) -> None:
    shape = {"include_top": False, "input_shape": (32, 32, 3)}
    path = write(randomized("MobileNet", alpha=0.25, **shape), tmp_path, form)
    for name in ("MobileNetV2", "VGG16"):
        with pytest.raises(ShapeError, match=f"{name}: .*does not fit") as caught:
            getattr(applications, name)(weights=path, **shape)
        assert str(caught.value).endswith(
            "The file looks like MobileNet (Keras): neocog.applications.MobileNet takes it."
        )
    with pytest.warns(UserWarning, match="channels"), pytest.raises(ShapeError) as caught:
        applications.MobileNet(alpha=0.25, weights=path, include_top=False, input_shape=(32, 32, 4))
    assert str(caught.value).endswith("and the channels of input_shape, that the file was made with.")
    for option in ("by_name", "skip_mismatch", "Build the model"):
        assert option not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "ResNet50V2", "VGG19"]
)
def test_files_are_known_by_the_names_of_their_layers(name: str, tmp_path: Path) -> None:
    shape = {"include_top": False, "input_shape": (32, 32, 3)}
    model = getattr(applications, name)(weights=None, **shape)
    model.save_weights(tmp_path / "m.weights.h5")
    assert keras_application(tmp_path / "m.weights.h5") == name

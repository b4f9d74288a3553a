"""The pretrained files on real photographs, and beside the same networks in plain torch."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import plain_torch as plain
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from neocog import applications, zoo
from neocog.exceptions import ArgumentError

DATA = Path(os.environ.get("NEOCOG_DATA", "/nowhere"))
WEIGHTS = DATA / "weights"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not WEIGHTS.is_dir(), reason="NEOCOG_DATA names no folder with weights"),
]
MOBILENET = WEIGHTS / "mobilenet_v1_0.75_224_imagenet.safetensors"
SQUEEZENET = WEIGHTS / "squeezenet1_0_imagenet.safetensors"


def photographs(size: int, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the ImageNet samples, shorter side 256, centre crop, with their classes."""
    with open(DATA / "imagenet-samples" / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    images = np.zeros((len(rows), size, size, 3), np.uint8)
    for number, row in enumerate(rows):
        with Image.open(DATA / "imagenet-samples" / row["file"]) as opened:
            image = opened.convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR
        )
        left, upper = (image.width - size) // 2, (image.height - size) // 2
        images[number] = np.asarray(image.crop((left, upper, left + size, upper + size)))
    return images, np.array([int(row["class_index"]) for row in rows])


def cifar(count: int) -> tuple[np.ndarray, np.ndarray]:
    import io

    with np.load(DATA / "cifar10" / "cifar10_jpeg.npz", allow_pickle=False) as file:
        packed, ends = file["test_jpeg"], file["test_offsets"]
        labels = file["test_labels"][:count]
    raw = [packed[ends[i] : ends[i + 1]].tobytes() for i in range(count)]
    return np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in raw]), labels


def logits(network: torch.nn.Module, path: Path, images: torch.Tensor) -> np.ndarray:
    network.load_state_dict(load_file(path), strict=False)
    with torch.no_grad():
        return network.eval()(images.permute(0, 3, 1, 2)).numpy()


def hits(scores: np.ndarray, classes: np.ndarray) -> tuple[int, int]:
    best = np.argsort(-scores, axis=1)[:, :5]
    return int((best[:, 0] == classes).sum()), int((best == classes[:, None]).any(axis=1).sum())


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    return photographs(224)


def test_mobilenet_knows_the_photographs(samples: tuple[np.ndarray, np.ndarray]) -> None:
    images, classes = samples
    base = zoo.backbone("mobilenet", zoo.find_weights("mobilenet"))
    assert base.options == {"alpha": 0.75}
    assert base.image_size == (224, 224)
    first, five = hits(base.top.predict(images, verbose=0), classes)
    assert first >= 80
    assert five >= 94
    unscaled = base.top.predict(images[::4] / 255, verbose=0)
    assert hits(unscaled, classes[::4])[0] < first / 8  # a checker that is shown to fail
    assert base.class_names is not None
    decoded = base.decode_predictions(base.top.predict(images[:1], verbose=0), top=1)
    assert decoded[0][0][:2] == ("n01440764", "tench")
    assert base.class_names[0] == "tench"


@pytest.mark.parametrize("weights", ["imagenet", MOBILENET])
def test_mobilenet_by_name_and_by_path(weights: Any, samples: tuple[np.ndarray, np.ndarray]) -> None:
    images = torch.from_numpy(samples[0][:4]).float() / 127.5 - 1
    theirs = logits(plain.MobileNetV1(0.75), MOBILENET, images)
    ours = applications.MobileNet(alpha=0.75, weights=weights, classifier_activation=None)
    got = ours.predict(images.numpy(), verbose=0)
    np.testing.assert_allclose(got, theirs, atol=1e-4, rtol=1e-4)
    base = applications.MobileNet(
        alpha=0.75, weights=weights, include_top=False, pooling="avg", input_shape=(224, 224, 3)
    )
    assert base.predict(images.numpy(), verbose=0).shape == (4, 768)
    prepared = zoo.backbone("mobilenet", weights)
    features = prepared.model.predict(samples[0][:4], verbose=0)
    np.testing.assert_allclose(
        features.mean((1, 2)), base.predict(images.numpy(), verbose=0), atol=1e-4, rtol=1e-4
    )


def test_squeezenet() -> None:
    images, classes = photographs(227)
    prepared = torch.from_numpy(images).float() - torch.tensor([123.0, 117.0, 104.0])
    theirs = logits(plain.SqueezeNet(), SQUEEZENET, prepared[:4])
    ours = zoo.squeezenet1_0(weights=SQUEEZENET, input_shape=(227, 227, 3), classifier_activation=None)
    got = ours.predict(prepared[:4].numpy(), verbose=0)
    np.testing.assert_allclose(got, theirs, atol=1e-4 * np.abs(theirs).max(), rtol=1e-4)
    base = zoo.backbone("squeezenet1_0", SQUEEZENET)
    assert base.image_size == (227, 227)
    first, five = hits(base.top.predict(images[::2], verbose=0), classes[::2])
    assert (first, five) >= (30, 40)


@pytest.mark.parametrize(("depth", "least"), [(20, 0.77), (56, 0.77)])
def test_networks_of_cifar(depth: int, least: float) -> None:
    path = WEIGHTS / f"resnet{depth}_cifar10.safetensors"
    count = 500 if depth == 20 else 200
    images, labels = cifar(count)
    base = zoo.backbone(f"resnet{depth}", path)
    assert (base.image_size, base.classes, base.class_names[3]) == ((32, 32), 10, "cat")  # type: ignore[index]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    prepared = (torch.from_numpy(images).float() / 255 - mean) / deviation
    theirs = logits(plain.CifarResNet(depth), path, prepared[:50])
    ours = getattr(zoo, f"resnet{depth}")(weights=path, classifier_activation=None)
    np.testing.assert_allclose(ours.predict(prepared[:50].numpy(), verbose=0), theirs, atol=1e-4, rtol=1e-4)
    scores = base.top.predict(images, verbose=0)
    np.testing.assert_allclose(scores[:50], torch.from_numpy(theirs).softmax(1).numpy(), atol=1e-4)
    assert (scores.argmax(1) == labels).mean() >= least


@pytest.mark.parametrize("make", [zoo.resnet20, zoo.resnet56])
def test_the_classes_of_imagenet_are_those_of_the_known_file(make: Any) -> None:
    model = make(weights="imagenet")
    assert model.output_shape == (None, 10)
    with pytest.raises(ArgumentError, match=r"expected classes=10 .*got 1000"):
        make(weights="imagenet", classes=1000)

"""Mixed images and labels from the source to the run, and what the named augmentations refuse."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neocog.data import as_source
from neocog.exceptions import ArgumentError
from neocog.workflows import TrainConfig, train
from neocog.workflows._augmentations import augmentation_layers, check_augmentation
from neocog.workflows._mixing import MixedSource, one_hot

pytestmark = pytest.mark.usefixtures("blank_pictures")

RNG = np.random.default_rng(4)
X, Y = RNG.integers(0, 256, (30, 6, 6, 3), "uint8"), RNG.integers(0, 3, 30)


def source(augment: str, seed: int = 5) -> MixedSource:
    return MixedSource(as_source(X, Y, batch_size=8, seed=2), augment, 3, seed)


@pytest.mark.parametrize("augment", ["mixup", "cutmix"])
def test_a_batch_depends_on_seed_epoch_and_number_alone(augment: str) -> None:
    first = list(source(augment).batches(3))
    later = list(source(augment).batches(3, start=2))
    torch.manual_seed(9)
    for one, other in zip(first[2:], later, strict=True):
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.y, other.y)
    assert not torch.equal(first[0].x, next(iter(source(augment).batches(4))).x)
    assert not torch.equal(first[0].x, next(iter(source(augment, seed=6).batches(3))).x)
    moved = source(augment).to("cpu")
    assert torch.equal(next(iter(moved.batches(3))).x, first[0].x)


@pytest.mark.parametrize("augment", ["mixup", "cutmix"])
def test_images_and_labels_are_mixed_in_the_same_shares(augment: str) -> None:
    """Images of one value a class: the mean of a mixed image is the mean of its label."""
    values = np.array([0, 100, 200], "uint8")
    x = np.broadcast_to(values[Y][:, None, None, None], (30, 6, 6, 3)).copy()
    mixed = MixedSource(as_source(x, Y, batch_size=30, seed=2), augment, 3, 1)
    batch = next(iter(mixed.batches(0)))
    assert batch.x.dtype == torch.uint8
    assert batch.y.shape == (30, 3)
    torch.testing.assert_close(batch.y.sum(1), torch.ones(30))
    share = batch.x.float().mean((1, 2, 3))
    wanted = batch.y @ torch.tensor([0.0, 100.0, 200.0])
    tolerance = 0.6 if augment == "mixup" else 60.0  # boxes end between pixels
    torch.testing.assert_close(share, wanted, atol=tolerance, rtol=0)
    assert ((batch.y > 0.01).sum(1) > 1).any()


def test_labels_without_mixing() -> None:
    batch = next(iter(one_hot(as_source(X, Y, batch_size=4, shuffle=False), 3).batches(0)))
    assert torch.equal(batch.y.argmax(1), torch.as_tensor(Y[:4]))


@pytest.mark.parametrize("augment", ["mixup", "cutmix"])
def test_a_run_on_mixed_images(augment: str, tmp_path: Any) -> None:
    out = tmp_path / "run"
    config = TrainConfig(data="digits", model="mlp", epochs=3, augment=augment, out=str(out))
    result = train(config)
    assert result.test.accuracy > 0.7
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert all(0 <= float(row["val_accuracy"]) <= 1 for row in rows)
    assert float(rows[-1]["val_loss"]) < float(rows[0]["val_loss"])
    assert json.loads((out / "config.json").read_text())["recipe"]["augment"] == augment
    assert train(TrainConfig(**{**vars_of(config), "out": str(tmp_path / "again")})).test == result.test


def vars_of(config: TrainConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def info(shape: tuple[int, ...], task: str = "single-label") -> Any:
    return SimpleNamespace(image_shape=shape, task=task)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match="colour images"):
        check_augmentation("randaugment", info((28, 28, 1)))
    for task in ("multi-label", "regression"):
        with pytest.raises(ArgumentError, match="one class an image"):
            check_augmentation("cutmix", info((28, 28, 3), task))
    check_augmentation("mixup", info((28, 28, 1)))
    with pytest.raises(ArgumentError, match="mixing from scratch"):
        TrainConfig(data="digits", model="mobilenet", weights="auto", augment="mixup").check()


def test_gray_images_keep_their_light() -> None:
    names = [type(layer).__name__ for layer in augmentation_layers("notes", info((28, 28, 1)))]
    assert "RandomPCALighting" not in names
    assert "RandomPCALighting" in [type(x).__name__ for x in augmentation_layers("notes", info((99, 99, 3)))]


def test_mixing_takes_the_layers_of_the_size() -> None:
    small = [type(layer) for layer in augmentation_layers("mixup", info((28, 28, 1)))]
    large = [type(layer) for layer in augmentation_layers("mixup", info((99, 99, 3)))]
    assert small == [type(layer) for layer in augmentation_layers("light")]
    assert large == [type(layer) for layer in augmentation_layers("photo")]

"""Every network of the table, at the sizes it says it takes; recipes for any number of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog.exceptions import ArgumentError, UnknownNameError
from neocog.files import load_model_folder, save_model_folder
from neocog.layers import deserialize, serialize
from neocog.workflows import AUGMENTATIONS, MODELS, build_model, choose_recipe
from neocog.workflows._augmentations import augmentation_layers
from neocog.workflows._models import model_info, resolve_model

SHAPES = [(8, 8, 1), (9, 15, 3), (28, 28, 1), (33, 32, 3), (64, 48, 3), (97, 101, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_a_network_gives_probabilities(name: str, shape: tuple[int, int, int]) -> None:
    if min(shape[:2]) < MODELS[name].smallest:
        with pytest.raises(ArgumentError, match="expected images of at least"):
            resolve_model(name, shape)
        return
    model = build_model(name, shape, 4, augmentation_layers("photo"))
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    chances = model.predict(images, verbose=0)
    assert chances.shape == (3, 4)
    assert np.allclose(chances.sum(1), 1, atol=1e-5)
    assert (chances == model.predict(images, verbose=0)).all()  # nothing is varied outside training


@pytest.mark.parametrize(("shape", "name"), [((8, 8, 1), "small-cnn"), ((180, 180, 3), "small-resnet")])
def test_auto_goes_by_the_size(shape: tuple[int, int, int], name: str) -> None:
    assert resolve_model("auto", shape) == name


def test_a_photograph_network_stays_small() -> None:
    assert build_model("small-resnet", (180, 180, 3), 2).count_params() < 2_000_000


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'small-resnet'"):
        model_info("smal-resnett")
    assert model_info("Small_CNN").name == "small-cnn"


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_varies_training_alone(name: str) -> None:
    model = build_model("mlp", (24, 24, 3), 2, augmentation_layers(name))
    varied = [layer for layer in model.layers if type(layer).__name__.startswith("Random")]
    assert bool(varied) == (name != "none")
    assert any(type(layer).__name__ == "RandomFlip" for layer in varied) == (name not in ("none", "light"))


@given(samples=st.integers(1, 100_000), side=st.integers(4, 400))
def test_a_recipe_fits_any_number_of_images(samples: int, side: int) -> None:
    recipe = choose_recipe((side, side, 3), samples)
    assert 1 <= recipe.batch_size <= samples
    assert recipe.epochs >= 1
    assert recipe.warmup_epochs < recipe.epochs
    assert recipe.augment == ("photo" if side > 64 else "light")


def test_what_is_given_overrides_the_table() -> None:
    recipe = choose_recipe((8, 8, 1), 100, epochs=3, batch_size=7, learning_rate=0.5, augment="none")
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (3, 7, 0.5)
    assert recipe.augment == "none"
    assert choose_recipe((8, 8, 1), 5, batch_size=64).batch_size == 5


@pytest.mark.parametrize("name", MODELS)
def test_a_network_made_later_is_the_same(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path / "first", tmp_path / "second"):  # automatic names have counted on by the second
        model = build_model(name, (32, 32, 3), 3)
        save_model_folder(serialize(model), model, folder)
        again = load_model_folder(folder, deserialize)
        assert set(again.state_dict()) == set(model.state_dict())
        images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
        assert (again.predict(images, verbose=0) == model.predict(images, verbose=0)).all()

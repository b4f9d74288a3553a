"""Freezing up to a layer, opening the top, and what the summary says of it."""

from __future__ import annotations

import numpy as np
import pytest

import neocog as keras
from neocog.exceptions import ArgumentError, UnknownNameError
from neocog.models import load_model

layers = keras.layers


def base() -> keras.Model:
    x = image = keras.Input((16, 16, 3))
    for block in (1, 2, 3):
        x = layers.Conv2D(4, 3, strides=2, padding="same", name=f"block{block}_conv")(x)
        x = layers.BatchNormalization(name=f"block{block}_bn")(x)
        x = layers.ReLU(name=f"block{block}_relu")(x)
    return keras.Model(image, x, name="base")


def classifier() -> keras.Model:
    pooled = [layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax", name="head")]
    return keras.Sequential([keras.Input((16, 16, 3)), base(), *pooled])


def trained(model: keras.Model) -> list[str]:
    return [view.path.split("/", 1)[-1] for view in model.trainable_weights]


@pytest.mark.parametrize(
    ("until", "left"),
    [
        ("block2", ["block3_conv", "block3_bn"]),
        ("block2_conv", ["block2_bn", "block3_conv", "block3_bn"]),
        (None, []),
    ],
)
def test_freezes_up_to_a_layer_or_block(until: str | None, left: list[str]) -> None:
    model = base()
    model.freeze(until=until)
    assert list(dict.fromkeys(name.split("/")[0] for name in trained(model))) == left


def test_a_layer_itself_and_a_nested_model_serve_as_well() -> None:
    model = classifier()
    model.freeze(until=model.layers[0].get_layer("block3_bn"))
    assert trained(model) == ["head/kernel", "head/bias"]
    model = classifier()
    model.freeze(until="base")
    assert trained(model) == ["head/kernel", "head/bias"]


@pytest.mark.parametrize(
    ("top", "opened"),
    [
        (2, ["head"]),
        (5, ["base/block3_conv", "head"]),
        ("block3", ["base/block3_conv", "head"]),
        ("block2_relu", ["base/block3_conv", "head"]),
    ],
)
def test_opens_the_top_and_leaves_normalisation_frozen(top: int | str, opened: list[str]) -> None:
    model = classifier()
    model.freeze()
    model.unfreeze(top=top)
    names = [path.rpartition("/")[0] for path in trained(model)]
    assert list(dict.fromkeys(names)) == opened


def test_normalisation_trains_when_asked() -> None:
    model = base()
    model.freeze()
    model.unfreeze(batch_norm=True)
    assert "block1_bn/gamma" in trained(model)
    model.unfreeze()
    assert not any("_bn" in path for path in trained(model))


def test_a_frozen_normalisation_keeps_its_statistics_while_the_rest_trains() -> None:
    model = classifier()
    model.freeze()
    model.unfreeze(top="block3")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.random.default_rng(0).random((8, 16, 16, 3)), np.arange(8) % 2, epochs=2, verbose=0)
    moved = {name for name, tensor in model.state_dict().items() if not tensor.equal(before[name])}
    assert moved == {name for name in before if "block3_conv" in name or "head" in name}


def test_what_is_frozen_stays_so_in_files(tmp_path) -> None:
    model = classifier()
    model.freeze()
    model.unfreeze(top="block3")
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert trained(again) == trained(model)


def test_training_what_the_optimizer_does_not_know_is_refused() -> None:
    model = classifier()
    model.freeze(until="base")
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.zeros((4, 16, 16, 3)), np.arange(4) % 2
    model.fit(x, y, verbose=0)
    model.unfreeze(top="block3")
    with pytest.raises(ArgumentError, match=r"block3_conv/kernel.*Call compile again"):
        model.fit(x, y, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)


def test_unknown_names_offer_the_nearest_ones() -> None:
    with pytest.raises(UnknownNameError, match="block3_conv"):
        base().freeze(until="blok3_conv")
    with pytest.raises(ArgumentError, match="from 0 to 10"):
        base().unfreeze(top=11)
    with pytest.raises(ArgumentError, match="one of its layers"):
        base().freeze(until=layers.Dense(1))


def test_the_summary_says_which_layers_train(capsys: pytest.CaptureFixture[str]) -> None:
    model = base()
    model.freeze(until="block2")
    model.summary(show_trainable=True, line_length=90)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    column = {line.split()[1]: line.split("│")[-2].strip() for line in lines}
    assert column["Layer"] == "Trainable"
    assert (column["block2_conv"], column["block3_conv"], column["block3_relu"]) == ("N", "Y", "-")

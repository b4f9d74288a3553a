"""The table of architectures: numbers of values, sizes of feature maps, names."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch

from neocog import zoo
from neocog.exceptions import UnknownNameError
from neocog.layers import _weight_owner
from neocog.zoo._architecture import ARCHITECTURES

# Trainable values from the papers and from torchvision; Keras's forms with their statistics.
PUBLISHED = {
    "lenet5": 60_000,
    "lenet5_modern": 61_706,
    "lenet5_tanh": 61_706,
    "alexnet_one_tower": 62_378_344,
    "alexnet_two_towers": 60_965_224,
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_998_552,
    "googlenet_bn": 6_624_904,
    "inception_v3": 23_834_568,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "mobilenet_v2": 3_504_872,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "mnist_cnn": 93_322,
    "cats_and_dogs_cnn": 3_453_121,
    "ResNet50": 25_636_712,
    "InceptionV3": 23_851_784,
    "Xception": 22_910_480,
    "MobileNetV2": 3_538_984,
}
# Keras's other forms are counted in tests/applications.
COUNTED = [name for name, row in ARCHITECTURES.items() if row.form != "Keras" or name in PUBLISHED]


@pytest.fixture(autouse=True)
def no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make weights without values: a network of a gigabyte costs nothing."""

    def empty(where: str, name: str, shape: Any, initializer: Any, dtype: Any) -> torch.Tensor:
        return torch.empty(tuple(shape or ()), device="meta")

    monkeypatch.setattr(_weight_owner, "initial_values", empty)


def values(model: Any) -> int:
    return sum(torch.Size(weight.shape).numel() for weight in model.trainable_weights)


@pytest.mark.parametrize("name", COUNTED)
def test_number_of_values(name: str) -> None:
    row = ARCHITECTURES[name]
    model = zoo.build(name)
    assert (model.count_params() if row.form == "Keras" else values(model)) == row.parameters
    assert row.parameters == PUBLISHED.get(name, row.parameters)
    assert len({layer.name for layer in model.layers}) == len(model.layers)
    if row.image is not None:
        assert model.input_shape == (None, *row.image)


def test_published_names_are_there() -> None:
    assert set(PUBLISHED) <= set(ARCHITECTURES)


def test_googlenet_with_its_heads() -> None:
    heads = sum(  # 1×1 convolution, 4×4×128 to 1024 to 1000
        width * 128 + 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000 for width in (512, 528)
    )
    assert values(zoo.googlenet(aux=True)) == 6_998_552 + heads
    assert values(zoo.without_aux(zoo.googlenet(aux=True))) == 6_998_552


def test_inception_with_its_head() -> None:
    assert values(zoo.inception_v3(aux=True)) == 27_161_264


def rows(model: Any) -> list[tuple[Any, ...]]:
    """Return (name, maps, height, …) of the layers whose names stand in the tables."""
    listed = [layer for layer in model.layers if layer.name[0].isupper() and layer.name[0] not in "ND"]
    return [(layer.name, *_maps(layer.output.shape[1:])) for layer in listed]


def _maps(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[-1], *shape[:-1])


@pytest.mark.parametrize("name", ["lenet5", "lenet5_modern", "lenet5_tanh"])
def test_table_of_lenet(name: str) -> None:
    expected = [
        ("C1", 6, 28, 28),
        ("S2", 6, 14, 14),
        ("C3", 16, 10, 10),
        ("S4", 16, 5, 5),
        ("C5", 120, 1, 1) if name == "lenet5" else ("C5", 120),
        ("F6", 84),
        ("Out", 10),
    ]
    assert rows(zoo.build(name)) == expected
    if name != "lenet5":
        assert rows(zoo.build(name, input_shape=(28, 28, 1))) == expected


@pytest.mark.parametrize("name", ["alexnet_one_tower", "alexnet_two_towers"])
def test_table_of_alexnet(name: str) -> None:
    model = zoo.build(name)
    assert rows(model) == [
        ("C1", 96, 55, 55),
        ("S2", 96, 27, 27),
        ("C3", 256, 27, 27),
        ("S4", 256, 13, 13),
        ("C5", 384, 13, 13),
        ("C6", 384, 13, 13),
        ("C7", 256, 13, 13),
        ("S8", 256, 6, 6),
        ("F9", 4096),
        ("F10", 4096),
        ("Out", 1000),
    ]
    for number in (1, 3):
        norm = model.get_layer(f"N{number}")
        assert (norm.depth_radius, norm.bias, norm.alpha, norm.beta) == (2, 1.0, 2e-5, 0.75)
    assert [model.get_layer(f"D{number}").rate for number in (9, 10)] == [0.5, 0.5]


def test_values_of_each_layer_of_lenet() -> None:
    model = zoo.lenet5()
    counts = {layer.name: values(layer) for layer in model.layers if layer.weights}
    assert counts == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164, "Out": 0}
    assert values(zoo.lenet5(codes_trainable=True)) == 60_840


def test_sizes_of_googlenet() -> None:
    model = zoo.googlenet()
    sizes = {name: model.get_layer(name).output.shape[1:] for name in ("pool1_3x3_s2", "pool2_3x3_s2")}
    assert sizes == {"pool1_3x3_s2": (56, 56, 64), "pool2_3x3_s2": (28, 28, 192)}
    channels = [
        model.get_layer(f"inception_{name}_output").output.shape[1:]
        for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    ]
    assert channels == [
        (28, 28, 256),
        (28, 28, 480),
        *[(14, 14, 512)] * 3,
        (14, 14, 528),
        (14, 14, 832),
        (7, 7, 832),
        (7, 7, 1024),
    ]


def test_names() -> None:
    assert zoo.get("ResNet-18") is zoo.resnet18
    assert zoo.get("resnet50") is zoo.resnet50
    assert zoo.get("ResNet50") is zoo.ResNet50
    assert zoo.get("VGG16_BN") is zoo.vgg16_bn
    assert set(zoo.list_models()) == set(ARCHITECTURES)
    assert zoo.list_models("CIFAR") == ["resnet110", "resnet20", "resnet32", "resnet44", "resnet56"]
    for wrong, hint in (
        ("resnet19", "resnet18"),
        ("RESNET50", "'ResNet50' or 'resnet50'|'resnet50' or 'ResNet50'"),
        ("squeeznet1_1", "squeezenet1_1"),
    ):
        with pytest.raises(UnknownNameError, match=hint):
            zoo.get(wrong)
    with pytest.raises(UnknownNameError, match="torchvision"):
        zoo.list_models("timm")


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - {"text_cnn"}))
def test_functions_are_public_and_documented(name: str) -> None:
    row = ARCHITECTURES[name]
    assert getattr(zoo, name) is row.make
    assert row.make.__name__ == name
    parameters = inspect.signature(row.make).parameters
    common = ["include_top", "weights", "input_tensor", "input_shape", "pooling", "classes"]
    common += ["classifier_activation", "name"]
    assert set(common) <= set(parameters)
    if row.form != "Keras":
        assert parameters["weights"].default is None
        assert list(parameters)[:8] == common
    text = inspect.getdoc(row.make) or ""
    missing = [argument for argument in parameters if f"{argument}:" not in text]
    assert not missing


def test_the_page_has_every_architecture() -> None:
    page = (Path(__file__).parents[2] / "docs" / "zoo.md").read_text(encoding="utf-8")
    for name, row in ARCHITECTURES.items():
        assert f"| `{name}` |" in page, name
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"{row.parameters:,}" in line, name

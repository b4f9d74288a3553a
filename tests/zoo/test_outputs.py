"""Every architecture gives what the same network gives in plain torch, at sizes even, odd and unequal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from functional_torch import Network, Oracle

from neocog import zoo

SQUEEZE_1_0, SQUEEZE_1_1 = "pfffpffffpf", "pffpffpffff"
# name -> (arguments, (height, width, channels), oracle)
CASES: dict[str, tuple[dict[str, Any], tuple[int, int, int], Oracle]] = {
    "squeezenet1_0": ({}, (65, 48, 3), lambda n, x: n.squeezenet(x, SQUEEZE_1_0)),
    "squeezenet1_1": ({}, (64, 51, 3), lambda n, x: n.squeezenet(x, SQUEEZE_1_1)),
    "resnet18": ({"width": 8}, (64, 45, 3), lambda n, x: n.resnet(x, (2, 2, 2, 2), shortcuts=True)),
    "resnet34": ({"width": 4}, (33, 40, 3), lambda n, x: n.resnet(x, (3, 4, 6, 3), shortcuts=True)),
    "resnet50": ({"width": 8}, (64, 64, 3), lambda n, x: n.resnet(x, (3, 4, 6, 3), shortcuts=True)),
    "resnet101": ({"width": 4}, (32, 32, 3), lambda n, x: n.resnet(x, (3, 4, 23, 3), shortcuts=True)),
    "resnet152": ({"width": 4}, (32, 32, 3), lambda n, x: n.resnet(x, (3, 8, 36, 3), shortcuts=True)),
    "plain18": ({"width": 8}, (64, 45, 3), lambda n, x: n.resnet(x, (2, 2, 2, 2), shortcuts=False)),
    "plain34": (
        {"width": 4, "stem": "small"},
        (32, 31, 3),
        lambda n, x: n.resnet(x, (3, 4, 6, 3), shortcuts=False, small=True),
    ),
    "resnet20": ({}, (32, 32, 3), lambda n, x: n.cifar(x, 3)),
    "resnet32": ({}, (32, 32, 3), lambda n, x: n.cifar(x, 5)),
    "resnet44": ({}, (31, 29, 3), lambda n, x: n.cifar(x, 7)),
    "resnet56": ({}, (32, 32, 3), lambda n, x: n.cifar(x, 9)),
    "resnet110": ({}, (32, 32, 3), lambda n, x: n.cifar(x, 18)),
    "vgg11": ({"hidden": 8}, (32, 47, 3), lambda n, x: n.vgg(x, (1, 1, 2, 2, 2), normalized=False)),
    "vgg13": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 2, 2, 2), normalized=False)),
    "vgg16": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 3, 3, 3), normalized=False)),
    "vgg19": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 4, 4, 4), normalized=False)),
    "vgg11_bn": ({"hidden": 8}, (65, 32, 3), lambda n, x: n.vgg(x, (1, 1, 2, 2, 2), normalized=True)),
    "vgg13_bn": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 2, 2, 2), normalized=True)),
    "vgg16_bn": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 3, 3, 3), normalized=True)),
    "vgg19_bn": ({"hidden": 8}, (32, 32, 3), lambda n, x: n.vgg(x, (2, 2, 4, 4, 4), normalized=True)),
    "alexnet": ({"hidden": 8}, (95, 63, 3), lambda n, x: n.alexnet(x)),
    "alexnet_one_tower": ({"hidden": 8}, (99, 67, 3), lambda n, x: n.alexnet_published(x, 1)),
    "alexnet_two_towers": ({"hidden": 8}, (67, 67, 3), lambda n, x: n.alexnet_published(x, 2)),
    "googlenet": ({}, (64, 77, 3), lambda n, x: n.googlenet(x)[0]),
    "googlenet_bn": ({}, (64, 77, 3), lambda n, x: n.googlenet_bn(x)[0]),
    "inception_v3": ({}, (75, 90, 3), lambda n, x: n.inception_v3(x)),
    "mobilenet_v2": ({"alpha": 0.5}, (64, 45, 3), lambda n, x: n.mobilenet_v2(x)),
    "lenet5": ({}, (32, 32, 1), lambda n, x: n.lenet5(x, zoo.LENET5_CONNECTIONS)),
}


def randomize(model: Any, seed: int = 0) -> None:
    """Draw weights that keep the sizes of what passes, so that a difference in any layer shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            drawn = torch.randn(value.shape, generator=generator)
            if name.startswith("Out.weight") and value.shape == (10, 84):
                continue  # the codes of the digits
            if name.endswith("running_var"):
                value.copy_(drawn.abs() + 0.5)
            elif value.dim() > 1:
                value.copy_(drawn * (2 / value[0].numel()) ** 0.5)
            else:
                value.copy_(0.2 * drawn + name.endswith(".weight"))


def eps(model: Any) -> float:
    return next((layer.epsilon for layer in model.layers if hasattr(layer, "epsilon")), 1e-5)


def check(model: Any, oracle: Oracle, shape: tuple[int, int, int]) -> None:
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(2, *shape)).astype("float32"))
    with torch.no_grad():
        got, want = model(x), oracle(Network(model.state_dict(), eps(model)), x.permute(0, 3, 1, 2))
    assert got.shape == want.shape
    scale = float(want.abs().max())
    assert scale > 0
    assert float(want.std()) > 1e-3 * scale
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=0, atol=1e-4 * max(scale, 1.0))


def made(name: str) -> tuple[Any, Oracle, tuple[int, int, int]]:
    arguments, shape, oracle = CASES[name]
    model = zoo.build(name, input_shape=shape, classes=10, classifier_activation=None, **arguments)
    randomize(model)
    return model, oracle, shape


@pytest.mark.parametrize("name", CASES)
def test_same_as_in_plain_torch(name: str) -> None:
    check(*made(name))


def test_another_network_is_seen() -> None:
    model, _, shape = made("resnet20")
    with pytest.raises(AssertionError):
        check(model, lambda n, x: n.cifar(x.flip(3), 3), shape)


def test_every_form_from_papers_and_torchvision_has_an_oracle() -> None:
    forms = {*zoo.list_models("torchvision"), *zoo.list_models("CIFAR"), *zoo.list_models("published")}
    assert forms - {"text_cnn"} == set(CASES)


@pytest.mark.parametrize("name", ["squeezenet1_0", "resnet18", "resnet20", "mobilenet_v2", "googlenet"])
def test_images_of_unknown_size(name: str) -> None:
    arguments, _, oracle = CASES[name]
    options = {"classes": 5, "classifier_activation": None, **arguments}
    model = zoo.build(name, input_shape=(None, None, 3), **options)
    randomize(model)
    for shape in ((64, 64, 3), (47, 66, 3)):
        check(model, oracle, shape)


def test_auxiliary_heads_of_torchvision() -> None:
    options = {"input_shape": (64, 64, 3), "classes": 4, "classifier_activation": None}
    model = zoo.googlenet_bn(aux=True, **options)
    assert (
        sum(weight.numpy().size for weight in model.trainable_weights) == 13_004_888 - 3 * 996 * 1024 - 2988
    )
    randomize(model)
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        got = model(x.permute(0, 2, 3, 1))
        want = Network(model.state_dict(), eps=1e-3).googlenet_bn(x)
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4 * float(other.abs().max()))


def test_auxiliary_heads() -> None:
    for size in (64, 224):
        model = zoo.googlenet(aux=True, input_shape=(size, size, 3), classes=4, classifier_activation=None)
        randomize(model)
        for number in range(3):
            head = type(model)(model.inputs, model.outputs[number])
            network = Network(model.state_dict())
            x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2))
            with torch.no_grad():
                got, want = head(x.permute(0, 2, 3, 1)), network.googlenet(x)[number]
            torch.testing.assert_close(got, want, rtol=0, atol=1e-4 * float(want.abs().max()))

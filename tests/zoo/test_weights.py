"""Weights of torchvision, timm and others onto our networks: the same numbers as in plain torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plain_torch as plain
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from neocog import applications, zoo
from neocog.exceptions import ShapeError

Make = Callable[[], nn.Module]
VGG11 = (1, 1, 2, 2, 2)
DEEP = (6, 12, 24, 16)


def assert_same(ours: Any, theirs: torch.Tensor) -> None:
    got = ours.detach()
    if got.dim() == 4:
        got = got.permute(0, 3, 1, 2)
    assert got.shape == theirs.shape
    scale = float(theirs.abs().max())
    assert scale > 1e-3
    assert float((got - theirs).abs().max()) <= 1e-4 * max(scale, 1.0)


def rewritten(state: dict[str, torch.Tensor], form: str) -> Any:
    """Return a state dict as others file it."""
    if form == "older densenet":  # with dots inside names, as torchvision's files still have them
        return {
            name.replace("norm1", "norm.1").replace("norm2", "norm.2")
            .replace("conv1.", "conv.1.").replace("conv2.", "conv.2."): value
            for name, value in state.items()
        }  # fmt: skip
    if form == "timm vgg":
        heads = {
            "classifier.0": "pre_logits.fc1",
            "classifier.3": "pre_logits.fc2",
            "classifier.6": "head.fc",
        }
        state = {name.replace(name[:12], heads.get(name[:12], name[:12])): v for name, v in state.items()}
        state["pre_logits.fc1.weight"] = state["pre_logits.fc1.weight"].reshape(-1, 512, 7, 7)
        state["pre_logits.fc2.weight"] = state["pre_logits.fc2.weight"][:, :, None, None]
        return state
    if form == "timm mobilenet_v2":
        return {timm_mobilenet(name): value for name, value in state.items()}
    return state


def timm_mobilenet(name: str) -> str:
    """Return timm's name of torchvision's tensor of MobileNetV2."""
    parts = name.split(".")
    leaf = parts[-1]
    if parts[0] == "classifier":
        return f"classifier.{leaf}"
    number, rest = int(parts[1]), ".".join(parts[2:-1])
    if number == 0:
        return f"{'conv_stem' if rest == '0' else 'bn1'}.{leaf}"
    if number == 18:
        return f"{'conv_head' if rest == '0' else 'bn2'}.{leaf}"
    stage, first = next(
        (s, f) for s, f in ((6, 17), (5, 14), (4, 11), (3, 7), (2, 4), (1, 2), (0, 1)) if number >= f
    )
    names = (
        {"conv.0.0": "conv_dw", "conv.0.1": "bn1", "conv.1": "conv_pw", "conv.2": "bn2"}
        if stage == 0
        else {
            "conv.0.0": "conv_pw", "conv.0.1": "bn1", "conv.1.0": "conv_dw", "conv.1.1": "bn2",
            "conv.2": "conv_pwl", "conv.3": "bn3",
        }
    )  # fmt: skip
    return f"blocks.{stage}.{number - first}.{names[rest]}.{leaf}"


# ours, the network in plain torch, size of the images, how the file is written
CASES: dict[str, tuple[Callable[..., Any], Make, int, str]] = {
    "mobilenet v1": (
        lambda **k: applications.MobileNet(alpha=0.25, **k), lambda: plain.MobileNetV1(0.25, 7), 64, ""
    ),
    "mobilenet_v2": (zoo.mobilenet_v2, lambda: plain.MobileNetV2(7), 65, ""),
    "mobilenet_v2 of timm": (zoo.mobilenet_v2, lambda: plain.MobileNetV2(7), 64, "timm mobilenet_v2"),
    "squeezenet1_0": (zoo.squeezenet1_0, lambda: plain.SqueezeNet(7), 70, ""),
    "resnet20": (zoo.resnet20, lambda: plain.CifarResNet(20, 7), 32, ""),
    "resnet18": (zoo.resnet18, lambda: plain.ResNet((2, 2, 2, 2), False, 7), 65, ""),
    "resnet50": (zoo.resnet50, lambda: plain.ResNet((3, 4, 6, 3), True, 7), 64, ""),
    "densenet121": (applications.DenseNet121, lambda: plain.DenseNet(DEEP, 7), 64, "older densenet"),
    "tf_efficientnet_b0": (applications.EfficientNetB0, lambda: plain.TimmEfficientNet(True, 7), 65, ""),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "suffix"),
    [*((case, ".safetensors") for case in CASES), ("resnet18", ".pth"), ("densenet121", ".pth")],
)
def test_same_numbers_as_in_plain_torch(case: str, suffix: str, tmp_path: Path, home: Path) -> None:
    ours, theirs, size, form = CASES[case]
    network = plain.randomize(theirs())
    state = rewritten(network.state_dict(), form)
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        wrapped = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}}
        torch.save(wrapped, path)
    else:
        save_file({name: value.contiguous() for name, value in state.items()}, path)
    images = torch.rand(2, size, size, 3)
    prepared = images.permute(0, 3, 1, 2)
    if ours is applications.EfficientNetB0:  # its preparation is inside
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        images = images * 255
        prepared = ((images / 255 - mean) / deviation).permute(0, 3, 1, 2)
    shape = {"input_shape": (size, size, 3), "weights": path}
    whole = ours(classes=7, classifier_activation=None, **shape)
    base = ours(include_top=False, **shape)
    with torch.no_grad():
        assert_same(whole(images), network(prepared))
        assert_same(base(images), network.maps(prepared))
    if suffix == ".pth":
        assert len(list((home / "models" / "converted").iterdir())) == 1
        path.unlink()


@pytest.mark.parametrize(
    ("name", "prefix", "wrapper"),
    [
        (
            "squeezenet1_0",
            "model.",
            "state_dict",
        ),  # its own names begin with "features" or "classifier"
        ("resnet18", "backbone.net.", "model_ema"),
        ("resnet18", "_orig_mod.module.", "state_dict_ema"),
    ],
)
def test_what_training_scripts_put_around_names_is_taken_off(
    name: str, prefix: str, wrapper: str, tmp_path: Path, home: Path
) -> None:
    ours, theirs, size, _ = CASES[name]
    network = plain.randomize(theirs())
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items()}
    torch.save({wrapper: state, "epoch": 3}, tmp_path / "w.pth")
    images = torch.rand(2, size, size, 3)
    shape = {"input_shape": (size, size, 3), "weights": tmp_path / "w.pth"}
    whole = ours(classes=7, classifier_activation=None, **shape)
    with torch.no_grad():
        assert_same(whole(images), network(images.permute(0, 3, 1, 2)))
        assert_same(ours(include_top=False, **shape)(images), network.maps(images.permute(0, 3, 1, 2)))
    with pytest.raises(ShapeError, match=f"looks like {name}"):
        zoo.resnet34(weights=tmp_path / "w.pth")


def test_another_value_is_seen(tmp_path: Path, home: Path) -> None:
    network = plain.randomize(plain.CifarResNet(20))
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    ours = zoo.resnet20(weights=tmp_path / "w.safetensors", classifier_activation=None)
    with torch.no_grad():
        network.layer2[1].bn1.running_mean[3] += 0.5
        images = torch.rand(2, 32, 32, 3)
        with pytest.raises(AssertionError):
            assert_same(ours(images), network(images.permute(0, 3, 1, 2)))


@pytest.mark.parametrize(
    ("name", "form"), [("vgg11_bn", "timm vgg"), pytest.param("VGG16", "", marks=pytest.mark.slow)]
)
def test_dense_layers_see_maps_in_their_own_order(name: str, form: str, tmp_path: Path, home: Path) -> None:
    keras_form = name == "VGG16"
    stages = (2, 2, 3, 3, 3) if keras_form else VGG11
    hidden = 4096 if keras_form else 64
    theirs = plain.randomize(plain.VGG(stages, norm=not keras_form, classes=3, hidden=hidden))
    save_file(rewritten(theirs.state_dict(), form), tmp_path / "w.safetensors")
    arguments = {"weights": tmp_path / "w.safetensors", "classes": 3, "classifier_activation": None}
    if keras_form:
        with pytest.warns(UserWarning, match="RGB images prepared by"):
            ours = applications.VGG16(**arguments)
    else:
        ours = zoo.vgg11_bn(hidden=hidden, **arguments)
    images = torch.rand(1, 224, 224, 3)
    with torch.no_grad():
        assert_same(ours(images), theirs(images.permute(0, 3, 1, 2)))


def test_alexnet(tmp_path: Path, home: Path) -> None:
    theirs = plain.randomize(plain.AlexNet(3, 64))
    save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    ours = zoo.alexnet(weights=tmp_path / "w.safetensors", classes=3, hidden=64, classifier_activation=None)
    images = torch.rand(1, 224, 224, 3)
    with torch.no_grad():
        assert_same(ours(images), theirs(images.permute(0, 3, 1, 2)))

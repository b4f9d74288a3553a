"""Blocks of layers that run together: the same numbers as the layers one by one, and their gradients."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import neocog as keras
from neocog.graph import Call, _inference
from neocog.layers._block import Block
from neocog.layers._chain import Chain
from neocog.models._model import Model

layers = keras.layers


def _stack(*stack: Any, shape: tuple[int, ...] = (12, 12, 3)) -> Model:
    model = keras.Sequential([keras.Input(shape), *stack])
    for layer in model.layers:  # moments that are not 0 and 1
        if isinstance(layer, layers.BatchNormalization):
            count = layer.running_mean.shape[0]
            layer.running_mean.copy_(torch.linspace(-0.5, 0.5, count))
            layer.running_var.copy_(torch.linspace(0.5, 1.5, count))
            if layer.weight is not None:
                with torch.no_grad():
                    layer.weight.copy_(torch.linspace(-1, 2, count))
    return model


def _plain(model: Model) -> Model:
    """The same model, its graph run as it is written."""
    plain = copy.deepcopy(model)
    body = plain._body
    body._forms = dict.fromkeys(body._forms, body.program)
    return plain


def _blocks(model: Model, training: bool) -> list[Block]:
    nodes = model._body._forms[training].nodes
    found = [node.operation for node in nodes if isinstance(node, Call)]
    runs = [run.blocks if isinstance(run, Chain) else [run] for run in found]
    return [block for run in runs for block in run if isinstance(block, Block)]


def _residual() -> Model:
    x = entry = keras.Input((12, 12, 4))
    for _ in range(2):
        y = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
        y = layers.Activation("relu")(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(y))
        x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(entry, layers.GlobalMaxPooling2D()(x))


CASES: dict[str, Any] = {
    "convolution, pooling": lambda: _stack(layers.Conv2D(5, 3, activation="relu"), layers.MaxPooling2D()),
    "same padding, overlapping": lambda: _stack(
        layers.Conv2D(5, 3, strides=2, padding="same", activation="relu"),
        layers.MaxPooling2D(3, 2, padding="same"),
    ),
    "all four": lambda: _stack(
        layers.Conv2D(5, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()
    ),
    "channels first": lambda: _stack(
        layers.Conv2D(5, 3, data_format="channels_first"),
        layers.BatchNormalization(axis=1),
        layers.Activation("relu"),
        layers.MaxPooling2D(data_format="channels_first"),
        shape=(3, 12, 12),
    ),
    "no scale": lambda: _stack(
        layers.Conv2D(5, 3), layers.BatchNormalization(scale=False), layers.Activation("relu")
    ),
    "no shift": lambda: _stack(layers.Conv2D(5, 3), layers.BatchNormalization(center=False)),
    "ceiling": lambda: _stack(
        layers.DepthwiseConv2D(3, depth_multiplier=2), layers.BatchNormalization(), layers.ReLU(6.0)
    ),
    "another ceiling": lambda: _stack(layers.Conv2D(5, 3), layers.ReLU(0.2)),
    "groups, dilation": lambda: _stack(
        layers.Conv2D(6, 3, groups=3, dilation_rate=2), layers.BatchNormalization(), layers.ReLU()
    ),
    "strides along one axis": lambda: _stack(
        layers.Conv2D(5, 3, strides=(1, 2), activation="relu"), layers.MaxPooling2D()
    ),
    "a kernel as wide as the image": lambda: _stack(
        layers.Conv2D(5, (3, 12), activation="relu"), layers.MaxPooling2D((2, 1))
    ),
    "series": lambda: _stack(
        layers.Conv1D(5, 3), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling1D(), shape=(20, 3)
    ),
    "volumes": lambda: _stack(
        layers.Conv3D(5, 3),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling3D(),
        shape=(6, 6, 6, 2),
    ),
    "normalized vectors": lambda: _stack(
        layers.Dense(6), layers.BatchNormalization(), layers.ReLU(), shape=(4,)
    ),
    "a rectifier first": lambda: _stack(layers.ReLU(), layers.MaxPooling2D()),
    "residual": _residual,
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_the_same_bits(name: str, training: bool) -> None:
    keras.utils.set_random_seed(1)
    model = CASES[name]()
    plain = _plain(model)
    x = torch.randn(4, *model.inputs[0].shape[1:])
    results = []
    for each in (model, plain):
        own = x.clone().requires_grad_()
        y = each(own, training=training)
        y.square().sum().backward()
        results.append([y.detach(), own.grad, *(p.grad for p in each.parameters()), *each.buffers()])
    for a, b in zip(*results, strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_outputs_without_gradients_are_the_same(name: str) -> None:
    keras.utils.set_random_seed(1)
    model = CASES[name]()
    plain = _plain(model)
    x = torch.randn(16, *model.inputs[0].shape[1:])
    before = x.clone()
    with torch.inference_mode():
        a, b = model(x), plain(x)
    assert torch.equal(x, before)
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    assert _blocks(model, False) or name in ("normalized vectors",)


def test_what_runs_together() -> None:
    kinds = lambda model, training: [  # noqa: E731
        "".join(type(layer).__name__[0] for layer in block.layers) for block in _blocks(model, training)
    ]
    assert kinds(CASES["all four"](), True) == ["CBRM"]
    assert kinds(CASES["residual"](), True) == ["CBA", "CB", "AR"] * 2
    assert kinds(_stack(layers.Conv2D(2, 3, activation="relu")), True) == []
    assert kinds(_stack(layers.Conv2D(2, 3, activation="relu")), False) == ["C"]
    assert kinds(_stack(layers.Conv2D(2, 3, activation="tanh"), layers.MaxPooling2D()), True) == []
    assert kinds(_stack(layers.Conv2D(2, 3), layers.ReLU(negative_slope=0.1)), True) == []


def test_a_result_that_something_else_reads_stays() -> None:
    entry = keras.Input((8, 8, 2))
    y = layers.Conv2D(3, 3)(entry)
    z = layers.ReLU()(y)
    model = keras.Model(entry, [y, z])
    assert not _blocks(model, True)
    y, z = model(torch.randn(2, 8, 8, 2))
    assert (y < 0).any()
    assert torch.equal(z, torch.relu(y))


def test_a_watched_layer_is_called() -> None:
    model = CASES["all four"]()
    seen = []
    for layer in model.layers:
        layer.register_forward_hook(lambda layer, _, y: seen.append((type(layer).__name__, tuple(y.shape))))
    model(torch.randn(2, 12, 12, 3))
    assert [name for name, _ in seen] == ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    assert seen[2][1] == (2, 10, 10, 5)


def test_a_replaced_call_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CASES["convolution, pooling"]()
    calls = []
    original = layers.Conv2D.call
    monkeypatch.setattr(layers.Conv2D, "call", lambda self, x: calls.append(1) or original(self, x))
    model(torch.randn(2, 12, 12, 3))
    assert calls


def test_fixed_moments_are_folded_only_without_gradients() -> None:
    model = CASES["all four"]()
    model.trainable = False
    model.layers[1].trainable = True  # gamma and beta have gradients
    model(torch.randn(4, 12, 12, 3), training=False).sum().backward()
    assert model.layers[1].weight.grad is not None


def test_written_weights_count_at_once() -> None:
    model = CASES["all four"]()
    x = torch.randn(16, 12, 12, 3)
    with torch.no_grad():
        model(x)
        model.layers[0].weight.data.mul_(2)
        model.layers[1].running_mean.data.add_(1)
        torch.testing.assert_close(model(x), _plain(model)(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_shapes_of_a_frozen_model_are_found_without_values(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = []
    real = _inference._run

    def run(function: Any, args: Any, kwargs: Any, size: int, device: str) -> Any:
        devices.append(device)
        return real(function, args, kwargs, size, device)

    model = CASES[name]()
    model.trainable = False
    shape = model.outputs[0].shape
    monkeypatch.setattr(_inference, "_run", run)
    assert model(keras.Input(model.inputs[0].shape[1:]), training=False).shape == shape
    assert set(devices) <= {"meta"}


MIXED = sorted(
    {"convolution, pooling", "same padding, overlapping", "ceiling", "all four", "groups, dilation"}
)


def _mixed(name: str) -> tuple[Model, torch.Tensor]:
    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = CASES[name]()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return model, torch.randn(16, *model.inputs[0].shape[1:])


@pytest.mark.parametrize("name", MIXED)
def test_a_mixed_policy_without_gradients(name: str) -> None:
    """Blocks round less often than their layers: closer to float32, and as the layers to a few roundings."""
    model, x = _mixed(name)
    plain = _plain(model)
    keras.utils.set_random_seed(1)
    exact = CASES[name]()
    exact.set_weights(model.get_weights())
    with torch.inference_mode():
        got, rounded, wanted = model(x), plain(x), exact(x)
    assert got.dtype == rounded.dtype == torch.bfloat16
    off, plainly_off = (float((y - wanted).abs().mean()) for y in (got.float(), rounded.float()))
    assert 0 < off <= 1.05 * plainly_off
    torch.testing.assert_close(got, rounded, rtol=0.03, atol=0.03 * float(wanted.abs().max()))


def test_a_mixed_policy_with_gradients_runs_as_written() -> None:
    model, x = _mixed("all four")
    plain = _plain(model)
    for training in (False, True):
        outputs = model(x, training=training), plain(x, training=training)
        assert torch.equal(*outputs)
        gradients = [torch.autograd.grad(y.float().sum(), model.layers[0].weight) for y in outputs[:1]]
        gradients += [torch.autograd.grad(y.float().sum(), plain.layers[0].weight) for y in outputs[1:]]
        assert torch.equal(gradients[0][0], gradients[1][0])


def test_layers_of_several_policies_do_not_join() -> None:
    entry = keras.Input((12, 12, 3))
    x = layers.Conv2D(4, 3, dtype="mixed_bfloat16")(entry)
    y = layers.ReLU(dtype="float32")(x)
    model = keras.Model(entry, y)
    assert not _blocks(model, True)
    with torch.inference_mode():
        assert model(torch.randn(2, 12, 12, 3)).dtype == torch.float32


def test_a_policy_changed_afterwards_counts() -> None:
    model, x = _mixed("convolution, pooling")
    for layer in model.layers:
        layer.dtype_policy = "float32"
    model.dtype_policy = "float32"
    plain = _plain(model)
    with torch.inference_mode():
        torch.testing.assert_close(model(x), plain(x))

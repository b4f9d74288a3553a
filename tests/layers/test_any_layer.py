"""What every layer without windows must do: gradients, meta tensors, functional calls, copies, autocast."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from neocog import layers

# class name -> (constructor arguments, shapes of the inputs without the batch)
FORMS: dict[str, tuple[dict[str, Any], Any]] = {
    "Dense": ({"units": 3, "activation": "tanh"}, (4,)),
    "EinsumDense": ({"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}, (2, 4)),
    "SpectralNormalization": ({"layer": None}, (4,)),
    "Activation": ({"activation": "tanh"}, (4,)),
    "ReLU": ({"negative_slope": 0.1}, (4,)),
    "LeakyReLU": ({}, (4,)),
    "PReLU": ({"alpha_initializer": "ones"}, (4,)),
    "ELU": ({}, (4,)),
    "Softmax": ({}, (4,)),
    "Flatten": ({}, (2, 3)),
    "Reshape": ({"target_shape": (-1,)}, (2, 3)),
    "Permute": ({"dims": (2, 1)}, (2, 3)),
    "RepeatVector": ({"n": 2}, (3,)),
    "Identity": ({}, (3,)),
    "ActivityRegularization": ({"l2": 0.1}, (3,)),
    "Dropout": ({"rate": 0.5}, (3,)),
    "SpatialDropout1D": ({"rate": 0.5}, (2, 3)),
    "SpatialDropout2D": ({"rate": 0.5}, (2, 2, 3)),
    "SpatialDropout3D": ({"rate": 0.5}, (2, 2, 2, 3)),
    "AlphaDropout": ({"rate": 0.5}, (3,)),
    "GaussianNoise": ({"stddev": 0.5}, (3,)),
    "GaussianDropout": ({"rate": 0.5}, (3,)),
    "BatchNormalization": ({}, (2, 2, 3)),
    "LayerNormalization": ({}, (4,)),
    "RMSNormalization": ({}, (4,)),
    "UnitNormalization": ({}, (4,)),
    "GroupNormalization": ({"groups": 2}, (2, 2, 4)),
    "Add": ({}, [(4,), (4,)]),
    "Subtract": ({}, [(4,), (2, 4)]),
    "Multiply": ({}, [(4,), (4,)]),
    "Average": ({}, [(4,), (4,)]),
    "Maximum": ({}, [(4,), (4,)]),
    "Minimum": ({}, [(4,), (4,)]),
    "Concatenate": ({}, [(4,), (3,)]),
    "Dot": ({"axes": 1, "normalize": True}, [(4,), (4,)]),
    "Attention": ({"use_scale": True, "score_mode": "concat"}, [(2, 4), (3, 4)]),
    "AdditiveAttention": ({}, [(2, 4), (3, 4)]),
    "Rescaling": ({"scale": [1.0, 2.0, 3.0]}, (2, 2, 3)),
    "Resizing": ({"height": 3, "width": 3}, (2, 4, 3)),
    "CenterCrop": ({"height": 2, "width": 2}, (3, 4, 3)),
    "Normalization": ({}, (3,)),
    "RandomFlip": ({}, (3, 4, 2)),
    "RandomRotation": ({"factor": 0.2}, (3, 4, 2)),
    "RandomZoom": ({"height_factor": 0.2}, (3, 4, 2)),
    "RandomTranslation": ({"height_factor": 0.2, "width_factor": 0.2}, (3, 4, 2)),
    "RandomContrast": ({"factor": 0.2}, (3, 4, 2)),
    "RandomBrightness": ({"factor": 0.2}, (3, 4, 2)),
    "RandomCrop": ({"height": 2, "width": 2}, (3, 4, 2)),
}
NAMES = sorted(FORMS)


def make(name: str, **more: Any) -> Any:
    arguments, _ = FORMS[name]
    if name == "SpectralNormalization":
        return layers.SpectralNormalization(layers.Dense(3, **more), **more)
    return getattr(layers, name)(**arguments, **more)


def inputs_of(name: str, **options: Any) -> Any:
    shapes = FORMS[name][1]
    torch.manual_seed(4)
    draw = lambda shape: torch.rand(3, *shape, **options) + 0.1  # noqa: E731
    return [draw(shape) for shape in shapes] if isinstance(shapes, list) else draw(shapes)


def each(function: Any, inputs: Any) -> Any:
    return [function(one) for one in inputs] if isinstance(inputs, list) else function(inputs)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name: str, training: bool) -> None:
    random = name.startswith(("Random", "Spatial", "Gaussian", "Alpha")) or name == "Dropout"
    if training and name == "SpectralNormalization":
        pytest.skip("changes its kernel at every call")
    layer = make(name, dtype="float64", **({"seed": 1} if random else {}))
    inputs = inputs_of(name, dtype=torch.float64)
    layer(inputs, training=training)
    names = [name for name, _ in layer.named_parameters()]
    buffers = {name: value.clone() for name, value in layer.named_buffers()}
    source = copy.deepcopy(layer.seed_generator) if random else None

    def run(*tensors: torch.Tensor) -> Any:
        if source is not None:
            layer.seed_generator = copy.deepcopy(source)
        given = list(tensors[: len(inputs)]) if isinstance(inputs, list) else tensors[0]
        state = dict(zip(names, tensors[len(tensors) - len(names) :], strict=True))
        state.update({name: value.clone() for name, value in buffers.items()})
        return torch.func.functional_call(layer, state, (given,), {"training": training})

    free = inputs if isinstance(inputs, list) else [inputs]
    tensors = [t.detach().requires_grad_() for t in [*free, *layer.parameters()]]
    assert torch.autograd.gradcheck(run, tensors, eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_copies_compute_alike_and_share_nothing(name: str) -> None:
    layer, inputs = make(name), inputs_of(name)
    expected = layer(inputs, training=False)
    clone = copy.deepcopy(layer)
    torch.testing.assert_close(clone(inputs, training=False), expected)
    for parameter in clone.parameters():
        parameter.data.add_(1.0)
    torch.testing.assert_close(layer(inputs, training=False), expected)


@pytest.mark.parametrize("name", NAMES)
def test_meta_tensors(name: str) -> None:
    inputs = inputs_of(name)
    layer = make(name)
    expected = layer(inputs)
    on_meta = layer.to("meta")
    for training in (False, True):
        got = on_meta(each(lambda t: t.to("meta"), inputs), training=training)
        assert got.shape == expected.shape
        assert got.device.type == "meta"


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_autocast_and_integers(name: str) -> None:
    layer, inputs = make(name), inputs_of(name)
    expected = layer(inputs, training=False)
    with torch.autocast("cpu", torch.bfloat16):
        got = layer(inputs, training=False)
        layer(each(lambda t: t.bfloat16(), inputs), training=True)
    torch.testing.assert_close(got.float(), expected, atol=0.05, rtol=0.05)
    whole = each(lambda t: (t * 3).to(torch.int32), inputs)
    assert make(name)(whole, training=False).shape == expected.shape


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_types_are_the_real_ones(name: str) -> None:
    shapes = FORMS[name][1]
    for dtype in ("float32", "uint8"):
        symbols = each(lambda shape: layers.Input(shape, dtype=dtype), shapes)
        real = each(lambda shape: torch.ones(2, *shape).to(getattr(torch, dtype)), shapes)
        layer = make(name)
        assert layer(symbols).dtype == str(layer(real).dtype).removeprefix("torch.")

"""What spatial layers must do besides agreeing with Keras: memory, gradients, devices, errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from neocog import layers
from neocog.exceptions import ArgumentError, ShapeError

IMAGE = (6, 5, 3)
# class name -> (constructor arguments, shape of one input)
FORMS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "Conv1D": ({"filters": 4, "kernel_size": 3, "padding": "causal", "activation": "relu"}, (6, 3)),
    "Conv2D": ({"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "Conv3D": ({"filters": 2, "kernel_size": 2, "padding": "same"}, (3, 4, 3, 2)),
    "Conv1DTranspose": ({"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, (5, 3)),
    "Conv2DTranspose": ({"filters": 4, "kernel_size": 3, "strides": 2, "activation": "tanh"}, IMAGE),
    "Conv3DTranspose": ({"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 2, 2, 2)),
    "DepthwiseConv1D": ({"kernel_size": 3, "depth_multiplier": 2}, (6, 3)),
    "DepthwiseConv2D": ({"kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "SeparableConv1D": ({"filters": 4, "kernel_size": 3}, (6, 3)),
    "SeparableConv2D": ({"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}, IMAGE),
    "MaxPooling1D": ({"padding": "same"}, (5, 3)),
    "MaxPooling2D": ({"pool_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "MaxPooling3D": ({}, (4, 4, 4, 2)),
    "AveragePooling1D": ({"pool_size": 2, "padding": "same"}, (5, 3)),
    "AveragePooling2D": ({"pool_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "AveragePooling3D": ({"pool_size": 2, "padding": "same"}, (3, 4, 3, 2)),
    "GlobalMaxPooling1D": ({}, (5, 3)),
    "GlobalMaxPooling2D": ({"keepdims": True}, IMAGE),
    "GlobalMaxPooling3D": ({}, (2, 3, 2, 2)),
    "GlobalAveragePooling1D": ({}, (5, 3)),
    "GlobalAveragePooling2D": ({}, IMAGE),
    "GlobalAveragePooling3D": ({"keepdims": True}, (2, 3, 2, 2)),
    "AdaptiveAveragePooling1D": ({"output_size": 3}, (5, 3)),
    "AdaptiveAveragePooling2D": ({"output_size": (4, 2)}, IMAGE),
    "AdaptiveAveragePooling3D": ({"output_size": 2}, (3, 4, 3, 2)),
    "AdaptiveMaxPooling1D": ({"output_size": 3}, (5, 3)),
    "AdaptiveMaxPooling2D": ({"output_size": (4, 2)}, IMAGE),
    "AdaptiveMaxPooling3D": ({"output_size": 2}, (3, 4, 3, 2)),
    "ZeroPadding1D": ({"padding": (1, 2)}, (5, 3)),
    "ZeroPadding2D": ({"padding": (1, 2)}, IMAGE),
    "ZeroPadding3D": ({}, (2, 3, 2, 2)),
    "Cropping1D": ({}, (5, 3)),
    "Cropping2D": ({"cropping": (1, 2)}, IMAGE),
    "Cropping3D": ({}, (3, 3, 4, 2)),
    "UpSampling1D": ({}, (5, 3)),
    "UpSampling2D": ({"interpolation": "bilinear"}, IMAGE),
    "UpSampling3D": ({}, (2, 3, 2, 2)),
    "LocalResponseNormalization": ({"depth_radius": 1, "beta": 0.75}, IMAGE),
    "PartialConv2D": ({"connections": [[0, 1], [1, 2], [0, 1, 2]], "kernel_size": 3}, IMAGE),
}
NAMES = sorted(FORMS)
LEARNING = [name for name in NAMES if "Conv" in name]


def make(name: str, **more: Any) -> Any:
    return getattr(layers, name)(**{**FORMS[name][0], **more})


def inputs_of(name: str, batch: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    shape = (batch, *FORMS[name][1])
    generator = torch.Generator().manual_seed(3)
    values = torch.randperm(int(np.prod(shape)), generator=generator)  # no ties between maxima
    return ((values - values.numel() / 2 + 0.3) / 20).reshape(shape).to(dtype)


def test_every_spatial_layer_is_here() -> None:
    windows = ("Conv", "Pooling", "Padding", "Cropping", "UpSampling", "LocalResponse")
    there = {name for name in layers.LAYERS.names() if any(word in name for word in windows)}
    assert {name for name in there if "LSTM" not in name} == set(FORMS)  # those have a file of their own


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name: str, data_format: str) -> None:
    last = data_format == "channels_last"
    if not last and name in ("Cropping1D", "UpSampling1D"):
        pytest.skip("Keras has no data_format here")
    layer = make(name, dtype="float64", **({} if last else {"data_format": data_format}))
    inputs = inputs_of(name, dtype=torch.float64)
    inputs = (inputs if last else inputs.movedim(-1, 1)).detach().requires_grad_()
    layer(inputs)
    names = [key for key, _ in layer.named_parameters()]

    def run(x: torch.Tensor, *weights: torch.Tensor) -> Any:
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (inputs, *layer.parameters()), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches_and_integers(name: str) -> None:
    layer = make(name)
    full = layer(inputs_of(name))
    assert layer(inputs_of(name, batch=0)).shape == (0, *full.shape[1:])
    whole = (inputs_of(name) * 10).to(torch.int32)
    torch.testing.assert_close(layer(whole), layer(whole.float()))
    assert layer(whole).dtype == torch.float32
    one = layer(inputs_of(name)[:1])
    torch.testing.assert_close(one, full[:1])


@pytest.mark.parametrize("name", NAMES)
def test_meta_tensors_and_unknown_sizes(name: str) -> None:
    inputs = inputs_of(name)
    layer = make(name)
    expected = layer(inputs).shape
    got = layer.to("meta")(inputs.to("meta"))
    assert got.shape == expected
    assert got.device.type == "meta"
    channels = inputs.shape[-1]
    unknown = make(name)(layers.Input((*(None for _ in inputs.shape[1:-1]), channels)))
    assert len(unknown.shape) == len(expected)
    assert unknown.shape[-1] == expected[-1]


class Copies(TorchDispatchMode):
    """Counts whole copies of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__.partition(".")[0])
        return func(*args, **(kwargs or {}))


# Cropping is a view, trimming a transposed convolution as well: neither is dense; torch pools volumes to a
# given size in its own layout alone.
DENSE = [name for name in NAMES if not name.startswith("Cropping") and "Transpose" not in name]
DENSE = [name for name in DENSE if not (name.startswith("Adaptive") and name.endswith("3D"))]


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("name", DENSE)
def test_stays_channels_last_without_copies(name: str, autocast: bool) -> None:
    layer, inputs = make(name), inputs_of(name)
    layer(inputs)
    with Copies() as seen, torch.autocast("cpu", torch.bfloat16, enabled=autocast), torch.no_grad():
        outputs = layer(inputs)
    assert outputs.is_contiguous()
    assert "clone" not in seen.names or name.startswith("UpSampling")  # repeating pixels is a copy
    assert "contiguous" not in seen.names
    if autocast and "Conv" in name:
        assert outputs.dtype == torch.bfloat16
    assert layer(outputs.float()[:0].new_zeros(inputs.shape)).is_contiguous()


def test_copies_are_seen() -> None:
    with Copies() as seen:
        torch.ones(2, 3).mT.contiguous()
    assert "clone" in seen.names


def test_chain_keeps_bfloat16_in_channels_last_memory() -> None:
    x = torch.rand(2, 9, 9, 1).requires_grad_()
    chain = [
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2D(8, 3, strides=2, padding="same"),
        layers.AveragePooling2D(2),
    ]
    with torch.autocast("cpu", torch.bfloat16):
        y = x
        for layer in chain:
            y = layer(y)
            assert y.is_contiguous()
            assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert x.grad.is_contiguous()
    weight = chain[2].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert weight.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", LEARNING)
def test_copies_share_nothing_and_double(name: str) -> None:
    layer, inputs = make(name), inputs_of(name)
    expected = layer(inputs)
    clone = copy.deepcopy(layer)
    torch.testing.assert_close(clone(inputs), expected)
    clone.double()
    got = clone(inputs.double())
    assert got.dtype == torch.float64
    torch.testing.assert_close(got.float(), expected, rtol=1e-5, atol=1e-6)
    assert layer(inputs).dtype == torch.float32


def test_activation_can_be_replaced() -> None:
    layer = layers.Conv2D(2, 3, activation="relu")
    x = torch.randn(1, 5, 5, 1)
    rectified = layer(x)
    layer.activation = torch.nn.functional.silu
    assert (layer(x) < 0).any()
    layer.activation = torch.relu
    torch.testing.assert_close(layer(x), rectified)


TOO_SMALL = [
    ("MaxPooling2D", {"name": "pool"}, (1, 1, 8), '"pool": expected height and width of at least 2, got'),
    ("Conv2D", {"filters": 1, "kernel_size": (5, 2)}, (4, 4, 1), "height of at least 5 and width of"),
    ("Conv1D", {"filters": 1, "kernel_size": 3, "dilation_rate": 2}, (4, 1), "length of at least 5"),
    ("Conv3D", {"filters": 1, "kernel_size": 2}, (2, 1, 2, 1), "depth, height and width of at least 2"),
    ("DepthwiseConv2D", {"kernel_size": 3}, (2, 3, 2), "height and width of at least 3"),
    ("SeparableConv2D", {"filters": 1, "kernel_size": 3}, (3, 2, 2), "height and width of at least 3"),
    ("AveragePooling1D", {"pool_size": 3}, (2, 4), "length of at least 3"),
    ("Cropping2D", {"cropping": ((1, 1), (0, 3))}, (2, 9, 1), "height of at least 3 and width of at"),
    ("Conv1DTranspose", {"filters": 1, "kernel_size": 2, "strides": 2, "padding": "same", "output_padding": 0},  # noqa: E501
     (1, 1), "length of at least 2"),
    ("GlobalMaxPooling2D", {}, (0, 3, 2), "height and width of at least 1"),
    ("GlobalAveragePooling1D", {}, (0, 2), "length of at least 1"),
    ("MaxPooling2D", {"padding": "same"}, (0, 3, 2), "height and width of at least 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "shape", "text"), TOO_SMALL)
def test_too_small_inputs(name: str, arguments: Any, shape: Any, text: str) -> None:
    layer = getattr(layers, name)(**arguments)
    with pytest.raises(ShapeError, match=text) as symbolic:
        layer(layers.Input(shape))
    assert f"got {(None, *shape)}" in str(symbolic.value)
    layer = getattr(layers, name)(**arguments)
    open_sizes = (*(None for _ in shape[:-1]), shape[-1])
    layer(layers.Input(open_sizes))  # unknown sizes may fit
    with pytest.raises(ShapeError, match=text) as real:
        layer(torch.ones(2, *shape))
    assert f"got {(2, *shape)}" in str(real.value)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("Conv2D", {"filters": 0, "kernel_size": 3}, "filters to be a whole number of 1 or more, got 0"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "groups": 2}, "multiple of groups=2, got 3"),
        ("Conv2D", {"filters": 3, "kernel_size": (3, 3, 3)}, "kernel_size with 1 or 2 numbers"),
        ("Conv2D", {"filters": 3, "kernel_size": 0}, "kernel_size to be a whole number of 1 or more"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, "strides of 1 where"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "padding": "causal"}, "padding to be one of"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "padding": "sane"}, "Did you mean 'same'"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "data_format": "nchw"}, "data_format"),
        (
            "Conv2DTranspose",
            {"filters": 3, "kernel_size": 3, "output_padding": 1},
            "output_padding below strides",
        ),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 0}, "depth_multiplier"),
        ("MaxPooling2D", {"pool_size": -1}, "pool_size"),
        ("MaxPooling2D", {"strides": 0}, "strides"),
        ("ZeroPadding2D", {"padding": (1, 2, 3)}, "padding as one number, or 2 numbers"),
        ("ZeroPadding2D", {"padding": -1}, "padding"),
        ("Cropping1D", {"cropping": (1, 2, 3)}, "cropping as one number, or 2 numbers"),
        ("UpSampling2D", {"interpolation": "cubic"}, "Did you mean 'bicubic'"),
        ("LocalResponseNormalization", {"depth_radius": -1}, "depth_radius"),
    ],
)
def test_bad_arguments(name: str, arguments: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        getattr(layers, name)(**arguments)


def test_wrong_channels_and_ranks() -> None:
    layer = layers.Conv2D(2, 3, groups=2)
    with pytest.raises(ShapeError, match="multiple of groups=2"):
        layer(torch.ones(1, 5, 5, 3))
    layer(torch.ones(1, 5, 5, 4))
    with pytest.raises(ShapeError, match="4 features on axis -1"):
        layer(torch.ones(1, 5, 5, 3))
    with pytest.raises(ShapeError, match="channel axis"):
        layer(torch.ones(1, 5, 4))
    with pytest.raises(ShapeError, match="known size on axis -1"):
        layers.Conv2D(2, 3)(layers.Input((5, 5, None)))
    with pytest.raises(ArgumentError, match="groups"):
        layers.Conv2D(2, 3, groups=0)


@pytest.mark.slow
def test_compiles_whole() -> None:
    model = torch.nn.Sequential(
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        layers.GlobalAveragePooling2D(),
    )
    x = torch.rand(2, 9, 9, 3)
    expected = model(x)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)
    torch.testing.assert_close(compiled(torch.rand(3, 11, 8, 3)).shape, torch.Size((3, 3)))

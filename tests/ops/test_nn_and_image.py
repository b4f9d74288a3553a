"""Operations of networks, images and tensors themselves against Keras: values, types, symbolic shapes."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from nn_and_image_cases import ATTENTION, CORE, IMAGE, IMAGES, NN, TURNED, UINT8, X, add, values

from neocog import ops
from neocog.graph import Input, SymbolicTensor

CALLS = [
    (space, name, number)
    for space, table in (("nn", NN), ("image", IMAGE), ("", CORE))
    for name, calls in table.items()
    for number in range(len(calls))
]


def look_up(root: Any, space: str, name: str) -> Any:
    return getattr(getattr(root, space) if space else root, name)


def call_of(space: str, name: str, number: int) -> tuple[list[Any], dict[str, Any]]:
    return {"nn": NN, "image": IMAGE, "": CORE}[space][name][number]


def check_equal(ours: Any, theirs: Any, tolerance: float = 2e-5) -> None:
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key in theirs:
            check_equal(ours[key], theirs[key], tolerance)
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            check_equal(one, other, tolerance)
    elif isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype
        assert tuple(ours.shape) == tuple(theirs.shape)
        half = theirs.dtype in (torch.float16, torch.bfloat16)
        limit = 2e-3 if half else tolerance
        torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=limit, atol=limit)
    else:
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def fresh(item: Any) -> Any:
    """Keras's affine_transform writes into its arguments."""
    return item.copy() if isinstance(item, np.ndarray) else item


@pytest.mark.parametrize(("space", "name", "number"), CALLS, ids=str)
def test_values_and_types(space: str, name: str, number: int) -> None:
    args, kwargs = call_of(space, name, number)
    theirs = look_up(keras.ops, space, name)(*map(fresh, args), **kwargs)
    ours = look_up(ops, space, name)(*map(fresh, args), **kwargs)
    check_equal(ours, theirs)


def test_the_check_fails_on_wrong_values() -> None:
    with pytest.raises(AssertionError):
        check_equal(torch.ones(2), torch.ones(2) * 1.001)
    with pytest.raises(AssertionError):
        check_equal(torch.ones(2, dtype=torch.float64), torch.ones(2))


@pytest.mark.parametrize("space", ["nn", "image"])
def test_each_function_has_a_row_and_keras_name(space: str) -> None:
    table = {"nn": NN, "image": IMAGE}[space]
    assert set(getattr(ops, space).__all__) == set(table)
    keras_names = {name for name in dir(getattr(keras.ops, space)) if not name.startswith("_")}
    assert keras_names == set(table)


def test_every_name_of_keras_is_there() -> None:
    missing = {name for name in dir(keras.ops) if not name.startswith("_")} - set(dir(ops)) - {"rearrange"}
    assert not missing & set(CORE)


JOINED = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "dot_product_attention",
    "polar",
    "ssim",
)
SYMBOLIC = [
    (space, name, 0)
    for space, table in (("nn", NN), ("image", IMAGE))
    for name, calls in table.items()
    if calls and hasattr(calls[0][0][0], "dtype") and name not in ("map_coordinates", "psnr", "ctc_loss")
]


@pytest.mark.parametrize(("space", "name", "number"), SYMBOLIC, ids=str)
def test_symbolic_shapes(space: str, name: str, number: int) -> None:
    args, kwargs = call_of(space, name, number)
    first, rest = args[0], args[1:]
    joined = name in (
        "binary_crossentropy",
        "categorical_crossentropy",
        "dot_product_attention",
        "ssim",
        "polar",
        "ctc_decode",
    )
    flexible = (None, *first.shape[1:])
    if name in ("fold",) or (space == "image" and first.ndim == 3):
        flexible = first.shape
    ours = look_up(ops, space, name)
    symbolic = [Input(batch_shape=flexible, dtype=str(first.dtype).removeprefix("torch."))]
    if joined or name == "sparse_categorical_crossentropy":
        symbolic += [Input(batch_shape=(None, *item.shape[1:]), dtype=item.dtype) for item in rest]
        rest = []
    if name == "polar":
        symbolic = [Input(batch_shape=(3,)), Input(batch_shape=(3,))]
        flexible = (3,)
    rest = [TURNED] if name == "affine_transform" else rest  # a row for each image fits one batch alone
    outputs = ours(*symbolic, *rest, **kwargs)
    real = ours(*args, **kwargs)
    symbols = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    tensors = list(real) if isinstance(real, (list, tuple)) else [real]
    for symbol, tensor in zip(symbols, tensors, strict=True):
        assert isinstance(symbol, SymbolicTensor)
        assert len(symbol.shape) == tensor.dim()
        assert all(size in (None, own) for size, own in zip(symbol.shape, tensor.shape, strict=True))
        assert symbol.dtype == ops.dtype(tensor)
        assert flexible[0] is not None or None in symbol.shape or name in ("moments",)


def test_sparsemax_is_a_projection() -> None:
    result = ops.sparsemax(X)
    assert torch.allclose(result.sum(-1), torch.ones(2, 5))
    assert bool((result >= 0).all())


def test_elastic_transform() -> None:
    first = ops.image.elastic_transform(IMAGES, seed=3, sigma=1.0, alpha=3.0)
    assert torch.equal(first, ops.image.elastic_transform(IMAGES, seed=3, sigma=1.0, alpha=3.0))
    assert not torch.equal(first, ops.image.elastic_transform(IMAGES, seed=4, sigma=1.0, alpha=3.0))
    still = ops.image.elastic_transform(IMAGES, alpha=0.0, sigma=1.0)
    assert torch.allclose(still, torch.as_tensor(IMAGES), atol=1e-6)
    assert ops.image.elastic_transform(IMAGES[0]).shape == IMAGES[0].shape


def test_custom_gradient() -> None:
    @ops.custom_gradient
    def clipped(x: Any) -> Any:
        return x * 3.0, lambda x, upstream: torch.clamp(upstream, -0.5, 0.5)

    x = torch.ones(3, requires_grad=True)
    clipped(x).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), 0.5))


def test_device_and_symbols() -> None:
    with ops.device("CPU:0"):
        assert torch.ones(1).device.type == "cpu"
    with pytest.raises(ValueError, match="a device of torch"):
        ops.device("toaster")
    symbol = Input((None, 3))
    assert ops.is_keras_tensor(symbol)
    assert not ops.is_tensor(symbol)
    assert ops.shape(symbol) == (None, None, 3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.conv(IMAGES, values(3, 3, 2, 4)), "divide the 3"),
        (lambda: ops.conv(values(2, 3), values(3, 3, 2, 4)), "3 to 5 axes"),
        (lambda: ops.max_pool(IMAGES, 2, padding="full"), "padding"),
        (lambda: ops.one_hot([1], 3, sparse=True), "dense"),
        (lambda: ops.multi_hot([1]), "num_classes"),
        (lambda: ops.image.pad_images(IMAGES, 1, 1, 1), "exactly two"),
        (lambda: ops.image.crop_images(IMAGES, 9, 1, 1, 1), "a part of the 7 pixels"),
        (lambda: ops.image.resize(IMAGES, (4, 4), interpolation="spline"), "interpolation"),
        (lambda: ops.image.rgb_to_hsv(UINT8), "floats"),
        (lambda: ops.scan(add, 0), "xs or length"),
        (lambda: ops.unstack(X, 3), "3 entries"),
        (lambda: ops.binary_crossentropy(values(2), values(3)), "shape"),
        (lambda: ops.dot_product_attention(*ATTENTION, bias=1.0, mask=True), "both"),
    ],
    ids=range(13),
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        call()

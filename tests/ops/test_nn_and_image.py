"""Operations of networks, images and tensors themselves against Keras: values, types, symbolic shapes."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch

from neocog import ops
from neocog.graph import Input, SymbolicTensor


def values(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Any:
    return np.random.default_rng(seed).uniform(low, high, shape).astype("float32")


def whole(*shape: int, low: int = 0, high: int = 5, dtype: str = "int32") -> Any:
    return np.random.default_rng(1).integers(low, high, shape).astype(dtype)


X = values(2, 5, 6)
IMAGES = values(2, 7, 6, 3, low=0, high=1)
SERIES = values(2, 9, 4)
VOLUMES = values(1, 5, 4, 6, 2)
PROBABILITIES = values(3, 4, low=0.05, high=0.9)
UINT8 = whole(2, 7, 6, 3, high=255, dtype="uint8")
LOGITS = values(2, 6, 4, seed=3)
CORNERS = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 6.0], [5.0, 6.0]], "float32")
MOVED = CORNERS + values(4, 2, low=-1, high=1)
TURNED = np.array([0.9, 0.2, 0.5, -0.1, 1.1, 0.3, 0, 0], "float32")
ATTENTION = [values(2, 3, 4, 8), values(2, 5, 4, 8, seed=1), values(2, 5, 4, 8, seed=2)]

# Operation: calls (positional arguments, keyword arguments). Every public function has at least one.
NN: dict[str, list[tuple[list[Any], dict[str, Any]]]] = {
    **{
        name: [([X], {})]
        for name in [
            "celu",
            "elu",
            "gelu",
            "hard_shrink",
            "hard_sigmoid",
            "hard_silu",
            "hard_swish",
            "hard_tanh",
            "leaky_relu",
            "log_sigmoid",
            "relu6",
            "selu",
            "silu",
            "soft_shrink",
            "softplus",
            "softsign",
            "sparse_plus",
            "sparse_sigmoid",
            "squareplus",
            "swish",
            "tanh_shrink",
        ]
    },
    "relu": [([X], {}), ([whole(3, low=-3)], {}), ([[-1.0, 2.0]], {})],
    "sigmoid": [([X], {}), ([whole(3)], {})],
    "softmax": [([X], {}), ([X], {"axis": 1}), ([X], {"axis": None}), ([X], {"axis": (0, 2)})],
    "log_softmax": [([X], {}), ([X], {"axis": 1}), ([X], {"axis": None})],
    "glu": [([X], {}), ([values(4, 3)], {"axis": 0})],
    "threshold": [([X, 0.5, -7.0], {})],
    "max_pool": [
        ([IMAGES, 2], {}),
        ([IMAGES, (3, 2)], {"strides": (2, 1), "padding": "same"}),
        ([SERIES, 3], {"strides": 2, "padding": "same"}),
        ([VOLUMES, 2], {"padding": "same"}),
        ([IMAGES, 2], {"data_format": "channels_first", "padding": "same"}),
    ],
    "average_pool": [
        ([IMAGES, 2], {}),
        ([IMAGES, (3, 2)], {"strides": (2, 1), "padding": "same"}),
        ([SERIES, 3], {"strides": 2, "padding": "same"}),
        ([VOLUMES, 2], {}),
    ],
    "adaptive_average_pool": [([IMAGES, 3], {}), ([SERIES, 4], {}), ([VOLUMES, (2, 2, 3)], {})],
    "adaptive_max_pool": [([IMAGES, (3, 2)], {}), ([IMAGES, 2], {"data_format": "channels_first"})],
    "conv": [
        ([IMAGES, values(3, 3, 3, 4)], {}),
        ([IMAGES, values(3, 2, 3, 4)], {"strides": 2, "padding": "same"}),
        ([IMAGES, values(2, 2, 3, 4)], {"dilation_rate": 2, "padding": "same"}),
        ([IMAGES, values(3, 3, 1, 6)], {}),
        ([SERIES, values(3, 4, 5)], {"padding": "same", "strides": 2}),
        ([VOLUMES, values(2, 2, 2, 2, 3)], {}),
        ([IMAGES, values(3, 2, 7, 4)], {"data_format": "channels_first"}),
    ],
    "depthwise_conv": [
        ([IMAGES, values(3, 3, 3, 2)], {}),
        ([SERIES, values(3, 4, 2)], {"padding": "same", "strides": 2}),
    ],
    "separable_conv": [
        ([IMAGES, values(3, 3, 3, 2), values(1, 1, 6, 4)], {"strides": 2, "padding": "same"}),
        ([SERIES, values(3, 4, 2), values(1, 8, 5)], {}),
    ],
    "conv_transpose": [
        ([IMAGES, values(3, 3, 4, 3)], {}),
        ([IMAGES, values(3, 3, 4, 3)], {"strides": 2, "padding": "same"}),
        ([IMAGES, values(3, 3, 4, 3)], {"strides": 2, "padding": "same", "output_padding": 1}),
        ([IMAGES, values(2, 2, 4, 3)], {"strides": 3}),
        ([SERIES, values(3, 5, 4)], {"strides": 2}),
        ([VOLUMES, values(2, 2, 2, 3, 2)], {"strides": 2, "padding": "same"}),
    ],
    "one_hot": [
        ([whole(3, 4), 5], {}),
        ([np.array([-1, 2]), 3], {}),
        ([whole(3, 4), 5], {"axis": 1, "dtype": "int32"}),
        ([whole(3, 4), 5], {"axis": 0}),
        ([[0, 2], 3], {}),
    ],
    "multi_hot": [([whole(3, 4), 5], {}), ([whole(4), 5], {"dtype": "bool"}), ([whole(4), 5], {"axis": 0})],
    "binary_crossentropy": [
        ([whole(3, 4, high=2).astype("float32"), PROBABILITIES], {}),
        ([whole(3, 4, high=2).astype("float32"), values(3, 4)], {"from_logits": True}),
    ],
    "categorical_crossentropy": [
        ([np.eye(4, dtype="float32")[[0, 3, 1]], PROBABILITIES], {}),
        ([np.eye(4, dtype="float32")[[0, 3, 1]], values(3, 4)], {"from_logits": True}),
        ([np.eye(3, dtype="float32")[[0, 2, 1, 1]].T, PROBABILITIES], {"axis": 0}),
    ],
    "sparse_categorical_crossentropy": [
        ([np.array([0, 3, 1]), PROBABILITIES], {}),
        ([np.array([[0], [3], [1]]), values(3, 4)], {"from_logits": True}),
        ([whole(2, 6, high=4), LOGITS], {"from_logits": True}),
        ([whole(2, 4, high=6), LOGITS], {"from_logits": True, "axis": 1}),
    ],
    "ctc_loss": [([np.array([[1, 2], [3, 1]]), LOGITS, np.array([2, 1]), np.array([6, 5])], {})],
    "ctc_decode": [
        ([LOGITS, np.array([6, 4])], {}),
        ([LOGITS, np.array([6, 4])], {"merge_repeated": False, "mask_index": 3}),
        ([LOGITS, np.array([6, 4])], {"strategy": "beam_search", "beam_width": 8, "top_paths": 3}),
        ([LOGITS, np.array([6, 4])], {"strategy": "beam_search", "beam_width": 40, "mask_index": 2}),
    ],
    "moments": [([X, [0, 1]], {}), ([X, 1], {"keepdims": True}), ([X.astype("float16"), [0]], {})],
    "batch_normalization": [
        ([X, values(6), values(6, low=0.5), -1], {}),
        ([X, values(5), values(5, low=0.5), 1, values(5, seed=4), values(5, seed=5)], {"epsilon": 0.1}),
    ],
    "layer_normalization": [
        ([X], {}),
        ([X, values(6), values(6, seed=2)], {"epsilon": 1e-3}),
        ([X, values(5, 6), values(5, 6, seed=2)], {"axis": [1, 2]}),
        ([X], {"axis": [0, 2]}),
    ],
    "rms_normalization": [([X], {}), ([X, values(6)], {"epsilon": 0.01}), ([X], {"axis": (1, 2)})],
    "normalize": [([X], {}), ([X], {"axis": 1, "order": 3}), ([np.zeros((2, 3), "float32")], {})],
    "psnr": [([IMAGES, IMAGES[::-1].copy(), 1.0], {})],
    "dot_product_attention": [
        (ATTENTION, {}),
        (ATTENTION, {"mask": whole(2, 4, 3, 5, high=2).astype(bool), "scale": 0.3}),
        (ATTENTION, {"bias": values(2, 4, 3, 5)}),
        (ATTENTION, {"is_causal": True}),
        (ATTENTION, {"is_causal": True, "mask": np.ones((2, 4, 3, 5), bool)}),
        ([ATTENTION[0], ATTENTION[1][:, :, :2], ATTENTION[2][:, :, :2]], {}),
    ],
    "unfold": [
        ([torch.tensor(values(2, 3, 6, 5)), 2], {}),
        ([torch.tensor(values(2, 3, 6, 5)), (2, 3)], {"stride": 2, "padding": 1}),
    ],
    "fold": [([torch.tensor(values(2, 12, 20)), (6, 5), 2], {})],
    "depth_to_space": [
        ([values(2, 3, 4, 8), 2], {}),
        ([values(2, 8, 3, 4), 2], {"data_format": "channels_first"}),
    ],
    "space_to_depth": [
        ([values(2, 4, 6, 3), 2], {}),
        ([values(2, 3, 4, 6), 2], {"data_format": "channels_first"}),
    ],
    "polar": [([values(3, low=0), values(3, seed=1)], {})],
    "sparsemax": [],  # Keras 3.15.1 is wrong here: tested by its law below
}

IMAGE: dict[str, list[tuple[list[Any], dict[str, Any]]]] = {
    "resize": [
        ([IMAGES, (4, 9)], {}),
        ([IMAGES, (4, 9)], {"interpolation": "nearest"}),
        ([IMAGES, (4, 9)], {"interpolation": "bicubic", "antialias": True}),
        ([UINT8, (4, 9)], {"interpolation": "bicubic"}),
        ([IMAGES[0], (4, 4)], {"crop_to_aspect_ratio": True}),
        ([IMAGES, (9, 4)], {"pad_to_aspect_ratio": True, "fill_value": 0.5}),
        ([IMAGES, (4, 5)], {"data_format": "channels_first"}),
    ],
    "affine_transform": [
        ([IMAGES, np.stack([TURNED, TURNED * 0.8])], {"fill_mode": mode, "interpolation": way})
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
        for way in ("nearest", "bilinear")
    ]
    + [([IMAGES[0], TURNED], {"fill_value": 0.7}), ([UINT8[0], TURNED], {"fill_value": 9})],
    "extract_patches": [
        ([IMAGES, 3], {}),
        ([IMAGES[0], (2, 3)], {"strides": 2, "padding": "same"}),
        ([IMAGES, 2], {"dilation_rate": 2, "strides": 1}),
        ([VOLUMES, (2, 2, 2)], {}),
    ],
    "extract_patches_3d": [([VOLUMES, 2], {"strides": 1}), ([VOLUMES[0], 2], {})],
    "map_coordinates": [
        ([X[0], values(2, 7, low=-3, high=8), order], {"fill_mode": mode, "fill_value": 0.3})
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
        for order in (0, 1)
    ]
    + [([whole(4, 5, high=90), values(2, 7, low=-3, high=8), 1], {})],
    "pad_images": [
        ([IMAGES, 1, 2, 3, 4], {}),
        ([IMAGES[0], 1, 2], {"target_height": 12, "target_width": 9}),
        ([IMAGES, None, None, 1, 0, 10, 10], {"data_format": "channels_first"}),
    ],
    "crop_images": [
        ([IMAGES, 1, 2, 3, 0], {}),
        ([IMAGES[0], 1, 2], {"target_height": 4, "target_width": 3}),
        ([IMAGES, None, None, 1, 0, 2, 2], {"data_format": "channels_first"}),
    ],
    "rgb_to_grayscale": [([IMAGES], {}), ([UINT8[0]], {}), ([IMAGES[..., :1].copy()], {})],
    "rgb_to_hsv": [([IMAGES], {}), ([IMAGES[0]], {})],
    "hsv_to_rgb": [
        ([IMAGES], {}),
        ([IMAGES.transpose(0, 3, 1, 2).copy()], {"data_format": "channels_first"}),
    ],
    "perspective_transform": [
        ([IMAGES, CORNERS, MOVED], {}),
        ([IMAGES, np.stack([CORNERS, MOVED]), np.stack([MOVED, CORNERS])], {"fill_value": 0.2}),
        ([IMAGES[0], CORNERS, MOVED], {"interpolation": "nearest"}),
    ],
    "gaussian_blur": [
        ([IMAGES, (3, 3), (1.0, 2.0)], {"data_format": "channels_last"}),
        ([IMAGES[0], (5, 5)], {"data_format": "channels_last"}),
    ],
    "sobel_edges": [([IMAGES], {})],
    "ssim": [
        ([values(2, 16, 16, 3, low=0), values(2, 16, 16, 3, low=0, seed=1)], {}),
        ([values(16, 16, 3, low=0), values(16, 16, 3, low=0, seed=1)], {"filter_size": 5, "k1": 0.02}),
    ],
    "scale_and_translate": [
        ([IMAGES[0], (4, 9, 3), values(2, low=0.5), values(2, seed=1), (0, 1), method], {"antialias": smooth})
        for method in ("linear", "bicubic", "lanczos3", "lanczos5")
        for smooth in (True, False)
    ]
    + [([UINT8[0], (4, 9, 3), values(2, low=0.5), values(2, seed=1), (0, 1), "linear"], {})],
    "elastic_transform": [],  # its field is drawn: tested by its laws below
}


def add(a: Any, b: Any) -> Any:
    return a + b


CORE: dict[str, list[tuple[list[Any], dict[str, Any]]]] = {
    "convert_to_tensor": [
        ([value], {"dtype": dtype})
        for value in ([1, 2], [1.5], True, 3, 2.5, np.arange(3), np.float64(2), whole(2, dtype="uint16"))
        for dtype in (None, "float32", "int32")
    ],
    "convert_to_numpy": [([[1, 2]], {}), ([X], {})],
    "cast": [([X, "int32"], {}), ([X, "float16"], {}), ([whole(3), "bool"], {}), ([X, int], {})],
    "saturate_cast": [([X * 200, "uint8"], {}), ([X * 200, "int8"], {})],
    "dtype": [([torch.ones(2)], {}), ([torch.ones(2, dtype=torch.int8)], {})],
    "shape": [([torch.ones(2, 3)], {})],
    "is_tensor": [([torch.ones(2)], {}), ([[1]], {})],
    "stop_gradient": [([torch.ones(2, requires_grad=True)], {})],
    "cond": [([True, lambda: 1, lambda: 2], {}), ([torch.tensor(False), lambda: 1, lambda: 2], {})],
    "switch": [([i, [lambda x: x + 1, lambda x: x * 2], torch.ones(2)], {}) for i in (-1, 0, 1, 9)],
    "while_loop": [
        ([lambda i, x: i < 4, lambda i, x: (i + 1, x * 2), (0, torch.ones(2))], {}),
        ([lambda i: i < 10, lambda i: i + 3, torch.tensor(0)], {"maximum_iterations": 2}),
    ],
    "fori_loop": [([1, 5, lambda i, value: value + i, torch.tensor(0)], {})],
    "map": [
        ([lambda x: x * 2, torch.tensor(X)], {}),
        ([lambda x: {"a": x, "b": x + 1}, torch.tensor(X)], {}),
    ],
    "vectorized_map": [([lambda x: x.sum(), torch.tensor(X)], {})],
    "scan": [
        ([lambda c, x: (c + x, c * x), torch.tensor(1.0), torch.arange(4.0)], {"reverse": reverse})
        for reverse in (False, True)
    ],
    "associative_scan": [
        ([add, torch.tensor(X)], {"axis": axis, "reverse": reverse})
        for axis in (0, 1, 2)
        for reverse in (False, True)
    ],
    "scatter": [
        ([whole(6, 1, high=4), values(6, 3), (4, 3)], {}),
        ([[[0, 1], [0, 1]], [2.0, 3.0], (2, 2)], {}),
    ],
    "scatter_update": [
        ([values(4, 3), np.array([[0], [2], [0]]), values(3, 3)], {"reduction": how})
        for how in ("add", "max", "min", "mul")
    ]
    + [([values(4, 3), np.array([[0, 1], [2, 2]]), np.array([7.0, 8.0])], {})],
    "slice": [([X, (0, 1, 2), (2, 3, 4)], {}), ([X, np.array([0, 1, 2]), (1, 2, 3)], {})],
    "slice_update": [([X, (0, 1, 2), values(2, 3, 4)], {})],
    "unstack": [([torch.tensor(X)], {"axis": 1}), ([torch.tensor(X), 2], {})],
    "custom_gradient": [],
    "device": [],
    "is_keras_tensor": [],
}

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

"""Calls of the operations of networks, images and tensors: at least one for every public function."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


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

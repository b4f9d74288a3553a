"""A small network with blocks, and drawn images of two kinds."""

from __future__ import annotations

import numpy as np

import neocog as keras
from neocog.core import set_random_seed

layers = keras.layers


def small_base(size: int = 32) -> keras.Model:
    """Three blocks, the second one residual, with statistics that are not those of a fresh layer."""
    set_random_seed(0)
    x = image = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = _conv(x, 8, "block1", 2)
    shortcut = x = _conv(x, 8, "block2", 2)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="block2_inner_conv")(x)
    x = layers.BatchNormalization(name="block2_inner_bn")(x)
    x = layers.add([x, shortcut], name="block2_add")
    x = _conv(x, 16, "block3", 2)
    model = keras.Model(image, x, name="small")
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shapes = [weight.shape for weight in layer.weights]
            values = [rng.uniform(0.5, 1.5, shape) for shape in shapes[:2]]
            layer.set_weights([*values, rng.normal(0, 0.2, shapes[2]), rng.uniform(0.5, 2, shapes[3])])
    return model


def _conv(x, filters: int, name: str, strides: int):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", name=f"{name}_conv")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_bn")(x))


def drawn(count: int, size: int = 32, seed: int = 0):
    """Images of bright squares (0) and of stripes (1), uint8, and their labels."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, size, size, 3), dtype=np.uint8)
    labels = np.arange(count) % 2
    for image, label in zip(images, labels, strict=True):
        at = rng.integers(0, size // 2)
        if label:
            image[at % 4 :: 4] += 120
        else:
            image[at : at + size // 2, at : at + size // 2] += 120
    return images, labels

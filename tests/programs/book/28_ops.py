"""A tour of keras.ops: NumPy's functions on tensors, with gradients and in the graphs of models."""

import math

import numpy as np

import neocog as keras
from neocog import layers, ops


def same(tensor, expected):
    return np.allclose(ops.convert_to_numpy(tensor), expected, atol=1e-5)


# Tensors from nothing, and from what there is.
assert same(ops.zeros(shape=(2, 3)), np.zeros((2, 3)))
assert same(ops.ones(shape=(2,)), [1, 1])
x = ops.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
assert tuple(ops.shape(x)) == (2, 3)
assert same(ops.zeros_like(x), np.zeros((2, 3)))
whole = ops.cast(x, dtype="int32")
assert keras.backend.standardize_dtype(whole.dtype) == "int32"
assert keras.backend.standardize_dtype(ops.convert_to_tensor([1, 2], dtype="float32").dtype) == "float32"
assert same(ops.cast(ops.convert_to_tensor([1.9, -1.9]), "int64"), [1, -1])
assert isinstance(ops.convert_to_numpy(x), np.ndarray)

# Arithmetic, number by number.
assert same(ops.square(x), [[1, 4, 9], [16, 25, 36]])
assert same(ops.sqrt(ops.square(x)), x)
assert same(ops.multiply(x, 2), ops.divide(x, 0.5))
assert same(ops.abs(ops.cast([-1, 2], "float32")), [1, 2])
assert same(ops.exp(ops.zeros(2)), [1, 1])
assert same(ops.cos(ops.array([0.0, math.pi])), [1, -1])
assert same(ops.round(ops.array([1.4, 1.6])), [1, 2])
assert same(ops.clip(x, 2.0, 5.0), [[2, 2, 3], [4, 5, 5]])
assert same(ops.where(x > 3, x, 0.0), [[0, 0, 0], [4, 5, 6]])
assert same(ops.relu(ops.array([-1.0, 2.0])), [0, 2])
assert same(ops.sum(ops.softmax(x), axis=-1), [1, 1])
assert same(keras.activations.softmax(x, axis=0), ops.softmax(ops.cast(x, "float32"), axis=0))

# Along an axis.
assert same(ops.mean(x), 3.5)
assert same(ops.mean(x, axis=0), [2.5, 3.5, 4.5])
assert ops.mean(x, axis=1, keepdims=True).shape == (2, 1)
assert same(ops.std(x, axis=0), [1.5, 1.5, 1.5])
assert same(ops.max(x, axis=-1, keepdims=True), [[3], [6]])
assert same(ops.argmax(x, axis=-1), [2, 2])

# Shapes.
assert ops.reshape(x, (3, 2)).shape == (3, 2)
assert same(ops.transpose(x, axes=(1, 0)), ops.convert_to_numpy(x).T)
assert ops.stack([x, x], axis=1).shape == (2, 2, 3)
assert ops.concatenate([x, x], axis=1).shape == (2, 6)
assert ops.concatenate([x, x], axis=0).shape == (4, 3)
assert ops.broadcast_to(ops.array([1.0, 2.0, 3.0]), (4, 3)).shape == (4, 3)
left, right = ops.split(ops.concatenate([x, x], axis=1), indices_or_sections=2, axis=1)
assert same(left, right)
assert same(ops.matmul(x, ops.transpose(x)), [[14, 32], [32, 77]])
assert same(ops.one_hot(ops.array([0, 2]), num_classes=3), [[1, 0, 0], [0, 0, 1]])

# A part of a tensor; numbers put at places; Fourier transforms; patches of pictures.
assert same(ops.slice(x, (0, 1), (2, 2)), [[2, 3], [5, 6]])
assert same(ops.scatter(ops.array([[0], [2]]), ops.array([7.0, 8.0]), (4,)), [7, 0, 8, 0])
assert same(ops.slice_update(x, (0, 0), ops.zeros((1, 2))), [[0, 0, 3], [4, 5, 6]])
real, imaginary = ops.fft2((x, ops.zeros_like(x)))
assert same(real, np.fft.fft2(ops.convert_to_numpy(x)).real)
assert same(imaginary, np.fft.fft2(ops.convert_to_numpy(x)).imag)
pictures = np.arange(2 * 8 * 8, dtype="float32").reshape(2, 8, 8, 1)
patches = ops.image.extract_patches(pictures, (4, 4))
assert patches.shape == (2, 2, 2, 16)
assert same(patches[0, 1, 1], pictures[0, 4:, 4:].ravel())

# Everything works on the graph of a model as well, and gives gradients.
inputs = keras.Input(shape=(4, 3))
h = ops.mean(inputs, axis=-1, keepdims=True)
h = ops.transpose(ops.relu(inputs - h), axes=(0, 2, 1))
h = ops.reshape(h, (-1, 12))
model = keras.Model(inputs, layers.Dense(1)(ops.concatenate([h, ops.square(h)], axis=1)))
assert model.output_shape == (None, 1)
model.compile(loss="mse", optimizer="sgd")
random = np.random.default_rng(0)
data = random.random((32, 4, 3)).astype("float32")
history = model.fit(data, data.sum(axis=(1, 2)), epochs=3, verbose=0).history
assert history["loss"][-1] < history["loss"][0]


class Patches(layers.Layer):
    """Pictures as rows of patches: what a vision transformer reads."""

    def __init__(self, patch_size, **kwargs):
        super().__init__(**kwargs)
        self.patch_size = patch_size

    def call(self, images):
        batch = ops.shape(images)[0]
        patches = ops.image.extract_patches(images, size=self.patch_size)
        return ops.reshape(patches, (batch, -1, patches.shape[-1]))


assert Patches(4)(pictures).shape == (2, 4, 16)

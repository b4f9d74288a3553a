"""Functions of networks, images and phases in Keras 2's words, where `ops` says it otherwise."""

from __future__ import annotations

from typing import Any

import torch

from neocog import activations, functional, ops, random
from neocog.core import check_one_of, floatx, standardize_data_format


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> torch.Tensor:
    """Return `activations.relu`, whose `negative_slope` is called `alpha` here.

    Args:
        x: tensor.
        alpha: slope below the threshold.
        max_value: upper bound; None for none.
        threshold: where the unit opens.

    Example:
        >>> relu(torch.tensor([-1.0, 9.0]), max_value=6.0)
        tensor([0., 6.])
    """
    return activations.relu(x, alpha, max_value, threshold)


def hard_sigmoid(x: Any) -> torch.Tensor:
    """Return 0.2 x + 0.5 clipped to [0, 1]: Keras 2's form, not the one of `activations`.

    Args:
        x: tensor.

    Example:
        >>> hard_sigmoid(torch.tensor([0.0, 9.0]))
        tensor([0.5000, 1.0000])
    """
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def softmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return eˣ / Σ eˣ along `axis`.

    Args:
        x: tensor.
        axis: axis or axes.

    Example:
        >>> softmax(torch.zeros(1, 2))
        tensor([[0.5000, 0.5000]])
    """
    return ops.softmax(x, axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> torch.Tensor:
    """Return -log p[y] for class numbers y.

    Args:
        target: class numbers.
        output: probabilities or logits.
        from_logits: whether `output` has no softmax yet.
        axis: axis of the classes.
        ignore_class: a label whose loss is 0.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931])
    """
    return functional.sparse_categorical_crossentropy(target, output, from_logits, ignore_class, axis)


def one_hot(indices: Any, num_classes: int) -> torch.Tensor:
    """Return class numbers as vectors with a 1 at the class.

    Args:
        indices: class numbers.
        num_classes: length of the vectors.

    Example:
        >>> one_hot([1], 3)
        tensor([[0., 1., 0.]])
    """
    return ops.one_hot(indices, num_classes)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> torch.Tensor:
    """Return `x` with each value dropped to 0 with a probability, the others scaled.

    Args:
        x: tensor.
        level: the probability.
        noise_shape: shape of the mask.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> dropout(torch.ones(2), 0.0)
        tensor([1., 1.])
    """
    return random.dropout(x, level, noise_shape, seed)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Return ones with a probability, and zeros.

    Args:
        shape: shape.
        p: the probability of a one.
        dtype: type; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> random_bernoulli((2,), 1.0)
        tensor([1., 1.])
    """
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in training and `alt` otherwise; functions are called.

    Args:
        x: value or function for training.
        alt: value or function for inference.
        training: the mode; None counts as inference.

    Example:
        >>> in_train_phase(1, lambda: 2, training=True)
        1
    """
    chosen = x if training else alt
    return chosen() if callable(chosen) and not isinstance(chosen, torch.Tensor) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in inference and `alt` in training; functions are called.

    Args:
        x: value or function for inference.
        alt: value or function for training.
        training: the mode; None counts as inference.

    Example:
        >>> in_test_phase(1, 2)
        1
    """
    return in_train_phase(alt, x, training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values or function results, by one truth value or element by element.

    Args:
        condition: truth value, or tensor of them.
        then_expression: value or function.
        else_expression: value or function.

    Example:
        >>> switch(torch.tensor([True, False]), torch.ones(2), torch.zeros(2))
        tensor([1., 0.])
    """
    condition = ops.cast(condition, "bool")
    if condition.dim() == 0:
        return in_train_phase(then_expression, else_expression, bool(condition))
    first, second = in_train_phase(then_expression, None, True), in_train_phase(else_expression, None, True)
    while condition.dim() < ops.convert_to_tensor(first).dim():
        condition = condition.unsqueeze(-1)
    return ops.where(condition, first, second)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> torch.Tensor:
    """Return `x` plus a bias for each channel.

    Args:
        x: (batch, …, channels); channels in front with `"channels_first"`.
        bias: (channels,).
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> bias_add(torch.zeros(1, 2), torch.ones(2))
        tensor([[1., 1.]])
    """
    if standardize_data_format(data_format) == "channels_first":
        bias = ops.reshape(bias, (-1, *(1,) * (len(ops.shape(x)) - 2)))
    return ops.add(x, bias)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> torch.Tensor:
    """Return the convolution of images with a kernel, as `ops.conv`.

    Args:
        x: images.
        kernel: (height, width, channels, filters).
        strides: steps between windows.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps.

    Example:
        >>> conv2d(torch.ones(1, 5, 5, 1), torch.ones(3, 3, 1, 2)).shape
        torch.Size([1, 3, 3, 2])
    """
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> torch.Tensor:
    """Return maxima or means of windows.

    Args:
        x: images.
        pool_size: size of the windows.
        strides: steps between windows.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        pool_mode: `"max"` or `"avg"`.

    Example:
        >>> pool2d(torch.ones(1, 4, 4, 1), (2, 2), (2, 2)).shape
        torch.Size([1, 2, 2, 1])
    """
    kind = check_one_of("backend.pool2d", "pool_mode", pool_mode, ("max", "avg"))
    pool = ops.max_pool if kind == "max" else ops.average_pool
    return pool(x, pool_size, strides, padding, data_format)


def spatial_2d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None
) -> torch.Tensor:
    """Return images with borders of zeros.

    Args:
        x: images.
        padding: ((top, bottom), (left, right)).
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> spatial_2d_padding(torch.ones(1, 4, 4, 1)).shape
        torch.Size([1, 6, 6, 1])
    """
    (top, bottom), (left, right) = padding
    return ops.image.pad_images(x, top, left, bottom, right, data_format=data_format)


def temporal_padding(x: Any, padding: Any = (1, 1)) -> torch.Tensor:
    """Return series with zeros before and after.

    Args:
        x: (batch, length, channels).
        padding: numbers of steps.

    Example:
        >>> temporal_padding(torch.ones(1, 4, 2)).shape
        torch.Size([1, 6, 2])
    """
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> torch.Tensor:
    """Return images enlarged by whole factors.

    Args:
        x: images.
        height_factor: factor of the height.
        width_factor: factor of the width.
        data_format: `"channels_last"` or `"channels_first"`.
        interpolation: `"nearest"`, `"bilinear"` or `"bicubic"`.

    Example:
        >>> resize_images(torch.ones(1, 4, 4, 1), 2, 2, "channels_last").shape
        torch.Size([1, 8, 8, 1])
    """
    height, width = ops.shape(x)[1:3] if data_format == "channels_last" else ops.shape(x)[2:4]
    size = (height * height_factor, width * width_factor)
    return ops.image.resize(x, size, interpolation, data_format=data_format)

"""Activations as operations, with the defaults that they have in Keras's `ops`."""

from __future__ import annotations

from typing import Any

import torch

from neocog import activations
from neocog.ops._op import as_tensor, op


@op("keras.src.ops.nn>Relu")
def relu(x: Any) -> torch.Tensor:
    """Return max(x, 0)."""
    return torch.relu(as_tensor(x))  # integers stay integers


@op("keras.src.ops.nn>Relu6")
def relu6(x: Any) -> torch.Tensor:
    """Return min(max(x, 0), 6)."""
    return activations.relu6(as_tensor(x))


@op("keras.src.ops.nn>Sigmoid")
def sigmoid(x: Any) -> torch.Tensor:
    """Return 1 / (1 + e⁻ˣ)."""
    return activations.sigmoid(as_tensor(x))


@op("keras.src.ops.nn>SparseSigmoid")
def sparse_sigmoid(x: Any) -> torch.Tensor:
    """Return (x + 1)/2 clipped to [0, 1]."""
    return activations.sparse_sigmoid(as_tensor(x))


@op("keras.src.ops.nn>Softplus")
def softplus(x: Any) -> torch.Tensor:
    """Return log(eˣ + 1)."""
    return activations.softplus(as_tensor(x))


@op("keras.src.ops.nn>Softsign")
def softsign(x: Any) -> torch.Tensor:
    """Return x / (|x| + 1)."""
    return activations.softsign(as_tensor(x))


@op("keras.src.ops.nn>SoftShrink")
def soft_shrink(x: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return x moved towards 0 by `threshold`, and 0 within it.

    Args:
        x: tensor of any shape.
        threshold: λ ≥ 0.
    """
    return activations.soft_shrink(as_tensor(x), threshold)


@op("keras.src.ops.nn>SparsePlus")
def sparse_plus(x: Any) -> torch.Tensor:
    """Return 0 for x ≤ -1, (x + 1)²/4 for -1 < x < 1, x for x ≥ 1."""
    return activations.sparse_plus(as_tensor(x))


@op("keras.src.ops.nn>Silu")
def silu(x: Any) -> torch.Tensor:
    """Return x · sigmoid(x), also called swish."""
    return activations.silu(as_tensor(x))


@op("keras.src.ops.nn>Squareplus")
def squareplus(x: Any, b: float = 4) -> torch.Tensor:
    """Return (x + √(x² + b)) / 2.

    Args:
        x: tensor of any shape.
        b: smoothness.
    """
    return activations.squareplus(as_tensor(x), b)


@op("keras.src.ops.nn>LogSigmoid")
def log_sigmoid(x: Any) -> torch.Tensor:
    """Return log(1 / (1 + e⁻ˣ))."""
    return activations.log_sigmoid(as_tensor(x))


@op("keras.src.ops.nn>LeakyRelu")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> torch.Tensor:
    """Return x where positive, negative_slope · x elsewhere.

    Args:
        x: tensor of any shape.
        negative_slope: slope on the negative side.
    """
    return activations.leaky_relu(as_tensor(x), negative_slope)


@op("keras.src.ops.nn>HardSigmoid")
def hard_sigmoid(x: Any) -> torch.Tensor:
    """Return x/6 + 1/2 clipped to [0, 1]."""
    return activations.hard_sigmoid(as_tensor(x))


@op("keras.src.ops.nn>HardSilu")
def hard_silu(x: Any) -> torch.Tensor:
    """Return x · hard_sigmoid(x), also called hard swish."""
    return activations.hard_silu(as_tensor(x))


@op("keras.src.ops.nn>Elu")
def elu(x: Any, alpha: float = 1.0) -> torch.Tensor:
    """Return x where positive, α (eˣ - 1) elsewhere.

    Args:
        x: tensor of any shape.
        alpha: the limit on the negative side is -α.
    """
    return activations.elu(as_tensor(x), alpha)


@op("keras.src.ops.nn>Selu")
def selu(x: Any) -> torch.Tensor:
    """Return 1.0507 · (x where positive, 1.6733 (eˣ - 1) elsewhere)."""
    return activations.selu(as_tensor(x))


@op("keras.src.ops.nn>Gelu")
def gelu(x: Any, approximate: bool = True) -> torch.Tensor:
    """Return x · Φ(x), with Φ the normal distribution function.

    Args:
        x: tensor of any shape.
        approximate: use the formula with tanh.
    """
    return activations.gelu(as_tensor(x), approximate)


@op("keras.src.ops.nn>Celu")
def celu(x: Any, alpha: float = 1.0) -> torch.Tensor:
    """Return max(x, 0) + min(α (e^(x/α) - 1), 0).

    Args:
        x: tensor of any shape.
        alpha: the limit on the negative side is -α.
    """
    return activations.celu(as_tensor(x), alpha)


@op("keras.src.ops.nn>Glu")
def glu(x: Any, axis: int = -1) -> torch.Tensor:
    """Return a · sigmoid(b), with a and b the halves of `x` along `axis`.

    Args:
        x: tensor of any shape.
        axis: axis that is halved.
    """
    return activations.glu(as_tensor(x), axis)


@op("keras.src.ops.nn>TanhShrink")
def tanh_shrink(x: Any) -> torch.Tensor:
    """Return x - tanh(x)."""
    return activations.tanh_shrink(as_tensor(x))


@op("keras.src.ops.nn>HardTanh")
def hard_tanh(x: Any) -> torch.Tensor:
    """Return x clipped to [-1, 1]."""
    return activations.hard_tanh(as_tensor(x))


@op("keras.src.ops.nn>HardShrink")
def hard_shrink(x: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return x where |x| > threshold, 0 elsewhere.

    Args:
        x: tensor of any shape.
        threshold: λ.
    """
    return activations.hard_shrink(as_tensor(x), threshold)


@op("keras.src.ops.nn>Softmax")
def softmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return eˣ / Σ eˣ along `axis`.

    Args:
        x: tensor of any shape.
        axis: axis or axes that sum to 1; None takes all of them.
    """
    return activations.softmax(as_tensor(x), axis)


@op("keras.src.ops.nn>LogSoftmax")
def log_softmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return x - log Σ eˣ along `axis`.

    Args:
        x: tensor of any shape.
        axis: axis or axes whose exponentials sum to 1; None takes all of them.
    """
    return activations.log_softmax(as_tensor(x), axis)


@op("keras.src.ops.nn>Sparsemax")
def sparsemax(x: Any, axis: int = -1) -> torch.Tensor:
    """Return the point of the probability simplex nearest to `x` along `axis`.

    Args:
        x: tensor of any shape.
        axis: axis that sums to 1.
    """
    return activations.sparsemax(as_tensor(x), axis)


@op("keras.src.ops.nn>Threshold")
def threshold(x: Any, threshold: float, default_value: float) -> torch.Tensor:
    """Return x where above `threshold`, `default_value` elsewhere.

    Args:
        x: tensor of any shape.
        threshold: bound.
        default_value: what stands in place of values at or below it.
    """
    return activations.threshold(as_tensor(x), threshold, default_value)


swish = silu
hard_swish = hard_silu

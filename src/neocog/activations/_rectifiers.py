"""Activations that keep the positive side: the rectifiers, exponential units and their smooth relatives."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from neocog.activations._registry import ACTIVATIONS, converted, is_float


@ACTIVATIONS.register()
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> torch.Tensor:
    """Return max(x, 0); in general max_value from there on, x above threshold, slope · (x - threshold) below.

    Args:
        x: input of any shape.
        negative_slope: slope below the threshold; default 0.
        max_value: upper bound; default None, no bound.
        threshold: where the unit opens; default 0.

    Example:
        >>> relu(torch.tensor([-1.0, 2.0, 9.0]), max_value=6)
        tensor([0., 2., 6.])
    """
    if not is_float(x):
        return converted(relu, x, negative_slope, max_value, threshold)
    if max_value is None and threshold == 0:
        return torch.relu(x) if negative_slope == 0 else F.leaky_relu(x, negative_slope)
    if threshold != 0:
        positive = torch.where(x > threshold, x, 0.0)
    else:
        positive = F.relu6(x) if max_value == 6 else torch.relu(x)
    if max_value is not None and not (max_value == 6 and threshold == 0):
        positive = torch.clamp(positive, 0.0, max_value)
    if negative_slope == 0:
        return positive
    return positive - negative_slope * torch.relu(threshold - x)


@ACTIVATIONS.register()
def leaky_relu(x: Any, negative_slope: float = 0.2) -> torch.Tensor:
    """Return x where positive, negative_slope · x elsewhere.

    Args:
        x: input of any shape.
        negative_slope: slope on the negative side; default 0.2.

    Example:
        >>> leaky_relu(torch.tensor([-1.0, 2.0]))
        tensor([-0.2000,  2.0000])
    """
    return F.leaky_relu(x, negative_slope) if is_float(x) else converted(leaky_relu, x, negative_slope)


@ACTIVATIONS.register()
def relu6(x: Any) -> torch.Tensor:
    """Return min(max(x, 0), 6).

    Example:
        >>> relu6(torch.tensor([-1.0, 2.0, 9.0]))
        tensor([0., 2., 6.])
    """
    return F.relu6(x) if is_float(x) else converted(relu6, x)


@ACTIVATIONS.register()
def elu(x: Any, alpha: float = 1.0) -> torch.Tensor:
    """Return x where positive, α (eˣ - 1) elsewhere.

    Args:
        x: input of any shape.
        alpha: the limit on the negative side is -α; default 1.

    Example:
        >>> elu(torch.tensor([0.0, 2.0]))
        tensor([0., 2.])

    Reference:
        Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016.
    """
    return F.elu(x, alpha) if is_float(x) else converted(elu, x, alpha)


@ACTIVATIONS.register()
def celu(x: Any, alpha: float = 1.0) -> torch.Tensor:
    """Return max(x, 0) + min(α (e^(x/α) - 1), 0).

    Args:
        x: input of any shape.
        alpha: the limit on the negative side is -α; default 1.

    Example:
        >>> celu(torch.tensor([0.0, 2.0]))
        tensor([0., 2.])
    """
    return F.celu(x, alpha) if is_float(x) else converted(celu, x, alpha)


@ACTIVATIONS.register()
def selu(x: Any) -> torch.Tensor:
    """Return 1.0507 · (x where positive, 1.6733 (eˣ - 1) elsewhere): keeps mean 0 and variance 1.

    Example:
        >>> selu(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 1.0507])

    Reference:
        Klambauer et al., Self-Normalizing Neural Networks, 2017.
    """
    return F.selu(x) if is_float(x) else converted(selu, x)


@ACTIVATIONS.register("swish")
def silu(x: Any) -> torch.Tensor:
    """Return x · sigmoid(x), also called swish.

    Example:
        >>> silu(torch.tensor([0.0]))
        tensor([0.])
    """
    return F.silu(x) if is_float(x) else converted(silu, x)


@ACTIVATIONS.register("hard_swish")
def hard_silu(x: Any) -> torch.Tensor:
    """Return x · hard_sigmoid(x), also called hard swish.

    Example:
        >>> hard_silu(torch.tensor([0.0, 3.0]))
        tensor([0., 3.])
    """
    return F.hardswish(x) if is_float(x) else converted(hard_silu, x)


@ACTIVATIONS.register()
def gelu(x: Any, approximate: bool = False) -> torch.Tensor:
    """Return x · Φ(x), with Φ the normal distribution function.

    Args:
        x: input of any shape.
        approximate: use the formula with tanh; default False, the exact one.

    Example:
        >>> gelu(torch.tensor([0.0]))
        tensor([0.])

    Reference:
        Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.
    """
    if not is_float(x):
        return converted(gelu, x, approximate)
    return F.gelu(x, approximate="tanh" if approximate else "none")


@ACTIVATIONS.register()
def mish(x: Any) -> torch.Tensor:
    """Return x · tanh(softplus(x)).

    Example:
        >>> mish(torch.tensor([0.0]))
        tensor([0.])
    """
    return F.mish(x) if is_float(x) else converted(mish, x)


@ACTIVATIONS.register()
def softplus(x: Any) -> torch.Tensor:
    """Return log(eˣ + 1).

    Example:
        >>> softplus(torch.tensor([0.0]))
        tensor([0.6931])
    """
    return F.softplus(x) if is_float(x) else converted(softplus, x)


@ACTIVATIONS.register()
def squareplus(x: Any, b: float = 4) -> torch.Tensor:
    """Return (x + √(x² + b)) / 2.

    Args:
        x: input of any shape.
        b: smoothness; default 4.

    Example:
        >>> squareplus(torch.tensor([0.0]))
        tensor([1.])
    """
    if not is_float(x):
        return converted(squareplus, x, b)
    return torch.div(x + torch.sqrt(torch.square(x) + b), 2)


@ACTIVATIONS.register()
def sparse_plus(x: Any) -> torch.Tensor:
    """Return 0 for x ≤ -1, (x + 1)²/4 for -1 < x < 1, x for x ≥ 1.

    Example:
        >>> sparse_plus(torch.tensor([-2.0, 0.0, 2.0]))
        tensor([0.0000, 0.2500, 2.0000])
    """
    if not is_float(x):
        return converted(sparse_plus, x)
    return torch.where(x <= -1, 0.0, torch.where(x < 1, 0.25 * torch.square(x + 1.0), x))


@ACTIVATIONS.register()
def exponential(x: Any) -> torch.Tensor:
    """Return eˣ.

    Example:
        >>> exponential(torch.tensor([0.0]))
        tensor([1.])
    """
    return torch.exp(x) if is_float(x) else converted(exponential, x)


@ACTIVATIONS.register()
def linear(x: Any) -> Any:
    """Return x itself.

    Example:
        >>> linear(3.5)
        3.5
    """
    return x

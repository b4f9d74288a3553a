"""Activations with bounded results, probabilities among them, and the shrinking and gating ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from neocog.activations._registry import ACTIVATIONS, converted, is_float, rounds
from neocog.functional import remember_logits

Axis = int | Sequence[int] | None


@ACTIVATIONS.register()
def sigmoid(x: Any) -> torch.Tensor:
    """Return 1 / (1 + e⁻ˣ); float32 where autocast made `x` half precision.

    Example:
        >>> sigmoid(torch.tensor([0.0]))
        tensor([0.5000])
    """
    if not is_float(x):
        return converted(sigmoid, x)
    return remember_logits(torch.sigmoid(x.float() if rounds(x) else x), x, "sigmoid")


@ACTIVATIONS.register()
def log_sigmoid(x: Any) -> torch.Tensor:
    """Return log(1 / (1 + e⁻ˣ)); float32 where autocast made `x` half precision.

    Example:
        >>> log_sigmoid(torch.tensor([0.0]))
        tensor([-0.6931])
    """
    if not is_float(x):
        return converted(log_sigmoid, x)
    return F.logsigmoid(x.float() if rounds(x) else x)


@ACTIVATIONS.register()
def softmax(x: Any, axis: Axis = -1) -> torch.Tensor:
    """Return eˣ / Σ eˣ along `axis`; float32 where autocast made `x` half precision.

    Args:
        x: input of any shape.
        axis: axis or axes that sum to 1; default the last; None takes all of them.

    Example:
        >>> softmax(torch.tensor([0.0, 0.0]))
        tensor([0.5000, 0.5000])
    """
    if not is_float(x):
        return converted(softmax, x, axis)
    if not isinstance(axis, int):
        return _over_axes(softmax, x, axis)
    probabilities = torch.softmax(x, axis, dtype=torch.float32 if rounds(x) else None)
    return remember_logits(probabilities, x, "softmax") if axis in (-1, x.dim() - 1) else probabilities


@ACTIVATIONS.register()
def log_softmax(x: Any, axis: Axis = -1) -> torch.Tensor:
    """Return x - log Σ eˣ along `axis`; float32 where autocast made `x` half precision.

    Args:
        x: input of any shape.
        axis: axis or axes whose exponentials sum to 1; default the last; None takes all of them.

    Example:
        >>> log_softmax(torch.tensor([0.0, 0.0]))
        tensor([-0.6931, -0.6931])
    """
    if not is_float(x):
        return converted(log_softmax, x, axis)
    if not isinstance(axis, int):
        return _over_axes(log_softmax, x, axis)
    return torch.log_softmax(x, axis, dtype=torch.float32 if rounds(x) else None)


def _over_axes(
    function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, axes: Sequence[int] | None
) -> torch.Tensor:
    chosen = range(x.dim()) if axes is None else [axis % x.dim() for axis in axes]
    last = tuple(range(-len(chosen), 0))
    moved = torch.movedim(x, tuple(chosen), last)
    flat = function(torch.flatten(moved, x.dim() - len(chosen)))
    return torch.movedim(torch.reshape(flat, moved.shape), last, tuple(chosen))


@ACTIVATIONS.register()
def sparsemax(x: Any, axis: int = -1) -> torch.Tensor:
    """Return the point of the probability simplex nearest to `x` along `axis`: a softmax with exact zeros.

    Args:
        x: input of any shape.
        axis: axis that sums to 1; default the last.

    Example:
        >>> sparsemax(torch.tensor([2.0, 0.0, -1.0]))
        tensor([1., 0., 0.])

    Reference:
        Martins and Astudillo, From Softmax to Sparsemax, 2016.
    """
    if not is_float(x):
        return converted(sparsemax, x, axis)
    # Keras 3.15.1 adds up all sums here, and its result does not sum to 1 (keras issue 23425): not followed.
    ordered, _ = torch.sort(x, dim=axis, descending=True)
    sums = torch.cumsum(ordered, dim=axis) - 1.0
    shape = [1] * x.dim()
    shape[axis] = -1
    counts = torch.arange(1, x.shape[axis] + 1, device=x.device, dtype=x.dtype).reshape(shape)
    support = torch.sum(ordered * counts > sums, dim=axis, keepdim=True)
    tau = torch.gather(sums, axis, support - 1) / support
    return torch.clamp(x - tau, min=0.0)


@ACTIVATIONS.register()
def tanh(x: Any) -> torch.Tensor:
    """Return (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).

    Example:
        >>> tanh(torch.tensor([0.0]))
        tensor([0.])
    """
    return torch.tanh(x) if is_float(x) else converted(tanh, x)


@ACTIVATIONS.register()
def scaled_tanh(x: Any) -> torch.Tensor:
    """Return 1.7159 tanh(2x/3), which is 1 at 1 and -1 at -1, and bends most there.

    Example:
        >>> scaled_tanh(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-1.0000,  0.0000,  1.0000])

    Reference:
        LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, appendix A.
    """
    return 1.7159 * torch.tanh(x * (2 / 3)) if is_float(x) else converted(scaled_tanh, x)


@ACTIVATIONS.register()
def hard_tanh(x: Any) -> torch.Tensor:
    """Return x clipped to [-1, 1].

    Example:
        >>> hard_tanh(torch.tensor([-2.0, 0.5]))
        tensor([-1.0000,  0.5000])
    """
    return F.hardtanh(x) if is_float(x) else converted(hard_tanh, x)


@ACTIVATIONS.register()
def hard_sigmoid(x: Any) -> torch.Tensor:
    """Return x/6 + 1/2 clipped to [0, 1].

    Example:
        >>> hard_sigmoid(torch.tensor([-3.0, 0.0]))
        tensor([0.0000, 0.5000])
    """
    return F.hardsigmoid(x) if is_float(x) else converted(hard_sigmoid, x)


@ACTIVATIONS.register()
def sparse_sigmoid(x: Any) -> torch.Tensor:
    """Return (x + 1)/2 clipped to [0, 1].

    Example:
        >>> sparse_sigmoid(torch.tensor([-1.0, 0.0]))
        tensor([0.0000, 0.5000])
    """
    if not is_float(x):
        return converted(sparse_sigmoid, x)
    return torch.where(x <= -1, 0.0, torch.where(x >= 1, 1.0, 0.5 * (x + 1.0)))


@ACTIVATIONS.register()
def softsign(x: Any) -> torch.Tensor:
    """Return x / (|x| + 1).

    Example:
        >>> softsign(torch.tensor([1.0]))
        tensor([0.5000])
    """
    return F.softsign(x) if is_float(x) else converted(softsign, x)


@ACTIVATIONS.register()
def soft_shrink(x: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return x moved towards 0 by `threshold`, and 0 within it.

    Args:
        x: input of any shape.
        threshold: λ ≥ 0; default 0.5.

    Example:
        >>> soft_shrink(torch.tensor([-2.0, 0.2]))
        tensor([-1.5000,  0.0000])
    """
    return F.softshrink(x, threshold) if is_float(x) else converted(soft_shrink, x, threshold)


@ACTIVATIONS.register()
def hard_shrink(x: Any, threshold: float = 0.5) -> torch.Tensor:
    """Return x where |x| > threshold, 0 elsewhere.

    Args:
        x: input of any shape.
        threshold: λ; default 0.5.

    Example:
        >>> hard_shrink(torch.tensor([-2.0, 0.2]))
        tensor([-2.,  0.])
    """
    return F.hardshrink(x, threshold) if is_float(x) else converted(hard_shrink, x, threshold)


@ACTIVATIONS.register()
def tanh_shrink(x: Any) -> torch.Tensor:
    """Return x - tanh(x).

    Example:
        >>> tanh_shrink(torch.tensor([0.0]))
        tensor([0.])
    """
    return F.tanhshrink(x) if is_float(x) else converted(tanh_shrink, x)


@ACTIVATIONS.register()
def threshold(x: Any, threshold: float, default_value: float) -> torch.Tensor:
    """Return x where above `threshold`, `default_value` elsewhere.

    Args:
        x: input of any shape.
        threshold: bound.
        default_value: what stands in place of values at or below it.

    Example:
        >>> _threshold(torch.tensor([0.5, 2.0]), 1.0, 0.0)
        tensor([0., 2.])
    """
    if not is_float(x):
        return converted(_threshold, x, threshold, default_value)
    return F.threshold(x, threshold, default_value)


_threshold = threshold  # the argument hides the function


@ACTIVATIONS.register()
def glu(x: Any, axis: int = -1) -> torch.Tensor:
    """Return a · sigmoid(b), with a and b the halves of `x` along `axis`.

    Args:
        x: input with an even size along `axis`.
        axis: axis that is halved; default the last.

    Example:
        >>> glu(torch.tensor([2.0, 0.0]))
        tensor([1.])
    """
    return F.glu(x, axis) if is_float(x) else converted(glu, x, axis)

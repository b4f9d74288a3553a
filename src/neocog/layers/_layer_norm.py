"""Normalisation of each sample by itself: layer, root mean square, unit length."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import check_number
from neocog.exceptions import ArgumentTypeError, message
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._input_spec import InputSpec
from neocog.layers._registry import LAYERS
from neocog.layers._scale_and_shift import ScaleAndShift
from neocog.layers._sizes import check_axes_exist, checked_axis, known_size


@LAYERS.register("layer_normalization")
class LayerNormalization(ScaleAndShift):
    """Normalise each sample by its own mean and variance over `axis`.

    Args:
        axis: axis, or several, over which the moments are taken; gamma and beta have their sizes.
        epsilon: added to the variance.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma after each update.

    Shapes:
        Any, unchanged.

    Example:
        >>> LayerNormalization()(torch.tensor([[1.0, 3.0]])).round(decimals=2).tolist()
        [[-1.0, 1.0]]

    Reference:
        Ba et al., Layer Normalization, 2016.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = bool(kwargs.pop("rms_scaling", False))
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.rms_scaling = rms_scaling
        self.axis: int | list[int] = one_or_several(self.label, axis)
        if rms_scaling:
            warnings.warn(
                "LayerNormalization: `rms_scaling` divides by the standard deviation, not by the root mean "
                "square; RMSNormalization does the latter.",
                DeprecationWarning,
                stacklevel=2,
            )

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]  # as Keras keeps it
        shape, self._axes, self._broadcast = plan_axes(self.label, self.axis, input_shape)
        self._sizes = shape if self._broadcast is None and not self.rms_scaling else None
        self.make_scale_and_shift(
            shape, scale=self.scale or self.rms_scaling, center=self.center and not self.rms_scaling
        )
        rank = len(input_shape)
        self.input_spec = InputSpec(ndim=rank, axes={axis: input_shape[axis] for axis in self._axes})

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if self._sizes is not None:
            return F.layer_norm(inputs, self._sizes, self.weight, self.bias, self.epsilon)
        x = inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs
        variance, mean = torch.var_mean(x, self._axes, correction=0, keepdim=True)
        scale = torch.rsqrt(variance + self.epsilon)
        if self.weight is not None:
            scale = scale * self._in_place(self.weight)
        if self.rms_scaling:
            return (x * scale).to(inputs.dtype)
        shift = -mean * scale
        if self.bias is not None:
            shift = shift + self._in_place(self.bias)
        return (x * scale + shift).to(inputs.dtype)

    def _in_place(self, values: torch.Tensor) -> torch.Tensor:
        return values if self._broadcast is None else values.reshape(self._broadcast)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        check_axes_exist(self.label, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis, "rms_scaling": self.rms_scaling}


@LAYERS.register("rms_normalization")
class RMSNormalization(ElementwiseLayer):
    """Divide each sample by its root mean square over `axis`: `scale · x / sqrt(mean(x²) + epsilon)`.

    Args:
        axis: axis, or several, over which the mean is taken; the learned scale has their sizes.
        epsilon: added to the mean square.

    Shapes:
        Any, unchanged.

    Example:
        >>> RMSNormalization()(torch.tensor([[3.0, -3.0]])).round(decimals=2).tolist()
        [[1.0, -1.0]]

    Reference:
        Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
    """

    supports_masking = False
    weight: torch.Tensor

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: int | list[int] = one_or_several(self.label, axis)
        self.epsilon = check_number(self.label, "epsilon", epsilon, minimum=0)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]  # as Keras keeps it
        self._sizes, self._axes, self._broadcast = plan_axes(self.label, self.axis, input_shape)
        self.make_weight("scale", "weight", self._sizes, "ones")
        rank = len(input_shape)
        self.input_spec = InputSpec(ndim=rank, axes={axis: input_shape[axis] for axis in self._axes})

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if self._broadcast is None and inputs.dtype == self.weight.dtype:  # torch fuses equal types only
            return F.rms_norm(inputs, self._sizes, self.weight, self.epsilon)
        x = inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs
        factor = torch.rsqrt(x.square().mean(self._axes, keepdim=True) + self.epsilon)
        scale = self.weight if self._broadcast is None else self.weight.reshape(self._broadcast)
        return (x * factor * scale).to(inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        check_axes_exist(self.label, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


@LAYERS.register("unit_normalization")
class UnitNormalization(ElementwiseLayer):
    """Divide each sample by its Euclidean length over `axis`.

    Args:
        axis: axis, or several.

    Example:
        >>> UnitNormalization()(torch.tensor([[3.0, 4.0]])).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: int | list[int] = one_or_several(self.label, axis)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs; a sample of zeros stays zeros."""
        inputs = self.as_float(inputs)
        length: torch.Tensor = torch.linalg.vector_norm(inputs, dim=self.axis, keepdim=True)
        return inputs / length.clamp_min(1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        check_axes_exist(self.label, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis}


def one_or_several(where: str, axis: Any) -> int | list[int]:
    """Return `axis` as a number or a list of numbers."""
    several = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not several or any(isinstance(item, bool) or not isinstance(item, int) for item in several):
        raise ArgumentTypeError(message(where, expected="axis to be one axis or several", got=repr(axis)))
    return several if isinstance(axis, (list, tuple)) else int(axis)


def plan_axes(
    where: str, given: list[int], input_shape: Sequence[int | None]
) -> tuple[tuple[int, ...], list[int], list[int] | None]:
    """Return the weights' shape, the axes counted from the front, and the shape to broadcast the weights in.

    That last one is None where the axes are the last ones in order, so that torch's own kernels apply.
    """
    rank = len(input_shape)
    shape = tuple(known_size(where, input_shape, item) for item in given)
    axes = [checked_axis(where, item, rank) for item in given]
    if axes == list(range(rank - len(axes), rank)):
        return shape, axes, None
    broadcast = [1] * rank
    for item, size in zip(axes, shape, strict=True):
        broadcast[item] = size
    return shape, axes, broadcast

"""Dropout in its forms: single values, whole feature maps, and the one that keeps SELU's moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_number, drawn, standardize_data_format
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.functional import keep_mask
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._input_spec import InputSpec
from neocog.layers._registry import LAYERS
from neocog.layers._seed_source import SeedSource

_SELU_FLOOR = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


class NoiseLayer(ElementwiseLayer):
    """Base of the layers that disturb their inputs in training and hand them on in inference.

    Args:
        seed: own seed of the layer's random numbers; None takes torch's global generator.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "seed": self.seed}


@LAYERS.register("dropout")
class Dropout(NoiseLayer):
    """Set each value to 0 with probability `rate` in training, and scale the others by `1 / (1 - rate)`.

    Args:
        rate: share of the values to drop, from 0 to 1.
        noise_shape: shape of the mask: None for the input's size on an axis, 1 to share one draw along it.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Example:
        >>> Dropout(0.5)(torch.ones(3), training=False)
        tensor([1., 1., 1.])

    Reference:
        Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = check_number(self.label, "rate", rate, minimum=0, maximum=1)
        self.noise_shape = checked_noise_shape(self.label, noise_shape)

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        if not training or self.rate == 0:
            return inputs
        if inputs.device.type != "cpu" and self.seed is None and self.noise_shape is None:
            return torch.dropout(inputs, self.rate, True)
        return drop(inputs, self.rate, concrete_noise_shape(inputs, self.noise_shape), self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class SpatialDropout(NoiseLayer):
    """Base of the layers that drop whole feature maps."""

    _rank: int

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = check_number(self.label, "rate", rate, minimum=0, maximum=1)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if not training or self.rate == 0:
            return inputs
        ones = (1,) * self._rank
        if self.data_format == "channels_first":
            shape = (inputs.shape[0], inputs.shape[1], *ones)
        else:
            shape = (inputs.shape[0], *ones, inputs.shape[-1])
        return drop(inputs, self.rate, shape, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values; Keras's class takes no `trainable`."""
        config = {**super().get_config(), "rate": self.rate, "data_format": self.data_format}
        del config["trainable"]
        return config


@LAYERS.register("spatial_dropout1d")
class SpatialDropout1D(SpatialDropout):
    """Drop whole feature maps of sequences.

    Args:
        rate: share of the maps to drop, from 0 to 1.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, steps, channels), unchanged.

    Example:
        >>> SpatialDropout1D(0.5)(torch.ones(1, 2, 3), training=False).shape
        torch.Size([1, 2, 3])

    Reference:
        Tompson et al., Efficient Object Localization Using Convolutional Networks, 2015.
    """

    _rank = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = super().get_config()
        del config["data_format"]
        return config


@LAYERS.register("spatial_dropout2d")
class SpatialDropout2D(SpatialDropout):
    """Drop whole feature maps of images.

    Args:
        rate: share of the maps to drop, from 0 to 1.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged.

    Example:
        >>> SpatialDropout2D(0.5)(torch.ones(1, 2, 2, 3), training=False).shape
        torch.Size([1, 2, 2, 3])

    Reference:
        Tompson et al., Efficient Object Localization Using Convolutional Networks, 2015.
    """

    _rank = 2


@LAYERS.register("spatial_dropout3d")
class SpatialDropout3D(SpatialDropout):
    """Drop whole feature maps of volumes.

    Args:
        rate: share of the maps to drop, from 0 to 1.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, depth, height, width, channels), unchanged.

    Example:
        >>> SpatialDropout3D(0.5)(torch.ones(1, 2, 2, 2, 3), training=False).shape
        torch.Size([1, 2, 2, 2, 3])

    Reference:
        Tompson et al., Efficient Object Localization Using Convolutional Networks, 2015.
    """

    _rank = 3


@LAYERS.register("alpha_dropout")
class AlphaDropout(NoiseLayer):
    """Set values to SELU's negative limit, and scale and shift so that mean 0 and variance 1 stay.

    Args:
        rate: share of the values to drop, at least 0 and below 1.
        noise_shape: shape of the mask: None for the input's size on an axis, 1 to share one draw along it.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Example:
        >>> AlphaDropout(0.5)(torch.ones(3), training=False)
        tensor([1., 1., 1.])

    Reference:
        Klambauer et al., Self-Normalizing Neural Networks, 2017.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = check_number(self.label, "rate", rate, minimum=0, maximum=1)
        if self.rate == 1:
            raise ArgumentError(message(self.label, expected="rate below 1", got=rate))
        self.noise_shape = checked_noise_shape(self.label, noise_shape)

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if not training or self.rate == 0:
            return inputs
        scale: float = ((1 - self.rate) * (1 + self.rate * _SELU_FLOOR**2)) ** -0.5
        shift = -scale * _SELU_FLOOR * self.rate
        shape = concrete_noise_shape(inputs, self.noise_shape)
        mask = kept(inputs, self.rate, shape, self.seed_generator).to(inputs.dtype)
        return inputs * (mask * scale) + ((1 - mask) * (scale * _SELU_FLOOR) + shift)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


def kept(inputs: torch.Tensor, rate: float, shape: Sequence[int], source: SeedSource) -> torch.Tensor:
    """Return a mask, 1 with probability `1 - rate`, else 0: of bool or of the inputs' type."""
    generator = source.generator(inputs.device)
    return drawn(inputs, shape, lambda mask: keep_mask(mask, rate, generator))


def drop(inputs: torch.Tensor, rate: float, shape: Sequence[int], source: SeedSource) -> torch.Tensor:
    """Return the inputs with a share of them dropped and the others scaled."""
    if rate == 1:
        return torch.zeros_like(inputs)
    return (inputs * kept(inputs, rate, shape, source)).mul_(1 / (1 - rate))


def concrete_noise_shape(inputs: torch.Tensor, noise_shape: tuple[int | None, ...] | None) -> Sequence[int]:
    """Return the mask's shape with None filled in from the inputs."""
    if noise_shape is None:
        return inputs.shape
    offset = inputs.ndim - len(noise_shape)
    return [inputs.shape[i + offset] if size is None else size for i, size in enumerate(noise_shape)]


def checked_noise_shape(where: str, value: Any) -> tuple[int | None, ...] | None:
    """Return `noise_shape` as a tuple of positive sizes and None."""
    if value is None:
        return None
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ArgumentTypeError(
            message(where, expected="noise_shape such as (None, 1, None)", got=repr(value))
        )
    sizes = tuple(None if size is None else int(size) for size in value)
    if any(size is not None and size < 1 for size in sizes):
        raise ArgumentError(message(where, expected="sizes of 1 or more, or None, in noise_shape", got=sizes))
    return sizes

"""Activation functions as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from neocog import activations, constraints, initializers, regularizers
from neocog._old_spellings import warn_old
from neocog.core import check_number
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import check_axes_exist, known_size


class ElementwiseLayer(Layer):
    """Base of the layers whose outputs have the shape of their inputs."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape


@LAYERS.register("activation")
class Activation(ElementwiseLayer):
    """Apply an activation function.

    Args:
        activation: function, or its name.

    Example:
        >>> Activation("relu")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = get_activation(activation)

    def call(self, inputs: torch.Tensor) -> Any:
        """Compute the outputs."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "activation": serialize_activation(self.activation)}


@LAYERS.register("re_lu", "relu")
class ReLU(ElementwiseLayer):
    """Rectify: at most `max_value`; x above `threshold`; `negative_slope · (x - threshold)` below.

    Args:
        max_value: upper bound; None for no bound.
        negative_slope: slope below the threshold, 0 or more.
        threshold: where the unit opens, 0 or more.

    Example:
        >>> ReLU(max_value=6)(torch.tensor([-1.0, 2.0, 9.0]))
        tensor([0., 2., 6.])
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = (
            None if max_value is None else check_number(self.label, "max_value", max_value, minimum=0)
        )
        self.negative_slope = check_number(self.label, "negative_slope", negative_slope, minimum=0)
        self.threshold = check_number(self.label, "threshold", threshold, minimum=0)
        self._plain = self.max_value is None and self.negative_slope == 0 and self.threshold == 0

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if self._plain and inputs.is_floating_point():
            return torch.relu(inputs)
        return activations.relu(
            self.as_float(inputs),
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


@LAYERS.register("leaky_re_lu", "leaky_relu")
class LeakyReLU(ElementwiseLayer):
    """Rectify with a leak: x above 0, `negative_slope · x` below.

    Args:
        negative_slope: slope below 0, 0 or more. Keras 2 called it `alpha`.

    Example:
        >>> LeakyReLU(0.5)(torch.tensor([-1.0, 2.0]))
        tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warn_old("LeakyReLU", "alpha", "negative_slope")
        super().__init__(**kwargs)
        self.negative_slope = check_number(self.label, "negative_slope", negative_slope, minimum=0)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return F.leaky_relu(self.as_float(inputs), self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


@LAYERS.register("p_re_lu", "prelu")
class PReLU(ElementwiseLayer):
    """Rectify with a learned leak: x above 0, `alpha · x` below; one alpha for each place that is not shared.

    Args:
        alpha_initializer: of alpha.
        alpha_regularizer: of alpha.
        alpha_constraint: applied to alpha after each update.
        shared_axes: axes (from 1) along which one alpha serves; `[1, 2]` after a 2D convolution.

    Example:
        >>> PReLU(alpha_initializer="ones")(torch.tensor([[-1.0, 2.0]])).tolist()
        [[-1.0, 2.0]]

    Reference:
        He et al., Delving Deep into Rectifiers, 2015.
    """

    alpha: torch.Tensor

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else tuple(int(axis) for axis in axes)
        if self.shared_axes is not None and min(self.shared_axes, default=1) < 1:
            raise ArgumentError(
                message(self.label, expected="shared_axes from 1 (the batch is axis 0)", got=shared_axes)
            )

    def build(self, input_shape: Any) -> None:
        """Make alpha."""
        shared = self.shared_axes or ()
        check_axes_exist(self.label, list(shared), input_shape)
        axes = range(1, len(input_shape))
        sizes = tuple(1 if axis in shared else known_size(self.label, input_shape, axis) for axis in axes)
        self.make_weight(
            "alpha",
            "alpha",
            sizes,
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        fixed = {axis: input_shape[axis] for axis in axes if axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        return torch.relu(inputs) - self.alpha * torch.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": None if self.shared_axes is None else list(self.shared_axes),
        }


@LAYERS.register("elu")
class ELU(ElementwiseLayer):
    """Exponential unit: x above 0, `alpha · (exp(x) - 1)` below.

    Args:
        alpha: the limit on the negative side is -alpha.

    Example:
        >>> ELU()(torch.tensor([0.0, 2.0]))
        tensor([0., 2.])

    Reference:
        Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = check_number(self.label, "alpha", alpha)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return F.elu(self.as_float(inputs), self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "alpha": self.alpha}


@LAYERS.register("softmax")
class Softmax(ElementwiseLayer):
    """Turn logits into probabilities that sum to 1 along `axis`.

    Args:
        axis: axis, or several axes that share one sum.

    Example:
        >>> Softmax()(torch.zeros(1, 4))
        tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)) or isinstance(axis, bool):
            raise ArgumentTypeError(message(self.label, expected="axis to be one axis or several", got=axis))
        self.axis: int | list[int] = axis if isinstance(axis, int) else [int(item) for item in axis]

    def call(self, inputs: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Compute the probabilities; places where `mask` is false get 0 and take no part in the sum."""
        inputs = self.as_float(inputs)
        if mask is not None:
            mask = self._fitting_mask(mask, inputs)
            inputs = torch.where(mask, inputs, -3e4 if inputs.dtype == torch.float16 else -1e9)
        outputs = self._softmax(inputs)
        return outputs if mask is None else torch.where(mask, outputs, 0.0)

    def _softmax(self, inputs: torch.Tensor) -> torch.Tensor:
        if isinstance(self.axis, int):
            return activations.softmax(inputs, axis=self.axis)
        if len(self.axis) == 1:
            return activations.softmax(inputs, axis=self.axis[0])
        return torch.exp(inputs - torch.logsumexp(inputs, dim=self.axis, keepdim=True))

    def _fitting_mask(self, mask: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        pairs = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in pairs):
            raise ShapeError(
                message(
                    self.label,
                    expected=f"a mask that broadcasts to the inputs' shape {tuple(inputs.shape)}",
                    got=tuple(mask.shape),
                )
            )
        return mask if mask.dtype == torch.bool else mask > 0.5

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        check_axes_exist(self.label, self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis}

"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog import constraints, initializers, regularizers
from neocog.activations import linear, relu
from neocog.core import check_int
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import known_size
from neocog.layers._unsupported import refuse_adapters
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


@LAYERS.register("dense")
class Dense(Layer):
    """Every output sees every input: `activation(inputs @ kernel + bias)`, over the last axis.

    Args:
        units: number of outputs.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (features, units).
        bias_initializer: of the bias, shape (units,).
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.
        lora_rank: not supported; must be None.
        lora_alpha: not supported; must be None.
        quantization_config: not supported; must be None.

    Shapes:
        (batch, …, features) to (batch, …, units). Torch's `weight` is (units, features).

    Example:
        >>> Dense(3, "relu")(torch.ones(2, 5)).shape
        torch.Size([2, 3])
    """

    supports_masking = True
    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse_adapters(self.label, lora_rank, lora_alpha, quantization_config)
        self.units = check_int(self.label, "units", units, minimum=1)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        features = known_size(self.label, input_shape, -1)
        self.make_weight(
            "kernel",
            "weight",
            (features, self.units),
            self.kernel_initializer,
            axes=(1, 0),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.make_weight(
                "bias",
                "bias",
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        else:
            self.register_parameter("bias", None)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        if self._mixed_policy is None:
            outputs = F.linear(inputs, self.weight, self.bias)
        else:  # rounded before the bias is added, as in Keras
            outputs = F.linear(inputs, self.weight)
            outputs = outputs if self.bias is None else outputs + self.bias.to(outputs.dtype)
        activation = self.activation
        if activation is relu:
            return torch.relu_(outputs)  # in place: nothing else needs the sums
        return outputs if activation is linear else activation(outputs)

    @property
    def kernel(self) -> WeightView:
        """The kernel in Keras's layout, (features, units)."""
        return weight_view(self, "kernel")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with `units` in the last place."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": serialize_activation(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }

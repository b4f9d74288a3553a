"""A layer whose kernel is kept at spectral norm 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentTypeError, message
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS, deserialize, serialize
from neocog.layers._weights import WeightView


@LAYERS.register("spectral_normalization")
class SpectralNormalization(Layer):
    """Divide a layer's kernel by its largest singular value at every training call.

    The value is found by power iteration, continued from call to call.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps at each call, 1 or more.

    Example:
        >>> from neocog.layers._dense import Dense
        >>> SpectralNormalization(Dense(3))(torch.ones(2, 4), training=True).shape
        torch.Size([2, 3])

    Reference:
        Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018.
    """

    vector_u: torch.Tensor

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(message(self.label, expected="a layer", got=repr(layer)))
        self.layer = layer
        self.power_iterations = check_int(self.label, "power_iterations", power_iterations, minimum=1)

    def build(self, input_shape: Any) -> None:
        """Build the layer inside, and start the power iteration."""
        if not self.layer.built:
            self.layer.build(input_shape)
        initializer = {"class_name": "TruncatedNormal", "config": {"stddev": 0.02}}
        self.make_weight("vector_u", "vector_u", (1, self._kernel().shape[-1]), initializer, trainable=False)

    def _kernel(self) -> WeightView:
        for spec in self.layer._specs:
            if spec.name in ("kernel", "embeddings"):
                return WeightView(self.layer, spec, spec.name)
        raise ArgumentTypeError(
            message(self.label, expected="a layer with a kernel or embeddings", got=self.layer.label)
        )

    def filed_weights(self) -> list[WeightView]:
        """Return what files list here: Keras's wrapper counts the kernel inside as its own too."""
        return [self._kernel(), *(view for view in self.weights if view.module is self)]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Normalise the kernel in training, then run the layer inside."""
        if training:
            self._normalize()
        return self.layer(inputs)

    @torch.no_grad()
    def _normalize(self) -> None:
        kernel = self._kernel()
        matrix = kernel.tensor().reshape(-1, kernel.shape[-1])  # (M, N)
        u = self.vector_u
        for _ in range(self.power_iterations):
            v = _unit(u @ matrix.mT)
            u = _unit(v @ matrix)
        sigma = (v @ matrix @ u.mT).squeeze()
        safe = torch.where(sigma == 0, torch.ones_like(sigma), sigma)  # a kernel of zeros stays as it is
        self.vector_u.copy_(torch.where(sigma == 0, self.vector_u, u))
        kernel.value.div_(safe)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape of the layer inside."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "layer": serialize(self.layer),
            "power_iterations": self.power_iterations,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Make the layer and the one inside."""
        return cls(**{**config, "layer": deserialize(config["layer"])})


def _unit(vector: torch.Tensor) -> torch.Tensor:
    length: torch.Tensor = torch.linalg.vector_norm(vector)
    return vector / length.clamp_min(1e-7)

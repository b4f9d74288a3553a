"""What the normalisation layers share: gamma (torch's `weight`), beta (torch's `bias`), their settings."""

from __future__ import annotations

from typing import Any

import torch

from neocog import constraints, initializers, regularizers
from neocog.core import check_number
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._views import optional_view
from neocog.layers._weights import WeightView


class ScaleAndShift(ElementwiseLayer):
    """Base of the normalisation layers that learn a scale `gamma` and a shift `beta`.

    Args:
        epsilon: added to the variance.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma after each update.
    """

    weight: torch.Tensor | None
    bias: torch.Tensor | None

    def __init__(
        self,
        *,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = check_number(self.label, "epsilon", epsilon, minimum=0)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def make_scale_and_shift(self, shape: tuple[int, ...], *, scale: bool, center: bool) -> None:
        """Make gamma and beta, each unless it is left out."""
        if scale:
            self.make_weight(
                "gamma",
                "weight",
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        else:
            self.register_parameter("weight", None)
        if center:
            self.make_weight(
                "beta",
                "bias",
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        else:
            self.register_parameter("bias", None)

    @property
    def gamma(self) -> WeightView | None:
        """The scale."""
        return optional_view(self, "gamma")

    @property
    def beta(self) -> WeightView | None:
        """The shift."""
        return optional_view(self, "beta")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }

"""Group normalisation."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.layers._input_spec import InputSpec
from neocog.layers._registry import LAYERS
from neocog.layers._scale_and_shift import ScaleAndShift
from neocog.layers._sizes import checked_axis, known_size


@LAYERS.register("group_normalization")
class GroupNormalization(ScaleAndShift):
    """Normalise each sample by the mean and variance of each group of neighbouring channels.

    Args:
        groups: number of groups, a divisor of the number of channels; -1 for one a channel.
        axis: the channel axis.
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
        Any with two axes or more, unchanged.

    Example:
        >>> GroupNormalization(2)(torch.ones(1, 4, 4, 6)).shape
        torch.Size([1, 4, 4, 6])

    Reference:
        Wu and He, Group Normalization, 2018.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        self.groups = check_int(self.label, "groups", groups, minimum=-1)
        if self.groups == 0:
            raise ArgumentError(message(self.label, expected="groups of 1 or more, or -1", got=groups))
        self.axis = check_int(self.label, "axis", axis)

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        rank = len(input_shape)
        channels = known_size(self.label, input_shape, self.axis)
        self._axis = checked_axis(self.label, self.axis, rank)
        if self._axis == 0:
            raise ArgumentError(message(self.label, expected="axis to be a channel axis", got="the batch"))
        if self.groups == -1:
            self.groups = channels  # Keras's configuration tells the number, too
        if channels % self.groups:
            raise ArgumentError(
                message(
                    self.label,
                    expected=f"groups that divide the {channels} channels",
                    got=self.groups,
                    do="groups=-1 gives every channel its own.",
                )
            )
        self.make_scale_and_shift((channels,), scale=self.scale, center=self.center)
        self.input_spec = InputSpec(ndim=rank, axes={self._axis: channels})

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs; channels-last images reach torch's kernel as channels_last memory."""
        inputs = self.as_float(inputs)
        x = inputs if self._axis == 1 else inputs.movedim(self._axis, 1)
        if not x.requires_grad and torch.is_grad_enabled():
            # torch 2.13's backward crashes on channels_last memory without a gradient for x.
            x = x.contiguous()
        if self.weight is None and self.bias is not None:  # torch's kernel has no gradient for a bias alone
            shift = self.bias.reshape(-1, *(1,) * (x.ndim - 2))
            outputs = torch.group_norm(x, self.groups, None, None, self.epsilon) + shift
        else:
            outputs = torch.group_norm(x, self.groups, self.weight, self.bias, self.epsilon)
        return outputs if self._axis == 1 else outputs.movedim(1, self._axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}

"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import torch

from neocog import initializers
from neocog.core import check_int, check_number, epsilon
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.layers._input_spec import InputSpec
from neocog.layers._registry import LAYERS
from neocog.layers._scale_and_shift import ScaleAndShift
from neocog.layers._sizes import checked_axis, known_size
from neocog.layers._synchronized_norm import Normalized, in_company, rows_count, sum_over_all
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


@LAYERS.register("batch_normalization")
class BatchNormalization(ScaleAndShift):
    """Normalise each channel by the batch's mean and variance, and keep moving ones for inference.

    In training: `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the batch's moments, and
    `moving = momentum · moving + (1 - momentum) · batch`. In inference, and whenever `trainable` is False,
    with the moving moments. Both variances are the biased one (divided by n), as in Keras.

    Args:
        axis: the channel axis.
        momentum: of the moving moments (torch counts the other way round: its momentum is 1 minus this).
        epsilon: added to the variance.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        moving_mean_initializer: of the moving mean.
        moving_variance_initializer: of the moving variance.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma after each update.
        renorm: not supported; must be False.
        renorm_clipping: not supported; must be None.
        renorm_momentum: kept in the configuration.
        synchronized: of several processes that train together, take the moments over the rows of all, as one
            process would; each takes its own rows' otherwise. `compile(synchronized=True)` asks all layers.

    Shapes:
        Any, unchanged. Torch's names in `state_dict`: weight, bias, running_mean, running_var.

    Example:
        >>> BatchNormalization()(torch.ones(2, 4, 4, 3)).shape
        torch.Size([2, 4, 4, 3])

    Reference:
        Ioffe and Szegedy, Batch Normalization, 2015.
    """

    running_mean: torch.Tensor
    running_var: torch.Tensor
    # How to reach torch's layout, channels on axis 1: `build` finds out.
    _to_torch: tuple[int, ...] | None = None
    _to_keras: tuple[int, ...] = ()
    _layout = ""
    asked_to_synchronize = False  # by a training of several processes, for all layers

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
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
        _refuse_renorm(self.label, renorm or renorm_clipping)
        self.axis = check_int(self.label, "axis", _out_of_list(axis))
        self.momentum = check_number(self.label, "momentum", momentum, minimum=0, maximum=1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm_momentum = renorm_momentum
        self.synchronized = bool(synchronized)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving moments, and plan the way to torch's layout."""
        channels = known_size(self.label, input_shape, self.axis)
        self.make_scale_and_shift((channels,), scale=self.scale, center=self.center)
        self.make_weight(
            "moving_mean", "running_mean", (channels,), self.moving_mean_initializer, trainable=False
        )
        self.make_weight(
            "moving_variance", "running_var", (channels,), self.moving_variance_initializer, trainable=False
        )
        rank = len(input_shape)
        axis = checked_axis(self.label, self.axis, rank)
        self.input_spec = InputSpec(ndim=rank, axes={axis: channels})
        if axis == 1:
            return
        if axis > 1 and rank in (4, 5):
            order = [0, axis, *(i for i in range(1, rank) if i != axis)]
            self._to_torch = tuple(order)
            self._to_keras = tuple(order.index(i) for i in range(rank))
        elif axis == 2 and rank == 3:
            self._layout = "row"
        else:
            self._layout = "flat"

    def call(
        self, inputs: torch.Tensor, training: bool | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Compute the outputs and, in training, move the moving moments; masked places don't count there."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        if mask is not None and mask.ndim != inputs.ndim - 1:
            expected = f"a mask with {inputs.ndim - 1} axes, one fewer than the inputs"
            raise ShapeError(message(self.label, expected=expected, got=tuple(mask.shape)))
        if mask is not None and training and self._trainable:
            return self._train_where(mask.bool().unsqueeze(-1).expand(inputs.shape), inputs)
        return self.channels_back(self.normalized(inputs, bool(training)), inputs)

    def normalized(self, inputs: torch.Tensor, training: bool) -> torch.Tensor:
        """Return the outputs in torch's layout; `channels_back` gives them that of the inputs."""
        x = self._channels_second(inputs)
        if training and self._trainable:
            return self._train(x)
        return self._normalize(x, self.running_mean, self.running_var, False)

    def folded_into(
        self, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the kernel and bias with which the layer before gives normalized outputs, by fixed moments.

        Args:
            weight: of a convolution or dense layer, outputs first; its type is the one computed in.
            bias: likewise, or None.
        """
        scale = torch.rsqrt(self.running_var.to(weight.dtype) + self.epsilon)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -self.running_mean if bias is None else bias - self.running_mean
        shift = shift.to(weight.dtype) * scale
        shift = shift if self.bias is None else shift + self.bias
        return weight * scale.view(-1, *(1,) * (weight.dim() - 1)), shift

    def _channels_second(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return a view as torch's kernels want it: images become channels_last memory, no copy."""
        if self._to_torch is not None:
            return inputs.permute(self._to_torch)
        if not self._layout:
            return inputs
        if self._layout == "row":
            return inputs.unsqueeze(1).permute(0, 3, 1, 2)  # an image of one row: channels_last memory too
        return inputs.movedim(self.axis, -1).reshape(-1, self.running_mean.shape[0])

    def channels_back(self, outputs: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return a result in torch's layout in that of the inputs."""
        if self._to_torch is not None:
            return outputs.permute(self._to_keras)
        if not self._layout:
            return outputs
        if self._layout == "row":
            return outputs.permute(0, 2, 3, 1).squeeze(1)
        return outputs.reshape(inputs.movedim(self.axis, -1).shape).movedim(-1, self.axis)

    @property
    def _in_company(self) -> bool:
        """Whether the moments are those of all processes."""
        return (self.synchronized or self.asked_to_synchronize) and in_company()

    def _train(self, x: torch.Tensor) -> torch.Tensor:
        if self._in_company and not x.is_meta:
            return self._train_in_company(x)
        count = x.numel() // self.running_mean.shape[0]
        if count < 2:
            return self._train_on_one(x)
        # Torch moves the variance by the unbiased one, n / (n - 1) times Keras's. Scaled up before and down
        # after, in a scratch tensor of one value a channel, the result is Keras's; the data are read once.
        ratio = count / (count - 1)
        scratch = self.running_var * ratio
        outputs = self._normalize(x, self.running_mean, scratch, True)
        self.running_var.copy_(scratch / ratio)
        return outputs

    def _train_in_company(self, x: torch.Tensor) -> torch.Tensor:
        outputs, *seen = Normalized.apply(x, self.weight, self.bias, self.epsilon, rows_count())  # type: ignore[no-untyped-call]
        self._move(*seen)
        return outputs  # type: ignore[no-any-return]

    def _move(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Let the moving moments follow those of a batch."""
        for moving, seen in ((self.running_mean, mean), (self.running_var, variance)):
            moving.lerp_(seen.detach().flatten().to(moving.dtype), 1 - self.momentum)

    def _train_where(self, kept: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        axis = self.axis % inputs.ndim
        others = [i for i in range(inputs.ndim) if i != axis]
        together = self._in_company and not inputs.is_meta
        total = sum_over_all if together else _as_it_is
        if together and not rows_count():
            kept = torch.zeros_like(kept)
        count = total(kept.to(inputs.dtype).sum(others, keepdim=True)) + epsilon()  # Keras's guard against 0
        mean = total(torch.where(kept, inputs, 0.0).sum(others, keepdim=True)) / count
        variance = total(torch.where(kept, inputs - mean, 0.0).square().sum(others, keepdim=True)) / count
        self._move(mean, variance)
        outputs = (inputs - mean) * torch.rsqrt(variance + self.epsilon)
        if self.weight is not None:
            outputs = outputs * self.weight.reshape(mean.shape)
        return outputs if self.bias is None else outputs + self.bias.reshape(mean.shape)

    def _train_on_one(self, x: torch.Tensor) -> torch.Tensor:
        """One value a channel: its variance is 0, and torch's own update would divide by 0."""
        if x.numel():
            mean = x.detach().reshape(-1).to(self.running_mean.dtype)
            self.running_mean.lerp_(mean, 1 - self.momentum)
            self.running_var.mul_(self.momentum)
        shape = (-1, *(1,) * (x.ndim - 2))
        outputs = x - x
        if self.weight is not None:
            outputs = outputs * self.weight.reshape(shape)
        return outputs if self.bias is None else outputs + self.bias.reshape(shape)

    def _normalize(
        self, x: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, training: bool
    ) -> torch.Tensor:
        return torch.batch_norm(
            x,
            self.weight,
            self.bias,
            mean,
            variance,
            training,
            1 - self.momentum,
            self.epsilon,
            torch.backends.cudnn.enabled,
        )

    @property
    def moving_mean(self) -> WeightView:
        """The moving mean, used in inference."""
        return weight_view(self, "moving_mean")

    @property
    def moving_variance(self) -> WeightView:
        """The moving variance, used in inference."""
        return weight_view(self, "moving_variance")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)  # torch's own layers count batches
        super()._load_from_state_dict(state_dict, prefix, *args)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": self.synchronized,
        }


def _as_it_is(value: torch.Tensor) -> torch.Tensor:
    return value


def _refuse_renorm(where: str, wanted: Any) -> None:
    if wanted:
        raise ArgumentError(f"{where}: batch renormalisation is not supported; leave renorm False.")


def _out_of_list(axis: Any) -> Any:
    """Return an axis that Keras 2 wrote as a list of one."""
    return axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis

"""Augmentation by stretching along one axis."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import check_number, check_one_of
from neocog.exceptions import ArgumentError, message
from neocog.functional import scale_matrices
from neocog.layers._registry import LAYERS
from neocog.layers.augment._warping import GeometricLayer

_AXES = ("either", "horizontal", "vertical")
_LEAST, _MOST = 0.01, 100.0


@LAYERS.register("random_stretch")
class RandomStretch(GeometricLayer):
    """Stretch each image about its centre along one axis by a random factor in training.

    Factors are drawn evenly on a logarithmic scale: 1.0 to 1.1 is as likely as 1.1 to 1.21.

    Args:
        factor: bounds, `(low, high)`, or a number f for `(1, f)`: 1.3 for up to 30 % longer; below 1 shrinks.
        axis: `"horizontal"`, `"vertical"`, or `"either"`: each image draws one of the two.
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomStretch(1.3)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        factor: Any = 1.3,
        axis: str = "either",
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = _bounds(self.label, factor)
        self.axis = check_one_of(self.label, "axis", axis, _AXES)

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a stretch for each image."""
        low, high = (math.log(bound) for bound in self.factor)
        shown = torch.exp(-self.uniform(batch, (low, high), device))  # twice as long: half as much is seen
        one = torch.ones_like(shown)
        if self.axis != "either":
            across = self.axis == "horizontal"
            return scale_matrices(shown if across else one, one if across else shown, height, width)
        is_across = self.uniform(batch, (0.0, 1.0), device) < 0.5
        return scale_matrices(
            torch.where(is_across, shown, one), torch.where(is_across, one, shown), height, width
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "axis": self.axis}


def _bounds(where: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)):
        return 1.0, check_number(where, "factor", value, minimum=1.0, maximum=_MOST)
    if len(value) != 2:
        expected = "factor as a number or (low, high)"
        raise ArgumentError(message(where, expected=expected, got=repr(value)))
    low, high = sorted(check_number(where, "factor", item, minimum=_LEAST, maximum=_MOST) for item in value)
    return low, high

"""What a network's images must look like, and the layers that make them so from RGB values of 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neocog import ops
from neocog.core import image_data_format
from neocog.layers import Rescaling

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preparation:
    """Each channel of an RGB image minus its mean, divided by its deviation.

    Attributes:
        mean: of red, green, blue, in values from 0 to 255.
        deviation: what the difference is divided by.
        bgr: whether the network takes blue first.
    """

    mean: Triple = (0.0, 0.0, 0.0)
    deviation: Triple = (1.0, 1.0, 1.0)
    bgr: bool = False

    def __call__(self, image: Any) -> Any:
        """Return the prepared image: symbolic layers on a symbolic one."""
        if self == NONE:
            return image
        mean, deviation = list(self.mean), list(self.deviation)
        if self.bgr:
            image = ops.flip(image, axis=1 if image_data_format() == "channels_first" else 3)
            mean, deviation = mean[::-1], deviation[::-1]
        scale = [1.0 / each for each in deviation]
        offset = [-m / each for m, each in zip(mean, deviation, strict=True)]
        if len(set(scale)) == len(set(offset)) == 1:
            return Rescaling(scale[0], offset[0], name="preprocessing")(image)
        return Rescaling(scale, offset, name="preprocessing")(image)


NONE = Preparation()
TF = Preparation((127.5,) * 3, (127.5,) * 3)
TORCH = Preparation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
CAFFE = Preparation((123.68, 116.779, 103.939), bgr=True)
CAFFE_RGB = Preparation((123.0, 117.0, 104.0))
UNIT = Preparation(deviation=(255.0,) * 3)
LENET = Preparation((20.0,) * 3, (200.0,) * 3)  # paper -0.1, ink 1.175
MODES = {"none": NONE, "tf": TF, "torch": TORCH, "caffe": CAFFE, "unit": UNIT, "lenet": LENET}

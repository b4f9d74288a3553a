"""Augmentation by cropping."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.functional import resize
from neocog.layers._registry import LAYERS
from neocog.layers._seed_source import SeedSource
from neocog.layers.augment._alone import AugmentingLayer


@LAYERS.register("random_crop")
class RandomCrop(AugmentingLayer):
    """Cut a part out of the images: the same random place for a batch in training, the middle in inference.

    Images that are too small are cropped and enlarged. (Keras leaves all images as they are in inference,
    and the sizes that follow do not fit.)

    Args:
        height: new height in pixels.
        width: new width in pixels.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, h, w, channels) to (batch, height, width, channels), or without batch; floats. Masks in a dict
        are cut at the same place; they keep their type, and take the nearest pixel where they are enlarged.

    Example:
        >>> RandomCrop(4, 4)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 4, 4, 3])
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = check_int(self.label, "height", height, minimum=1)
        self.width = check_int(self.label, "width", width, minimum=1)
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs.

        Args:
            inputs: images, or a dict with `"images"`.
            training: whether to draw the place.
        """
        images = self.channels_first_batch(inputs["images"] if isinstance(inputs, dict) else inputs)
        top, left = self._place(*images.shape[-2:], drawn=bool(training))

        def cropped(images: torch.Tensor, is_mask: bool) -> torch.Tensor:
            part = self.channels_first_batch(images if is_mask else self.in_own_type(images))
            part = part[..., top : top + self.height, left : left + self.width]
            if part.shape[-2:] != (self.height, self.width):
                part = resize(part, self.height, self.width, "nearest" if is_mask else "bilinear")
            return self.like_inputs(part, images)

        return self.on_entries(inputs, cropped)

    def _place(self, rows: int, columns: int, *, drawn: bool) -> tuple[int, int]:
        """Return where the part begins."""
        if rows < self.height or columns < self.width:
            return _centered_start(rows, self.height, columns, self.width)
        if drawn:
            return self._draw(rows - self.height + 1), self._draw(columns - self.width + 1)
        return (rows - self.height) // 2, (columns - self.width) // 2

    def _draw(self, count: int) -> int:
        # drawn on the host, where the slice is made: no sync with the device
        return int(torch.randint(count, (), generator=self.seed_generator.generator("cpu"), device="cpu"))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with the new size."""
        return self.resized_shape(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "height": self.height, "width": self.width, "seed": self.seed}


def _centered_start(rows: int, height: int, columns: int, width: int) -> tuple[int, int]:
    """Where the largest part with the aspect ratio `width / height` begins."""
    part_rows = max(min(rows, int(columns * height / width)), 1)
    part_columns = max(min(columns, int(rows * width / height)), 1)
    return (rows - part_rows) // 2, (columns - part_columns) // 2

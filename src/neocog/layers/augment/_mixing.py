"""Augmentations that mix each image, and its label, with another one of the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

from neocog.core import check_number, draws_for_all, for_all_rows, torch_dtype
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import computed_as
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import share_bounds
from neocog.layers.augment._base import Draw, RandomImageLayer, per_image
from neocog.layers.augment._boxes import draw_boxes, inside

_SMALLEST = 1e-6


class MixingLayer(RandomImageLayer):
    """Base of the layers that mix images and labels of a batch with those of a permutation of it."""

    draws_rows = False  # an order of the batch cannot be shared out
    exchanges_rows = True  # with the other processes

    def _draw_for_rows(self, images: torch.Tensor) -> Draw:
        """Return `draw`'s numbers; of several processes all draw one order of all their rows."""
        rows = draws_for_all()
        if rows is None or not rows.at_once or images.requires_grad:  # gradients stay in their process
            return super()._draw_for_rows(images)
        drawn = self.draw(for_all_rows(images))
        return {**self.own_draw(drawn, len(images)), "of_all": True}

    def others(self, values: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the row that each row of images, masks or labels is mixed with."""
        order = drawn["permutation_order"].to(values.device)
        return (_rows_of_all(values) if "of_all" in drawn else values)[order]

    def permutation(self, images: torch.Tensor) -> torch.Tensor:
        """Draw an order of the images."""
        generator = self.seed_generator.generator(images.device)
        return torch.randperm(len(images), generator=generator, device=images.device)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Return labels (B, …), mixed in the same shares as the images: `w · own + (1 - w) · other`."""
        labels = torch.as_tensor(labels)
        if not training or transformation is None:
            return labels
        if labels.ndim < 2:
            raise ShapeError(
                message(
                    self.label,
                    expected='"labels" as one number for each class, (batch, classes)',
                    got=f"shape {tuple(labels.shape)}",
                    do="utils.to_categorical makes them from whole numbers.",
                )
            )
        labels = computed_as(labels, torch_dtype(self._dtype))
        weight = transformation["mix_weight"].to(labels).reshape(-1, *(1,) * (labels.ndim - 1))
        return weight * labels + (1.0 - weight) * self.others(labels, transformation)


def _rows_of_all(values: torch.Tensor) -> torch.Tensor:
    """Return the rows of all processes, each of which calls this; a few rows more go around than are used."""
    rows = draws_for_all()
    count = len(values)
    if rows is None or rows.whole(count) == count:
        return values
    whole = values.new_zeros(rows.whole(count), *values.shape[1:])
    if not rows.stands_in:
        whole[rows.own(count)] = values.detach()
    distributed.all_reduce(whole)
    return whole


@LAYERS.register("mix_up")
class MixUp(MixingLayer):
    """Mix each image and its label with another one of the batch in training: `w · x + (1 - w) · other`.

    The shares w are drawn from the beta distribution (alpha, alpha), one for each image.

    Args:
        alpha: near 0 one image dominates, larger values mix more evenly.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or a dict with `"images"` and `"labels"`
        (batch, classes); floats.

    Example:
        >>> batch = {"images": torch.rand(4, 8, 8, 3), "labels": torch.eye(4)}
        >>> MixUp(0.2, seed=1)(batch, training=True)["labels"].sum(1)
        tensor([1., 1., 1., 1.])

    Reference:
        Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018.
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = check_number(self.label, "alpha", alpha, minimum=0.0)
        if self.alpha == 0.0:
            raise ArgumentError(message(self.label, expected="alpha above 0", got=repr(alpha)))

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw an order and a share for each image."""
        order = self.permutation(images)
        alpha = torch.full((len(images),), self.alpha, device=images.device)
        return {"permutation_order": order, "mix_weight": self.beta(alpha)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, mixed."""
        weight = per_image(drawn["mix_weight"], images)
        return weight * images + (1.0 - weight) * self.others(images, drawn)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, mixed: floats."""
        return self.change(computed_as(masks, torch_dtype(self._dtype)), drawn)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "alpha": self.alpha}


@LAYERS.register("cut_mix")
class CutMix(MixingLayer):
    """Put a random box of another image of the batch into each image in training.

    Labels are mixed in the shares of the areas.

    Args:
        factor: bounds of alpha, `(low, high)` from 0 to 1, or a number f for `(0, f)`; the share that stays
            is drawn from the beta distribution (alpha, alpha).
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or a dict with `"images"` and `"labels"`
        (batch, classes); floats. A single image stays as it is.

    Example:
        >>> batch = {"images": torch.rand(4, 8, 8, 3), "labels": torch.eye(4)}
        >>> CutMix(seed=1)(batch, training=True)["labels"].sum(1)
        tensor([1., 1., 1., 1.])

    Reference:
        Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers, 2019.
    """

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw a box for each image, and the image that fills it."""
        count, device = len(images), images.device
        kept = self.beta(self.uniform(count, self.factor, device) + _SMALLEST)
        share = (1.0 - kept).sqrt()
        left, right, top, bottom = sides = draw_boxes(self, images, share, share)
        area = images.shape[1] * images.shape[2]
        return {
            "permutation_order": self.permutation(images),
            "batch_masks": inside(sides, images),
            "mix_weight": 1.0 - (right - left) * (bottom - top) / area,
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, a part of each exchanged."""
        return torch.where(drawn["batch_masks"], self.others(images, drawn), images)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, the same parts exchanged."""
        return self.change(masks, drawn)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor}

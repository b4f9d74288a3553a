"""What the augmentations share: random numbers, layouts, masks and labels.

A layer has two halves: `draw` makes the random numbers, one row an image, and `change` changes images by
them. So images and masks get the same draw, and policies (RandAugment, AugMix) draw for some images alone.

Letters: B images, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from neocog.core import draws_for_all, for_all_rows, on_rows, own_part, torch_dtype
from neocog.exceptions import ShapeError, message
from neocog.functional import computed_as, rounded_to
from neocog.layers._seed_source import SeedSource
from neocog.layers.augment._alone import AugmentingLayer

Draw = dict[str, Any]  # tensors with one row an image, perhaps nested


class RandomImageLayer(AugmentingLayer):
    """Base of the layers that change images at random in training, and hand them on in inference.

    Inputs are images, or a dict with `"images"` and, where wanted, `"labels"` and `"segmentation_masks"`,
    which get the same draw; other entries are handed on. Called alone without `training=…` a layer augments.
    A layer of whole numbers (`dtype="uint8"`) computes in floats and rounds; nothing wraps around.

    Subclasses override `draw` and `change`, or `augment` alone; they see batches (B, H, W, C) of floats.

    Args:
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    keeps_type = False  # whether whole numbers stay whole numbers
    always = False  # whether it works in inference too
    draws_rows = True  # whether `draw` gives tensors with one row an image, and nothing of the whole batch
    sources: Sequence[Any] | None = None  # one for each image, where each draws from its own

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)

    # --- calling --------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs: the whole batch at once, each image by its own draw.

        Args:
            inputs: images, or a dict with `"images"`.
            training: whether to change them.
        """
        active = bool(training) or self.always
        if isinstance(inputs, dict):
            return self._call_on_dict(inputs, active)
        images = self._as_computed(inputs)
        if active:
            images = self._on_batches(images, self.augment if self.sources is None else self.augment_each)
        return self._as_given(images)

    def _call_on_dict(self, inputs: dict[str, Any], active: bool) -> dict[str, Any]:
        self._check_entries(inputs)
        images = self._as_computed(inputs["images"])
        if not active:
            return {**inputs, "images": self._as_given(images)}
        drawn = self.get_random_transformation(images)
        outputs = {**inputs, "images": self.transform_images(images, drawn)}
        if "labels" in inputs:
            single = images.ndim == 3
            labels = inputs["labels"][None] if single else inputs["labels"]
            labels = self.transform_labels(labels, drawn)
            outputs["labels"] = labels[0] if single else labels
        moved = self._masks_by(inputs, lambda masks: self.transform_segmentation_masks(masks, drawn))
        return {**outputs, **moved}

    def _as_computed(self, images: torch.Tensor) -> torch.Tensor:
        """Return images in the type that `change` works in."""
        return images if self.keeps_type else computed_as(self.in_own_type(images), torch_dtype(self._dtype))

    def _as_given(self, images: torch.Tensor) -> torch.Tensor:
        """Return what `change` made in the type of the outputs."""
        kind = torch_dtype(self._dtype)
        return images if self.keeps_type or kind.is_floating_point else rounded_to(images, kind)

    def _on_batches(self, images: torch.Tensor, step: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Return images, in any layout, changed by a function of batches (B, H, W, C)."""
        batch = images if images.ndim == 4 else images.unsqueeze(0)
        if self._channels_last:
            outputs = step(batch)
        else:
            outputs = step(batch.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return outputs if images.ndim == 4 else outputs.squeeze(0)

    # --- the two halves -------------------------------------------------------------------------------------

    def draw(self, images: torch.Tensor) -> Draw:
        """Return the random numbers for the images (B, H, W, C): tensors with one row an image."""
        return {}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images (B, H, W, C), changed by what `draw` returned."""
        raise NotImplementedError

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return masks (B, H, W, C) in the type that they have; layers that move pixels override it."""
        return masks

    def augment(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images (B, H, W, C), changed."""
        return self.change(images, self.drawn_for(images))

    # --- a source of numbers for each image -----------------------------------------------------------------

    def drawn_for(self, images: torch.Tensor) -> Draw:
        """Return `draw`'s numbers; with `sources`, those of each image from its own."""
        if self.sources is None:
            return self._draw_for_rows(images)
        return self.joined(self._each(images, self.draw))

    def _draw_for_rows(self, images: torch.Tensor) -> Draw:
        """Return `draw`'s numbers; of several processes each keeps those of its rows."""
        if draws_for_all() is None:
            return self.draw(images)
        if not self.draws_rows:
            with on_rows(None):
                return self.draw(images)
        return self.own_draw(self.draw(for_all_rows(images)), len(images))

    def own_draw(self, drawn: Draw, count: int) -> Draw:
        """Return what of a draw for the rows of all processes belongs to the `count` rows of this one."""
        found: Draw = own_part(drawn, count)
        return found

    def augment_each(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images (B, H, W, C), changed, each by numbers from its own source."""
        if type(self).augment is RandomImageLayer.augment:
            return self.augment(images)
        return torch.cat(self._each(images, self.augment))  # a class of the user's that draws as it goes

    def _each(self, images: torch.Tensor, step: Callable[[torch.Tensor], Any]) -> list[Any]:
        sources, own, found = self.sources or [], self.seed_generator, []
        try:
            for row in range(len(images)):
                self._draw_from(sources[row * len(sources) // len(images)])
                found.append(step(images[row : row + 1]))
        finally:
            self._draw_from(own)
        return found

    def joined(self, draws: Sequence[Draw]) -> Draw:
        """Return the draws of single images as one of a batch."""
        found: Draw = joined_rows(draws)
        return found

    # --- Keras's names for them -----------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Return a draw for images, or a dict with `"images"`; None without `training`.

        Args:
            data: the images: their shape, type and device count.
            training: False draws nothing.
            seed: a `SeedGenerator` for this draw in place of the layer's own.
        """
        if not training:
            return None
        images = self._as_computed(data["images"] if isinstance(data, dict) else data)
        found: list[Draw] = []

        def note(batch: torch.Tensor) -> torch.Tensor:
            found.append(self._draw_for_rows(batch))
            return batch

        own = self.seed_generator
        if seed is not None:
            self._draw_from(seed)
        try:
            self._on_batches(images, note)
        finally:
            self._draw_from(own)
        return found[0]

    def drawing_here(self, layer: RandomImageLayer) -> RandomImageLayer:
        """Return a layer that is part of this one, its numbers drawn from this one's."""
        layer._draw_from(self.seed_generator)
        return layer

    def _draw_from(self, source: Any) -> None:
        for module in self.modules():
            if isinstance(module, RandomImageLayer):
                module.seed_generator = source

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Return images changed by what `get_random_transformation` returned."""
        images = self._as_computed(torch.as_tensor(images))
        if training and transformation is not None:
            images = self._on_batches(images, lambda batch: self.change(batch, transformation))
        return self._as_given(images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Return the labels, which most layers leave as they are."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return masks, (B, H, W, C) or (B, H, W), moved like the images where the layer moves pixels."""
        masks = torch.as_tensor(segmentation_masks)
        if not training or transformation is None:
            return masks
        return self._on_batches(masks, lambda batch: self.apply_to_masks(batch, transformation))

    # --- draws ----------------------------------------------------------------------------------------------

    def uniform(self, count: int | tuple[int, ...], bounds: tuple[float, float], device: Any) -> torch.Tensor:
        """Draw numbers between the bounds, on the device."""
        low, high = bounds
        draws = torch.rand(count, generator=self.seed_generator.generator(device), device=device)
        return draws.mul_(high - low).add_(low)

    def happens(self, count: int, bounds: tuple[float, float], device: Any) -> torch.Tensor:
        """Draw for each image whether something happens, with a probability between the bounds."""
        chance = self.uniform(count, bounds, device)
        return self.uniform(count, (0.0, 1.0), device) < chance

    def signs(self, count: int, device: Any) -> torch.Tensor:
        """Draw 1 or -1 for each of `count` images."""
        return torch.where(self.uniform(count, (0.0, 1.0), device) > 0.5, -1.0, 1.0)

    def beta(self, alpha: torch.Tensor) -> torch.Tensor:
        """Draw a number of the beta distribution (a, a) for each `alpha` (B,)."""
        parameters = torch.stack([alpha, alpha], dim=-1)
        return self.dirichlet(parameters)[:, 0]

    def dirichlet(self, parameters: torch.Tensor) -> torch.Tensor:
        """Draw numbers with sum 1 for each row of parameters (B, n)."""
        generator = self.seed_generator.generator(parameters.device)
        drawn: torch.Tensor = torch._sample_dirichlet(parameters.double(), generator=generator)
        return drawn.float()

    # --- configuration --------------------------------------------------------------------------------------

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the outputs: that of the inputs where they are floats or keep their type."""
        return input_dtype if self.keeps_type else super().compute_output_dtype(input_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "seed": self.seed}


def joined_rows(draws: Sequence[Any]) -> Any:
    """Return nested tensors of one row each, joined along the first axis; the same nesting."""
    first = draws[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(draws))
    if isinstance(first, dict):
        return {name: joined_rows([draw[name] for draw in draws]) for name in first}
    if isinstance(first, (list, tuple)):
        return type(first)(joined_rows(rows) for rows in zip(*draws, strict=True))
    return first


def per_image(values: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return numbers (B,), or in any shape with as many, as (B, 1, 1, 1) in the type of the images."""
    return values.to(images.dtype).reshape(-1, 1, 1, 1)


def require_rgb(where: str, images: torch.Tensor) -> None:
    """Raise ShapeError where images (B, H, W, C) have other than 3 channels."""
    if images.shape[-1] != 3:
        raise ShapeError(message(where, expected="images with 3 channels (RGB)", got=images.shape[-1]))

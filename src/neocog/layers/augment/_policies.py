"""Augmentations that choose among others: RandAugment, AugMix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_int, check_number, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.functional import computed_as
from neocog.layers._registry import LAYERS
from neocog.layers.augment._base import Draw, joined_rows, per_image
from neocog.layers.augment._policy import COLORS, SHAPES, TONES, PolicyLayer


@LAYERS.register("rand_augment")
class RandAugment(PolicyLayer):
    """Change each image by a few augmentations, drawn from eleven, one after the other in training.

    Each image draws its own (Keras 3.15 draws for the whole batch).

    Args:
        value_range: least and greatest value of a pixel.
        num_ops: number of augmentations for each image.
        factor: bounds of their strength, `(low, high)` from 0 to 1, or a number f for `(0, f)`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> RandAugment(seed=1)(torch.rand(4, 8, 8, 3) * 255, training=True).shape
        torch.Size([4, 8, 8, 3])

    Reference:
        Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space, 2020.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        names = (*SHAPES, *COLORS, *TONES)
        super().__init__(names, value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_ops = check_int(self.label, "num_ops", num_ops, minimum=0)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw the steps of each image."""
        return {"steps": [self.draw_step(images, len(self._names)) for _ in range(self.num_ops)]}

    def joined(self, draws: Sequence[Draw]) -> Draw:
        """Return the draws of single images as one of a batch."""
        return {
            "steps": [self.joined_steps(steps) for steps in zip(*(d["steps"] for d in draws), strict=True)]
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images after all steps."""
        for step in drawn["steps"]:
            images = self.take_step(images, step)
        return images

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, moved as the images."""
        for step in drawn["steps"]:
            masks = self.take_step(masks, step, masks=True)
        return masks

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "num_ops": self.num_ops}


@LAYERS.register("aug_mix")
class AugMix(PolicyLayer):
    """Mix each image with versions of itself that went through chains of augmentations in training.

    `w · x + (1 - w) · Σ aᵢ chainᵢ(x)`, with w from the beta and a from the Dirichlet distribution. Each image
    draws its own (Keras 3.15 draws for the whole batch).

    Args:
        value_range: least and greatest value of a pixel; results are cut there.
        num_chains: number of chains.
        chain_depth: greatest number of augmentations in a chain.
        factor: bounds of their strength, `(low, high)` from 0 to 1, or a number f for `(0, f)`.
        alpha: parameter of both distributions; larger values mix more evenly.
        all_ops: False leaves out brightness, colour, contrast and sharpness.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> AugMix(seed=1)(torch.rand(4, 8, 8, 3) * 255, training=True).shape
        torch.Size([4, 8, 8, 3])

    Reference:
        Hendrycks et al., AugMix: A Simple Data Processing Method to Improve Robustness, 2020.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        names = (*SHAPES, *TONES, *COLORS) if all_ops else (*SHAPES, *TONES)
        super().__init__(names, value_range, factor, interpolation, seed, data_format, **kwargs)
        self.num_chains = check_int(self.label, "num_chains", num_chains, minimum=1)
        self.chain_depth = check_int(self.label, "chain_depth", chain_depth, minimum=0)
        self.alpha = check_number(self.label, "alpha", alpha, minimum=0.0)
        if self.alpha == 0.0:
            raise ArgumentError(message(self.label, expected="alpha above 0", got=repr(alpha)))
        self.all_ops = bool(all_ops)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw the shares and the chains of each image; a step of a chain may be empty."""
        count, options = len(images), len(self._names) + 1
        shares = torch.full((count, self.num_chains), self.alpha, device=images.device)
        return {
            "chain_mixing_weights": self.dirichlet(shares),
            "weight_sample": self.beta(shares[:, 0]),
            "chains": [
                [self.draw_step(images, options) for _ in range(self.chain_depth)]
                for _ in range(self.num_chains)
            ],
        }

    def joined(self, draws: Sequence[Draw]) -> Draw:
        """Return the draws of single images as one of a batch."""
        shares = joined_rows([{**draw, "chains": None} for draw in draws])
        chains = zip(*(draw["chains"] for draw in draws), strict=True)
        return {
            **shares,
            "chains": [[self.joined_steps(steps) for steps in zip(*chain, strict=True)] for chain in chains],
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, mixed with their versions."""
        return self._mixed(images, drawn, masks=False).clamp(*self.value_range)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, mixed in the same way: floats."""
        return self._mixed(computed_as(masks, torch_dtype(self._dtype)), drawn, masks=True)

    def _mixed(self, images: torch.Tensor, drawn: Draw, masks: bool) -> torch.Tensor:
        total = torch.zeros_like(images)
        for number, chain in enumerate(drawn["chains"]):
            version = images
            for step in chain:
                version = self.take_step(version, step, masks)
            total = total + version * per_image(drawn["chain_mixing_weights"][:, number], images)
        own = per_image(drawn["weight_sample"], images)
        return own * images + (1.0 - own) * total

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
        }

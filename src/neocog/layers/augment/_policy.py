"""What RandAugment and AugMix share: a set of augmentations, of which each image draws its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from neocog.core import check_one_of, draws_for_all, tree_map
from neocog.functional import INTERPOLATIONS
from neocog.layers.augment._arguments import checked_range, share_bounds
from neocog.layers.augment._base import Draw, RandomImageLayer
from neocog.layers.augment._color import RandomBrightness, RandomContrast
from neocog.layers.augment._filters import RandomSharpness
from neocog.layers.augment._geometric import RandomRotation, RandomTranslation
from neocog.layers.augment._gray import RandomColorDegeneration
from neocog.layers.augment._histograms import AutoContrast, Equalization
from neocog.layers.augment._shear import RandomShear
from neocog.layers.augment._tones import RandomPosterization, Solarization

Step = list[tuple[str, torch.Tensor, Draw]]  # which layer, for which images, by which numbers
SHAPES = ("random_shear", "random_translation", "random_rotation")
COLORS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
TONES = ("random_posterization", "solarization", "auto_contrast", "equalization")
_BITS = 8


class PolicyLayer(RandomImageLayer):
    """Base of the layers that choose among augmentations, each image for itself.

    The images that chose the same augmentation go through it together, so that each step costs about as much
    as one augmentation of the batch.

    Args:
        names: the augmentations to choose from.
        value_range: least and greatest value of a pixel.
        factor: bounds of their strength, from 0 to 1.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        value_range: Any,
        factor: Any,
        interpolation: str,
        seed: int | None,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = checked_range(self.label, value_range)
        self.factor = share_bounds(self.label, "factor", factor)
        self.interpolation = check_one_of(self.label, "interpolation", interpolation, INTERPOLATIONS)
        self._names = names
        made = self._augmentations()
        for name in names:
            setattr(self, name, self.drawing_here(made[name]()))

    def _augmentations(self) -> dict[str, Callable[[], RandomImageLayer]]:
        pair, how = self.factor, {"interpolation": self.interpolation, "dtype": self.dtype_policy}
        values: dict[str, Any] = {"value_range": self.value_range, "dtype": self.dtype_policy}
        bits = max(1, int(_BITS * pair[1]))
        return {
            "random_shear": lambda: RandomShear(pair, pair, **how),
            "random_translation": lambda: RandomTranslation(pair, pair, **how),
            "random_rotation": lambda: RandomRotation(pair, **how),
            "random_brightness": lambda: RandomBrightness(pair, **values),
            "random_color_degeneration": lambda: RandomColorDegeneration(pair, **values),
            "random_contrast": lambda: RandomContrast(pair, **values),
            "random_sharpness": lambda: RandomSharpness(pair, **values),
            "random_posterization": lambda: RandomPosterization(bits, **values),
            "solarization": lambda: Solarization(pair, pair, **values),
            "auto_contrast": lambda: AutoContrast(**values),
            "equalization": lambda: _each_by_itself(Equalization(**values)),
        }

    def build(self, input_shape: Any) -> None:
        """Build the augmentations."""
        for name in self._names:
            getattr(self, name).build(input_shape)

    def draw_step(self, images: torch.Tensor, options: int) -> Step:
        """Draw one of so many options for each image, with its numbers; the last may be to do nothing."""
        # on the host, where images are sorted by it: no sync with the device
        generator = self.seed_generator.generator("cpu")
        chosen = torch.randint(options, (len(images),), generator=generator, device="cpu").tolist()
        step: Step = []
        for number, name in enumerate(self._names):
            rows = [row for row, choice in enumerate(chosen) if choice == number]
            if rows:
                drawn = getattr(self, name).draw(images[: len(rows)])
                step.append((name, torch.tensor(rows, device=images.device), drawn))
        return step

    def take_step(self, images: torch.Tensor, step: Step, masks: bool = False) -> torch.Tensor:
        """Return the images (or masks), each changed by what it has drawn."""
        outputs = images
        for name, rows, drawn in step:
            layer = getattr(self, name)
            part = images.index_select(0, rows)
            changed = layer.apply_to_masks(part, drawn) if masks else layer.change(part, drawn)
            outputs = outputs.index_copy(0, rows, changed)
        return outputs

    def joined_steps(self, steps: Sequence[Step]) -> Step:
        """Return steps of single images as one of a batch."""
        found: dict[str, list[tuple[torch.Tensor, Draw]]] = {}
        for number, step in enumerate(steps):
            for name, rows, drawn in step:
                found.setdefault(name, []).append((rows + number, drawn))
        return [
            (name, torch.cat([rows for rows, _ in parts]), getattr(self, name).joined([d for _, d in parts]))
            for name, parts in found.items()
        ]

    def own_draw(self, drawn: Draw, count: int) -> Draw:
        """Return what of a draw for the rows of all processes belongs to the `count` rows of this one."""
        rows = draws_for_all()
        if rows is None or rows.whole(count) == count:
            return drawn
        numbers = {name: value for name, value in drawn.items() if not isinstance(value, list)}
        own = rows.own(count)
        steps = {name: _own_steps(value, own) for name, value in drawn.items() if isinstance(value, list)}
        return {**super().own_draw(numbers, count), **steps}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "factor": self.factor,
            "interpolation": self.interpolation,
        }


def _own_steps(nested: list[Any], images: slice) -> list[Any]:
    """Return steps, or lists of them, with these images alone, counted from 0."""
    own: list[Any] = []
    for item in nested:
        if isinstance(item, list):
            own.append(_own_steps(item, images))
            continue
        name, rows, drawn = item
        size = len(rows)
        begin, end = torch.searchsorted(rows.cpu(), torch.tensor([images.start, images.stop])).tolist()
        if end > begin:
            own.append(
                (name, rows[begin:end] - images.start, tree_map(_rows_of(size, slice(begin, end)), drawn))
            )
    return own


def _rows_of(size: int, rows: slice) -> Callable[[Any], Any]:
    def taken(leaf: Any) -> Any:
        fits = isinstance(leaf, torch.Tensor) and leaf.dim() > 0 and leaf.shape[0] == size
        return leaf[rows] if fits else leaf

    return taken


def _each_by_itself(layer: Equalization) -> Equalization:
    layer.one_by_one = True
    return layer

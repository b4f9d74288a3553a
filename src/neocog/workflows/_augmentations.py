"""Augmentations by name: the layers that each stands for."""

from __future__ import annotations

from typing import Any

from neocog import layers
from neocog.exceptions import ArgumentError, message
from neocog.workflows._mixing import mixes
from neocog.workflows._task import SINGLE

AUGMENTATIONS = {
    "none": "images as they are",
    "light": "small shifts, turns and zooms: safe for letters and digits",
    "mirror": "as light, and flips left to right",
    "photo": "flips left to right, larger zooms, contrast",
    "notes": "any turn, flips, shear to 20°, stretch to 1.3, enlarged to 1.6, shifts, lighting",
    "randaugment": "flips left to right, and two of eleven changes an image, drawn (RandAugment)",
    "mixup": "light or photo by size, then pairs of images and their labels mixed (MixUp)",
    "cutmix": "light or photo by size, then boxes exchanged between images, labels by area (CutMix)",
}
SCALED = ("light", "mirror", "photo")  # those whose strength can be chosen
MOST_STRENGTH = 3.0
LARGE = 64  # pixels a side above which images are photographs
_RANGE = (-1.0, 1.0)  # of the values that the layers see
_SHEAR = 0.364  # tan 20°


def augmentation_layers(name: str, info: Any = None, strength: float | None = None) -> list[Any]:
    """Return the layers that change training images, values from -1 to 1; outside training they do nothing.

    Args:
        name: one of `AUGMENTATIONS`.
        info: the data (`DataInfo`), where they are known; gray images keep their light.
        strength: factor on shifts, turns, zooms and contrast of those in `SCALED`; flips stay. None is 1.

    Raises:
        ArgumentError: the augmentation does not fit the data; see `check_augmentation`.
    """
    shape = (LARGE + 1, LARGE + 1, 3) if info is None else info.image_shape
    if info is not None:
        check_augmentation(name, info)
    flip = [layers.RandomFlip("horizontal")] if name in ("mirror", "photo") else []
    s = 1.0 if strength is None else strength
    if name in SCALED and s == 0:
        return flip
    if name in ("light", "mirror"):
        return [
            *flip,
            layers.RandomTranslation(0.08 * s, 0.08 * s, fill_mode="nearest"),
            layers.RandomRotation(0.03 * s, fill_mode="nearest"),
            layers.RandomZoom(0.1 * s, fill_mode="nearest"),
        ]
    if name == "photo":
        return [
            *flip,
            layers.RandomRotation(0.05 * s),
            layers.RandomZoom((-0.25 * s, 0.1 * s)),
            layers.RandomTranslation(0.1 * s, 0.1 * s),
            layers.RandomContrast(0.2 * s, value_range=_RANGE),
        ]
    if name == "notes":
        lighting = [layers.RandomPCALighting(0.1, value_range=_RANGE)] if shape[-1] == 3 else []
        return [
            layers.RandomFlip("horizontal"),
            layers.RandomRotation((0.0, 1.0)),
            layers.RandomShear(_SHEAR),
            layers.RandomStretch(1.3),
            layers.RandomZoom((1 / 1.6 - 1, 0.0)),
            layers.RandomTranslation(0.1, 0.1),
            *lighting,
        ]
    if name == "randaugment":
        return [layers.RandomFlip("horizontal"), layers.RandAugment(_RANGE)]
    if mixes(name):
        return augmentation_layers("photo" if max(shape[:2]) > LARGE else "light")
    return []


def check_augmentation(name: str, info: Any) -> None:
    """Raise where an augmentation does not fit the data (`DataInfo`).

    Raises:
        ArgumentError: colours are to be changed where there are none; labels mixed that are no classes.
    """
    if name == "randaugment" and info.image_shape[-1] != 3:
        do = "Choose --augment notes, light or mirror, or --color rgb."
        raise ArgumentError(
            message("--augment randaugment", expected="colour images", got="grayscale", do=do)
        )
    if mixes(name) and info.task != SINGLE:
        do = "Choose --augment photo or none."
        raise ArgumentError(message(f"--augment {name}", expected="one class an image", got=info.task, do=do))

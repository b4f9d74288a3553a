"""Features of images for the checks that need to know what an image shows.

With pretrained weights at hand they are the averaged last feature maps of those networks, side by side: each
errs on other images, and one was made for small pictures. Colours and the directions of edges stand beside
them, and alone where there are no weights: alone they tell little of photographs, and the result says so.

Letters: B images, S side, D features.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neocog.applications._name_maps import recognise
from neocog.data import check_known_file
from neocog.diagnosis._look import stretched
from neocog.exceptions import DataError, message
from neocog.files import holds_state_dict, read_state_dict
from neocog.zoo import Backbone, backbone, find_weights

Array = np.ndarray[Any, Any]

# Architectures whose known weights are looked for, and the side of their images; None: as they were trained.
# SqueezeNet tells as much of 160 pixels a side as of 227, in less than half the time.
_KNOWN: tuple[tuple[str, int | None], ...] = (("mobilenet", None), ("squeezenet1_0", 160), ("resnet56", None))
_CLASSICAL_SIDE = 96
_CELLS, _DIRECTIONS, _CODES = 6, 8, 64
_CLASSICAL_SIZE = _CELLS**2 * (_DIRECTIONS + 3) + _CODES


@dataclass(frozen=True)
class Features:
    """How features are made.

    Attributes:
        name: in words.
        pretrained: whether a network that learned from other photographs makes them.
        key: changes with everything that changes the numbers.
        side: pixels a side of the images.
        compute: from uint8 (B, S, S, 3) to float32 (B, D).
        parts: how many of the D features are each network's, and of colours; empty without networks.
    """

    name: str
    pretrained: bool
    key: str
    side: int
    compute: Callable[[Array], Array]
    parts: tuple[int, ...] = ()


def choose_features(weights: str | os.PathLike[str] | None = None) -> Features:
    """Return pretrained features from `weights` or all known files on this machine, else classical ones.

    Raises:
        DataError: `weights` is no file of an architecture that can be told from its tensors.
    """
    if weights is not None:
        return _pretrained([backbone(_architecture(weights), weights)])
    found = [(name, find_weights(name), side) for name, side in _KNOWN]
    bases = [backbone(name, path, image_size=side) for name, path, side in found if path is not None]
    return _pretrained(bases) if bases else classical()


def classical() -> Features:
    """Return features without any weights: colours and directions of edges, by region."""
    return Features("colours and edges", False, "classical-1", _CLASSICAL_SIDE, _colours_and_edges)


def _architecture(weights: str | os.PathLike[str]) -> str:
    check_known_file(weights)
    found = None
    if holds_state_dict(weights):
        tensors = read_state_dict(weights).tensors
        found = recognise({name: tuple(value.shape) for name, value in tensors.items()})
    if found is None:
        expected = "a state dict of an architecture of the zoo"
        raise DataError(message(str(weights), expected=expected, got="another file"))
    return str(found.model)


def _pretrained(bases: list[Backbone]) -> Features:
    for base in bases:
        base.model.eval()

    def compute(images: Array) -> Array:
        plain = _colours_and_edges(_at_size(images, _CLASSICAL_SIDE, _CLASSICAL_SIDE))
        return np.concatenate([*(_averaged(base, images) for base in bases), plain], axis=1)

    key = " ".join(f"{base.name}-{(base.weights_sha256 or '')[:16]}-{base.image_size[0]}-2" for base in bases)
    name = f"{', '.join(base.name for base in bases)}, pretrained, with colours and edges"
    side = max(max(base.image_size) for base in bases)
    parts = (*(int(base.model.output_shape[-1]) for base in bases), _CLASSICAL_SIZE)
    return Features(name, True, key, side, compute, parts)


def _averaged(base: Backbone, images: Array) -> Array:
    """Return a network's averaged last maps (B, D) of images (B, S, S, 3), brought to its size."""
    height, width = base.image_size
    images = _at_size(images, height, width)
    with torch.inference_mode():
        maps = base.model(torch.from_numpy(images), training=False)
        return np.asarray(maps.float().mean((1, 2)).cpu().numpy(), dtype=np.float32)


def _at_size(images: Array, height: int, width: int) -> Array:
    if images.shape[1:3] == (height, width):
        return images
    return np.stack([stretched(image, height, width) for image in images])


def _colours_and_edges(images: Array) -> Array:
    values = torch.from_numpy(images).float().permute(0, 3, 1, 2) / 255  # (B, 3, S, S)
    grey = values.mean(1, keepdim=True)
    x, y = torch.zeros_like(grey), torch.zeros_like(grey)
    x[..., 1:-1] = grey[..., 2:] - grey[..., :-2]
    y[..., 1:-1, :] = grey[..., 2:, :] - grey[..., :-2, :]
    strength = (x.square() + y.square()).sqrt()
    angle = torch.remainder(torch.atan2(y, x), torch.pi) * (_DIRECTIONS / torch.pi)
    bins = angle.floor().clamp_max(_DIRECTIONS - 1).long()[:, 0]
    spread = torch.nn.functional.one_hot(bins, _DIRECTIONS).permute(0, 3, 1, 2) * strength
    pool = torch.nn.functional.adaptive_avg_pool2d
    edges = pool(spread, _CELLS).flatten(1)
    edges = (edges / edges.sum(1, keepdim=True).clamp_min(1e-6)).sqrt()
    colours = pool(values, _CELLS).flatten(1)
    level = (values * 3.999).long()
    code = level[:, 0] * 16 + level[:, 1] * 4 + level[:, 2]
    counts = torch.nn.functional.one_hot(code.flatten(1), _CODES).float().mean(1).sqrt()
    return torch.cat([edges, colours, counts], 1).numpy()

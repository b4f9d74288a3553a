"""Layers that move pixels and follow each other, run as one warp.

Each warp interpolates, and so blurs a little; one warp by the product of the matrices interpolates once, and
passes over the images once. Each layer still makes its own draw, in its turn: seeds mean what they mean where
the layers run one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any

import torch

from neocog.core import torch_dtype
from neocog.functional import compose, warp
from neocog.graph import module_call
from neocog.layers._building import build_for
from neocog.layers._precision import INSIDE
from neocog.layers._watched import is_watched
from neocog.layers.augment._alone import fill_in_mode
from neocog.layers.augment._base import Draw
from neocog.layers.augment._geometric import RandomFlip
from neocog.layers.augment._warping import GeometricLayer

_HALVES = ("draw", "change", "apply_to_masks")  # mirrors have their own
_REST = (
    "__call__",
    "_compute",
    "forward",
    "call",
    "augment",
    "get_random_transformation",
    "transform_images",
    "transform_labels",
    "transform_segmentation_masks",
)


_PARTS = (*_HALVES, *_REST)


def composes(layer: Any) -> bool:
    """Return whether a layer is all told by its matrices, so that it can be a part of one warp.

    A class of the user's may override `draw_matrices`; where it overrides more, it runs by itself.
    """
    kind: Any = type(layer)
    return isinstance(layer, GeometricLayer) and _standard(kind)


@lru_cache(maxsize=256)
def _standard(kind: Any) -> bool:
    halves = RandomFlip if issubclass(kind, RandomFlip) else GeometricLayer
    own = [getattr(kind, name) is not getattr(halves, name) for name in _HALVES]
    return not any(own) and all(getattr(kind, name) is getattr(GeometricLayer, name) for name in _REST)


def follows(first: Any, second: Any) -> bool:
    """Return whether two layers, the second on the outputs of the first, can be parts of one chain."""
    return composes(first) and composes(second) and first.data_format == second.data_format


def in_chains(layers: Sequence[Any]) -> list[Any]:
    """Return layers in order, those that can be parts of one chain as a `WarpChain`."""
    runs: list[list[Any]] = []
    for layer in layers:
        if runs and follows(runs[-1][-1], layer):
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return [WarpChain(run) if len(run) > 1 else run[0] for run in runs]


class WarpChain:
    """Layers that move pixels, each on the outputs of the one before.

    Those with the same `fill_mode`, `interpolation` and `fill_value` that follow each other are one warp.
    Mirrors move whole pixels and bring nothing in from outside: they join whatever stands before or after.
    What is not to augment is passed over; where someone watches a layer (torch's hooks), or computes in
    another precision, or rounds to whole numbers, the layers run one by one.

    Args:
        layers: two or more of which `follows` holds.

    Example:
        >>> from neocog.layers import RandomFlip, RandomRotation
        >>> chain = WarpChain([RandomFlip(seed=1), RandomRotation(0.1, seed=2)])
        >>> chain(torch.rand(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(self, layers: Sequence[GeometricLayer]) -> None:
        self.layers = list(layers)

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute what the layers, one after the other, stand for.

        Args:
            inputs: images, or a dict with `"images"`; tensors.
            training: whether they augment; None goes by the mode of each.
        """
        for layer in self.layers:
            if not layer.built:
                build_for(layer, (inputs,), {})
        modes = [_mode_of(layer, training) for layer in self.layers]
        active = [layer for layer, is_on in zip(self.layers, modes, strict=True) if is_on]
        if len(active) < 2 or INSIDE.mixed or any(_runs_alone(layer) for layer in self.layers):
            for layer in self.layers:
                inputs = module_call(layer, inputs) if training is None else layer(inputs, training=training)
            return inputs
        first = active[0]
        first.check_inputs((inputs,))
        if isinstance(inputs, dict):
            return _on_dict(active, inputs)
        return first._on_batches(first._as_computed(inputs), lambda images: _moved(active, images))


def _runs_alone(layer: GeometricLayer) -> bool:
    rounds = not torch_dtype(layer.dtype).is_floating_point
    return rounds or layer._mixed_policy is not None or is_watched(layer, _PARTS)


def _mode_of(layer: GeometricLayer, training: bool | None) -> bool:
    said: dict[str, Any] = {"training": training}
    if training is None:
        fill_in_mode(layer, layer._mode_given, said)
    return bool(layer.training if said["training"] is None else said["training"])


def _on_dict(layers: list[GeometricLayer], inputs: dict[str, Any]) -> dict[str, Any]:
    first = layers[0]
    images = first._as_computed(inputs["images"])
    drawn: list[Draw] = [layer.get_random_transformation(images) for layer in layers]
    moved = first._on_batches(images, lambda batch: _changed(layers, batch, drawn, masks=False))

    def move_masks(masks: Any) -> Any:
        return first._on_batches(
            torch.as_tensor(masks), lambda batch: _changed(layers, batch, drawn, masks=True)
        )

    return {**inputs, "images": moved, **first._masks_by(inputs, move_masks)}


def _moved(layers: list[GeometricLayer], images: torch.Tensor) -> torch.Tensor:
    drawn = [layer.drawn_for(images) for layer in layers]
    return _changed(layers, images, drawn, masks=False)


def _changed(
    layers: list[GeometricLayer], images: torch.Tensor, drawn: list[Draw], *, masks: bool
) -> torch.Tensor:
    """Return images (or masks) (B, H, W, C) after all layers, by as few warps as are right."""
    done = 0
    for group in _groups(layers):
        draws = drawn[done : done + len(group)]
        done += len(group)
        images = _one_group(group, images, draws, masks)
    return images


def _groups(layers: list[GeometricLayer]) -> list[list[GeometricLayer]]:
    """Part layers into runs that are one warp: the same filling, and mirrors."""
    groups: list[list[GeometricLayer]] = []
    filling: Any = None
    for layer in layers:
        own = layer.filling
        if not groups or (own is not None and filling is not None and own != filling):
            groups.append([])
            filling = None
        groups[-1].append(layer)
        filling = own if filling is None else filling
    return groups


def _one_group(
    group: list[GeometricLayer], images: torch.Tensor, drawn: list[Draw], masks: bool
) -> torch.Tensor:
    filling = next((layer.filling for layer in group if layer.filling is not None), None)
    if len(group) == 1 or filling is None:  # whole pixels: exact as they are, and cheaper than a warp
        for layer, draw in zip(group, drawn, strict=True):
            images = layer.apply_to_masks(images, draw) if masks else layer.change(images, draw)
        return images
    matrices = [layer.matrices(images, draw) for layer, draw in zip(group, drawn, strict=True)]
    fill_mode, interpolation, fill_value = filling
    interpolation = "nearest" if masks else interpolation
    return warp(images, reduce(compose, matrices), fill_mode, interpolation, fill_value).to(images.dtype)

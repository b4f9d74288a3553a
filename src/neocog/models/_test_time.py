"""Predictions averaged over augmented versions of each sample: test-time augmentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from neocog.core import check_int, image_data_format, tree_flatten, tree_pack
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.layers import Layer
from neocog.layers.augment import MixingLayer, Pipeline, RandomImageLayer

_PASSES = 8  # where layers are given without a number
_MASK = 2**63 - 1


class AveragedPasses:
    """The mean of a model's outputs over the plain samples and random versions of them.

    The plain samples are one of the passes. The others go through the model's own augmentation layers,
    switched on, or through the given ones, put before the model. A model that has none sees its images
    mirrored left to right, once. Outputs are averaged as they come: probabilities where the model ends in a
    softmax or sigmoid, logits where it gives those.

    What a sample draws depends on its place in the data and on the pass alone: not on the batch size.

    Args:
        model: with or without augmentation layers.
        tta: number of passes in all, layers (one, a list, a Pipeline, a Sequential), or (number, layers).

    Raises:
        ArgumentError, ArgumentTypeError: `tta` is none of these.
    """

    def __init__(self, model: Any, tta: Any) -> None:
        self.where = f"{getattr(model, 'label', 'model')}, tta"
        self.model = model
        self.passes, given = _parsed(self.where, tta)
        self.before: Any = None if given is None else given if len(given) > 1 else given[0]
        if isinstance(self.before, list):
            self.before = Pipeline(self.before)
        found, containers = _own_layers(model) if given is None else (_inside(self.before), [])
        self.layers: list[RandomImageLayer] = found
        self.switched: list[nn.Module] = [*containers, *found] if given is None else []
        self.mirrors = given is None and not found
        if self.mirrors:
            self.passes = min(self.passes, 2)
        self.done = 0  # samples before the present batch

    def __call__(self, x: Any) -> Any:
        """Return the mean of the outputs for the next batch of samples."""
        count = len(tree_flatten(x)[0])
        plain = self.model(x, training=False)
        total = tree_flatten(plain)
        self._check(total)
        for number in range(1, self.passes):
            outputs = tree_flatten(self._one_pass(x, number, count))
            total = [sum_ + more for sum_, more in zip(total, outputs, strict=True)]
        self.done += count
        return plain if self.passes == 1 else tree_pack(plain, [sum_ / self.passes for sum_ in total])

    def _one_pass(self, x: Any, number: int, count: int) -> Any:
        if self.mirrors:
            return self.model(self._single(x).flip(_width_axis()), training=False)
        with self._drawing(number, count), _switched_on(self.switched):
            if self.before is None:
                return self.model(x)
            images = self.before(self._single(x), training=True)
            return self.model(images, training=False)

    @contextmanager
    def _drawing(self, number: int, count: int) -> Iterator[None]:
        """Let each layer draw for each sample from a source of that sample's own."""
        samples = range(self.done, self.done + count)
        for place, layer in enumerate(self.layers):
            start = 0 if layer.seed is None else int(layer.seed)
            layer.sources = [_Source(start, number, place, sample) for sample in samples]
        try:
            yield
        finally:
            for layer in self.layers:
                layer.sources = None

    def _single(self, x: Any) -> torch.Tensor:
        if not isinstance(x, torch.Tensor) or x.ndim != 4:
            got = tuple(x.shape) if hasattr(x, "shape") else f"{len(tree_flatten(x))} inputs"
            do = "Put augmentation layers into the model; they are used then."
            expected = "one input of images (batch, height, width, channels)"
            raise ShapeError(message(self.where, expected=expected, got=got, do=do))
        return x

    def _check(self, outputs: list[Any]) -> None:
        for leaf in outputs:
            if not isinstance(leaf, torch.Tensor) or leaf.ndim > 2 or not leaf.is_floating_point():
                got = tuple(leaf.shape) if hasattr(leaf, "shape") else type(leaf).__name__
                expected = "outputs that are numbers for each sample (batch, n)"
                do = "Outputs with a place in the image would have to be moved back."
                raise ShapeError(message(self.where, expected=expected, got=got, do=do))


@contextmanager
def averaging(model: Any, tta: Any, base: type, step: str) -> Iterator[None]:
    """Let a model's steps inside the block average over versions of each sample, where `tta` asks for it.

    Raises:
        ArgumentError: the model has a step of its own (`step`, other than `base`'s).
    """
    if tta is not None and getattr(type(model), step) is not getattr(base, step):
        expected, do = f"no tta beside a {step} of its own", "Average in it."
        raise ArgumentError(message(model.label, expected=expected, got=repr(tta), do=do))
    model._forward_averaged = None if tta is None else AveragedPasses(model, tta)
    try:
        yield
    finally:
        model._forward_averaged = None


class _Source:
    """A sample's random numbers for one layer in one pass."""

    def __init__(self, *key: int) -> None:
        self._seed = _mixed(key)
        self._made: dict[str, torch.Generator] = {}

    def generator(self, device: Any) -> torch.Generator:
        """Return the generator of a device."""
        kind = torch.device(device).type
        if kind not in self._made:
            self._made[kind] = torch.Generator(device=device).manual_seed(self._seed)
        return self._made[kind]


def _mixed(key: Sequence[int]) -> int:
    """Return a number that depends on all of `key` (splitmix64, a step for each)."""
    state = 0
    for part in key:
        state = (state + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state & _MASK


def _parsed(where: str, tta: Any) -> tuple[int, list[Any] | None]:
    """Return the number of passes, and the layers to use where some are given."""
    if isinstance(tta, int) and not isinstance(tta, bool):
        return check_int(where, "passes", tta, minimum=1), None
    if isinstance(tta, tuple) and len(tta) == 2 and isinstance(tta[0], int):
        passes, tta = check_int(where, "passes", tta[0], minimum=1), tta[1]
    else:
        passes = _PASSES
    given = [tta] if isinstance(tta, Layer) else list(tta) if isinstance(tta, (list, tuple)) else []
    if not given or not all(isinstance(layer, Layer) for layer in given):
        expected = "a number of passes, augmentation layers, or (number, layers)"
        raise ArgumentTypeError(message(where, expected=expected, got=repr(tta)))
    mixing = [layer for layer in _inside(nn.ModuleList(given), mixing=True) if isinstance(layer, MixingLayer)]
    if mixing:
        do = "Leave it out: a prediction is for one image."
        got = f"{mixing[0].label}, which mixes images"
        raise ArgumentError(message(where, expected="layers that change each image", got=got, do=do))
    return passes, given


def _inside(root: nn.Module, mixing: bool = False) -> list[RandomImageLayer]:
    """Return the augmentations in a module, without the parts that they themselves are made of."""
    if isinstance(root, RandomImageLayer):
        return [root] if mixing or not isinstance(root, MixingLayer) else []
    return [layer for child in root.children() for layer in _inside(child, mixing)]


def _own_layers(model: Any) -> tuple[list[RandomImageLayer], list[nn.Module]]:
    """Return the augmentations in a model's graph, and the models and pipelines around them.

    What a `call` of the user's own runs is not known: there is no telling whether its layers would augment.
    """
    found: list[RandomImageLayer] = []
    around: list[nn.Module] = []
    for module in dict.fromkeys(node.operation for node in model.graph_nodes()):
        inner: tuple[list[Any], list[Any]] = ([], [])
        if hasattr(module, "graph_nodes"):
            inner = _own_layers(module)
        elif isinstance(module, Pipeline):
            inner = (_inside(module), [module])
        elif isinstance(module, RandomImageLayer) and not isinstance(module, MixingLayer):
            inner = ([module], [])
        found += inner[0]
        around += inner[1] if inner[0] else []
    return found, [model, *around] if found else []


@contextmanager
def _switched_on(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put modules, and nothing inside them, into training mode for one block."""
    before = [module.training for module in modules]
    for module in modules:
        module.training = True
    try:
        yield
    finally:
        for module, was in zip(modules, before, strict=True):
            module.training = was


def _width_axis() -> int:
    return 2 if image_data_format() == "channels_last" else 3

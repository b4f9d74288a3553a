"""What a name map is: whose names, for which of our models, and what else differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
Rename = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameMap:
    """How the tensors of one kind of file go onto the layers of one family.

    Attributes:
        source: whose names they are, for texts.
        rename: a layer's name in the file to ours (`"features.0.conv"` to `"conv1"`); None for unknown ones.
        head: our layers that make the classifier, as patterns of whole names.
        unused: the file's layers that ours has not, as patterns: auxiliary classifiers.
        flattened: our Dense layers behind a Flatten, with the maps (channels, height, width) before it: torch
            flattens channel by channel, ours place by place.
        given: our layers that no file has, with their values: what Keras keeps in the model.
    """

    source: str
    rename: Rename
    head: tuple[str, ...]
    unused: tuple[str, ...] = ()
    flattened: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    def target(self, tensor: str) -> str | None:
        """Return our name of a tensor of the file."""
        layer, dot, leaf = tensor.rpartition(".")
        own = self.rename(layer) if dot else None
        return None if own is None else f"{own}.{leaf}"

    def is_head(self, own: str) -> bool:
        """Whether one of our tensors belongs to the classifier."""
        return _matches(own.rpartition(".")[0], self.head)

    def is_unused(self, tensor: str) -> bool:
        """Whether a tensor of the file is of a part that ours has not."""
        return _matches(tensor.rpartition(".")[0], self.unused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the names and shapes in a file say that it is.

    Attributes:
        model: our function that makes it (`"MobileNet"`), in `neocog.applications` or `neocog.zoo`.
        label: what people call it: `"resnet34"`.
        source: whose names they are: `"torchvision"`.
        options: the function's arguments that the shapes tell: `{"alpha": 0.75}`.
        classes: outputs of the classifier; None where the file has none.
        pixels: how its images are prepared: a mode of `preprocess_input`.
    """

    model: str
    label: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: int | None = None
    pixels: str = "torch"

    def __str__(self) -> str:
        return f"{self.label} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family: its maps by our functions' names, and how its files are recognised."""

    maps: Mapping[str, tuple[NameMap, ...]]
    recognise: Callable[[Shapes], Found | None]


def by_rules(*rules: tuple[str, str]) -> Rename:
    """Return a renaming by the first pattern that matches a layer's whole name; None where none does."""
    table = [(re.compile(pattern), replacement) for pattern, replacement in rules]

    def rename(layer: str) -> str | None:
        for pattern, replacement in table:
            if match := pattern.fullmatch(layer):
                return match.expand(replacement)
        return None

    return rename


def underscored(layer: str) -> str:
    """Return the zoo's name of a layer: torchvision's with underscores for dots."""
    return layer.replace(".", "_")


def outputs(shapes: Shapes, *names: str) -> int | None:
    """Return how many outputs the first of these weights that is there has."""
    return next((shapes[name][0] for name in names if name in shapes), None)


def _matches(layer: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, layer) for pattern in patterns)

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
        given: our tensors that no file has, as patterns, with their values: what Keras keeps in the model.
        note: what a user must know of the images, said as a warning; empty for nothing.
    """

    source: str
    rename: Rename
    head: tuple[str, ...]
    unused: tuple[str, ...] = ()
    flattened: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def target(self, tensor: str) -> str | None:
        """Return our name of a tensor of the file."""
        layer, dot, leaf = tensor.rpartition(".")
        own = self.rename(layer) if dot else None
        return None if own is None else f"{own}.{leaf}"

    def is_head(self, own: str) -> bool:
        """Whether one of our tensors belongs to the classifier."""
        return _matches(own.rpartition(".")[0], self.head)

    def given_for(self, own: str) -> Any:
        """Return the value of one of our tensors that no file has; None for all others."""
        return next((value for pattern, value in self.given.items() if re.fullmatch(pattern, own)), None)

    def is_unused(self, tensor: str) -> bool:
        """Whether a tensor of the file is of a part that ours has not."""
        return _matches(tensor.rpartition(".")[0], self.unused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the names and shapes in a file say that it is.

    Attributes:
        model: our function that makes it, in `neocog.applications` (`"MobileNet"`) or `neocog.zoo`
            (`"resnet34"`); None where there is none.
        label: what people call it: `"resnet34"`.
        source: whose names they are: `"torchvision"`.
        options: the function's arguments that the shapes tell: `{"alpha": 0.75}`.
        classes: outputs of the classifier; None where the file has none.
        pixels: how its images are prepared: a mode of `preprocess_input`.
    """

    model: str | None
    label: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: int | None = None
    pixels: str = "torch"

    @property
    def home(self) -> str:
        """The function with its module; Keras's forms have capital letters, the zoo's have none."""
        return f"neocog.{'applications' if (self.model or '')[:1].isupper() else 'zoo'}.{self.model}"

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


def canonical(shapes: Shapes) -> Shapes:
    """Return the shapes under the zoo's names: what recognisers look at, for torch's files and our own."""
    parts = ((name.rpartition("."), shape) for name, shape in shapes.items())
    return {f"{underscored(layer)}.{leaf}": shape for (layer, _, leaf), shape in parts}


def count(shapes: Shapes, pattern: str) -> int:
    """Return how many names match a pattern as a whole."""
    return sum(re.fullmatch(pattern, name) is not None for name in shapes)


def outputs(shapes: Shapes, *names: str) -> int | None:
    """Return how many outputs the first of these weights that is there has."""
    return next((shapes[name][0] for name in names if name in shapes), None)


def _matches(layer: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, layer) for pattern in patterns)

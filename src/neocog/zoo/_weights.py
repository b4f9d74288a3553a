"""Weights for the architectures of the zoo, and where known files lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neocog.applications._known_files import known_for
from neocog.applications._weights import NO_FILES
from neocog.applications._weights import load as load_application
from neocog.zoo._architecture import find


def load(architecture: str, model: Any, weights: Any, *, include_top: bool) -> None:
    """Read what `weights` names into a model.

    Args:
        architecture: name in the zoo, such as `"resnet18"`.
        model: the model, with its layers named after the reference state dict.
        weights: `"imagenet"`, the path of a weight file, or an address with its SHA-256.
        include_top: whether the model has its classifier.
    """
    load_application(architecture, model, weights, NO_FILES, include_top)


def find_weights(name: str, **variant: Any) -> Path | None:
    """Return where a known pretrained file of an architecture lies on this machine, or None.

    It is looked for below `weights` in the folders of the data sets, and in `models` in neocog's own folder,
    by name and SHA-256.

    Args:
        name: of an architecture, as `build` knows it: `"mobilenet"`.
        **variant: its arguments, such as `alpha=0.75`; a file of another variant is not taken.

    Raises:
        UnknownNameError: no architecture has this name.
    """
    known = known_for(find(name).name, variant)
    return None if known is None else known[1]

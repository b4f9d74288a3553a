"""Which layers train: freezing a model up to a layer, and opening its top again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from neocog.exceptions import ArgumentError, UnknownNameError, message, nearest
from neocog.layers import BatchNormalization, Layer


def freeze(model: Any, until: Any = None) -> None:
    """Freeze the layers up to and with `until`, all for None; see `Model.freeze`."""
    if until is None:
        model.trainable = False
        return
    leaves = leaf_layers(model)
    last = _position(model, leaves, until, "freeze", first=False)
    for layer in leaves[: last + 1]:
        _set(layer, False)


def unfreeze(model: Any, top: Any = None, batch_norm: bool = False) -> None:
    """Let the layers from `top` on train; see `Model.unfreeze`."""
    leaves = leaf_layers(model)
    if top is None:
        opened = leaves
    elif isinstance(top, int) and not isinstance(top, bool):
        if not 0 <= top <= len(leaves):
            expected = f"top from 0 to {len(leaves)}, the number of its layers"
            raise ArgumentError(message(f"{model.label}: unfreeze", expected=expected, got=top))
        opened = leaves[len(leaves) - top :]
    else:
        opened = leaves[_position(model, leaves, top, "unfreeze", first=True) :]
    for layer in opened:
        _set(layer, batch_norm or not is_batch_norm(layer))
    for owner in _owners(model):  # a frozen owner would freeze what is in it when the model is loaded
        if any(getattr(leaf, "trainable", False) for leaf in leaf_layers(owner)):
            owner._trainable = True


def leaf_layers(model: Any) -> list[Any]:
    """Return the layers of a model in order, those of nested models in their place, each once."""
    found: dict[int, Any] = {}
    for layer in model.layers:
        for leaf in leaf_layers(layer) if _is_model(layer) else [layer]:
            found.setdefault(id(leaf), leaf)
    return list(found.values())


def is_batch_norm(layer: Any) -> bool:
    """Whether a layer is batch normalisation, neocog's or torch's."""
    return isinstance(layer, (BatchNormalization, nn.modules.batchnorm._BatchNorm))


def _is_model(layer: Any) -> bool:
    return isinstance(layer, Layer) and hasattr(layer, "graph_layers") and bool(layer.layers)


def _owners(model: Any) -> Iterator[Any]:
    """Give the model and the models in it."""
    yield model
    for layer in model.layers:
        if _is_model(layer):
            yield from _owners(layer)


def _set(layer: Any, value: bool) -> None:
    if isinstance(layer, Layer):
        layer.trainable = value
        return
    for parameter in layer.parameters():
        parameter.requires_grad_(value)


def _position(model: Any, leaves: list[Any], wanted: Any, where: str, *, first: bool) -> int:
    """Return the place of a layer, of a nested model's first or last layer, or of a block by its prefix."""
    if isinstance(wanted, nn.Module):
        inside = leaf_layers(wanted) if _is_model(wanted) else [wanted]
        places = [i for i, leaf in enumerate(leaves) if any(leaf is item for item in inside)]
        wanted = getattr(wanted, "name", type(wanted).__name__)
    else:
        names = [str(getattr(leaf, "name", "")) for leaf in leaves]
        nested = [owner for owner in _owners(model) if owner is not model and owner.name == wanted]
        if nested and wanted not in names:
            return _position(model, leaves, nested[0], where, first=first)
        places = [i for i, name in enumerate(names) if name == wanted]
        places = places or [i for i, name in enumerate(names) if name.startswith(f"{wanted}_")]
        if not places:
            close = nearest(str(wanted), names) or names[-5:]
            text = f"{model.label}: {where}: has no layer or block {wanted!r}. Nearest: "
            raise UnknownNameError(text + ", ".join(map(repr, close)) + ".")
    if not places:
        raise ArgumentError(
            message(f"{model.label}: {where}", expected="one of its layers", got=f"another, {wanted!r}")
        )
    return places[0] if first else places[-1]

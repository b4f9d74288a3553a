"""Name maps, one module a family: other programs' names of tensors to those of our layers."""

from collections.abc import Mapping

from neocog.applications._name_maps import (
    densenet,
    efficientnet,
    inception,
    mobilenet,
    mobilenet_v2,
    resnet,
    small,
    vgg,
)
from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, canonical, underscored

__all__ = ["Family", "Found", "NameMap", "maps_for", "recognise"]

FAMILIES: tuple[Family, ...] = (
    mobilenet.FAMILY,
    mobilenet_v2.FAMILY,
    resnet.FAMILY,
    vgg.FAMILY,
    densenet.FAMILY,
    efficientnet.FAMILY,
    *small.FAMILIES,
    *inception.FAMILIES,
)

_HEADS = (r"fc\d?", "linear", r"classifier(_\d)?", "predictions", "conv_preds", "logits", "loss3_classifier")
_AUXILIARY = (r"AuxLogits\..*", r"aux\d?\..*")
_OWN = NameMap(source="neocog", rename=lambda layer: layer, head=_HEADS)
_TORCHVISION = NameMap(source="torchvision", rename=underscored, head=_HEADS, unused=_AUXILIARY)
_MAPS: Mapping[str, tuple[NameMap, ...]] = {
    model: maps for family in FAMILIES for model, maps in family.maps.items()
}


def maps_for(model: str) -> tuple[NameMap, ...]:
    """Return the maps of one of our functions, and that of the files that neocog writes.

    The zoo's forms are named after torchvision's; Keras's (with capital letters) take only what is mapped.
    """
    rule = () if model[:1].isupper() else (_TORCHVISION,)
    return (*_MAPS.get(model, rule), _OWN)


def recognise(shapes: Shapes) -> Found | None:
    """Return what the names and shapes of a file's tensors say that it is, or None."""
    shapes = canonical(shapes)
    found = (family.recognise(shapes) for family in FAMILIES)
    return next((each for each in found if each is not None), None)

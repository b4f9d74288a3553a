"""Name maps, one module a family: other programs' names of tensors to those of our layers."""

from collections.abc import Mapping

from neocog.applications._name_maps import mobilenet
from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, underscored

__all__ = ["Family", "Found", "NameMap", "maps_for", "recognise"]

FAMILIES: tuple[Family, ...] = (mobilenet.FAMILY,)

OWN = NameMap(source="neocog", rename=lambda layer: layer, head=())
_TORCHVISION = NameMap(source="torchvision", rename=underscored, head=())
_MAPS: Mapping[str, tuple[NameMap, ...]] = {
    model: maps for family in FAMILIES for model, maps in family.maps.items()
}


def maps_for(model: str) -> tuple[NameMap, ...]:
    """Return the maps of one of our functions; those of the zoo without one take torchvision's names."""
    return (*_MAPS.get(model, (_TORCHVISION,)), OWN)


def recognise(shapes: Shapes) -> Found | None:
    """Return what the names and shapes of a file's tensors say that it is, or None."""
    found = (family.recognise(shapes) for family in FAMILIES)
    return next((each for each in found if each is not None), None)

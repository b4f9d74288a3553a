"""The error of layers whose windows do not fit into their inputs."""

from __future__ import annotations

from collections.abc import Sequence

from neocog.exceptions import ShapeError, message

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def check_sizes(
    where: str, sizes: Sequence[int | None], smallest: Sequence[int], shape: Sequence[int | None], do: str
) -> None:
    """Raise ShapeError where a known spatial size is below the smallest that gives a result.

    Args:
        where: the layer.
        sizes: spatial sizes of the input.
        smallest: least size of each.
        shape: the input's whole shape, for the text.
        do: the advice.
    """
    if all(size is None or size >= least for size, least in zip(sizes, smallest, strict=True)):
        return
    raise ShapeError(
        message(where, expected=_requirement(smallest), got=tuple(shape), do=do),
    )


def _requirement(smallest: Sequence[int]) -> str:
    names = _AXES[len(smallest)]
    if len(set(smallest)) == 1:
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{listed} of at least {smallest[0]}"
    return " and ".join(f"{name} of at least {least}" for name, least in zip(names, smallest, strict=True))

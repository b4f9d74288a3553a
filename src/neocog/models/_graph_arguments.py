"""The arguments that make a model a graph: `Model(inputs, outputs)`."""

from __future__ import annotations

from typing import Any


def is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a constructor was given inputs and outputs."""
    return (
        len(args) == 2
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


def graph_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs and outputs among them; they are taken out of `kwargs`."""
    names = ("inputs", "outputs")
    graph = dict(zip(names, args, strict=False))
    for name in names:
        if name in kwargs:
            graph[name] = kwargs.pop(name)
    return graph

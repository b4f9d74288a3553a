"""`plot_model` and `model_to_dot`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from neocog.core import check_number, write_bytes
from neocog.exceptions import ArgumentTypeError, NotBuiltError, message
from neocog.models._diagram._boxes import Show, group_of
from neocog.models._diagram._dot import Dot
from neocog.models._model import Model


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float | None = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Dot:
    """Return a model as a drawing that gives DOT text, SVG or images; neither Graphviz nor pydot is needed.

    Args:
        model: a built model; a subclassed one is one box.
        show_shapes: write the shapes of inputs and outputs.
        show_dtype: write the type of the outputs.
        show_layer_names: write the names of layers beside their classes.
        rankdir: where the data flow: `"TB"` down, `"LR"` to the right, `"BT"` up, `"RL"` to the left.
        expand_nested: draw the layers of inner models, in a frame.
        dpi: pixels an inch of images; None for 96.
        subgraph: give DOT text of a cluster, for use inside another graph.
        show_layer_activations: write the names of activations.
        show_trainable: write whether a layer's weights train.
        splines: how Graphviz would draw lines; stands in the DOT text alone.

    Raises:
        NotBuiltError: the model has no shapes yet.

    Example:
        >>> from neocog import Sequential, layers
        >>> dot = model_to_dot(Sequential([layers.Input((4,)), layers.Dense(2), layers.ReLU()]))
        >>> len(dot.get_nodes()), len(dot.get_edges()), dot.to_string()[:9]
        (2, 1, 'digraph G')
    """
    if kwargs:
        raise ArgumentTypeError(
            message("model_to_dot", expected="arguments that Keras 3 has", got=", ".join(sorted(kwargs)))
        )
    if not isinstance(model, Model):
        raise ArgumentTypeError(message("model_to_dot", expected="a model", got=type(model).__name__))
    if not model.built:
        raise NotBuiltError(
            message(
                f"{type(model).__name__} {model.name!r}",
                expected="a model that is built",
                got="one without shapes",
                do="Give it an Input, call build(input_shape), or call it on a batch.",
            )
        )
    show = Show(
        shapes=show_shapes,
        dtype=show_dtype,
        layer_names=show_layer_names,
        activations=show_layer_activations,
        trainable=show_trainable,
        expand_nested=expand_nested,
    )
    dots = check_number("model_to_dot", "dpi", 96 if dpi is None else dpi, minimum=1, maximum=2400)
    return Dot(group_of(model, show), rankdir, dots, splines, subgraph)


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float | None = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draw a model into a file, without Graphviz.

    Args:
        model: a built model.
        to_file: its ending says which form: `.png`, `.jpg`, `.pdf`, `.svg`, `.dot`, …; PNG where it has none.
        show_shapes: as in `model_to_dot`, like all the others.

    Returns:
        An image that a notebook shows, where IPython is installed; else None.

    Raises:
        NotBuiltError: the model has no shapes yet.
        ArgumentError: an ending that is none of these.
    """
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    kind = Path(to_file).suffix[1:].lower() or "png"
    write_bytes(to_file, dot.create(format=kind))
    return None if kind == "pdf" else _notebook_image(os.fspath(to_file), kind)


def _notebook_image(path: str, kind: str) -> Any:
    try:
        from IPython import display  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    if kind == "svg":
        return display.SVG(filename=path)
    return display.Image(filename=path) if kind in ("png", "jpg", "jpeg", "gif", "webp") else None

"""A new head on a pretrained base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.core import check_int, check_number, check_one_of
from neocog.exceptions import ArgumentError, message
from neocog.layers import Dense, Dropout, GlobalAveragePooling2D, Identity
from neocog.models import Model
from neocog.transfer._blocks import blocks, find_block
from neocog.transfer._graphs import inlined, model_of

TASKS = ("softmax", "sigmoid", "linear")
FEATURES = "features"  # name of the layer whose outputs the head sees


def add_head(
    base: Any,
    classes: int | None = None,
    *,
    task: str = "softmax",
    dropout: float = 0.2,
    at: str | None = None,
    head: Callable[[Any], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return a model with a new head on a frozen base: mean over the pixels, dropout, one dense layer.

    The base's layers are shared, not copied: training one trains the other. They lie in the model's graph.

    Args:
        base: a `zoo.Backbone`, or a model with a graph that ends in feature maps or in features.
        classes: number of classes, labels or targets.
        task: `"softmax"` for one label, `"sigmoid"` for several, `"linear"` for numbers.
        dropout: share of the features to drop in training.
        at: name of a block, or of a layer in it, after which the head starts; None: at the end.
        head: gives the outputs for the features (symbolic), in place of the dense layer.
        name: of the model.

    Raises:
        ArgumentError: neither `classes` nor `head`, or another task.
        UnknownNameError: no block of that name.

    Example:
        >>> from neocog.layers import Conv2D, Input
        >>> image = Input((8, 8, 3))
        >>> model = add_head(Model(image, Conv2D(4, 3)(image)), classes=2)
        >>> model.output_shape, len(model.trainable_weights)
        ((None, 2), 2)
    """
    check_one_of("add_head", "task", task, TASKS)
    check_number("add_head", "dropout", dropout, minimum=0.0, maximum=0.99)
    if (classes is None) == (head is None):
        expected = "the number of classes, or a head of your own, one of the two"
        raise ArgumentError(message("add_head", expected=expected, got="both" if head else "neither"))
    owner = model_of(base, "add_head")
    model = inlined(owner)
    owner.trainable = False
    x = model.output if at is None else _end_of(model, at)
    if not hasattr(x, "shape"):
        raise ArgumentError(message("add_head", expected="a base with one output", got=f"{len(x)}"))
    if len(x.shape) not in (2, 4):
        got = f"outputs of shape {x.shape}"
        raise ArgumentError(message("add_head", expected="a base that gives feature maps", got=got))
    x = (GlobalAveragePooling2D(name=FEATURES) if len(x.shape) == 4 else Identity(name=FEATURES))(x)
    if dropout:
        x = Dropout(dropout, name="head_dropout")(x)
    outputs = head(x) if head is not None else _dense(classes, task)(x)
    return Model(model.input, outputs, name=name or f"{owner.name}_classifier")


def _dense(classes: Any, task: str) -> Any:
    units = check_int("add_head", "classes", classes, minimum=1)
    activation = None if task == "linear" else task
    return Dense(units, activation=activation, name="predictions" if task == "linear" else "probabilities")


def _end_of(model: Any, at: str) -> Any:
    found = find_block(model, at)
    if found.end == blocks(model)[-1].end:
        return model.output
    node = model.graph_nodes()[found.end]
    return node.outputs

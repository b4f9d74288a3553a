"""Batch normalisation worked into the convolution before it: the same numbers in inference, in less time."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import tree_map
from neocog.graph import Node
from neocog.layers import BatchNormalization, Conv1D, Conv2D, Conv3D, Dense, DepthwiseConv2D
from neocog.models import Model
from neocog.transfer._graphs import call_again, inlined, model_of, replay

_FOLDABLE = (Conv1D, Conv2D, Conv3D, DepthwiseConv2D, Dense)


def fold_batch_norm(model: Any) -> Any:
    """Return a copy for inference whose normalisations are part of the convolutions and dense layers before.

    gamma (w · x + b − mean) / s + beta = (gamma / s · w) · x + (gamma / s · (b − mean) + beta),
    s = √(variance + epsilon). Weights are multiplied in float64. All else is shared with the given model.

    Args:
        model: a model with a graph, or a backbone; it is not changed.

    Example:
        >>> from neocog.layers import Input
        >>> image = Input((8, 8, 3))
        >>> model = Model(image, BatchNormalization()(Conv2D(4, 3, use_bias=False)(image)))
        >>> [type(layer).__name__ for layer in fold_batch_norm(model).layers]
        ['InputLayer', 'Conv2D']
    """
    model = inlined(model_of(model, "fold_batch_norm"))
    nodes = model.graph_nodes()
    pairs = _pairs(model)
    folded = {id(norm): conv for conv, norm in pairs}
    partner = {id(conv): norm for conv, norm in pairs}

    def call(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if id(node) in partner:
            return _merged(node.operation, partner[id(node)].operation, args[0])
        return args[0] if id(node) in folded else call_again(node, args, kwargs)

    found = {id(tensor): tensor for tensor in model.inputs}
    replay(nodes, found, call)
    outputs = tree_map(lambda leaf: found[id(leaf)], model.output)
    return Model.functional_class(inputs=model.input, outputs=outputs, name=model.name)


def _pairs(model: Any) -> list[tuple[Node, Node]]:
    """Return (convolution, normalisation) where nothing else reads the convolution's result."""
    nodes = model.graph_nodes()
    users: dict[int, list[Node]] = {}
    for node in nodes:
        for tensor in node.inputs:
            users.setdefault(id(tensor), []).append(node)
    kept = {id(tensor) for tensor in model.outputs}
    calls: dict[int, int] = {}
    for node in nodes:
        calls[id(node.operation)] = calls.get(id(node.operation), 0) + 1
    found = []
    for node in nodes:
        readers = [] if id(node.outputs) in kept else users.get(id(node.outputs), [])
        once = len(readers) == 1 and calls[id(node.operation)] == calls[id(readers[0].operation)] == 1
        if once and _fit(node, readers[0]):
            found.append((node, readers[0]))
    return found


def _fit(first: Node, second: Node) -> bool:
    conv: Any = first.operation
    norm: Any = second.operation
    if type(conv) not in _FOLDABLE or type(norm) is not BatchNormalization:
        return False
    linear = getattr(conv.activation, "__name__", None) == "linear"
    rank = len(first.outputs.shape)
    channels = 1 if getattr(conv, "data_format", None) == "channels_first" else rank - 1
    plain = conv.activity_regularizer is None and norm.activity_regularizer is None
    return linear and plain and norm.axis % rank == channels and len(first.args) == len(second.args) == 1


def _merged(conv: Any, norm: Any, x: Any) -> Any:
    config = {**conv.get_config(), "use_bias": True}
    for key in list(config):
        if key.endswith(("_initializer", "_regularizer", "_constraint")):
            config[key] = "zeros" if key.endswith("initializer") else None  # draws no random numbers
    layer = type(conv).from_config(config)
    outputs = layer(x)
    with torch.no_grad():
        bias = None if conv.bias is None else conv.bias.double()
        weight, bias = norm.folded_into(conv.weight.double(), bias)
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    layer.trainable = False
    return outputs

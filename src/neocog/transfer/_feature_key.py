"""Everything that features depend on, as one checksum."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog import layers
from neocog.core import tree_flatten, tree_map
from neocog.graph import SymbolicTensor
from neocog.transfer._samples import Samples, raw_bytes

_FORMAT = 1  # counts up when entries of the store mean something else


def features_key(model: Any, samples: Samples, settings: list[Any], changes: list[Any]) -> str | None:
    """Return the checksum; None where something has none, such as a stream, or code of the user's.

    Args:
        model: what gives the features; its weights and architecture count, its layers' names do not.
        samples: the data; images, labels and how they are read count.
        settings: plain values.
        changes: layers of an augmentation.
    """
    if any(getattr(part, "_runs_user_code", False) for item in (model, *changes) for part in item.modules()):
        return None  # a configuration does not tell what it does
    try:
        form = json.dumps([_architecture(item) for item in (model, *changes)], sort_keys=True)
    except (TypeError, ValueError, NotImplementedError):
        return None
    data = samples.fingerprint()
    if data is None:
        return None
    parts = [_FORMAT, weights_hash(model), hashlib.sha256(form.encode()).hexdigest(), data, settings]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def weights_hash(model: Any) -> str:
    """Return a checksum of all weights and statistics of a model, in order."""
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()


def _architecture(layer: Any) -> Any:
    """Return what a layer computes as plain values; for a graph, its calls and what they are called on."""
    nodes = layer.graph_nodes() if hasattr(layer, "graph_nodes") else []
    if not nodes:
        return _nameless(layers.serialize(layer))
    places = {id(tensor): f"input {number}" for number, tensor in enumerate(layer.inputs)}

    def placed(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicTensor):
            return places[id(leaf)]
        if isinstance(leaf, (torch.Tensor, np.ndarray)):  # a constant
            return hashlib.sha256(raw_bytes(torch.as_tensor(leaf))).hexdigest()
        return repr(leaf)

    rows: list[Any] = []
    for number, node in enumerate(nodes):
        called = tree_map(placed, [list(node.args), dict(node.kwargs)])
        rows.append([_operation(node.operation), called])
        for index, tensor in enumerate(tree_flatten(node.outputs)):
            places[id(tensor)] = f"{number} {index}"
    shapes = [[str(tensor.shape), tensor.dtype] for tensor in layer.inputs]
    return [shapes, rows, [places[id(tensor)] for tensor in layer.outputs]]


def _operation(operation: Any) -> Any:
    if isinstance(operation, nn.Module):
        return _architecture(operation) if isinstance(operation, layers.Layer) else repr(operation)
    module, name = getattr(operation, "__module__", ""), getattr(operation, "__qualname__", None)
    known = name or getattr(operation, "__name__", None)
    if (
        known is None
        or "<lambda>" in known
        or not str(module or "torch").startswith(("torch", "neocog", "_operator"))
    ):
        raise TypeError("a function of the user's")
    return [module, known]


def _nameless(described: Any) -> Any:
    """Return a description without the names of layers: automatic ones count on through a process."""
    if isinstance(described, dict):
        return {
            key: _nameless(value) for key, value in described.items() if key not in ("name", "build_config")
        }
    if isinstance(described, (list, tuple)):
        return [_nameless(value) for value in described]
    return described if isinstance(described, (str, int, float, bool, type(None))) else repr(described)

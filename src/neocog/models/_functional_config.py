"""A graph to and from a configuration, in Keras 3's form: layers, and the calls that join them
(`inbound_nodes`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from neocog.core import Registry, auto_name, custom_object_scope
from neocog.exceptions import FileFormatError, GraphError
from neocog.graph import Node, SymbolicTensor, record_function, symbolic_leaves
from neocog.layers import InputLayer, deserialize, serialize
from neocog.models._graph_body import GraphBody

# Functions that may stand in a configuration as nodes of the graph; others must be put into a Layer.
GRAPH_FUNCTIONS: Registry[Any] = Registry("graph function")
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg", "abs", "getitem")
_TORCH_FUNCTIONS = (
    *("relu", "sigmoid", "tanh", "softmax", "exp", "log", "sqrt", "square", "clamp", "where"),
    *("reshape", "flatten", "permute", "transpose", "squeeze", "unsqueeze", "cat", "stack"),
    *("mean", "sum", "amax", "amin", "minimum", "maximum"),
)
for _name in _OPERATORS:
    GRAPH_FUNCTIONS.register(name=_name)(getattr(operator, _name))
for _name in _TORCH_FUNCTIONS:
    GRAPH_FUNCTIONS.register(name=f"torch.{_name}")(getattr(torch, _name))


def functional_config(model: Any, body: GraphBody, input_layers: list[InputLayer]) -> dict[str, Any]:
    """Return the configuration of a graph model."""
    names = _operation_names(body)
    history: dict[int, list[Any]] = {
        id(tensor): [layer.name, 0, 0] for tensor, layer in zip(body.inputs, input_layers, strict=True)
    }
    calls: dict[str, list[Node]] = {}
    for node in body.program.nodes:
        name = names[id(_identity(node))]
        nodes = calls.setdefault(name, [])
        for index, tensor in enumerate(symbolic_leaves(node.outputs)):
            history[id(tensor)] = [name, len(nodes), index]
        nodes.append(node)
    layers = [{**serialize(layer), "name": layer.name, "inbound_nodes": []} for layer in input_layers]
    for name, nodes in calls.items():
        described = _describe_operation(nodes[0].operation, name)
        inbound = [
            {"args": _encode(list(n.args), history), "kwargs": _encode(n.kwargs, history)} for n in nodes
        ]
        layers.append({**described, "name": name, "inbound_nodes": inbound})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _ends(body.inputs_structure, history),
        "output_layers": _ends(body.outputs_structure, history),
    }


def functional_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return (inputs, outputs) of the graph that a configuration describes.

    Raises:
        FileFormatError: calls refer to tensors that no layer gives.
    """
    tensors: dict[tuple[str, int, int], SymbolicTensor] = {}
    operations: dict[str, Callable[..., Any]] = {}
    waiting: list[tuple[str, int, Any]] = []
    with custom_object_scope(custom_objects or {}):
        for entry in config["layers"]:
            name = str(entry["name"])
            operation = _make_operation(entry)
            if isinstance(operation, InputLayer):
                tensors[name, 0, 0] = operation.output
            operations[name] = operation
            waiting.extend((name, number, node) for number, node in enumerate(entry.get("inbound_nodes", [])))
        while waiting:
            left = [item for item in waiting if not _call(item, operations, tensors)]
            if len(left) == len(waiting):
                raise FileFormatError(
                    f"model config: the inputs of {left[0][0]!r} are given by no layer. The configuration "
                    "is damaged."
                )
            waiting = left
    return _decode_ends(config["input_layers"], tensors), _decode_ends(config["output_layers"], tensors)


def _identity(node: Node) -> Any:
    """Modules are one operation however often called; each call of a function is its own."""
    return node.operation if isinstance(node.operation, nn.Module) else node


def _operation_names(body: GraphBody) -> dict[int, str]:
    names: dict[int, str] = {}
    taken = {getattr(operation, "name", None) for operation in body.operations()}
    for node in body.program.nodes:
        key = _identity(node)
        if id(key) in names:
            continue
        name = getattr(node.operation, "name", None) if isinstance(node.operation, nn.Module) else None
        while not isinstance(name, str) or (key is node and name in taken):
            name = auto_name(getattr(node.operation, "__name__", type(node.operation).__name__))
        taken.add(name)
        names[id(key)] = name
    return names


def _describe_operation(operation: Callable[..., Any], name: str) -> dict[str, Any]:
    if isinstance(operation, nn.Module):
        if not hasattr(operation, "get_config"):
            raise GraphError(
                f"{type(operation).__name__}: a plain torch module has no configuration. Save the weights "
                "(save_weights, state_dict), or wrap the module in a Layer with get_config."
            )
        described: dict[str, Any] = serialize(operation)
        return described
    known = GRAPH_FUNCTIONS.name_of(operation)
    if known is None:
        raise GraphError(
            f"{getattr(operation, '__name__', operation)}: this function cannot be written to a "
            "configuration. "
            f"Put it into a Layer. Functions that can: {', '.join(GRAPH_FUNCTIONS.names())}."
        )
    return {"module": "neocog.graph", "class_name": "Function", "config": {"name": name, "function": known}}


def _make_operation(entry: Mapping[str, Any]) -> Callable[..., Any]:
    if entry.get("class_name") == "Function":
        return GRAPH_FUNCTIONS.resolve(str(entry["config"]["function"]))
    operation = deserialize(dict(entry))
    if not callable(operation):
        raise FileFormatError(f"model config: {entry.get('class_name')!r} is not a layer.")
    return operation  # type: ignore[no-any-return]


def _call(item: tuple[str, int, Any], operations: dict[str, Any], tensors: dict[Any, SymbolicTensor]) -> bool:
    name, number, node = item
    try:
        args, kwargs = _decode(node["args"], tensors), _decode(node["kwargs"], tensors)
    except KeyError:
        return False
    operation = operations[name]
    if isinstance(operation, nn.Module):
        outputs = operation(*args, **kwargs)
    else:
        outputs = record_function(operation, tuple(args), kwargs)
    for index, tensor in enumerate(symbolic_leaves(outputs)):
        tensors[name, number, index] = tensor
    return True


def _encode(value: Any, history: dict[int, list[Any]]) -> Any:
    if isinstance(value, SymbolicTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history[id(value)]}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, slice):
        parts = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "config": {"value": [_encode(item, history) for item in value]}}
    if isinstance(value, list):
        return [_encode(item, history) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item, history) for key, item in value.items()}
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    raise GraphError(
        f"{type(value).__name__}: cannot stand as an argument in a configuration; put it into a Layer."
    )


def _decode(value: Any, tensors: dict[Any, SymbolicTensor]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    config = value.get("config", {})
    match value.get("class_name"):
        case "__keras_tensor__":
            name, node, index = config["keras_history"]
            return tensors[name, node, index]
        case "__slice__":
            return slice(config.get("start"), config.get("stop"), config.get("step"))
        case "__ellipsis__":
            return Ellipsis
        case "__tuple__":
            return tuple(_decode(item, tensors) for item in config["value"])
    return {key: _decode(item, tensors) for key, item in value.items()}


def _ends(structure: Any, history: dict[int, list[Any]]) -> Any:
    if isinstance(structure, SymbolicTensor):
        return [history[id(structure)]]
    if isinstance(structure, dict):
        return {key: history[id(tensor)] for key, tensor in structure.items()}
    return [history[id(tensor)] for tensor in structure]


def _decode_ends(ends: Any, tensors: dict[Any, SymbolicTensor]) -> Any:
    if isinstance(ends, dict):
        return {key: tensors[tuple(end)] for key, end in ends.items()}
    if ends and isinstance(ends[0], str):
        return tensors[tuple(ends)]
    found = [tensors[tuple(end)] for end in ends]
    return found[0] if len(found) == 1 else found

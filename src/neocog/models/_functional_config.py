"""A graph to and from a configuration, in Keras's form: layers, and the calls that join them
(`inbound_nodes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from neocog.core import auto_name, custom_object_scope, is_special, read_special
from neocog.exceptions import FileFormatError, message
from neocog.graph import Node, SymbolicTensor, symbolic_leaves
from neocog.layers import BatchNormalization, InputLayer
from neocog.models._graph_body import GraphBody
from neocog.models._graph_calls import describe_call, describe_layer, encode, make_operation
from neocog.models._keras_order import identity
from neocog.models._objects import deserialize_keras_object
from neocog.models._trainer import Trainer

_Tensors = dict[tuple[str, int, int], SymbolicTensor]


def functional_config(model: Any, body: GraphBody, input_layers: list[InputLayer]) -> dict[str, Any]:
    """Return the configuration of a graph model, its layers in Keras's order."""
    order = body.in_order()
    calls: dict[int, list[Node]] = {}
    for node in body.program.nodes:
        calls.setdefault(id(identity(node)), []).append(node)
    by_input = {id(tensor): layer for tensor, layer in zip(body.inputs, input_layers, strict=True)}
    names = _names(order, by_input)
    history: dict[int, list[Any]] = {key: [layer.name, 0, 0] for key, layer in by_input.items()}
    for item in order:
        for number, node in enumerate(calls.get(id(item), [])):
            for index, tensor in enumerate(symbolic_leaves(node.outputs)):
                history[id(tensor)] = [names[id(item)], number, index]
    layers = []
    for item in order:
        if isinstance(item, SymbolicTensor):
            entry = describe_layer(by_input[id(item)])
            entry.update(name=names[id(item)], inbound_nodes=[])
        else:
            entry = _entry(item, names[id(item)], calls[id(item)], history)
        layers.append(entry)
    nested = {names[id(item)] for item in order if _counts_from_one(item)}
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _ends(body.inputs_structure, history, nested),
        "output_layers": _ends(body.outputs_structure, history, nested),
    }


def _entry(item: Any, name: str, nodes: list[Node], history: dict[int, list[Any]]) -> dict[str, Any]:
    if isinstance(item, nn.Module):
        entry = describe_layer(item)
        arguments = [(list(node.args), node.kwargs) for node in nodes]
    else:
        entry, args, kwargs = describe_call(nodes[0], name)
        arguments = [(args, kwargs)]
    inbound = [{"args": encode(args, history), "kwargs": encode(kw, history)} for args, kw in arguments]
    entry.update(name=name, inbound_nodes=inbound)
    return entry


def _names(order: list[Any], by_input: Mapping[int, InputLayer]) -> dict[int, str]:
    """Return a name for each input, layer and call of a function; layers keep theirs."""
    names: dict[int, str] = {}
    for item in order:
        named = by_input.get(id(item), item)
        name = getattr(named, "name", None)
        if isinstance(name, str) and not isinstance(named, Node):
            names[id(item)] = name
    taken = set(names.values())
    for item in order:
        if id(item) in names:
            continue
        called = item.operation if isinstance(item, Node) else item
        name = auto_name(getattr(called, "__name__", type(called).__name__))
        while name in taken:
            name = auto_name(getattr(called, "__name__", type(called).__name__))
        taken.add(name)
        names[id(item)] = name
    return names


def _counts_from_one(layer: Any) -> bool:
    """Whether Keras counts the outputs of a nested model's calls from one: those of its functional models."""
    functional = getattr(type(layer), "functional_class", None)
    return functional is not None and isinstance(layer, functional)


def _ends(structure: Any, history: Mapping[int, list[Any]], nested: set[str]) -> Any:
    if isinstance(structure, SymbolicTensor):
        name, node, index = history[id(structure)]
        return [name, node + (name in nested), index]
    if isinstance(structure, dict):
        return {key: _ends(item, history, nested) for key, item in structure.items()}
    return [_ends(item, history, nested) for item in structure]


def functional_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return (inputs, outputs) of the graph that a configuration describes.

    Raises:
        FileFormatError: calls refer to tensors that no layer gives.
    """
    tensors: _Tensors = {}
    operations: dict[str, Callable[..., Any]] = {}
    waiting: list[tuple[str, int, Any]] = []
    with custom_object_scope(custom_objects or {}):
        for entry in config["layers"]:
            name = str(entry.get("name") or entry["config"]["name"])
            operation = make_operation(entry)
            if name in operations:
                raise FileFormatError(message("model config", expected="each layer once", got=name[:80]))
            if isinstance(operation, InputLayer):
                tensors[name, 0, 0] = operation.output
            operations[name] = operation
            waiting.extend((name, number, node) for number, node in enumerate(entry.get("inbound_nodes", [])))
        while waiting:
            left = _make_calls(waiting, operations, tensors)
            if len(left) == len(waiting):
                raise FileFormatError(
                    f"model config: the inputs of {left[0][0][:80]!r} are given by no layer. The "
                    "configuration is damaged."
                )
            waiting = left
    nested = {name for name, operation in operations.items() if _counts_from_one(operation)}
    ends = (_decode_ends(config[key], tensors, nested) for key in ("input_layers", "output_layers"))
    return tuple(ends)


def _make_calls(
    waiting: list[tuple[str, int, Any]], operations: Mapping[str, Any], tensors: _Tensors
) -> list[tuple[str, int, Any]]:
    """Make the calls whose inputs are there, each layer's in order, and return the others."""
    left: list[tuple[str, int, Any]] = []
    late: set[str] = set()
    for name, number, node in waiting:
        arguments = None if name in late else _arguments(node, operations, tensors)
        if arguments is None:
            late.add(name)
            left.append((name, number, node))
            continue
        args, kwargs = arguments
        if "training" in kwargs and _notes_its_default(operations[name], kwargs["training"]):
            del kwargs["training"]
        outputs = operations[name](*args, **kwargs)
        for index, tensor in enumerate(symbolic_leaves(outputs)):
            tensors[name, number, index] = tensor
    return left


def _notes_its_default(operation: Any, training: Any) -> bool:
    """Whether `training=…` in a file is Keras's note of the layer's default, which `fit` overrules.

    Keras's dropout, noise and recurrent layers have False, augmentations True; for a model and for
    BatchNormalization, whose default is None, it is what the user wrote.
    """
    own = type(operation).__module__.startswith("neocog.")
    if not own or isinstance(operation, (Trainer, BatchNormalization)):
        return False
    return training is getattr(operation, "augments_alone", False)


def _arguments(node: Any, operations: Mapping[str, Any], tensors: _Tensors) -> tuple[Any, Any] | None:
    """Return the arguments of a call, or None where a tensor among them is still to come."""
    try:
        if isinstance(node, Mapping) and "args" in node:
            return _decode(list(node["args"]), tensors), _decode(dict(node.get("kwargs") or {}), tensors)
        return _old_arguments(node, operations, tensors)
    except _Missing:
        return None


class _Missing(Exception):
    """A tensor that is still to come."""


def _old_arguments(node: Any, operations: Mapping[str, Any], tensors: _Tensors) -> tuple[Any, Any]:
    """Read the list form of older files: `[layer, call, output, keyword arguments]` for each tensor."""
    if isinstance(node, Mapping):
        return [{key: _old_tensor(value, operations, tensors) for key, value in node.items()}], {}
    entries = [node] if node and isinstance(node[0], str) else list(node)
    found = [_old_tensor(entry, operations, tensors) for entry in entries]
    kwargs: dict[str, Any] = {}
    for entry in entries:
        for key, value in (entry[3] if len(entry) > 3 else {}).items():
            is_tensor = isinstance(value, list) and len(value) == 3 and value[0] in operations
            kwargs[key] = _old_tensor(value, operations, tensors) if is_tensor else _decode(value, tensors)
    return [found[0] if len(found) == 1 else found], kwargs


def _old_tensor(entry: Any, operations: Mapping[str, Any], tensors: _Tensors) -> SymbolicTensor:
    name, number, index = entry[:3]
    if name not in operations:
        raise FileFormatError(message("model config", expected="a known layer", got=repr(name)[:80]))
    if _counts_from_one(operations[name]) and number:
        number -= 1
    return _tensor((name, number, index), tensors)


def _tensor(key: Any, tensors: _Tensors) -> SymbolicTensor:
    if tuple(key) not in tensors:
        raise _Missing
    return tensors[tuple(key)]


def _decode(value: Any, tensors: _Tensors) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") == "__keras_tensor__":
        return _tensor(value["config"]["keras_history"], tensors)
    if value.get("class_name") == "__tuple__":  # neocog's own, before it wrote as Keras does
        return tuple(_decode(item, tensors) for item in value["config"]["value"])
    if is_special(value):
        return read_special(value)
    if "class_name" in value and "config" in value:
        return deserialize_keras_object(value)
    return {key: _decode(item, tensors) for key, item in value.items()}


def _decode_ends(ends: Any, tensors: _Tensors, nested: set[str]) -> Any:
    """Return the tensors at the ends; nested models count from one, but did not in neocog's older files."""
    if isinstance(ends, Mapping):
        return {key: _decode_ends(end, tensors, nested) for key, end in ends.items()}
    if not ends or not isinstance(ends[0], str):
        return [_decode_ends(end, tensors, nested) for end in ends]
    name, number, index = ends[:3]
    if name in nested and number:
        number -= 1
    if (name, number, index) not in tensors:
        raise FileFormatError(
            message("model config", expected="ends that a layer gives", got=repr(ends)[:80])
        )
    return tensors[name, number, index]

"""Calls in a graph to and from configurations: layers by their description, functions by Keras's class."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from neocog.core import Registry, add_special, custom_object, describe
from neocog.exceptions import FileFormatError, GraphError, UnknownNameError, message
from neocog.graph import Node, SymbolicTensor, record_function
from neocog.layers import deserialize, serialize
from neocog.models._objects import deserialize_keras_object
from neocog.ops._op import OPERATIONS, Operation

# Functions without a class in Keras that may stand in neocog's own files; others must be put into a Layer.
GRAPH_FUNCTIONS: Registry[Any] = Registry("graph function")
_TORCH_FUNCTIONS = (
    *("relu", "sigmoid", "tanh", "softmax", "exp", "log", "sqrt", "square", "clamp", "where"),
    *("reshape", "flatten", "permute", "transpose", "squeeze", "unsqueeze", "cat", "stack"),
    *("mean", "sum", "amax", "amin", "minimum", "maximum"),
)
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg", "abs", "getitem")
for _name in _OPERATORS:
    GRAPH_FUNCTIONS.register(name=_name)(getattr(operator, _name))
for _name in _TORCH_FUNCTIONS:
    GRAPH_FUNCTIONS.register(name=f"torch.{_name}")(getattr(torch, _name))

# Python's operators, and torch's functions of one tensor, as Keras's classes.
_NUMPY, _NN = "keras.src.ops.numpy>", "keras.src.ops.nn>"
_AS_KERAS: dict[Callable[..., Any], str] = {
    operator.add: f"{_NUMPY}Add",
    operator.sub: f"{_NUMPY}Subtract",
    operator.mul: f"{_NUMPY}Multiply",
    operator.truediv: f"{_NUMPY}Divide",
    operator.floordiv: f"{_NUMPY}FloorDivide",
    operator.mod: f"{_NUMPY}Mod",
    operator.pow: f"{_NUMPY}Power",
    operator.matmul: f"{_NUMPY}Matmul",
    operator.neg: f"{_NUMPY}Negative",
    operator.abs: f"{_NUMPY}Absolute",
    operator.getitem: f"{_NUMPY}GetItem",
    operator.lt: f"{_NUMPY}Less",
    operator.le: f"{_NUMPY}LessEqual",
    operator.gt: f"{_NUMPY}Greater",
    operator.ge: f"{_NUMPY}GreaterEqual",
}
_AS_KERAS_UNARY: dict[Callable[..., Any], str] = {
    torch.relu: f"{_NN}Relu",
    torch.sigmoid: f"{_NN}Sigmoid",
    torch.tanh: f"{_NUMPY}Tanh",
    torch.exp: f"{_NUMPY}Exp",
    torch.log: f"{_NUMPY}Log",
    torch.sqrt: f"{_NUMPY}Sqrt",
    torch.square: f"{_NUMPY}Square",
}


def operation_of(node: Node) -> Operation | None:
    """Return the operation that a function's call is in Keras, or None."""
    function = node.operation
    known = getattr(function, "operation", None)
    if isinstance(known, Operation):
        return known
    name = _AS_KERAS.get(function)
    if name is None and len(node.args) == 1 and not node.kwargs:
        name = _AS_KERAS_UNARY.get(function)
    return OPERATIONS.resolve(name)() if name is not None and name in OPERATIONS else None


def describe_layer(layer: nn.Module) -> dict[str, Any]:
    """Return a layer's description.

    Raises:
        GraphError: a plain torch module has none.
    """
    if not hasattr(layer, "get_config"):
        raise GraphError(
            f"{type(layer).__name__}: a plain torch module has no configuration. Save the weights "
            "(save_weights, state_dict), or wrap the module in a Layer with get_config."
        )
    described: dict[str, Any] = serialize(layer)
    return described


def describe_call(node: Node, name: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """Return the description of a function's call, and the arguments that stay with the call.

    Raises:
        GraphError: the function has no name in files.
    """
    known = operation_of(node)
    if known is None:
        return _own_function(node, name), list(node.args), node.kwargs
    parameters = inspect.signature(known.function).parameters
    bound = inspect.signature(known.function).bind(*node.args, **node.kwargs)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for key in known.call:
        if key not in bound.arguments:
            continue
        if parameters[key].kind is inspect.Parameter.VAR_POSITIONAL:
            args.extend(bound.arguments[key])
        elif len(args) == known.call.index(key):
            args.append(bound.arguments[key])
        else:
            kwargs[key] = bound.arguments[key]
    rest = {
        key: value
        for key, value in bound.arguments.items()
        if key not in known.call and not _is(value, parameters[key].default)
    }
    config = {"name": name, **{key: describe(value) for key, value in rest.items()}}
    described = {"module": known.module, "class_name": known.class_name, "config": config}
    return {**described, "registered_name": known.class_name}, args, kwargs


def _is(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def _own_function(node: Node, name: str) -> dict[str, Any]:
    known = GRAPH_FUNCTIONS.name_of(node.operation)
    if known is None:
        raise GraphError(
            f"{getattr(node.operation, '__name__', node.operation)}: this function cannot be written to a "
            "configuration. Put it into a Layer, or use a function of neocog.ops."
        )
    return {"module": "neocog.graph", "class_name": "Function", "config": {"name": name, "function": known}}


def make_operation(entry: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a layer, or a function that makes the call, from a description.

    Raises:
        FileFormatError: it describes something else.
        UnknownNameError: no layer or operation has its name.
    """
    module, class_name, config = str(entry.get("module")), str(entry.get("class_name")), entry.get("config")
    if module == "neocog.graph" and isinstance(config, Mapping):
        function = GRAPH_FUNCTIONS.resolve(str(config.get("function")))
        return lambda *args, **kwargs: record_function(function, _key_as_tuple(function, args), kwargs)
    if ".ops." in f"{module}." and custom_object(entry.get("registered_name")) is None:
        return _keras_operation(module, class_name, config if isinstance(config, Mapping) else {})
    name = _without_module(entry)
    if name is not None and isinstance(config, Mapping):
        return _keras_operation(name.partition(">")[0], class_name, config)
    operation = deserialize(dict(entry))
    if not callable(operation):
        raise FileFormatError(message("model config", expected="a layer", got=class_name[:80]))
    return operation  # type: ignore[no-any-return]


def _without_module(entry: Mapping[str, Any]) -> str | None:
    """Return the operation that an entry without module is: Keras 3 writes them so to `.h5`, beside layers of
    the same names, which have more in their configuration.
    """
    config, nodes = entry.get("config"), entry.get("inbound_nodes")
    is_new = isinstance(nodes, list) and any(isinstance(node, Mapping) and "args" in node for node in nodes)
    if not is_new or "module" in entry or not isinstance(config, Mapping):
        return None
    if {"trainable", "dtype"} & set(config) or custom_object(entry.get("class_name")) is not None:
        return None
    return next((name for name in OPERATIONS.names() if name.endswith(f">{entry.get('class_name')}")), None)


def _key_as_tuple(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """JSON knows no tuples: `x[:, 0]` comes back as a list."""
    is_key = function is operator.getitem and len(args) > 1 and isinstance(args[1], list)
    return (args[0], tuple(args[1])) if is_key else args


def _keras_operation(module: str, class_name: str, config: Mapping[str, Any]) -> Callable[..., Any]:
    name = f"{module}>{class_name}"
    if name not in OPERATIONS:
        raise UnknownNameError(
            f"operation {name[:80]!r}: no function of neocog.ops stands for it. Give the layer that "
            f"replaces it in custom_objects as {class_name[:80]!r}, or build the model in code and call "
            "load_weights."
        )
    known: Operation = OPERATIONS.resolve(name)()
    parameters = inspect.signature(known.function).parameters
    fixed = {key: deserialize_keras_object(value) for key, value in config.items() if key != "name"}
    fixed = {key: value for key, value in fixed.items() if key in parameters or value is not None}

    def call(*args: Any, **kwargs: Any) -> Any:
        if class_name == "GetItem" and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))
        if any(parameters[key].kind is inspect.Parameter.VAR_POSITIONAL for key in known.call):
            return known.function(*args, **kwargs, **fixed)
        named = dict(zip(known.call, args, strict=False))
        return known.function(**named, **kwargs, **fixed)

    return call


def encode(value: Any, history: Mapping[int, list[Any]]) -> Any:
    """Return an argument of a call as plain values, symbolic tensors by where they come from.

    Raises:
        GraphError: it has no form in a configuration.
    """
    if isinstance(value, SymbolicTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history[id(value)]}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, (list, tuple)):
        return [encode(item, history) for item in value]
    if isinstance(value, dict):
        return {key: encode(item, history) for key, item in value.items()}
    described = describe(value)
    if described is value and not isinstance(value, (str, int, float, bool, type(None))):
        raise GraphError(
            f"{type(value).__name__}: cannot stand as an argument in a configuration; put it into a Layer."
        )
    return described


def _history(tensor: SymbolicTensor) -> Any:
    name = getattr(tensor.node.operation, "name", None) if tensor.node is not None else tensor.name
    history = [name, 0, tensor.index] if isinstance(name, str) else None
    return {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": history}


add_special(
    "__keras_tensor__",
    SymbolicTensor,
    _history,
    lambda config: SymbolicTensor(
        [n if n is None else int(n) for n in config["shape"]], str(config["dtype"])
    ),
)

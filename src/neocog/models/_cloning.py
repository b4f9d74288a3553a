"""`clone_model`: the same architecture once more, with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from neocog.core import tree_flatten, tree_map, tree_pack
from neocog.exceptions import ArgumentError, message
from neocog.graph import Input, SymbolicTensor, record_function
from neocog.layers import deserialize, serialize
from neocog.models._model import Model
from neocog.models._sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Return a model of the same architecture whose weights are drawn anew, compiled as the given one is.

    Args:
        model: a functional or sequential model; a subclassed one that has a configuration.
        input_tensors: what the new model starts from, nested like `model.input`; new inputs by default.
        clone_function: makes the new layer from each layer; by default from its configuration.
        call_function: calls a new layer, `call_function(layer, *args, **kwargs)`; functional models alone.
        recursive: clone the layers of nested models by the same functions.
        **kwargs: `cache`, a dict from the id of a layer to its clone.

    Raises:
        ArgumentError: functions or tensors are given for a subclassed model, or tensors that do not fit.

    Example:
        >>> from neocog.layers import Dense
        >>> copy = clone_model(Sequential([Input((4,)), Dense(2)]))
        >>> copy.output_shape
        (None, 2)
    """
    cache = kwargs.pop("cache", None)
    if kwargs:
        raise ArgumentError(message("clone_model", expected="known arguments", got=repr(next(iter(kwargs)))))
    if model._body is None and not isinstance(model, Sequential):
        if input_tensors is not None or clone_function is not None or call_function is not None:
            do = "Give get_config to the class, and leave the functions out."
            raise ArgumentError(message("clone_model", expected="a graph or stack", got=model.label, do=do))
        return deserialize(serialize(model), {type(model).__name__: type(model)})
    clones = _Clones(clone_function, call_function, recursive, cache)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ArgumentError("clone_model: a stack calls its layers itself; call_function is for graphs.")
        cloned = _clone_stack(model, input_tensors, clones)
    else:
        cloned = _clone_graph(model, input_tensors, clones)
    settings = model.get_compile_config()
    if settings:
        cloned.compile_from_config(settings)
    return cloned


class _Clones:
    """The clones of layers, each made once."""

    def __init__(self, make: Any, call: Any, recursive: bool, cache: dict[int, Any] | None) -> None:
        self._make = make or (lambda layer: type(layer).from_config(layer.get_config()))
        self._given = make
        self._call = call
        self._recursive = recursive
        self._made: dict[int, Any] = {} if cache is None else cache

    def of(self, layer: Any) -> Any:
        """Return the clone of a layer."""
        if id(layer) not in self._made:
            inside = self._recursive and isinstance(layer, Model) and layer._body is not None
            self._made[id(layer)] = self._inside(layer) if inside else self._make(layer)
        return self._made[id(layer)]

    def _inside(self, model: Any) -> Any:
        call = None if isinstance(model, Sequential) else self._call
        return clone_model(model, None, self._given, call, True, cache=self._made)

    def call(self, operation: Any, args: Any, kwargs: Any) -> Any:
        """Call the clone of a layer, or a function, on symbolic tensors."""
        if not isinstance(operation, nn.Module):
            return record_function(operation, args, kwargs)
        layer = self.of(operation)
        return layer(*args, **kwargs) if self._call is None else self._call(layer, *args, **kwargs)


def _clone_stack(model: Sequential, input_tensors: Any, clones: _Clones) -> Sequential:
    tensors = tree_flatten(input_tensors) if input_tensors is not None else []
    if len(tensors) > 1 or any(not isinstance(tensor, SymbolicTensor) for tensor in tensors):
        got = repr(input_tensors)[:80]
        raise ArgumentError(message("clone_model", expected="one symbolic tensor for a stack", got=got))
    if not tensors and model._body is not None:
        tensors = [_new_input(model.inputs[0])]
    return Sequential([*tensors, *map(clones.of, model.layers)], name=model.name, trainable=model.trainable)


def _clone_graph(model: Any, input_tensors: Any, clones: _Clones) -> Any:
    if input_tensors is None:
        new = [_new_input(tensor) for tensor in model.inputs]
    else:
        new = tree_flatten(input_tensors)
        if len(new) != len(model.inputs) or any(not isinstance(one, SymbolicTensor) for one in new):
            expected = f"{len(model.inputs)} symbolic tensors"
            raise ArgumentError(message("clone_model", expected=expected, got=repr(input_tensors)[:80]))
    found = {id(old): tensor for old, tensor in zip(model.inputs, new, strict=True)}

    def renewed(tree: Any) -> Any:
        return tree_map(lambda leaf: found[id(leaf)] if isinstance(leaf, SymbolicTensor) else leaf, tree)

    for node in model.graph_nodes():
        outputs = clones.call(node.operation, renewed(tuple(node.args)), renewed(node.kwargs))
        for old, tensor in zip(tree_flatten(node.outputs), tree_flatten(outputs), strict=True):
            found[id(old)] = tensor
    inputs = tree_pack(model.input, new)
    return Model.functional_class(inputs=inputs, outputs=renewed(model.output), name=model.name)


def _new_input(tensor: SymbolicTensor) -> SymbolicTensor:
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)

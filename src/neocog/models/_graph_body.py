"""The part of a model that is a graph: its inputs, its outputs, its layers in order, and running it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import nn

from neocog.core import (
    TEXT,
    floatx,
    is_text,
    is_text_list,
    to_snake_case,
    to_text,
    torch_dtype,
    tree_flatten,
    tree_map,
)
from neocog.exceptions import ArgumentTypeError, DataError, ShapeError, message
from neocog.graph import Node, Program, SymbolicTensor, has_masks, set_mask
from neocog.layers import InputLayer, Layer
from neocog.layers._precision import types_mixed
from neocog.models._keras_order import in_keras_order
from neocog.models._rewrites import rewritten


class GraphBody:
    """Inputs, outputs and program of a functional or sequential model.

    Args:
        where: how error texts name the model.
        inputs: symbolic tensor, or list, tuple or dict of them.
        outputs: likewise; must come from the inputs alone.
    """

    def __init__(self, where: str, inputs: Any, outputs: Any) -> None:
        self.where = where
        inputs, outputs = _unwrapped(inputs), _unwrapped(outputs)
        self.inputs_structure = inputs
        self.outputs_structure = outputs
        self.inputs: list[SymbolicTensor] = symbolic_list(where, "inputs", inputs)
        self.outputs: list[SymbolicTensor] = symbolic_list(where, "outputs", outputs)
        self.program = Program(self.inputs, outputs)
        self._forms = {training: self._rewritten(training) for training in (False, True)}
        self._dtypes = [None if t.dtype == TEXT else torch_dtype(t.dtype) for t in self.inputs]
        self.in_stretches = False  # whether activations are computed again rather than kept
        self._mixes_types = _mixes_types([node.operation for node in self.program.nodes])
        self._plain = len(self.inputs) == 1 and isinstance(inputs, SymbolicTensor)

    def _rewritten(self, training: bool) -> Program:
        """Return the program as it runs in training or in inference."""
        if any(getattr(node.operation, "_remat", None) is not None for node in self.program.nodes):
            return self.program  # what is kept, and what not, goes layer by layer
        calls = rewritten(self.program.nodes, self.outputs, training=training)
        return self.program if calls is None else Program(self.inputs, self.outputs_structure, calls)

    def outputs_for(self, data: Any) -> Any:
        """Return fresh symbolic outputs for inputs of the very form of the model's own; None for others.

        They need no run on torch's meta device, for which torch loads a part of its compiler.
        """
        if not self._plain or not isinstance(data, SymbolicTensor) or self._masked():
            return None
        own = self.inputs[0]
        if (data.shape, data.dtype) != (own.shape, own.dtype) or data.mask is not None:
            return None
        return tree_map(lambda leaf: SymbolicTensor(leaf.shape, leaf.dtype), self.outputs_structure)

    def _masked(self) -> bool:
        tensors = [leaf for node in self.program.nodes for leaf in tree_flatten((node.args, node.outputs))]
        return any(getattr(leaf, "mask", None) is not None for leaf in tensors)

    def in_line(self) -> list[Any] | None:
        """The modules, where each takes what the one before gave and nothing else; None otherwise."""
        at: Any = self.inputs_structure
        for node in self.program.nodes:
            if len(node.args) != 1 or node.args[0] is not at or node.kwargs or has_masks(node):
                return None
            at = node.outputs
        straight = self._plain and at is self.outputs_structure and not self._mixes_types
        return [node.operation for node in self.program.nodes] if straight else None

    def in_order(self) -> list[Any]:
        """Inputs (as symbolic tensors), modules and calls of functions (as nodes), in Keras's order."""
        return in_keras_order(self.inputs, self.outputs_structure)

    def operations(self) -> list[Any]:
        """The modules of the graph, each once, in Keras's order."""
        return [item for item in self.in_order() if isinstance(item, nn.Module)]

    def input_layers(self) -> list[InputLayer]:
        """One `InputLayer` for each input, as Keras counts them among a functional model's layers."""
        return [InputLayer(input_tensor=tensor, name=tensor.name) for tensor in self.inputs]

    def run(self, data: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Compute the outputs for (nested) tensors that match the inputs, and for masks that match these.

        Args:
            data: the tensors.
            mask: their masks.
            training: which form of the program runs; layers go by their own mode.
        """
        values = [data] if self._plain and isinstance(data, torch.Tensor) else self._arrange(data)
        for index, value in enumerate(values):
            values[index] = self.fitted(value, index)
        if mask is None and self._mixes_types:
            with types_mixed():
                return self._run(values, training)
        if mask is None:
            return self._run(values, training)
        masks = tree_flatten(mask)
        values = [set_mask(x.view_as(x), m) for x, m in zip(values, masks, strict=True)]
        return self.program.run(values, masked=any(m is not None for m in masks))

    def _run(self, values: list[Any], training: bool | None) -> Any:
        if self.in_stretches:
            return self.program.run_in_stretches(values)
        return self._forms[bool(training)].run(values)

    def _arrange(self, data: Any) -> list[Any]:
        data = _with_text_arrays(data, self._plain)
        if isinstance(data, dict):
            keys = list(self.inputs_structure) if isinstance(self.inputs_structure, dict) else None
            names = sorted(keys) if keys is not None else [tensor.name for tensor in self.inputs]
            missing = [name for name in names if name not in data]
            if missing:
                raise ShapeError(
                    message(
                        self.where,
                        expected=f"inputs named {names}",
                        got=f"{sorted(data)}",
                        do="Check the names.",
                    )
                )
            return [data[name] for name in names]
        values = tree_flatten(data)
        if len(values) != len(self.inputs):
            names = [tensor.name for tensor in self.inputs]
            raise ShapeError(message(self.where, expected=f"{len(names)} inputs {names}", got=len(values)))
        return values

    def fitted(self, value: Any, index: int = 0) -> Any:
        """Return an array as the input of this number takes it."""
        if value.dtype == self._dtypes[index] and value.ndim == len(self.inputs[index].shape):
            return value
        return self._fit(value, index)

    def _fit(self, value: Any, index: int) -> Any:
        """Convert integers to the input's type and add or drop a last axis of size 1, as Keras does."""
        expected = self.inputs[index]
        wanted = self._dtypes[index]
        if wanted is None or is_text(value):
            return self._fit_text(value, expected)
        if not (value.dtype.is_floating_point and wanted.is_floating_point):
            value = value.to(wanted)
        rank = len(expected.shape)
        if value.ndim == rank + 1 and value.shape[-1] == 1:
            return value.squeeze(-1)
        if value.ndim == rank - 1 and expected.shape[-1] == 1:
            return value.unsqueeze(-1)
        return value

    def _fit_text(self, value: Any, expected: SymbolicTensor) -> Any:
        """Return strings with a last axis of size 1 added or dropped; they meet only inputs for text."""
        if not (is_text(value) and expected.dtype == TEXT):
            kind = "text" if expected.dtype == TEXT else "numbers"
            got = "text" if is_text(value) else f"numbers of type {value.dtype}"
            do = 'Text needs Input(…, dtype="string") and a layer that reads it, such as TextVectorization.'
            raise DataError(message(f'{self.where}, input "{expected.name}"', expected=kind, got=got, do=do))
        rank = len(expected.shape)
        if value.ndim == rank + 1 and value.shape[-1] == 1:
            return value[..., 0]
        return value[..., None] if value.ndim == rank - 1 and expected.shape[-1] == 1 else value

    def check(self, data: Any) -> None:
        """Raise ShapeError where the data do not fit the inputs."""
        values = [data] if self._plain and hasattr(data, "shape") else self._arrange(data)
        for value, expected in zip(values, self.inputs, strict=True):
            shape = tuple(value.shape)
            if len(shape) == len(expected.shape) + 1 and shape[-1] == 1:
                shape = shape[:-1]
            elif len(shape) == len(expected.shape) - 1 and expected.shape[-1] == 1:
                shape = (*shape, 1)
            fits = len(shape) == len(expected.shape) and all(
                known is None or size is None or known == size
                for known, size in zip(expected.shape, shape, strict=True)
            )
            if not fits:
                raise ShapeError(
                    message(
                        f'{self.where}, input "{expected.name}"',
                        expected=f"data of shape {expected.shape}",
                        got=tuple(value.shape),
                        do=_advice(expected.shape, tuple(value.shape)),
                    )
                )


def _with_text_arrays(data: Any, plain: bool) -> Any:
    """Return the data with lists of strings as arrays; where there is one input, the list is its data."""
    if isinstance(data, dict):
        return {key: _with_text_arrays(item, True) for key, item in data.items()}
    if plain:
        return to_text(data) if is_text_list(data) else data
    return [_with_text_arrays(item, True) for item in data] if isinstance(data, (list, tuple)) else data


def _unwrapped(tree: Any) -> Any:
    """A list of one tensor stands for the tensor, as in Keras."""
    return tree[0] if isinstance(tree, (list, tuple)) and len(tree) == 1 else tree


def symbolic_list(where: str, what: str, tree: Any) -> list[SymbolicTensor]:
    """Return the symbolic tensors of a structure; anything else in it is an error."""
    leaves = tree_flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, SymbolicTensor):
            raise ArgumentTypeError(
                f"{where}: expected {what} made by Input and by layers called on it, got "
                f"{type(leaf).__name__}."
            )
    return leaves


def _advice(expected: Sequence[int | None], got: Sequence[int | None]) -> str:
    if len(got) == len(expected) - 1:
        if tuple(got) == tuple(expected[1:]):
            return "The batch axis is missing: x[None] adds it."
        return "An axis is missing: grayscale images need x[..., None]."
    if len(got) > len(expected):
        return "There is an axis too many: reshape the data, or build the model for it."
    return "Resize or reshape the data, or build the model for this shape."


def module_key(taken: Collection[str], layer: nn.Module) -> str:
    """Return the name under which a model keeps a layer: the user's, else the class's, numbered within the
    model.

    Automatic names count up through the whole program; these don't, so that a `state_dict` fits the same
    model made later. A layer made from a configuration got its automatic name from there: it is known by its
    form (`dense_3`).
    """
    own = getattr(layer, "name", None)
    base = to_snake_case(type(layer).__name__)
    named = isinstance(layer, Layer) and layer.has_user_name and isinstance(own, str)
    if named and not re.fullmatch(rf"{re.escape(base)}(_\d+)?", str(own)):
        base = str(own).replace(".", "_")
    key, number = base, 0
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def copy_body(body: GraphBody, memo: dict[int, Any]) -> GraphBody:
    """Return the same graph over the copies of its modules that `memo` holds; nodes are copied in order, no
    recursion.
    """
    tensors: dict[int, SymbolicTensor] = {}

    def copied(leaf: Any) -> Any:
        if not isinstance(leaf, SymbolicTensor):
            return leaf
        if id(leaf) not in tensors:
            tensors[id(leaf)] = memo[id(leaf)] = SymbolicTensor(leaf.shape, leaf.dtype, leaf.name)
            tensors[id(leaf)].mask = leaf.mask
        return tensors[id(leaf)]

    def rebuild(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: rebuild(value) for key, value in tree.items()}
        if isinstance(tree, (list, tuple)):
            return type(tree)(rebuild(item) for item in tree)
        return copied(tree)

    for node in body.program.nodes:
        operation = memo.get(id(node.operation), node.operation)
        new = Node(operation, rebuild(node.args), rebuild(node.kwargs), rebuild(node.outputs))
        if isinstance(operation, Layer):
            operation._nodes.append(new)
    return GraphBody(body.where, rebuild(body.inputs_structure), rebuild(body.outputs_structure))


def _mixes_types(operations: Sequence[Any]) -> bool:
    """Whether layers have to look at the types of what they get: some compute in another than the default."""
    layers = [operation for operation in operations if isinstance(operation, Layer)]
    kinds = {layer.compute_dtype for layer in layers if layer.autocast} - {floatx()}
    others = any(kind.startswith(("float", "bfloat")) for kind in kinds)
    return others or any(layer._mixed_policy is not None for layer in layers)

"""The part of a model that is a graph: its inputs, its outputs, its layers in order, and running it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from neocog.core import to_snake_case, torch_dtype, tree_flatten
from neocog.exceptions import ArgumentTypeError, ShapeError, message
from neocog.graph import Node, Program, SymbolicTensor
from neocog.layers import InputLayer, Layer


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
        self._dtypes = [torch_dtype(tensor.dtype) for tensor in self.inputs]
        self._plain = len(self.inputs) == 1 and isinstance(inputs, SymbolicTensor)

    def operations(self) -> list[Any]:
        """The modules of the graph, each once, in order of first use."""
        seen: dict[int, Any] = {}
        for node in self.program.nodes:
            if isinstance(node.operation, nn.Module):
                seen.setdefault(id(node.operation), node.operation)
        return list(seen.values())

    def input_layers(self) -> list[InputLayer]:
        """One `InputLayer` for each input, as Keras counts them among a functional model's layers."""
        return [InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name) for t in self.inputs]

    def run(self, data: Any) -> Any:
        """Compute the outputs for (nested) tensors that match the inputs."""
        values = [data] if self._plain and isinstance(data, torch.Tensor) else self._arrange(data)
        for index, value in enumerate(values):
            if value.dtype != self._dtypes[index] or value.ndim != len(self.inputs[index].shape):
                values[index] = self._fit(value, index)
        return self.program.run(values)

    def _arrange(self, data: Any) -> list[torch.Tensor]:
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

    def _fit(self, value: torch.Tensor, index: int) -> torch.Tensor:
        """Convert integers to the input's type and add or drop a last axis of size 1, as Keras does."""
        expected = self.inputs[index]
        wanted = self._dtypes[index]
        if not (value.dtype.is_floating_point and wanted.is_floating_point):
            value = value.to(wanted)
        rank = len(expected.shape)
        if value.ndim == rank + 1 and value.shape[-1] == 1:
            return value.squeeze(-1)
        if value.ndim == rank - 1 and expected.shape[-1] == 1:
            return value.unsqueeze(-1)
        return value

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


def module_key(taken: Sequence[str], layer: nn.Module) -> str:
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

"""The symbolic tensor: a shape with unknown sizes, a type, and where it comes from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import auto_name, to_tensor, tree_any, tree_map
from neocog.exceptions import GraphError
from neocog.graph._inference import infer_specs
from neocog.graph._spec import TensorSpec


class SymbolicTensor(TensorSpec):
    """What `Input` gives and what a layer called on one returns: no values, only shape, type and history.

    Torch functions and Python operators on it are recorded as nodes of the graph.

    Args:
        shape: sizes with the batch first; None is a size that is known only with the data.
        dtype: type of the values, as a string.
        name: name of the tensor; made up when None.
    """

    __slots__ = ("__weakref__", "index", "name", "node")
    __array_priority__ = 1000  # an array on the left leaves the operator to us

    def __init__(self, shape: Sequence[int | None], dtype: str = "float32", name: str | None = None) -> None:
        super().__init__(shape, dtype)
        self.name = name or auto_name("symbolic_tensor")
        self.node: Node | None = None
        self.index = 0

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape} dtype={self.dtype} name={self.name}>"

    def __bool__(self) -> bool:
        raise GraphError(
            f"symbolic tensor {self.name!r}: expected a value to decide on, got a tensor without values. "
            "Put the decision into a Layer's `call`."
        )

    def __iter__(self) -> Any:
        raise GraphError(
            f"symbolic tensor {self.name!r}: cannot be iterated over; index it instead (x[:, 0])."
        )

    def __int__(self) -> int:
        raise GraphError(f"symbolic tensor {self.name!r}: expected a number, got a tensor without values.")

    def __float__(self) -> float:
        raise GraphError(f"symbolic tensor {self.name!r}: expected a number, got a tensor without values.")

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise GraphError(f"symbolic tensor {self.name!r}: its first size is not known.")
        return self.shape[0]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            f"symbolic tensor {self.name!r}: expected numbers, got a tensor without values. "
            "NumPy functions cannot join a graph: use torch functions or a Layer."
        )

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return record_function(func, args, kwargs or {})

    def __getitem__(self, key: Any) -> Any:
        return record_function(operator.getitem, (self, key), {})

    def reshape(self, *shape: Any) -> Any:
        """Record a reshape; sizes as in `torch.reshape`, the batch included."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return record_function(torch.reshape, (self, tuple(sizes)), {})

    def squeeze(self, axis: int | Sequence[int] | None = None) -> Any:
        """Record the removal of axes of size 1: all of them, or those in `axis`."""
        if axis is None:
            return record_function(torch.squeeze, (self,), {})
        return record_function(torch.squeeze, (self, axis if isinstance(axis, int) else tuple(axis)), {})

    def __round__(self, ndigits: int | None = None) -> Any:
        return record_function(torch.round, (self,), {"decimals": ndigits or 0})

    def __ne__(self, other: object) -> Any:
        return record_function(operator.ne, (self, other), {})

    __hash__ = object.__hash__


def _binary(function: Callable[..., Any], *, reflected: bool = False) -> Callable[..., Any]:
    def method(self: SymbolicTensor, other: Any) -> Any:
        if isinstance(other, np.ndarray):  # torch would leave the operator to it
            other = to_tensor(other)
        return record_function(function, (other, self) if reflected else (self, other), {})

    return method


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: SymbolicTensor) -> Any:
        return record_function(function, (self,), {})

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(SymbolicTensor, f"__{_name}__", _binary(getattr(operator, _name)))
    setattr(SymbolicTensor, f"__r{_name}__", _binary(getattr(operator, _name), reflected=True))
for _name in ("lt", "le", "gt", "ge"):
    setattr(SymbolicTensor, f"__{_name}__", _binary(getattr(operator, _name)))
for _name in ("neg", "abs"):
    setattr(SymbolicTensor, f"__{_name}__", _unary(getattr(operator, _name)))
for _name in ("and", "or", "xor"):  # of truth values, as Keras has it
    setattr(SymbolicTensor, f"__{_name}__", _binary(getattr(torch, f"logical_{_name}")))
    setattr(SymbolicTensor, f"__r{_name}__", _binary(getattr(torch, f"logical_{_name}"), reflected=True))
setattr(SymbolicTensor, "__invert__", _unary(torch.logical_not))  # noqa: B010 (the class has no such name yet)


class Node:
    """One call: an operation (a module, or a function), its arguments and the tensors it gave.

    Args:
        operation: an `nn.Module` or a function of tensors.
        args: positional arguments; symbolic tensors anywhere in nested lists, tuples and dicts.
        kwargs: keyword arguments, likewise.
        outputs: the symbolic result, nested alike.
    """

    __slots__ = ("args", "kwargs", "operation", "outputs")

    def __init__(
        self, operation: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], outputs: Any
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = dict(kwargs)
        self.outputs = outputs
        for index, tensor in enumerate(symbolic_leaves(outputs)):
            tensor.node = self
            tensor.index = index

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments, in order."""
        return symbolic_leaves((self.args, self.kwargs))


def symbolic_leaves(tree: Any) -> list[SymbolicTensor]:
    """Return the symbolic tensors in a nested structure (slices included), in the order of `tree_flatten`."""
    if isinstance(tree, SymbolicTensor):
        return [tree]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in symbolic_leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in symbolic_leaves(item)]
    return []


def is_symbolic(tree: Any) -> bool:
    """Return whether a nested structure holds a symbolic tensor."""
    return tree_any(lambda leaf: isinstance(leaf, SymbolicTensor), tree)


def record_function(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record the call of a plain function of tensors (`torch.relu`, `operator.add`) and return its symbolic
    result.
    """
    outputs = infer_outputs(function, args, kwargs)
    Node(function, args, kwargs, outputs)
    return outputs


def infer_outputs(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return fresh symbolic outputs, nested as `function` nests them, of a call with symbolic arguments.

    A function whose result's sizes depend on values has a rule of its own, `function.output_specs`, which
    returns None where it does not apply.
    """
    rule = getattr(function, "output_specs", None)
    specs = None if rule is None else rule(*args, **kwargs)
    specs = infer_specs(function, args, kwargs) if specs is None else specs
    return tree_map(lambda leaf: _symbolic(leaf) if isinstance(leaf, TensorSpec) else leaf, specs)


def _symbolic(spec: TensorSpec) -> SymbolicTensor:
    tensor = SymbolicTensor(spec.shape, spec.dtype)
    tensor.mask = spec.mask
    return tensor

"""From symbolic inputs and outputs to an ordered program, and its execution.

The plan (order, slots, last uses) is made once; `Program.run` is a short loop over it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module

from neocog.core import tree_flatten, tree_map
from neocog.exceptions import GraphError
from neocog.graph._input import module_call
from neocog.graph._remat import computed_again
from neocog.graph._symbolic import Node, SymbolicTensor, symbolic_leaves


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands in a step's arguments for the value with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call that stands in a program in the place of one or more nodes: a node without a graph around it.

    Args:
        operation: what is called.
        args: its arguments, nested; symbolic tensors stand for values.
        kwargs: likewise.
        outputs: the symbolic tensors that it gives, nested as it gives them.
    """

    operation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments, in order."""
        return symbolic_leaves((self.args, self.kwargs))


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the program: where its arguments come from, where its results go, what can be forgotten
    after it.
    """

    operation: Callable[..., Any]
    node: Node | Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    only_slot: int | None  # the fast path: one argument, one result
    outputs: tuple[int, ...]
    forget: tuple[int, ...]
    is_module: bool  # called directly; not so where masks have to be handed on
    runs_at_once: bool  # whether the module itself knows the shortest way


def order_nodes(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """Return the nodes between inputs and outputs in an order in which each comes after what it needs.

    Raises:
        GraphError: an output does not come from the inputs alone; the text names the missing input.
    """
    known = {id(tensor) for tensor in inputs}
    ordered: list[Node] = []
    done: set[int] = set()
    stack: list[tuple[SymbolicTensor, bool]] = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, expanded = stack.pop()
        if id(tensor) in known:
            continue
        node = tensor.node
        if node is None:
            raise GraphError(
                f"Model: expected every output to come from the given inputs, got one that needs the Input "
                f'"{tensor.name}" of shape {tensor.shape}. Add it to `inputs`.'
            )
        if id(node) in done:
            continue
        if expanded:
            done.add(id(node))
            ordered.append(node)
        else:
            stack.append((tensor, True))
            stack.extend((source, False) for source in reversed(node.inputs))
    return ordered


class Program:
    """The executable form of a graph.

    Args:
        inputs: the symbolic tensors that are given values.
        outputs: nested structure of the symbolic tensors that are asked for.
        calls: what to run, in order; None takes the nodes between inputs and outputs.
    """

    def __init__(
        self, inputs: list[SymbolicTensor], outputs: Any, calls: Sequence[Node | Call] | None = None
    ) -> None:
        self.nodes: list[Any] = (
            order_nodes(inputs, symbolic_leaves(outputs)) if calls is None else list(calls)
        )
        numbers = {id(tensor): number for number, tensor in enumerate(inputs)}
        for node in self.nodes:
            for tensor in symbolic_leaves(node.outputs):
                numbers.setdefault(id(tensor), len(numbers))
        self._size = len(numbers)
        to_slot = lambda leaf: Slot(numbers[id(leaf)]) if isinstance(leaf, SymbolicTensor) else leaf  # noqa: E731
        self._outputs = tree_map(to_slot, outputs)
        self._steps = _make_steps(
            self.nodes, numbers, to_slot, kept={id(t) for t in symbolic_leaves(outputs)}
        )

    def run(self, values: list[torch.Tensor], *, masked: bool = False) -> Any:
        """Run the program on one value per input and return the outputs, nested as asked for.

        Args:
            values: one tensor per input.
            masked: whether they carry masks that the graph knows nothing of; every layer hands them on then.
        """
        slots: list[Any] = [*values, *([None] * (self._size - len(values)))]
        self._run(self._steps, slots, masked)
        return self._given(slots)

    def run_in_stretches(self, values: list[torch.Tensor]) -> Any:
        """Run the program as √n stretches of its n steps, and keep for the gradient what lies between."""
        slots: list[Any] = [*values, *([None] * (self._size - len(values)))]
        count = max(1, math.isqrt(len(self._steps)))
        ends = [len(self._steps) * number // count for number in range(count + 1)]
        for begin, end in itertools.pairwise(ends):
            stretch = self._steps[begin:end]
            modules = [step.operation for step in stretch if isinstance(step.operation, nn.Module)]
            slots = computed_again(partial(self._stretch, stretch), modules, *slots)
        return self._given(slots)

    def _stretch(self, steps: Sequence[Step], *slots: Any) -> list[Any]:
        found = list(slots)
        self._run(steps, found, False)
        return found

    def _run(self, steps: Sequence[Step], slots: list[Any], masked: bool) -> None:
        watched = torch_module._has_any_global_hook()  # type: ignore[no-untyped-call]
        at_once = not watched and not torch.compiler.is_compiling()
        for step in steps:
            operation: Any = step.operation
            if step.only_slot is not None:
                argument = slots[step.only_slot]
                if masked or not step.is_module:
                    result = operation(argument)
                elif at_once and step.runs_at_once:
                    result = operation.run_at_once(argument)
                else:
                    result = module_call(operation, argument)
                slots[step.outputs[0]] = result
            else:
                _general_step(step, slots)
            for number in step.forget:
                slots[number] = None

    def _given(self, slots: list[Any]) -> Any:
        if type(self._outputs) is Slot:
            return slots[self._outputs.number]
        return tree_map(lambda leaf: slots[leaf.number] if type(leaf) is Slot else leaf, self._outputs)


def _general_step(step: Step, slots: list[Any]) -> None:
    def fill(leaf: Any) -> Any:
        return slots[leaf.number] if type(leaf) is Slot else leaf

    args = tree_map(fill, step.args)
    kwargs = tree_map(fill, step.kwargs)
    result = step.operation(*args, **kwargs)
    for number, value in zip(step.outputs, tree_flatten(result), strict=True):
        slots[number] = value


def has_masks(node: Node | Call) -> bool:
    """Return whether masks go into a call or come out of it."""
    return any(tensor.mask is not None for tensor in (*node.inputs, *symbolic_leaves(node.outputs)))


def _make_steps(
    nodes: Sequence[Node | Call], numbers: dict[int, int], to_slot: Callable[[Any], Any], kept: set[int]
) -> list[Step]:
    last_use: dict[int, int] = {}
    for position, node in enumerate(nodes):
        for tensor in node.inputs:
            last_use[id(tensor)] = position
    steps = []
    for position, node in enumerate(nodes):
        args, kwargs = tree_map(to_slot, tuple(node.args)), tree_map(to_slot, node.kwargs)
        outputs = tuple(numbers[id(tensor)] for tensor in symbolic_leaves(node.outputs))
        single = (
            len(args) == 1
            and not kwargs
            and type(args[0]) is Slot
            and isinstance(node.outputs, SymbolicTensor)
        )
        forget = {
            numbers[id(tensor)]
            for tensor in node.inputs
            if last_use[id(tensor)] == position and id(tensor) not in kept
        }
        steps.append(
            Step(
                operation=node.operation,
                node=node,
                args=args,
                kwargs=kwargs,
                only_slot=args[0].number if single else None,
                outputs=outputs,
                forget=tuple(sorted(forget)),
                is_module=isinstance(node.operation, nn.Module) and not has_masks(node),
                runs_at_once=hasattr(node.operation, "run_at_once"),
            )
        )
    return steps

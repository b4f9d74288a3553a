"""What is drawn of a model: a box for each layer, a line for each tensor, a frame around an opened model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from neocog.core import tree_flatten
from neocog.graph import Node, SymbolicTensor
from neocog.models._graph_calls import operation_of
from neocog.models._keras_order import identity
from neocog.models._sequential import Sequential

Text = tuple[tuple[str, bool], ...]  # pieces, and whether each is bold


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What stands in the boxes; the arguments of `plot_model` by the same names."""

    shapes: bool = False
    dtype: bool = False
    layer_names: bool = True
    activations: bool = False
    trainable: bool = False
    expand_nested: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a box: text on a colour."""

    text: Text
    fill: str = "white"
    color: str = "black"


@dataclass(slots=True, eq=False)
class Box:
    """A layer: rows of cells, the first one its name."""

    rows: list[list[Cell]]


@dataclass(slots=True, eq=False)
class Group:
    """A model that is drawn open: its boxes and groups, and the lines between them (inner ones included)."""

    name: str
    items: list[Box | Group] = field(default_factory=list)
    edges: list[tuple[Box, Box]] = field(default_factory=list)

    def boxes(self) -> Iterator[Box]:
        """All boxes, those of inner groups included."""
        for item in self.items:
            if isinstance(item, Group):
                yield from item.boxes()
            else:
                yield item


def group_of(model: Any, show: Show) -> Group:
    """Return what is drawn of a built model; a subclassed one without a graph is a single box."""
    return _Drawer(show).group(model)


class _Drawer:
    def __init__(self, show: Show) -> None:
        self.show = show
        self.boxes: dict[int, Box] = {}  # by layer, function call or input tensor
        self.drawn: set[int] = set()  # models that are open

    def group(self, model: Any) -> Group:
        group = Group(getattr(model, "name", type(model).__name__))
        body = model._body
        if body is None:
            group.items.append(self.box(model, []))
            return group
        calls: dict[int, list[Node]] = {}
        for node in body.program.nodes:
            calls.setdefault(id(identity(node)), []).append(node)
        hidden = {id(tensor) for tensor in body.inputs} if isinstance(model, Sequential) else set()
        for item in body.in_order():
            if id(item) not in hidden:
                group.items.append(self.item(item, calls.get(id(item), [])))
        seen: set[tuple[int, int]] = set()
        for node in body.program.nodes:
            for index, tensor in enumerate(node.inputs):
                if id(tensor) not in hidden:
                    self.connect(group, seen, tensor, node, index)
        return group

    def item(self, item: Any, calls: list[Node]) -> Box | Group:
        """A layer's box, or an inner model's group where it is opened; each model is opened once."""
        if self.opened(item):
            if id(item) not in self.drawn:
                self.drawn.add(id(item))
                return self.group(item)
            item, calls = item, []
        return self.box(item, calls)

    def opened(self, item: Any) -> bool:
        return self.show.expand_nested and getattr(item, "_body", None) is not None

    def connect(
        self, group: Group, seen: set[tuple[int, int]], tensor: SymbolicTensor, node: Node, index: int
    ) -> None:
        """Draw a line for a tensor, from the box that made it to the one that takes it."""
        source, target = self.maker(tensor), self.taker(identity(node), index)
        if source is None or target is None or (id(source), id(target)) in seen:
            return
        seen.add((id(source), id(target)))
        group.edges.append((source, target))

    def maker(self, tensor: SymbolicTensor) -> Box | None:
        while tensor.node is not None and self.opened(identity(tensor.node)):
            tensor = identity(tensor.node)._body.outputs[tensor.index]
        key = tensor if tensor.node is None else identity(tensor.node)
        return self.boxes.get(id(key))

    def taker(self, item: Any, index: int) -> Box | None:
        while self.opened(item):
            body: Any = item._body
            inner = body.inputs[index]
            if not isinstance(item, Sequential):
                return self.boxes.get(id(inner))
            first = next((n for n in body.program.nodes if any(t is inner for t in n.inputs)), None)
            if first is None:
                return None
            item, index = identity(first), 0
        return self.boxes.get(id(item))

    def box(self, item: Any, calls: list[Node]) -> Box:
        rows = [[self.title(item)]]
        activation = getattr(item, "activation", None)
        if self.show.activations and activation is not None:
            name = getattr(activation, "name", None) or getattr(activation, "__name__", None)
            rows.append([Cell((("Activation: ", False), (name or type(activation).__name__, True)))])
        if cells := self.cells(item, calls):
            rows.append(cells)
        self.boxes[id(item)] = Box(rows)
        return self.boxes[id(item)]

    def title(self, item: Any) -> Cell:
        if isinstance(item, SymbolicTensor):
            kind, name = "InputLayer", item.name
        elif isinstance(item, Node):
            known = operation_of(item)
            plain = getattr(item.operation, "__name__", type(item.operation).__name__)
            kind, name = (plain if known is None else known.class_name), plain
        else:
            kind = type(item).__name__
            name = getattr(item, "name", None) or kind
        named = ((str(name), True), (f" ({kind})", False))
        text = named if self.show.layer_names else ((kind, True),)
        return Cell(text, "black", "white")

    def cells(self, item: Any, calls: list[Node]) -> list[Cell]:
        cells = []
        is_input = isinstance(item, SymbolicTensor)
        outputs = [item] if is_input else [call.outputs for call in calls]
        if self.show.shapes:
            if not is_input:
                inputs = [_given(call) for call in calls]
                cells.append(Cell((("Input shape: ", False), (_said(inputs, _shape), True))))
            cells.append(Cell((("Output shape: ", False), (_said(outputs, _shape), True))))
        if self.show.dtype:
            cells.append(Cell((("Output dtype: ", False), (_said(outputs, _dtype), True))))
        if self.show.trainable and getattr(item, "weights", None) and hasattr(item, "trainable"):
            trains = bool(item.trainable)
            word, fill = ("Trainable", "forestgreen") if trains else ("Non-trainable", "firebrick")
            cells.append(Cell(((word, True),), fill, "white"))
        return cells


def _given(call: Node) -> Any:
    """The tensors that a call takes: one, several, or by name."""
    if len(call.args) == 1 and isinstance(call.args[0], dict):
        return call.args[0]
    tensors = call.inputs
    return tensors[0] if len(tensors) == 1 else tensors


def _said(values: list[Any], say: Any) -> str:
    """Return the text for the tensors of the calls; a shared layer's calls may differ."""
    texts = list(dict.fromkeys(_nested(value, say) for value in values))
    return " / ".join(texts) if texts else "?"


def _nested(value: Any, say: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_nested(item, say)}" for key, item in value.items())
    if isinstance(value, SymbolicTensor):
        return str(say(value))
    leaves = [leaf for leaf in tree_flatten(value) if isinstance(leaf, SymbolicTensor)]
    return f"[{', '.join(str(say(leaf)) for leaf in leaves)}]"


def _shape(tensor: SymbolicTensor) -> Any:
    return tuple(tensor.shape)


def _dtype(tensor: SymbolicTensor) -> Any:
    return tensor.dtype

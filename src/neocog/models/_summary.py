"""`model.summary()`: the layers as a table that prints well in a terminal, a log and a notebook."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from typing import Any

from torch import nn

from neocog.layers import Layer
from neocog.layers._weight_lists import weight_views

_DEFAULT_WIDTH = 80


def summary_text(
    model: Any,
    *,
    line_length: int | None = None,
    positions: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> str:
    """Return the summary of a model as text: layer, output shape, parameters, and where they are needed
    connections.

    Args:
        model: a built or unbuilt model.
        line_length: width in characters; that of the terminal, at most 100, by default.
        positions: accepted for Keras's sake.
        expand_nested: list the layers of nested models, indented.
        show_trainable: add a column that says which layers train.
    """
    linear = _is_linear(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    if not linear:
        header.append("Connected to")
    if show_trainable:
        header.append("Trainable")
    rows = _rows(model, expand_nested, show_trainable, linear, depth=0)
    width = line_length or min(100, max(60, shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns))
    lines = [f'Model: "{model.name}"', *_table(header, rows, width), *_totals(model)]
    return "\n".join(lines)


def _rows(model: Any, expand: bool, trainable: bool, linear: bool, depth: int) -> list[list[str]]:
    rows = []
    sources = _sources(model)
    for layer in model.layers:
        row = [
            "    " * depth + f"{_name(layer)} ({type(layer).__name__})",
            _shape(model, layer),
            _count(layer),
        ]
        if not linear:
            row.append(", ".join(sources.get(id(layer), [])) or "-")
        if trainable:
            row.append(_trains(layer))
        rows.append(row)
        if expand and hasattr(layer, "layers"):
            rows.extend(_rows(layer, expand, trainable, linear, depth + 1))
    return rows


def _table(header: list[str], rows: list[list[str]], width: int) -> list[str]:
    natural = [max(_columns(row[column]) for row in [header, *rows]) for column in range(len(header))]
    spare = width - 3 * len(header) - 1
    while sum(natural) > spare and max(natural) > 12:
        natural[natural.index(max(natural))] -= 1
    natural[0] += max(0, spare - sum(natural))

    def line(left: str, middle: str, right: str, fill: str) -> str:
        return left + middle.join(fill * (size + 2) for size in natural) + right

    def cells(row: list[str]) -> list[str]:
        pieces = [_wrap(text, size) for text, size in zip(row, natural, strict=True)]
        height = max(len(piece) for piece in pieces)
        padded = [piece + [""] * (height - len(piece)) for piece in pieces]
        return [
            "│" + "│".join(_cell(padded[c][r], natural[c], header[c]) for c in range(len(header))) + "│"
            for r in range(height)
        ]

    body = [text for row in rows for text in cells(row)]
    return [
        line("┌", "┬", "┐", "─"),
        *cells(header),
        line("├", "┼", "┤", "─"),
        *body,
        line("└", "┴", "┘", "─"),
    ]


def _cell(text: str, size: int, title: str) -> str:
    room = " " * (size - _columns(text))
    return f" {room}{text} " if title == "Param #" else f" {text}{room} "


def _wrap(text: str, size: int) -> list[str]:
    pieces = [""]
    for letter in text:
        if _columns(pieces[-1] + letter) > size:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: Hangul, kanji and their like take two."""
    return sum(_columns_of(letter) for letter in text)


def _columns_of(letter: str) -> int:
    if unicodedata.combining(letter) or "\u1160" <= letter <= "\u11ff":
        return 0  # accents, and the vowels and finals of Hangul in parts, stand on the letter before
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _totals(model: Any) -> list[str]:
    views = weight_views(model)
    total = sum(view.value.numel() for view in views)
    trainable = sum(view.value.numel() for view in views if view.value.requires_grad)
    size = sum(view.value.numel() * view.value.element_size() for view in views)
    lines = [
        f" Total params: {total:,} ({_readable(size)})",
        f" Trainable params: {trainable:,}",
        f" Non-trainable params: {total - trainable:,}",
    ]
    if not model.built:
        lines.append(
            " Not built yet: the sizes appear once the input shape is known (build, Input or first data)."
        )
    return lines


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""


def _name(layer: nn.Module) -> str:
    name = getattr(layer, "name", None)
    return name if isinstance(name, str) else type(layer).__name__.lower()


def _shape(model: Any, layer: nn.Module) -> str:
    for node in model.graph_nodes():
        if node.operation is layer:
            outputs = node.outputs
            return str(outputs.shape) if hasattr(outputs, "shape") else _shapes(outputs)
    batch_shape = getattr(layer, "batch_shape", None)
    if batch_shape is not None:
        return str(tuple(batch_shape))
    return "?"


def _shapes(outputs: Any) -> str:
    values = outputs.values() if isinstance(outputs, dict) else outputs
    return ", ".join(str(tensor.shape) for tensor in values)


def _count(layer: nn.Module) -> str:
    if isinstance(layer, Layer) and not layer.built:
        return "0 (unbuilt)"
    return f"{sum(view.value.numel() for view in weight_views(layer)):,}"


def _trains(layer: nn.Module) -> str:
    """Return Y or N, as in Keras; "-" where there are no weights; a model frozen layer by layer is frozen."""
    views = weight_views(layer)
    if not views:
        return "-"
    if isinstance(layer, Layer) and not hasattr(layer, "graph_layers"):
        return "Y" if layer.trainable else "N"
    return "Y" if any(view.value.requires_grad for view in views) else "N"


def _sources(model: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for node in model.graph_nodes():
        names = []
        for tensor in node.inputs:
            maker = tensor.node.operation if tensor.node is not None else None
            names.append(_name(maker) if isinstance(maker, nn.Module) else _tensor_name(tensor, maker))
        found.setdefault(id(node.operation), []).extend(names)
    return found


def _tensor_name(tensor: Any, maker: Callable[..., Any] | None) -> str:
    return str(tensor.name if maker is None else getattr(maker, "__name__", tensor.name))


def _is_linear(model: Any) -> bool:
    nodes = model.graph_nodes()
    if not nodes:
        return True
    uses: dict[int, int] = {}
    for node in nodes:
        for tensor in node.inputs:
            uses[id(tensor)] = uses.get(id(tensor), 0) + 1
    return all(len(node.inputs) == 1 for node in nodes) and all(count == 1 for count in uses.values())

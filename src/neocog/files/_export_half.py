"""ONNX graphs in bfloat16 that run everywhere: computed in float32, rounded where the model rounds.

onnxruntime has no bfloat16 kernels for the CPU, but it can cast. Torch's kernels too sum products of bfloat16
numbers up in float32, so rounding each result gives the model's own numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_FLOAT, _BFLOAT16 = 1, 16  # ONNX's numbers of the types


def round_in_float32(onnx: Any, model: Any) -> None:
    """Replace bfloat16 in an ONNX model by float32 and casts there and back; other models stay as they are.

    Args:
        onnx: the package.
        model: the `ModelProto`; changed.
    """
    graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info]
    half = {v.name for v in values if v.type.tensor_type.elem_type == _BFLOAT16}
    half |= {tensor.name for tensor in graph.initializer if tensor.data_type == _BFLOAT16}
    if not half:
        return
    nodes = [new for node in graph.node for new in _rounded(onnx, node, half)]
    del graph.node[:]
    graph.node.extend(nodes)
    for tensor in graph.initializer:
        _widen(onnx, tensor)
    for value in values:
        if value.name in half:
            value.type.tensor_type.elem_type = _FLOAT


def _rounded(onnx: Any, node: Any, half: set[str]) -> Iterator[Any]:
    """The node, in float32, and behind it the casts that round its bfloat16 results."""
    for attribute in node.attribute:
        if attribute.HasField("t"):
            _widen(onnx, attribute.t)
        if attribute.name == "to" and attribute.i == _BFLOAT16:
            attribute.i = _FLOAT
    exact = {name: f"{name} exact" for name in node.output if name in half}
    node.output[:] = [exact.get(name, name) for name in node.output]
    yield node
    for name, before in exact.items():
        yield onnx.helper.make_node("Cast", [before], [f"{name} rounded"], to=_BFLOAT16)
        yield onnx.helper.make_node("Cast", [f"{name} rounded"], [name], to=_FLOAT)


def _widen(onnx: Any, tensor: Any) -> None:
    if tensor.data_type == _BFLOAT16:
        array = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))

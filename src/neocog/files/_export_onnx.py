"""Models as ONNX: inputs as Keras shows them (channels last), named, the batch free."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from neocog._version import __version__
from neocog.core import optional_import, write_bytes
from neocog.exceptions import ArgumentError, NeocogError, message
from neocog.files._export_half import round_in_float32
from neocog.files._export_plan import ExportPlan, export_program, quietly, reason

OPSET = 23  # the newest that every torch since 2.9 writes and onnxruntime runs
_LARGEST = 2**31 - 2**20  # a protobuf holds no more


def export_onnx(plan: ExportPlan, path: str | os.PathLike[str], opset_version: int | None = None) -> None:
    """Write a model as one `.onnx` file, whole or not at all.

    Args:
        plan: the model, its inputs and names.
        path: where to; replaced if it exists.
        opset_version: version of ONNX's operators; `OPSET` by default.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        ArgumentError: the model cannot be exported; the text says why.
        StorageError: full or read-only disk, missing permission.
    """
    write_bytes(path, onnx_bytes(plan, opset_version))


def onnx_bytes(plan: ExportPlan, opset_version: int | None = None) -> bytes:
    """Return what `export_onnx` writes."""
    onnx, _ = (
        optional_import(package, extra="onnx", what="export to ONNX") for package in ("onnx", "onnxscript")
    )
    program = export_program(plan)
    ends = _ends(plan, program)
    try:
        with quietly():
            made = torch.onnx.export(
                program,
                dynamo=True,
                verbose=False,
                opset_version=opset_version or OPSET,
                input_names=list(ends)[: len(plan.inputs)],
                output_names=list(ends)[len(plan.inputs) :],
            )
            model = made.model_proto  # type: ignore[union-attr]
    except NeocogError:
        raise
    except Exception as error:
        raise ArgumentError(
            message(
                plan.where,
                expected="operations that ONNX has",
                got=f"an error of torch's exporter ({reason(error)})",
                do='Export it with format="torch", or put other layers in place of that one.',
            )
        ) from error
    round_in_float32(onnx, model)
    _name_ends(model, ends)
    return _finished(plan, model)


def _finished(plan: ExportPlan, model: Any) -> bytes:
    """Name the free sizes and the writer; drop what tells of this machine."""
    model.producer_name, model.producer_version = "neocog", __version__
    for given, value in zip(plan.inputs, model.graph.input, strict=True):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if given.shape[axis] is None:
                old = size.dim_param
                _rename(model, old, "batch" if axis == 0 else f"{value.name}_{axis}")
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    if model.ByteSize() > _LARGEST:
        got = f"{model.ByteSize():,} bytes"
        raise ArgumentError(
            message(
                plan.where, expected="less than 2 GB in one ONNX file", got=got, do='Give format="torch".'
            )
        )
    data: bytes = model.SerializeToString()
    return data


def _rename(model: Any, old: str, new: str) -> None:
    """Give a free size a name that people know, wherever it stands alone."""
    if not old or old == new:
        return
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param == old:
                size.dim_param = new


def _ends(plan: ExportPlan, program: Any) -> dict[str, str]:
    """Names of inputs and outputs while torch exports, which no layer has, to the names that they get."""
    count = len(program.graph_signature.user_outputs)
    names = list(plan.outputs) if len(plan.outputs) == count else [f"output_{i}" for i in range(count)]
    inputs = _unique([given.name for given in plan.inputs])
    outputs = _unique([f"{name}_output" if name in inputs else name for name in names])
    numbered = [f"neocog end {number}" for number in range(len(inputs) + count)]
    return dict(zip(numbered, [*inputs, *outputs], strict=True))


def _name_ends(model: Any, ends: Mapping[str, str]) -> None:
    """Give inputs and outputs their names, and values inside that have the same name another one."""
    present = {name for graph in _graphs(model.graph) for name in _names(graph)}
    names = dict(ends)
    for wanted in set(ends.values()) & present:
        number = 1
        while (other := f"{wanted}_inside_{number}") in present:
            number += 1
        names[wanted] = other
    for graph in _graphs(model.graph):
        for node in graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
        for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
            value.name = names.get(value.name, value.name)


def _graphs(graph: Any) -> Iterator[Any]:
    """The graph, and those inside its nodes (loops and branches)."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
            for inner in attribute.graphs:
                yield from _graphs(inner)


def _names(graph: Any) -> Iterator[str]:
    for node in graph.node:
        yield from node.output
    for value in [*graph.input, *graph.initializer]:
        yield value.name


def _unique(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, candidate = 0, name
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found

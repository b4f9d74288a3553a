"""`model.export`: what of a model is written for other programs, and in which format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neocog import files
from neocog.core import dtype_name, tree_flatten, tree_pack
from neocog.exceptions import ArgumentError, NotBuiltError, message

_SUFFIXES = {".onnx": "onnx", ".pt2": "torch"}
_OTHERS = {
    "tf_saved_model": "That is TensorFlow's own format",
    "openvino": "OpenVINO opens ONNX files",
    "litert": "LiteRT's converter opens ONNX and .pt2 files",
    "torchscript": "TorchScript is no longer developed",
}


def export_model(
    model: Any,
    filepath: Any,
    format: str | None = None,
    *,
    input_signature: Sequence[Any] | None = None,
    opset_version: int | None = None,
    verbose: Any = None,
) -> None:
    """Write a model for other programs, whole or not at all: inference alone, the batch free.

    Args:
        model: built, or with an `input_signature`.
        filepath: where to.
        format: `"onnx"`, or `"torch"` for torch's exported program (`.pt2`); by default the suffix tells.
        input_signature: for subclassed models that were never called: one object with `shape` and `dtype` (an
            `InputSpec`, `Input` or array) for each input.
        opset_version: version of ONNX's operators; a current one by default.
        verbose: True prints where the file is.

    Raises:
        ArgumentError: an unknown format, or a model that cannot be exported: the text says why.
        NotBuiltError: the shapes of the inputs are not known.
        MissingExtraError: onnx is not installed.
    """
    path = Path(filepath)
    kind = _format(model, path, format)
    plan = _plan(model, input_signature)
    if kind == "onnx":
        files.export_onnx(plan, path, opset_version)
    else:
        files.export_torch(plan, path)
    if verbose:
        print(f"{model.label}: exported to {path}")


def _format(model: Any, path: Path, given: str | None) -> str:
    kind = given if given is not None else _SUFFIXES.get(path.suffix.lower(), "tf_saved_model")
    if kind not in _SUFFIXES.values():
        hint = f"{_OTHERS[kind]}: " if kind in _OTHERS else ""
        do = f'{hint}model.export("model.onnx", format="onnx") writes ONNX.'
        raise ArgumentError(message(model.label, expected="format 'onnx' or 'torch'", got=repr(kind), do=do))
    return kind


def _plan(model: Any, signature: Sequence[Any] | None) -> files.ExportPlan:
    if signature is not None:
        is_one = isinstance(signature, (list, tuple)) and len(signature) == 1
        tree: Any = signature[0] if is_one else signature
        given = [_spec(model, leaf, number) for number, leaf in enumerate(tree_flatten(tree))]
        structure = _numbered(tree)
    elif getattr(model, "_body", None) is not None:
        given = [
            files.ExportInput(name=tensor.name, shape=tuple(tensor.shape), dtype=tensor.dtype)
            for tensor in model.inputs
        ]
        structure = _numbered(model.input)
    else:
        given, structure = _seen_inputs(model)
    names = model.output_names if getattr(model, "_body", None) is not None else []
    return files.ExportPlan(where=model.label, module=model, inputs=given, structure=structure, outputs=names)


def _seen_inputs(model: Any) -> tuple[list[files.ExportInput], Any]:
    """A subclassed model takes what it was built with, the batch free."""
    shapes = getattr(model, "_build_shapes", None)
    if shapes is None or not model.built:
        raise NotBuiltError(
            message(
                model.label,
                expected="inputs of known shape",
                got="a model that was never called",
                do="Call it on data first, or give input_signature.",
            )
        )
    found: list[files.ExportInput] = []

    def number(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: number(value) for key, value in tree.items()}
        if not all(size is None or isinstance(size, int) for size in tree):
            return type(tree)(number(item) for item in tree)
        name = "input" if not found else f"input_{len(found)}"
        found.append(files.ExportInput(name=name, shape=(None, *tree[1:]), dtype=_seen_dtype(model)))
        return len(found) - 1

    structure = number(shapes)
    return found, structure


def _seen_dtype(model: Any) -> str:
    first = next(iter(model.layers), None)
    kind: str | None = getattr(first, "input_dtype", None)
    return kind or str(model.dtype)


def _spec(model: Any, leaf: Any, number: int) -> files.ExportInput:
    shape = getattr(leaf, "shape", None)
    if shape is None:
        raise ArgumentError(
            message(model.label, expected="input_signature of objects with a shape", got=repr(leaf))
        )
    name = getattr(leaf, "name", None) or ("input" if number == 0 else f"input_{number}")
    dtype = dtype_name(getattr(leaf, "dtype", None) or "float32")
    return files.ExportInput(name=name, shape=(None, *tuple(shape)[1:]), dtype=dtype)


def _numbered(tree: Any) -> Any:
    return tree_pack(tree, list(range(len(tree_flatten(tree)))))

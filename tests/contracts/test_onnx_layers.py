"""Every registered layer in ONNX: the same outputs in onnxruntime, for batches of 1, 3 and 7."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_layers import CASES, NAMES, make

from neocog.layers import LAYERS, Input
from neocog.models import Model

# Layers that cannot be exported, and why.
TEXTS = "texts are looked up in Python"
EXCEPTIONS: dict[str, str] = {
    "StringLookup": TEXTS,
    "TextVectorization": TEXTS,
    "Hashing": TEXTS,
    "HashedCrossing": TEXTS,
    "IntegerLookup": "torch's exporter has no searchsorted",
    "CategoryEncoding": "it checks the values that come in",
    **dict.fromkeys(
        ["AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AdaptiveAveragePooling3D"],
        "torch's exporter has no such adaptive pooling",
    ),
}

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def groups() -> dict[str, list[str]]:
    """Layers of the same inputs go into one file: an export costs seconds, a layer in it next to nothing."""
    found: dict[str, list[str]] = {}
    for name in (name for name in NAMES if name in CASES):
        shapes = CASES[name][1]
        key = f"{len(shapes)}x{shapes[0]}" if isinstance(shapes, list) else str(shapes)
        if name in ("Embedding", "ReversibleEmbedding"):
            key = "whole numbers"
        if name not in EXCEPTIONS:
            members = found.setdefault(key, [])
            members.append(name)
    return found


@pytest.mark.parametrize("key", sorted(groups()))
def test_layers_give_the_same_in_onnxruntime(key: str, tmp_path: Path) -> None:
    check(groups()[key], tmp_path)


def check(names: list[str], folder: Path) -> None:
    shapes = CASES[names[0]][1]
    several = isinstance(shapes, list)
    dtype = "int32" if names[0] == "Embedding" else "float32"
    listed = shapes if several else [shapes]
    inputs = [Input(shape, dtype=dtype, name=f"x{i}") for i, shape in enumerate(listed)]
    outputs = [make(name)(inputs if several else inputs[0]) for name in names]
    model = Model(inputs, outputs)
    model.export(folder / "m.onnx")
    session = _session(folder / "m.onnx")
    assert [given.name for given in session.get_inputs()] == [tensor.name for tensor in inputs]
    for batch in (1, 3, 7):
        data = [_draw(np.random.default_rng(batch), (batch, *tensor.shape[1:]), dtype) for tensor in inputs]
        got = session.run(None, {tensor.name: value for tensor, value in zip(inputs, data, strict=True)})
        with torch.no_grad():
            want = model(data if several else data[0])
        want = want if isinstance(want, list) else [want]
        for name, one, other in zip(names, got, want, strict=True):
            scale = max(1.0, float(other.abs().max()))
            what = f"{name}, batch {batch}"
            np.testing.assert_allclose(one, other.numpy(), atol=1e-4 * scale, rtol=0, err_msg=what)


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    return (
        rng.integers(0, 9, shape).astype(dtype) if dtype == "int32" else rng.normal(size=shape).astype(dtype)
    )


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def test_the_exceptions_are_registered() -> None:
    assert set(EXCEPTIONS) <= set(LAYERS.names())

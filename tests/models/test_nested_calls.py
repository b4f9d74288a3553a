"""Calls of a model on symbolic tensors: its own forms where they fit, torch's meta device where not."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import neocog as keras
from neocog.models import _model

layers = keras.layers


def _inner() -> keras.Model:
    entry = keras.Input((None, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(entry)
    return keras.Model(entry, {"map": x, "all": [layers.GlobalMaxPooling2D()(x), layers.Flatten()(entry)]})


def _forms(outputs: dict[str, object]) -> object:
    first, second = outputs["all"]  # type: ignore[misc]
    return [(t.shape, t.dtype) for t in (outputs["map"], first, second)]  # type: ignore[attr-defined]


def test_the_same_form_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    inner, ran = _inner(), []
    infer = _model.infer_outputs
    monkeypatch.setattr(_model, "infer_outputs", lambda *rest: ran.append(1) or infer(*rest))
    entry = keras.Input((None, 8, 3))
    outputs = inner(entry, training=False)
    assert not ran
    assert _forms(outputs) == _forms(inner.output)
    assert outputs["map"] is not inner.output["map"]
    model = keras.Model(entry, outputs["map"])
    assert model(keras.ops.ones((2, 5, 8, 3))).shape == (2, 5, 8, 4)
    other = inner(keras.Input((6, 8, 3)))
    assert ran
    assert other["map"].shape == (None, 6, 8, 4)
    assert other["all"][1].shape == (None, 144)


@pytest.mark.parametrize("sizes", [(None, 8, 3), (6, 8, 3)])
def test_outputs_by_name_are_those_of_the_name(sizes: tuple[int | None, ...]) -> None:
    """In whatever order the model lists them."""
    inner, entry = _inner(), keras.Input(sizes)
    outputs, x = inner(entry), keras.random.normal((2, 6, 8, 3))
    model, wanted = keras.Model(entry, [outputs["map"], *outputs["all"]]), inner(x)
    for got, value in zip(model(x), [wanted["map"], *wanted["all"]], strict=True):
        assert torch.equal(got, value)


def test_masks_and_calls_of_the_users_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    infer = _model.infer_outputs
    monkeypatch.setattr(_model, "infer_outputs", lambda *rest: ran.append(1) or infer(*rest))
    entry = keras.Input((5,), dtype="int32")
    keras.Model(entry, layers.Embedding(9, 4, mask_zero=True)(entry))(keras.Input((5,), dtype="int32"))
    assert len(ran) == 1

    class Twice(keras.Model):
        def call(self, inputs: object, training: bool | None = None) -> object:
            return keras.ops.concatenate([super().call(inputs), super().call(inputs)])

    entry = keras.Input((5,))
    twice = Twice(entry, layers.Dense(3)(entry))
    twice(keras.Input((5,)))
    assert len(ran) == 2


def test_no_compiler_is_loaded() -> None:
    """Torch takes it in for a convolution on the meta device: 70 MB and a second."""
    code = """
import sys, neocog as keras
base = keras.applications.MobileNet(input_shape=(64, 64, 3), include_top=False, weights=None, alpha=0.25)
x = base(keras.layers.Rescaling(1 / 255)(keras.Input((64, 64, 3))), training=False)
keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x))
print(sorted({"sympy", "torch._dynamo"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

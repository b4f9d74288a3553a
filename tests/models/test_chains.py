"""Runs of blocks in oneDNN's own tensors: the same numbers as the blocks one by one, and their gradients."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest
import torch

import neocog as keras
from neocog.functional import _onednn, first_order, onednn_pays
from neocog.layers import _chain
from neocog.layers._chain import Chain
from neocog.models._model import Model

layers = keras.layers

pytestmark = pytest.mark.skipif(not _onednn._works(), reason="oneDNN's tensors do not work here")


@pytest.fixture(autouse=True)
def _images_count_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chain, "_LARGE", 1)
    monkeypatch.setattr(_chain, "_SMALL", 1)


def conv(filters: int, size: int = 3, **rest: Any) -> Any:
    return layers.Conv2D(filters, size, **{"activation": "relu", **rest})


CASES: dict[str, tuple[Any, int]] = {
    "one block": (lambda: [conv(16), layers.MaxPooling2D()], 1),
    "several": (
        lambda: [conv(16), layers.MaxPooling2D(), conv(24), layers.MaxPooling2D(), conv(8)],
        2,
    ),
    "two before a pooling": (
        lambda: [conv(16, padding="same"), conv(16, padding="same"), layers.MaxPooling2D(3, 2)],
        2,
    ),
    "linear between": (
        lambda: [conv(16, activation=None), layers.ReLU(), layers.MaxPooling2D(), conv(16, activation=None)],
        1,
    ),
    "linear first": (lambda: [conv(16, activation=None), conv(12), layers.MaxPooling2D()], 2),
    "strides, dilation, no bias": (
        lambda: [conv(32, strides=1, dilation_rate=2, use_bias=False), layers.MaxPooling2D((3, 2), (2, 1))],
        1,
    ),
}


def made(name: str, shape: tuple[int, ...] = (23, 26, 3)) -> Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input(shape), *CASES[name][0](), layers.Flatten(), layers.Dense(2)])


def chains(model: Model, training: bool) -> list[Chain]:
    body: Any = model._body
    nodes = body._forms[training].nodes
    return [node.operation for node in nodes if isinstance(getattr(node, "operation", None), Chain)]


def bfloat16(first: bool = True) -> AbstractContextManager[Any]:
    stack = ExitStack()
    stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
    if first:
        stack.enter_context(first_order())
    return stack


def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of blocks that ran in oneDNN's tensors, filled as it happens."""
    found: list[int] = []
    real = Chain._count

    def counted(self: Chain, inputs: torch.Tensor) -> int:
        found.append(real(self, inputs))
        return found[-1]

    monkeypatch.setattr(Chain, "_count", counted)
    return found


def step(model: Model, x: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    with bfloat16():
        outputs = model(x, training=True)
    outputs.float().square().sum().backward()
    return [outputs.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("name", CASES)
def test_training_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(name)
    x = torch.randn(8, 23, 26, 3)
    monkeypatch.setattr(_chain, "onednn_pays", lambda x: False)
    wanted = step(model, x)
    monkeypatch.setattr(_chain, "onednn_pays", onednn_pays)
    counted = ran(monkeypatch)
    got = step(model, x)
    assert counted == [CASES[name][1]]
    assert len(got) == len(wanted) > 3
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-2, atol=2e-2 * float(b.abs().max()))


def test_inference_goes_block_by_block() -> None:
    """There a convolution rectifies what it writes, and pooling keeps no places: faster than both here."""
    assert chains(made("several"), True)
    assert not chains(made("several"), False)


def test_gradients_of_the_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("several")
    x = torch.randn(8, 23, 26, 3, requires_grad=True)
    counted = ran(monkeypatch)
    with bfloat16():
        (got,) = torch.autograd.grad(model(x, training=True).float().sum(), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (wanted,) = torch.autograd.grad(model(x, training=True).float().sum(), x)
    assert counted == [2]
    torch.testing.assert_close(got, wanted, rtol=2e-2, atol=2e-2 * float(wanted.abs().max()))


def test_float32_and_gradients_of_gradients_take_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x, counted = made("several"), torch.randn(8, 23, 26, 3, requires_grad=True), ran(monkeypatch)
    model(x, training=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (first,) = torch.autograd.grad(model(x, training=True).float().square().sum(), x, create_graph=True)
    first.square().sum().backward()  # type: ignore[no-untyped-call]
    assert counted == []
    assert x.grad is not None


@pytest.mark.parametrize("where", ["hook", "patched"])
def test_a_layer_that_someone_watches_runs_by_itself(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, counted, seen = made("several"), ran(monkeypatch), []
    layer = model.layers[2]
    if where == "hook":
        layer.register_forward_hook(lambda module, inputs, outputs: seen.append(outputs.shape))
    else:
        real = layer.forward
        layer.forward = lambda x: seen.append(x.shape) or real(x)  # type: ignore[func-returns-value]
    with bfloat16():
        model(torch.randn(8, 23, 26, 3), training=True)
    assert counted == [1]
    assert len(seen) == 1


def test_other_layers_break_a_chain() -> None:
    body = [conv(8), layers.MaxPooling2D(), layers.Dropout(0.5), conv(8, groups=2), layers.MaxPooling2D()]
    body += [conv(8), layers.BatchNormalization(), layers.MaxPooling2D(), conv(8), layers.AveragePooling2D(2)]
    body += [conv(8, padding="same", strides=2), layers.MaxPooling2D(1, padding="same")]
    model = keras.Sequential([keras.Input((64, 64, 3)), *body])
    assert [len(chain.blocks) for chain in chains(model, True)] == [1]


def test_small_images_and_wide_inputs_stay_in_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    model, counted = made("several"), ran(monkeypatch)
    monkeypatch.setattr(_chain, "_LARGE", 1 << 23)
    with bfloat16():
        model(torch.randn(8, 23, 26, 3), training=True)
    monkeypatch.setattr(_chain, "_LARGE", 1)
    wide = made("one block", (23, 26, 5))
    with bfloat16():
        wide(torch.randn(8, 23, 26, 5), training=True)
    assert counted == [0, 0]


def test_fit_runs_in_them_and_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = ran(monkeypatch)
    torch.manual_seed(1)
    x, y = torch.randn(24, 23, 26, 3), torch.randint(0, 2, (24,))
    losses = []
    for pays in (onednn_pays, lambda x: False):
        monkeypatch.setattr(_chain, "onednn_pays", pays)
        model = copy.deepcopy(made("several"))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, precision="bfloat16")
        losses.append(model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"])
    assert 2 in counted
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)

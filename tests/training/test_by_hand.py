"""Steps of dense layers with back-propagation written out: the bits of torch's own differentiation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.layers import _dense_stack
from neocog.layers._dense_stack import DenseStack
from neocog.training import _state

layers = keras.layers
losses = keras.losses

_rng = np.random.default_rng(0)
IMAGES = _rng.random((150, 6, 5)).astype("float32")
CLASSES = _rng.integers(0, 4, 150)
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]
VALUES = _rng.random((150, 4)).astype("float32")
YES = (CLASSES > 1).astype("float32")


def stack(*after: Any, shape: tuple[int, ...] = (6, 5)) -> Any:
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *after])


def dense(units: int, activation: str | None = None, **rest: Any) -> Any:
    return layers.Dense(units, activation=activation, **rest)


def _functional() -> Any:
    entry = keras.Input((6, 5))
    x = layers.Reshape((30,))(layers.Rescaling(0.5, offset=-0.1)(entry))
    x = layers.ReLU()(dense(9)(x))
    return keras.Model(entry, layers.Activation("softmax")(dense(4)(x)))


CASES: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "classes": (
        lambda: stack(dense(8, "relu"), dense(4, "softmax")),
        "sparse_categorical_crossentropy",
        CLASSES,
    ),
    "classes in a column": (
        lambda: stack(dense(8, "tanh"), dense(6, "sigmoid", use_bias=False), dense(4, "softmax")),
        "sparse_categorical_crossentropy",
        CLASSES[:, None].astype("uint8"),
    ),
    "logits": (
        lambda: stack(dense(8, "relu"), dense(4)),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        CLASSES,
    ),
    "one layer": (lambda: stack(dense(4, "softmax")), "sparse_categorical_crossentropy", CLASSES),
    "one-hot": (
        lambda: stack(dense(8, "relu"), dense(4, "softmax")),
        "categorical_crossentropy",
        ONE_HOT,
    ),
    "smoothed": (
        lambda: stack(dense(8, "relu"), dense(4, "softmax")),
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        ONE_HOT,
    ),
    "functional": (_functional, "categorical_crossentropy", ONE_HOT),
    "two classes": (lambda: stack(dense(8, "relu"), dense(1, "sigmoid")), "binary_crossentropy", YES),
    "labels": (
        lambda: stack(dense(8, "relu"), dense(4)),
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        ONE_HOT,
    ),
    "mse": (lambda: stack(dense(8, "relu"), dense(4)), "mse", VALUES),
    "mse of one": (lambda: stack(dense(8, "relu"), dense(1)), "mse", VALUES[:, 0]),
    "mse of sigmoids": (lambda: stack(dense(8, "relu"), dense(4, "sigmoid")), "mse", VALUES),
    "mse of a softmax": (lambda: stack(dense(8, "relu"), dense(4, "softmax")), "mse", VALUES),
    "mae of tanh": (lambda: stack(dense(8), dense(4, "tanh")), "mae", VALUES),
    "huber": (lambda: stack(dense(8, "relu"), dense(4)), losses.Huber(0.3), VALUES),
}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many steps were computed by hand."""
    calls: list[int] = []
    backward = DenseStack.backward
    monkeypatch.setattr(
        DenseStack, "backward", lambda self, *a, **k: calls.append(1) or backward(self, *a, **k)
    )
    return calls


def trained(build: Any, loss: Any, y: Any, *, by_hand: bool, x: Any = IMAGES, **rest: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = build()
    options = {"optimizer": "adam", "metrics": ["accuracy"], **rest.pop("compiled", {})}
    model.compile(loss=loss, **options)
    with pytest.MonkeyPatch.context() as patch:
        if not by_hand:
            patch.setattr(_state, "by_hand", lambda model: None)
        history = model.fit(x, y, epochs=2, batch_size=32, verbose=0, **rest)
    return history.history, model.get_weights()


def assert_same(one: Any, other: Any) -> None:
    assert one[0] == other[0]
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits(name: str, counted: list[int]) -> None:
    usual = trained(*CASES[name], by_hand=False)
    assert not counted
    assert_same(trained(*CASES[name], by_hand=True), usual)
    assert len(counted) == 10


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits_in_bfloat16(name: str, counted: list[int]) -> None:
    compiled = {"precision": "bfloat16"}
    usual = trained(*CASES[name], by_hand=False, compiled=dict(compiled))
    assert not counted
    assert_same(trained(*CASES[name], by_hand=True, compiled=dict(compiled)), usual)
    assert len(counted) == (0 if name == "classes in a column" else 10)  # has a sigmoid within
    assert trained(*CASES[name], by_hand=True)[0] != usual[0]  # another precision is seen


@pytest.mark.parametrize(
    "compiled",
    [
        {"optimizer": lambda: keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.1)},
        {"optimizer": lambda: keras.optimizers.Adam(gradient_accumulation_steps=2)},
        {"optimizer": lambda: keras.optimizers.AdamW(use_ema=True, ema_momentum=0.9)},
    ],
)
def test_what_the_optimizer_does_with_gradients(compiled: Any, counted: list[int]) -> None:
    build, loss, y = CASES["classes"]
    runs = []
    for by_hand in (False, True):
        made = {key: value() for key, value in compiled.items()}
        runs.append(trained(build, loss, y, by_hand=by_hand, compiled=made, validation_split=0.2))
    assert_same(*runs)
    assert counted


class Squares(losses.MeanSquaredError):
    """A loss that somebody has changed."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return 2 * super().__call__(y_true, y_pred, sample_weight)


class OwnLoss(keras.Sequential):
    """A model whose loss is its own."""

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, **rest: Any) -> torch.Tensor:
        return 3 * (y_pred - y).square().mean()


def _shared() -> Any:
    entry, twice = keras.Input((30,)), dense(30, "relu")
    return keras.Model(entry, dense(4)(twice(twice(entry))))


FLAT = IMAGES.reshape(150, 30)
USUAL: dict[str, dict[str, Any]] = {
    "a regularizer": {"build": lambda: stack(dense(8, kernel_regularizer="l2"), dense(4))},
    "dropout": {"build": lambda: stack(dense(8), layers.Dropout(0.5), dense(4))},
    "an activation of the user's": {"build": lambda: stack(dense(8, lambda x: x**2), dense(4))},  # type: ignore[arg-type]
    "series": {"build": lambda: keras.Sequential([keras.Input((6, 5)), dense(5)]), "y": IMAGES},
    "a layer used twice": {"build": _shared, "x": FLAT},
    "a loss of the user's": {"loss": Squares()},
    "a function as loss": {"loss": lambda y, p: torch.mean((y - p) ** 2, dim=-1)},
    "a loss without a formula": {"loss": "log_cosh"},
    "a loss of sums": {"loss": losses.MeanSquaredError(reduction="sum")},
    "weights": {"sample_weight": _rng.random(150).astype("float32")},
    "compute_loss": {"build": lambda: OwnLoss([keras.Input((30,)), dense(4)]), "x": FLAT},
    "a weighted loss": {"compiled": {"loss_weights": [0.5]}},
    "mixed types": {"build": lambda: stack(dense(8, dtype="mixed_bfloat16"), dense(4, dtype="float32"))},
    "scaled loss": {"compiled": {"optimizer": lambda: keras.optimizers.SGD(0.1, loss_scale_factor=8.0)}},
}


@pytest.mark.parametrize("name", USUAL)
def test_what_goes_the_usual_way(name: str, counted: list[int]) -> None:
    runs = []
    for by_hand in (False, True):
        case = {"build": lambda: stack(dense(8, "relu"), dense(4)), "loss": "mse", "y": VALUES, **USUAL[name]}
        compiled = {k: v() if callable(v) else v for k, v in case.pop("compiled", {}).items()}
        runs.append(trained(by_hand=by_hand, compiled={"metrics": None, **compiled}, **case))
    assert_same(*runs)
    assert not counted


def test_hooks_are_called(counted: list[int]) -> None:
    """Those there before, and those that a callback sets in mid-run."""
    build, loss, y = CASES["classes"]
    model, seen = build(), []
    model.compile("sgd", loss)
    handle = model.layers[1].register_forward_hook(lambda *_: seen.append("layer"))
    model.fit(IMAGES, y, verbose=0)
    assert len(seen) == 6  # five batches; the first call of `fit` looks at what the model costs
    assert not counted
    handle.remove()
    seen.clear()

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 2:
                self.model.layers[1].kernel.value.register_hook(lambda g: seen.append("gradient"))

    model.fit(IMAGES, y, verbose=0, callbacks=[Watch()])
    assert seen == ["gradient"] * 2
    assert len(counted) == 3


def test_frozen_layers_stay(counted: list[int]) -> None:
    build, loss, y = CASES["classes"]
    model = build()
    model.layers[1].trainable = False
    model.compile("sgd", loss)
    before = [w.copy() for w in model.get_weights()]
    model.fit(IMAGES, y, verbose=0)
    same = [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert same == [True, True, False, False]
    assert not counted


def test_bad_targets_say_the_same() -> None:
    build, loss, y = CASES["classes"]
    texts = []
    for by_hand in (False, True):
        wrong = y.copy()
        wrong[-3:] = 9  # in the last batch, long after the first was checked
        with pytest.raises(Exception) as caught:
            trained(build, loss, wrong, by_hand=by_hand, shuffle=False)
        texts.append((caught.type, re.sub(r"dense_\d+", "dense", str(caught.value))))
    assert texts[0] == texts[1]


@pytest.mark.skipif(not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this torch has no such op")
@pytest.mark.parametrize("name", sorted(CASES))
def test_products_by_onednn_give_the_same_to_rounding(
    name: str, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As large layers go on AMD's processors."""
    build, loss, y = CASES[name]
    wanted = trained(build, loss, y, by_hand=False)
    monkeypatch.setattr(_dense_stack, "shares_by_units", lambda kernel: True)
    got, again = (trained(build, loss, y, by_hand=True) for _ in range(2))
    assert counted
    for a, b, c in zip(got[1], wanted[1], again[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("at", [2, 3, 5])
def test_memory_that_runs_out_costs_nothing(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At whichever product of a step: the batch is split, no gradient counts twice."""
    build, loss, y = CASES["classes"]
    wanted = trained(build, loss, y, by_hand=False)
    products = [0]
    multiply = _dense_stack.dense_product

    def fails_once(*factors: Any, **rest: Any) -> torch.Tensor:
        products[0] += 1
        if products[0] == at:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return multiply(*factors, **rest)

    monkeypatch.setattr(_dense_stack, "dense_product", fails_once)
    got = trained(build, loss, y, by_hand=True)
    assert products[0] == at
    for a, b in zip(got[1], wanted[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", None])
@pytest.mark.parametrize("name", sorted({"mse", "mae", "huber", "bce", "cce", "scce"}))
def test_gradients_of_losses(name: str, kind: str | None) -> None:
    made = {
        "mse": losses.MeanSquaredError(),
        "mae": losses.MeanAbsoluteError(),
        "huber": losses.Huber(0.5),
        "bce": losses.BinaryCrossentropy(from_logits=kind is None),
        "cce": losses.CategoricalCrossentropy(from_logits=kind is None),
        "scce": losses.SparseCategoricalCrossentropy(from_logits=kind is None),
    }[name]
    torch.manual_seed(1)
    sums = torch.randn(12, 4)
    y = torch.randint(0, 4, (12,)) if name == "scce" else torch.rand(12, 4).softmax(1)
    functions: dict[Any, Any] = {
        "softmax": keras.activations.softmax,
        "sigmoid": keras.activations.sigmoid,
        None: lambda x: x,
    }
    leaf = sums.clone().requires_grad_()
    outputs = functions[kind](leaf)
    wanted = made(y, outputs)
    found = made.with_gradient(y, outputs.detach(), sums, kind)
    if found is None:  # crossentropies of probabilities that are not their own activation's
        assert (name, kind) in {("bce", "softmax"), ("cce", "sigmoid"), ("scce", "sigmoid")}
        return
    mean, gradient, of_sums = found
    (slope,) = torch.autograd.grad(wanted, leaf if of_sums or kind is None else outputs)
    torch.testing.assert_close(mean, wanted.detach(), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(gradient, slope, rtol=1e-5, atol=1e-7)

"""Every loss against Keras on torch: values, gradients, weights, reductions; and finite differences."""

from __future__ import annotations

import itertools
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import losses
from neocog.exceptions import ArgumentError, ShapeError, UnknownNameError
from neocog.losses import LOSSES

# Class name -> (kind of targets, list of constructor arguments). Kinds: see `draw`.
CASES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "MeanSquaredError": ("real", [{}]),
    "MeanAbsoluteError": ("real", [{}]),
    "MeanAbsolutePercentageError": ("real", [{}]),
    "MeanSquaredLogarithmicError": ("positive", [{}]),
    "CosineSimilarity": ("real", [{}, {"axis": 0}]),
    "Huber": ("real", [{}, {"delta": 0.3}]),
    "LogCosh": ("real", [{}]),
    "Hinge": ("signs", [{}]),
    "SquaredHinge": ("binary", [{}]),
    "CategoricalHinge": ("one_hot", [{}]),
    "BinaryCrossentropy": (
        "binary",
        [
            {},
            {"from_logits": True},
            {"label_smoothing": 0.1},
            {"from_logits": True, "label_smoothing": 0.2},
            {"axis": 0},
        ],
    ),
    "BinaryFocalCrossentropy": (
        "binary",
        [
            {},
            {"from_logits": True},
            {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
        ],
    ),
    "CategoricalCrossentropy": (
        "one_hot",
        [{}, {"from_logits": True}, {"label_smoothing": 0.1}, {"from_logits": True, "label_smoothing": 0.2}],
    ),
    "CategoricalFocalCrossentropy": (
        "one_hot",
        [{}, {"from_logits": True}, {"alpha": 0.4, "gamma": 1.0, "label_smoothing": 0.1}],
    ),
    "SparseCategoricalCrossentropy": (
        "labels",
        [{}, {"from_logits": True}, {"ignore_class": 0}, {"ignore_class": 1, "from_logits": True}],
    ),
    "KLDivergence": ("one_hot", [{}]),
    "Poisson": ("positive", [{}]),
    "CategoricalGeneralizedCrossEntropy": ("labels", [{}, {"q": 0.8}]),
    "Dice": ("binary", [{}, {"axis": -1}]),
    "Tversky": ("binary", [{}, {"alpha": 0.2, "beta": 0.9, "axis": -1}]),
    "Circle": ("pairs", [{}, {"gamma": 10.0, "margin": 0.2}, {"remove_diagonal": False}]),
    "CTC": ("sequence", [{}]),
}
PROBABILITIES = {"binary", "one_hot", "labels"}
ALL = [(name, config) for name, (_, configs) in CASES.items() for config in configs]
IDS = [f"{name}-{'-'.join(f'{k}={v}' for k, v in config.items())}" for name, config in ALL]
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


def draw(kind: str, shape: tuple[int, ...], seed: int, logits: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pred = rng.normal(size=shape)
    if kind in ("positive",):
        return rng.uniform(0, 3, shape), np.abs(pred) + 0.1
    if kind == "real":
        return rng.normal(size=shape), pred
    if kind == "signs":
        return rng.choice([-1.0, 1.0], shape), pred
    if kind == "pairs":
        pred = pred.reshape(shape[0], -1)
        return rng.integers(0, 3, shape[0]), pred / np.linalg.norm(pred, axis=-1, keepdims=True)
    if kind == "sequence":
        classes = max(shape[-1], 3)
        labels = rng.integers(1, classes, (shape[0], 3))
        labels[::2, -1] = 0  # padding
        return labels, rng.normal(size=(shape[0], 9, classes))
    if not logits:
        pred = 1 / (1 + np.exp(-2 * pred)) if kind == "binary" else np.exp(pred)
    if kind == "binary":
        return rng.integers(0, 2, shape), pred
    labels = rng.integers(0, shape[-1], shape[:-1])
    return (labels if kind == "labels" else np.eye(shape[-1])[labels]), pred


def both(
    name: str, config: dict[str, Any], y: np.ndarray, p: np.ndarray, weight: Any = None
) -> tuple[Any, ...]:
    """Return value and gradient from neocog, then from Keras."""
    results: list[np.ndarray] = []
    for module in (losses, keras.losses):
        leaf = torch.tensor(p, dtype=torch.float32, requires_grad=True)
        pred = leaf
        if module is keras.losses and name.startswith("Sparse") and p.ndim == 4 and "axis" not in config:
            # Keras's own backward pass needs classes that lie first in memory here.
            pred = leaf.movedim(-1, 1).contiguous().movedim(1, -1)
        value = getattr(module, name)(**config)(torch.tensor(y), pred, weight)
        value.sum().backward()
        results += [value.detach().numpy(), leaf.grad.numpy()]
    return tuple(results)


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    scale = max(1.0, float(np.nanmax(np.abs(theirs), initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6 * scale)


def test_every_registered_class_has_a_case() -> None:
    classes = {name for name, entry in LOSSES.items() if isinstance(entry, type)}
    assert classes - {"LossFunctionWrapper"} == set(CASES)


def test_the_comparison_fails_on_a_wrong_value() -> None:
    with pytest.raises(AssertionError):
        agree(np.array([1.0, 2.0]), np.array([1.0, 2.0001]))
    with pytest.raises(AssertionError):
        agree(np.ones((2, 1)), np.ones(2))


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
@given(shape=st.lists(st.integers(2, 5), min_size=2, max_size=4), seed=st.integers(0, 10**6))
def test_values_and_gradients_are_keras(
    name: str, config: dict[str, Any], shape: list[int], seed: int
) -> None:
    y, p = draw(CASES[name][0], tuple(shape), seed, config.get("from_logits", False))
    value, grad, value_k, grad_k = both(name, config, y, p)
    agree(value, value_k)
    agree(grad, grad_k)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", list(CASES))
def test_reductions_and_weights_are_keras(name: str, reduction: str | None) -> None:
    for shape, weighted in [((6, 4), False), ((6, 4), True), ((3, 5, 4), True)]:
        y, p = draw(CASES[name][0], shape, 3)
        config = {"reduction": reduction}
        if CASES[name][0] == "sequence":
            shape = (shape[0], 4)
        weight = np.linspace(0.0, 2.0, shape[0]) if weighted else None
        if weighted and len(shape) == 3 and CASES[name][0] != "pairs":
            weight = np.linspace(0.0, 2.0, 15).reshape(3, 5)
            if name in ("Dice", "Tversky"):
                weight = np.float32(0.7)
        value, grad, value_k, grad_k = both(name, config, y, p, weight)
        agree(value, value_k)
        agree(grad, grad_k)


@pytest.mark.parametrize(
    ("y_shape", "p_shape", "w_shape"),
    [
        ((5,), (5, 1), None),
        ((5, 1), (5,), None),
        ((5, 3), (5, 3, 1), None),
        ((5, 1), (5, 3), None),
        ((5, 3), (5, 3), (5, 1)),
        ((5,), (5,), None),
        ((5, 4, 3), (5, 4, 3), (5, 1)),
        ((0, 3), (0, 3), None),
    ],
)
@pytest.mark.parametrize(
    "name", ["MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "CosineSimilarity"]
)
def test_ranks_meet_as_in_keras(name: str, y_shape: Any, p_shape: Any, w_shape: Any) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=y_shape), rng.normal(size=p_shape)
    weight = None if w_shape is None else rng.uniform(size=w_shape)
    for reduction in ("sum_over_batch_size", "none"):
        value, grad, value_k, grad_k = both(name, {"reduction": reduction}, y, p, weight)
        agree(value, value_k)
        agree(grad, grad_k)


@pytest.mark.parametrize("classes", [2, 10, 65, 300])
@pytest.mark.parametrize("logits", [False, True])
def test_sparse_crossentropy_in_all_its_forms(classes: int, logits: bool) -> None:
    for shape in [(7, classes), (2, 3, classes), (2, 3, 4, classes)]:
        y, p = draw("labels", shape, 5, logits)
        for targets in (y, y[..., None], y.astype("float32"), y.astype("int32"), y.astype("uint8")):
            if targets.dtype == np.uint8 and classes > 255:
                continue
            config = {"from_logits": logits}
            value, grad, value_k, grad_k = both("SparseCategoricalCrossentropy", config, targets, p)
            agree(value, value_k)
            agree(grad, grad_k)


@pytest.mark.parametrize("logits", [False, True])
def test_class_axis_first(logits: bool) -> None:
    y, p = draw("labels", (2, 4, 5, 3), 1, logits)
    p = np.moveaxis(p, -1, 1).copy()
    config = {"from_logits": logits, "axis": 1}
    value, grad, value_k, grad_k = both("SparseCategoricalCrossentropy", config, y, p)
    agree(value, value_k)
    agree(grad, grad_k)
    one_hot = np.moveaxis(np.eye(3)[y], -1, 1).copy()
    value, grad, value_k, grad_k = both("CategoricalCrossentropy", config, one_hot, p)
    agree(value, value_k)
    agree(grad, grad_k)


def test_extreme_predictions_are_keras() -> None:
    p = np.array([[0.0, 1.0], [1.0, 0.0], [1e-9, 1.0], [0.5, 0.5]])
    for name, y in [
        ("BinaryCrossentropy", np.array([[1, 0], [1, 0], [0, 1], [1, 1]])),
        ("CategoricalCrossentropy", np.array([[1, 0], [1, 0], [0, 1], [0, 1]])),
        ("SparseCategoricalCrossentropy", np.array([0, 0, 1, 1])),
        ("KLDivergence", np.array([[1, 0], [1, 0], [0, 1], [0, 1]])),
        ("Poisson", np.array([[1, 0], [1, 0], [0, 1], [0, 1]])),
    ]:
        value, grad, value_k, grad_k = both(name, {}, y, p)
        agree(value, value_k)
        agree(grad, grad_k)
        big = both(name, {"from_logits": True}, y, (p - 0.5) * 400) if "Cross" in name else None
        if big:
            agree(big[0], big[2])
            agree(big[1], big[3])


FUNCTIONS = [name for name, entry in LOSSES.items() if not isinstance(entry, type)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_keras(name: str) -> None:
    kinds = {losses.get(type_name).fn.__name__: kind for type_name, (kind, _) in CASES.items()}
    arguments = {"q": 0.5} if "generalized" in name else {}
    oracle = getattr(keras.losses, name)
    y, p = draw(kinds[name], (4, 3), 2)
    ours = getattr(losses, name)(y, p.astype("float32"), **arguments)
    theirs = oracle(torch.tensor(y), torch.tensor(p, dtype=torch.float32), **arguments)
    agree(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
def test_gradients_are_finite_differences(name: str, config: dict[str, Any]) -> None:
    y, p = draw(CASES[name][0], (4, 3), 11, config.get("from_logits", False))
    loss = getattr(losses, name)(**config, dtype="float64")
    pred = torch.tensor(p, requires_grad=True)
    target = torch.tensor(y)
    if CASES[name][0] == "labels":
        # The probabilities are scaled inside; keep away from the ignored class making everything constant.
        target[0] = 2
    assert torch.autograd.gradcheck(lambda x: loss(target, x), (pred,), eps=1e-6, atol=1e-6, rtol=1e-5)


# The others are losses of a batch as a whole: means over parts are not its mean.
OF_SAMPLES = [
    (name, config)
    for name, config in ALL
    if config.get("axis") != 0
    and "ignore_class" not in config
    and (name not in ("Circle", "Dice", "Tversky") or config.get("axis") == -1)
]


@pytest.mark.parametrize(("name", "config"), OF_SAMPLES)
def test_sums_of_evaluation_are_the_same_in_any_parts(name: str, config: dict[str, Any]) -> None:
    kind = CASES[name][0]
    y, p = (torch.tensor(value) for value in draw(kind, (67, 5), 5, config.get("from_logits", False)))
    p, weight = p.float(), torch.rand(67, generator=torch.Generator().manual_seed(0))
    loss = LOSSES.resolve(name)(**config)
    for weights in (None, weight):
        whole = float(loss.summed_exactly(y, p, weights))
        ends = [0, 1, 17, 40, 67]
        total = 0.0
        for first, last in itertools.pairwise(ends):
            rows = slice(first, last)
            part = None if weights is None else weights[rows]
            total += float(loss.summed_exactly(y[rows], p[rows], part)) * (last - first)
        assert np.float32(total / 67) == np.float32(whole)
        assert whole == pytest.approx(float(loss(y, p, weights)), rel=1e-5)


@pytest.mark.parametrize("name", list(CASES))
def test_configuration_round_trip(name: str) -> None:
    for config in CASES[name][1]:
        loss = getattr(losses, name)(**config, reduction="sum", name="mine")
        again = losses.deserialize(losses.serialize(loss))
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
        assert {**config, "reduction": "sum", "name": "mine"}.items() <= loss.get_config().items()
        if name != "CategoricalGeneralizedCrossEntropy":  # Keras cannot read back its own
            assert type(keras.losses.get(losses.serialize(loss))).__name__ == name


def test_default_names_are_keras() -> None:
    for name in CASES:
        assert getattr(losses, name)().name == getattr(keras.losses, name)().name


def test_half_precision_predictions_are_widened() -> None:
    y, p = draw("labels", (4, 3), 0)
    pred = torch.tensor(p, dtype=torch.bfloat16)
    for loss in (losses.SparseCategoricalCrossentropy(), losses.sparse_categorical_crossentropy):
        assert loss(torch.tensor(y), pred).dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for name, (kind, _) in CASES.items():
            y, p = draw(kind, (4, 3), 0)
            inside = getattr(losses, name)()(torch.tensor(y), torch.tensor(p, dtype=torch.float32))
            with torch.autocast("cpu", enabled=False):
                outside = getattr(losses, name)()(torch.tensor(y), torch.tensor(p, dtype=torch.float32))
            torch.testing.assert_close(inside, outside)


def test_masked_outputs_do_not_count() -> None:
    y, p = np.zeros((2, 3, 4)), np.ones((2, 3, 4), "float32")
    p[:, 1] = 7
    pred = torch.tensor(p)
    pred._keras_mask = torch.tensor([[True, False, True]] * 2)
    assert losses.MeanSquaredError()(y, pred).item() == pytest.approx(1.0)
    theirs = torch.tensor(p)
    theirs._keras_mask = pred._keras_mask
    for reduction in REDUCTIONS:
        for weight in (None, np.array([[1.0, 2.0, 3.0]] * 2)):
            ours = losses.MeanSquaredError(reduction=reduction)(y, pred, weight)
            agree(ours.numpy(), keras.losses.MeanSquaredError(reduction=reduction)(y, theirs, weight).numpy())


def test_a_users_loss_sees_floats_and_is_reduced() -> None:
    class Mine(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            assert y_true.dtype == torch.float32
            return torch.abs(y_true - y_pred).mean(dim=-1)

    assert Mine()([[1], [2]], [[0.0], [0.0]], sample_weight=[1.0, 3.0]).item() == pytest.approx(3.5)
    assert Mine().name.startswith("mine")

    class Doubled(losses.MeanSquaredError):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return 2 * super().call(y_true, y_pred)

    assert Doubled()(torch.zeros(2, 1), torch.ones(2, 1)).item() == 2.0


def test_names_wrappers_and_unknown_names() -> None:
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error is losses.mse
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert losses.get(None) is None
    wrapped = losses.as_loss("bce")
    assert wrapped.name == "binary_crossentropy"
    y, p = draw("binary", (4, 3), 0)
    expected = losses.BinaryCrossentropy()(torch.tensor(y), torch.tensor(p))
    torch.testing.assert_close(wrapped(torch.tensor(y), torch.tensor(p)), expected)
    again = losses.deserialize(losses.serialize(losses.LossFunctionWrapper(losses.huber, delta=2.0)))
    assert again.fn is losses.huber
    assert again._fn_kwargs == {"delta": 2.0}
    with pytest.raises(UnknownNameError, match="mean_squared_error"):
        losses.get("mean_squared_eror")


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="Did you mean 'sum'"):
        losses.MeanSquaredError(reduction="summ")
    with pytest.raises(ArgumentError, match="label_smoothing"):
        losses.CategoricalCrossentropy(label_smoothing=1.5)
    with pytest.raises(ArgumentError, match="q between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.raises(ShapeError, match="targets of the shape"):
        losses.BinaryCrossentropy()(torch.zeros(4, 2), torch.ones(4, 3))
    with pytest.raises(ShapeError, match="categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(torch.zeros(4, 3), torch.ones(4, 3))
    with pytest.raises(ShapeError, match="sample weights"):
        losses.MeanSquaredError()(torch.zeros(4, 3), torch.ones(4, 3), torch.ones(3))
    with pytest.raises(ShapeError, match="ctc"):
        losses.CTC()(torch.zeros(4), torch.ones(4, 3))
    with pytest.raises(ShapeError, match="axis"):
        losses.categorical_crossentropy(torch.zeros(4, 3), torch.ones(4, 3), axis=True)

"""Every registered metric against Keras: updates, weights, resets, state and configuration."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog import metrics
from neocog.metrics import METRICS

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # y_true, y_pred, sample_weight
Maker = Callable[[np.random.Generator, int, int], Batch]


def _weights(rng: np.random.Generator, batch: int) -> np.ndarray:
    return rng.uniform(0.1, 2.0, batch).astype("float32")


def _one_hot(indices: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype="float32")[indices]


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def regression(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_true = rng.normal(size=(b, c)).astype("float32")
    return y_true, (y_true + rng.normal(size=(b, c))).astype("float32"), _weights(rng, b)


def positive(rng: np.random.Generator, b: int, c: int) -> Batch:
    return (
        rng.uniform(0.1, 3, (b, c)).astype("float32"),
        rng.uniform(0.1, 3, (b, c)).astype("float32"),
        _weights(rng, b),
    )


def wide(rng: np.random.Generator, b: int, c: int) -> Batch:
    return regression(rng, b, c + 2)  # correlations need some values


def distributions(rng: np.random.Generator, b: int, c: int) -> Batch:
    return _softmax(rng.normal(size=(b, c + 1))), _softmax(rng.normal(size=(b, c + 1))), _weights(rng, b)


def one_hot(rng: np.random.Generator, b: int, c: int) -> Batch:
    return _one_hot(rng.integers(0, c + 1, b), c + 1), _softmax(rng.normal(size=(b, c + 1))), _weights(rng, b)


def one_hot_grid(rng: np.random.Generator, b: int, c: int) -> Batch:
    labels = _one_hot(rng.integers(0, c + 1, (b, 3)), c + 1)
    return labels, _softmax(rng.normal(size=(b, 3, c + 1))), rng.uniform(0, 1, (b, 3)).astype("float32")


def sparse(rng: np.random.Generator, b: int, c: int) -> Batch:
    return rng.integers(0, c + 1, b), _softmax(rng.normal(size=(b, c + 1))), _weights(rng, b)


def sparse_column(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_true, y_pred, weight = sparse(rng, b, c)
    return y_true[:, None].astype("float32"), y_pred, weight


def sparse_grid(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_pred = _softmax(rng.normal(size=(b, 2, c + 1)))
    return rng.integers(0, c + 1, (b, 2)), y_pred, rng.uniform(0, 1, (b, 2)).astype("float32")


def sorted_ids(rng: np.random.Generator, b: int, c: int) -> Batch:
    order = np.argsort(rng.normal(size=(b, c + 1)), axis=-1).astype("int32")
    return rng.integers(0, c + 1, b).astype("int32"), order, _weights(rng, b)


def binary(rng: np.random.Generator, b: int, c: int) -> Batch:
    return (
        rng.integers(0, 2, (b, c)).astype("float32"),
        np.round(rng.uniform(0, 1, (b, c)), 2).astype("float32"),
        _weights(rng, b),
    )


def binary_vector(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_true, y_pred, weight = binary(rng, b, 1)
    return y_true[:, 0].astype("int32"), y_pred, weight


def flat(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_true, y_pred, weight = binary(rng, b, 1)
    return y_true[:, 0], y_pred[:, 0], weight


def logits(rng: np.random.Generator, b: int, c: int) -> Batch:
    y_true, _, weight = binary(rng, b, c)
    return y_true, rng.normal(size=(b, c)).astype("float32"), weight


def exact(rng: np.random.Generator, b: int, c: int) -> Batch:
    return rng.integers(0, 3, (b, c)), rng.integers(0, 3, (b, c)), _weights(rng, b)


def segments(rng: np.random.Generator, b: int, c: int) -> Batch:
    shape = (b, c, 2)
    return rng.integers(-1, 4, shape), rng.integers(0, 4, shape), rng.integers(0, 3, shape)


def one_hot_segments(rng: np.random.Generator, b: int, c: int) -> Batch:
    labels = _one_hot(rng.integers(0, 3, (b, c)), 3)
    return labels, rng.normal(size=(b, c, 3)).astype("float32"), rng.integers(1, 3, (b, c))


def values(rng: np.random.Generator, b: int, c: int) -> Batch:
    data = rng.normal(size=(b, c)).astype("float32")
    return data, data, _weights(rng, b)


# Constructor arguments and data for each class; a registered class that is missing here fails a test below.
CASES: dict[str, list[tuple[dict[str, Any], Maker]]] = {
    "Sum": [({}, values)],
    "Mean": [({}, values)],
    "Accuracy": [({}, exact)],
    "BinaryAccuracy": [({}, binary), ({"threshold": 0.3}, binary_vector), ({}, flat)],
    "CategoricalAccuracy": [({}, one_hot), ({}, one_hot_grid)],
    "SparseCategoricalAccuracy": [({}, sparse), ({}, sparse_column), ({}, sparse_grid)],
    "TopKCategoricalAccuracy": [({"k": 2}, one_hot), ({"k": 1}, one_hot_grid)],
    "SparseTopKCategoricalAccuracy": [
        ({"k": 2}, sparse),
        ({"k": 1}, sparse_grid),
        ({"k": 2, "from_sorted_ids": True}, sorted_ids),
    ],
    "MeanSquaredError": [({}, regression)],
    "RootMeanSquaredError": [({}, regression), ({}, flat)],
    "MeanAbsoluteError": [({}, regression)],
    "MeanAbsolutePercentageError": [({}, positive)],
    "MeanSquaredLogarithmicError": [({}, positive)],
    "CosineSimilarity": [({}, regression), ({"axis": 1}, regression)],
    "LogCoshError": [({}, regression)],
    "R2Score": [
        ({}, regression),
        ({"class_aggregation": "variance_weighted_average"}, regression),
        ({"class_aggregation": None, "num_regressors": 1}, regression),
    ],
    "BinaryCrossentropy": [
        ({}, binary),
        ({"from_logits": True, "label_smoothing": 0.1}, logits),
    ],
    "CategoricalCrossentropy": [
        ({}, one_hot),
        ({"label_smoothing": 0.2}, one_hot_grid),
        ({"from_logits": True}, one_hot),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, sparse),
        ({"from_logits": True}, sparse_grid),
        ({"ignore_class": 0}, sparse),
    ],
    "KLDivergence": [({}, distributions)],
    "Poisson": [({}, positive)],
    "Hinge": [({}, logits)],
    "SquaredHinge": [({}, logits)],
    "CategoricalHinge": [({}, one_hot)],
    "TruePositives": [({}, binary), ({"thresholds": [0.2, 0.9]}, binary_vector)],
    "FalsePositives": [({}, flat), ({"thresholds": [0.0, 0.5, 1.0]}, binary)],
    "TrueNegatives": [({}, binary), ({"thresholds": [0.2, 0.9]}, binary)],
    "FalseNegatives": [({}, binary), ({"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, binary)],
    "Precision": [
        ({}, binary),
        ({"thresholds": [0.2, 0.7]}, flat),
        ({"top_k": 2}, one_hot),
        ({"class_id": 1}, one_hot),
        ({"top_k": 1, "class_id": 0}, one_hot),
    ],
    "Recall": [({}, binary_vector), ({"thresholds": 0.3}, binary), ({"top_k": 2, "class_id": 1}, one_hot)],
    "F1Score": [({}, one_hot), ({"average": "micro", "threshold": 0.4}, binary)],
    "FBetaScore": [
        ({"beta": 2.0, "average": "macro"}, one_hot),
        ({"beta": 0.5, "average": "weighted"}, one_hot),
    ],
    "AUC": [
        ({}, flat),
        ({"curve": "PR"}, binary),
        ({"curve": "PRGAIN", "num_thresholds": 11}, binary),
        ({"summation_method": "majoring", "curve": "PR"}, flat),
        ({"summation_method": "minoring", "thresholds": [0.3, 0.6]}, binary_vector),
        ({"multi_label": True}, binary),
        ({"multi_label": True, "curve": "PR", "thresholds": [0.1, 0.4]}, binary),
        ({"from_logits": True, "num_thresholds": 7}, logits),
    ],
    "SensitivityAtSpecificity": [
        ({"specificity": 0.5}, flat),
        ({"specificity": 0.3, "class_id": 1}, one_hot),
    ],
    "SpecificityAtSensitivity": [({"sensitivity": 0.5, "num_thresholds": 1}, binary)],
    "PrecisionAtRecall": [({"recall": 0.4, "num_thresholds": 20}, binary)],
    "RecallAtPrecision": [({"precision": 0.4}, flat)],
    "IoU": [
        ({"num_classes": 4, "target_class_ids": [0, 2]}, segments),
        (
            {"num_classes": 3, "target_class_ids": [0], "sparse_y_true": False, "sparse_y_pred": False},
            one_hot_segments,
        ),
    ],
    "BinaryIoU": [({"threshold": 0.4, "target_class_ids": [0, 1]}, binary)],
    "MeanIoU": [({"num_classes": 4, "ignore_class": 1}, segments)],
    "OneHotIoU": [({"num_classes": 3, "target_class_ids": [0, 1]}, one_hot_segments)],
    "OneHotMeanIoU": [({"num_classes": 3}, one_hot_segments)],
    "PearsonCorrelation": [({}, wide)],
    "ConcordanceCorrelation": [({}, wide)],
}
# The base class, and the wrapper that needs a function, have tests of their own.
APART = {"Metric", "MeanMetricWrapper"}
ONE_ARGUMENT = {"Sum", "Mean"}
WHOLE_WEIGHTS = {"IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"}

PARAMETERS = [
    pytest.param(name, arguments, maker, id=f"{name}-{index}-{maker.__name__}")
    for name, cases in CASES.items()
    for index, (arguments, maker) in enumerate(cases)
]


def make(name: str, arguments: dict[str, Any]) -> tuple[Any, Any]:
    return METRICS.resolve(name)(**arguments), getattr(keras.metrics, name)(**arguments)


def update(metric: Any, name: str, batch: Batch, weighted: bool) -> None:
    y_true, y_pred, weight = batch
    if name in WHOLE_WEIGHTS:
        weight = (
            weight.round().astype("int32") if name != "BinaryIoU" else np.ones_like(y_true, dtype="int32") * 2
        )
    data = (y_true,) if name in ONE_ARGUMENT else (y_true, y_pred)
    if not isinstance(metric, keras.metrics.Metric):
        data = tuple(torch.from_numpy(np.ascontiguousarray(item)) for item in data)
    metric.update_state(*data, sample_weight=weight if weighted else None)


def number(value: Any) -> np.ndarray:
    return np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)


def check(ours: Any, theirs: Any) -> None:
    expected = number(theirs.result())
    got = number(ours.result())
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_every_registered_class_has_cases() -> None:
    assert set(CASES) | APART == set(METRICS.names())


def test_the_registry_holds_every_class_and_function_of_keras() -> None:
    for name, entry in inspect.getmembers(keras.metrics):
        if inspect.isclass(entry):
            assert name in METRICS, name
        elif inspect.isfunction(entry):
            assert callable(getattr(metrics, name)), name


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_same_numbers_as_keras(name: str, arguments: dict[str, Any], maker: Maker, weighted: bool) -> None:
    ours, theirs = make(name, arguments)
    rng = np.random.default_rng(7)
    for size in (5, 1, 12):
        batch = maker(rng, size, 3)
        update(ours, name, batch, weighted)
        update(theirs, name, batch, weighted)
        if name != "R2Score" or size > 1:
            check(ours, theirs)
    ours.reset_state()
    theirs.reset_state()
    batch = maker(rng, 9, 3)
    update(ours, name, batch, not weighted)
    update(theirs, name, batch, not weighted)
    check(ours, theirs)


@settings(max_examples=60)
@given(
    case=st.sampled_from([p.values for p in PARAMETERS]),
    b=st.integers(2, 9),
    c=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_same_numbers_on_drawn_shapes(case: Any, b: int, c: int, seed: int) -> None:
    name, arguments, maker = case
    ours, theirs = make(name, arguments)
    rng = np.random.default_rng(seed)
    for weighted in (True, False, True):
        batch = maker(rng, b, c)
        update(ours, name, batch, weighted)
        update(theirs, name, batch, weighted)
    check(ours, theirs)


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
def test_state_and_configuration_round_trips(name: str, arguments: dict[str, Any], maker: Maker) -> None:
    ours, theirs = make(name, arguments)
    rng = np.random.default_rng(3)
    update(ours, name, maker(rng, 6, 3), weighted=False)
    update(ours, name, maker(rng, 6, 3), weighted=True)

    twin = metrics.deserialize(metrics.serialize(ours))
    assert type(twin) is type(ours)
    assert twin.get_config() == ours.get_config()
    twin.load_state_dict(ours.state_dict())
    np.testing.assert_array_equal(number(twin.result()), number(ours.result()))
    after = maker(rng, 6, 3)
    update(twin, name, after, weighted=False)
    update(ours, name, after, weighted=False)
    np.testing.assert_array_equal(number(twin.result()), number(ours.result()))

    # Keras takes our configuration, and we take Keras's.
    assert type(keras.metrics.deserialize(metrics.serialize(ours))) is type(theirs)
    assert type(metrics.deserialize(keras.metrics.serialize(theirs))) is type(ours)


@pytest.mark.parametrize("name", sorted(CASES))
def test_default_name_and_type_are_keras_s(name: str) -> None:
    keras.backend.clear_session()  # names count from the start
    ours, theirs = make(name, CASES[name][0][0])
    assert ours.name == theirs.name
    if name not in WHOLE_WEIGHTS:
        assert ours.dtype == theirs.dtype
    assert METRICS.resolve(keras.src.utils.naming.to_snake_case(name)) is type(ours)


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
def test_direction_agrees_with_keras(name: str, arguments: dict[str, Any], maker: Maker) -> None:
    ours, theirs = make(name, arguments)
    assert getattr(theirs, "_direction", ours._direction) == ours._direction


@pytest.mark.parametrize(("name", "arguments", "maker"), PARAMETERS)
def test_half_precision_predictions_are_raised(name: str, arguments: dict[str, Any], maker: Maker) -> None:
    ours, _ = make(name, arguments)
    exactly, _ = make(name, arguments)
    y_true, y_pred, _ = maker(np.random.default_rng(5), 6, 3)
    if name in ONE_ARGUMENT or y_pred.dtype.kind != "f":
        return
    half = torch.from_numpy(y_pred).bfloat16()
    ours.update_state(torch.from_numpy(y_true), half)
    exactly.update_state(torch.from_numpy(y_true), half.float())
    assert ours.result().dtype == torch.float32
    np.testing.assert_array_equal(number(ours.result()), number(exactly.result()))


def test_the_check_fails_on_a_wrong_value() -> None:
    ours, theirs = make("Mean", {})
    ours.update_state([1.0, 2.0])
    theirs.update_state([1.0, 2.001])
    with pytest.raises(AssertionError):
        check(ours, theirs)

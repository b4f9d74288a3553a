"""What every registered metric keeps to; one without a row here fails."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from contract import check_config, check_documented, check_forgotten, check_public, features, network, no_sync

from neocog import functional, layers, metrics
from neocog.exceptions import ArgumentError
from neocog.metrics import METRICS, _reduction

# Arguments, and the kind of targets and predictions that the metric is for.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "AUC": ({"num_thresholds": 20, "curve": "PR"}, "binary"),
    "Accuracy": ({}, "ids"),
    "BinaryAccuracy": ({"threshold": 0.4}, "binary"),
    "BinaryCrossentropy": ({"label_smoothing": 0.1}, "binary"),
    "BinaryIoU": ({"target_class_ids": (1,), "threshold": 0.3}, "binary"),
    "CategoricalAccuracy": ({}, "one_hot"),
    "CategoricalCrossentropy": ({"label_smoothing": 0.1}, "one_hot"),
    "CategoricalHinge": ({}, "one_hot"),
    "ConcordanceCorrelation": ({}, "real"),
    "CosineSimilarity": ({"axis": -1}, "real"),
    "F1Score": ({"average": "micro", "threshold": 0.4}, "one_hot"),
    "FBetaScore": ({"average": "macro", "beta": 2.0}, "one_hot"),
    "FalseNegatives": ({"thresholds": [0.3, 0.6]}, "binary"),
    "FalsePositives": ({"thresholds": 0.4}, "binary"),
    "Hinge": ({}, "signs"),
    "IoU": ({"num_classes": 4, "target_class_ids": [0, 2]}, "ids"),
    "KLDivergence": ({}, "one_hot"),
    "LogCoshError": ({}, "real"),
    "Mean": ({}, "values"),
    "MeanAbsoluteError": ({}, "real"),
    "MeanAbsolutePercentageError": ({}, "positive"),
    "MeanIoU": ({"num_classes": 4, "ignore_class": 1}, "ids"),
    "MeanMetricWrapper": ({"fn": functional.huber, "delta": 0.5}, "real"),
    "MeanSquaredError": ({"name": "mine"}, "real"),
    "MeanSquaredLogarithmicError": ({}, "positive"),
    "OneHotIoU": ({"num_classes": 4, "target_class_ids": [1]}, "one_hot"),
    "OneHotMeanIoU": ({"num_classes": 4}, "one_hot"),
    "PearsonCorrelation": ({}, "real"),
    "Poisson": ({}, "positive"),
    "Precision": ({"top_k": 2, "class_id": 1}, "one_hot"),
    "PrecisionAtRecall": ({"recall": 0.5, "num_thresholds": 30}, "binary"),
    "R2Score": ({"class_aggregation": "variance_weighted_average"}, "real"),
    "Recall": ({"thresholds": [0.2, 0.5]}, "binary"),
    "RecallAtPrecision": ({"precision": 0.4, "num_thresholds": 30}, "binary"),
    "RootMeanSquaredError": ({}, "real"),
    "SensitivityAtSpecificity": ({"specificity": 0.5, "num_thresholds": 30}, "binary"),
    "SparseCategoricalAccuracy": ({}, "classes"),
    "SparseCategoricalCrossentropy": ({}, "classes"),
    "SparseTopKCategoricalAccuracy": ({"k": 2}, "classes"),
    "SpecificityAtSensitivity": ({"sensitivity": 0.5, "num_thresholds": 30}, "binary"),
    "SquaredHinge": ({}, "signs"),
    "Sum": ({}, "values"),
    "TopKCategoricalAccuracy": ({"k": 2}, "one_hot"),
    "TrueNegatives": ({"thresholds": 0.4}, "binary"),
    "TruePositives": ({"thresholds": 0.4}, "binary"),
}
NO_CASE = {"Metric"}  # the base: it has no update
# As in Keras, configs hold these only where they are set.
LEFT_OUT = {"AUC": frozenset({"thresholds"}), "SparseTopKCategoricalAccuracy": frozenset({"from_sorted_ids"})}
NAMES = [name for name in METRICS.names() if name not in NO_CASE]
UNKNOWN_AT_FIRST = {"R2Score": float("nan")}
LOSS = {"binary": "binary_crossentropy", "one_hot": "categorical_crossentropy"}
LOSS["classes"] = "sparse_categorical_crossentropy"
ACTIVATION = {"binary": "sigmoid", "one_hot": "softmax", "classes": "softmax", "positive": "softplus"}


def batch(kind: str, seed: int, size: int = 8) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn((size, 4), generator=generator)
    numbers = (torch.arange(size) + seed) % 4
    if kind == "values":
        return (drawn,)
    if kind == "ids":
        return numbers, torch.randint(0, 4, (size,), generator=generator)
    if kind == "one_hot":
        return torch.nn.functional.one_hot(numbers, 4).float(), drawn.softmax(-1)
    if kind == "classes":
        return numbers, drawn.softmax(-1)
    if kind == "binary":
        return torch.randint(0, 2, (size, 4), generator=generator).float(), drawn.sigmoid()
    other = torch.randn((size, 4), generator=generator)
    if kind == "signs":
        return other.sign(), drawn.tanh()
    return (other.exp(), drawn.exp()) if kind == "positive" else (other, drawn)


def make(name: str, **extra: Any) -> Any:
    return METRICS.resolve(name)(**{**CASES[name][0], **extra})


def fed(name: str, *seeds: int, **extra: Any) -> Any:
    metric = make(name, **extra)
    for seed in seeds:
        metric.update_state(*batch(CASES[name][1], seed))
    return metric


def same(one: Any, other: Any) -> None:
    torch.testing.assert_close(
        torch.as_tensor(one), torch.as_tensor(other), rtol=1e-5, atol=1e-6, equal_nan=True
    )


def test_every_registered_metric_has_a_row() -> None:
    assert set(NAMES) == set(CASES)


def test_every_metric_is_public() -> None:
    check_public(METRICS, metrics)


@pytest.mark.parametrize("name", NAMES)
class TestMetric:
    def test_documented(self, name: str) -> None:
        check_documented(METRICS.resolve(name))

    def test_config_round_trip(self, name: str) -> None:
        again = check_config(METRICS, make(name), LEFT_OUT.get(name, frozenset()))
        again.update_state(*batch(CASES[name][1], 1))
        same(again.result(), fed(name, 1).result())

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(TypeError, match="no_such_argument"):
            make(name, no_such_argument=1).update_state(*batch(CASES[name][1], 1))

    def test_batches_count_alike_in_any_portions(self, name: str) -> None:
        kind = CASES[name][1]
        parts = [batch(kind, seed) for seed in (1, 2)]
        together = make(name)
        together.update_state(*(torch.cat(pair) for pair in zip(*parts, strict=True)))
        same(fed(name, 1, 2).result(), together.result())

    def test_result_changes_nothing(self, name: str) -> None:
        metric = fed(name, 1)
        metric.result()
        metric.result()
        metric.update_state(*batch(CASES[name][1], 2))
        same(metric.result(), fed(name, 1, 2).result())

    def test_reset_starts_afresh(self, name: str) -> None:
        metric = fed(name, 1, 2)
        metric.reset_state()
        same(metric.result(), torch.zeros_like(metric.result()) * UNKNOWN_AT_FIRST.get(name, 1))
        metric.update_state(*batch(CASES[name][1], 3))
        same(metric.result(), fed(name, 3).result())

    def test_state_round_trip(self, name: str) -> None:
        metric = fed(name, 1, 2)
        state = metric.state_dict()
        assert all(isinstance(value, torch.Tensor) for value in state.values())
        other = fed(name, 5)  # what it had is forgotten
        other.load_state_dict(state)
        same(other.result(), metric.result())
        for each in (metric, other):
            each.update_state(*batch(CASES[name][1], 3))
        same(other.result(), metric.result())
        untouched = make(name)
        untouched.load_state_dict(state)
        same(untouched.result(), fed(name, 1, 2).result())  # the state is a copy

    def test_a_foreign_state_is_refused(self, name: str) -> None:
        with pytest.raises(ArgumentError, match="expected a state with"):
            make(name).load_state_dict({"nothing_of_mine": torch.zeros(())})

    def test_deepcopy_is_independent(self, name: str) -> None:
        metric = fed(name, 1)
        twin = copy.deepcopy(metric)
        twin.update_state(*batch(CASES[name][1], 2))
        same(metric.result(), fed(name, 1).result())
        same(twin.result(), fed(name, 1, 2).result())

    def test_float64_and_half_precision(self, name: str) -> None:
        kind = CASES[name][1]
        exact = fed(name, 1, dtype="float64")
        assert exact.dtype == "float64"
        torch.testing.assert_close(
            exact.result().double(), fed(name, 1).result().double(), rtol=1e-4, atol=1e-5
        )
        for dtype in (torch.float64, torch.bfloat16):
            metric = make(name)
            *true, pred = batch(kind, 1)
            pred = pred.to(dtype) if pred.is_floating_point() else pred
            metric.update_state(*true, pred)
            rounded = make(name)
            rounded.update_state(*true, pred.float() if pred.is_floating_point() else pred)
            assert metric.result().dtype is torch.float32
            torch.testing.assert_close(metric.result(), rounded.result(), rtol=0.02, atol=0.02)

    def test_nothing_is_kept(self, name: str) -> None:
        metric = fed(name, 1)
        *true, pred = batch(CASES[name][1], 2)
        if not pred.is_floating_point():
            pred = pred.float()
        check_forgotten(lambda: pred.clone().requires_grad_(), lambda x: metric.update_state(*true, x))
        assert not any(variable.requires_grad for variable in metric.variables)
        assert not metric.result().requires_grad

    def test_stays_on_the_device(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_reduction, "reads_for_nothing", lambda tensor: False)  # as on an accelerator
        metric = fed(name, 1)
        metric.result()
        values = batch(CASES[name][1], 2)
        with no_sync():
            metric.update_state(*values)
            metric.result()
        with torch.device("meta"):
            nowhere = make(name)
        for _ in range(2):
            nowhere.update_state(*(value.to("meta") for value in values))
        assert nowhere.result().device.type == "meta"

    def test_sample_weights_of_one_change_nothing(self, name: str) -> None:
        metric = make(name)
        values = batch(CASES[name][1], 1)
        shape = values[0].shape if name == "BinaryIoU" else values[0].shape[:1]  # it counts elements
        metric.update_state(*values, sample_weight=torch.ones(shape, dtype=torch.int64))
        same(metric.result(), fed(name, 1).result())

    def test_in_compile_it_gives_what_it_gives_alone(self, name: str) -> None:
        kind = CASES[name][1]
        if kind in ("ids", "values"):
            pytest.skip("takes no predictions of a model")
        targets = batch(kind, 1)[0]
        model = network(layers.Dense(4, activation=ACTIVATION.get(kind, "linear")))
        metric = make(name)
        model.compile("sgd", LOSS.get(kind, "mse"), metrics=[metric])
        history = model.fit(features(), targets, batch_size=4, epochs=1, verbose=0)
        assert np.isfinite(np.asarray(history.history[metric.name])).all()
        logs = model.evaluate(features(), targets, batch_size=3, verbose=0, return_dict=True)
        alone = make(name)
        alone.update_state(targets, model(features(), training=False).detach())
        np.testing.assert_allclose(
            np.asarray(logs[metric.name]), alone.result().numpy(), rtol=1e-4, atol=1e-5
        )


def test_what_keras_leaves_out_of_configs_is_there_when_set() -> None:
    auc = metrics.AUC(thresholds=[0.2, 0.7])
    assert check_config(METRICS, auc).thresholds == auc.thresholds
    top = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert check_config(METRICS, top).from_sorted_ids

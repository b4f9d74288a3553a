"""What metrics promise beyond their numbers: custom classes, devices, no gradients, errors, cost."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import copy
import doctest
import importlib
import pkgutil
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import neocog.metrics
from neocog import metrics
from neocog.exceptions import ArgumentError, NeocogError, ShapeError, UnknownNameError
from neocog.metrics import _reduction


class TruePositiveCount(metrics.Metric):
    """As in Keras's guide, with torch functions."""

    def __init__(self, name: str = "hits", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="t", initializer="zeros")
        self.calls = self.add_variable(shape=(2,), initializer="ones", name="calls")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(torch.sum((y_true == 1) & (y_pred > 0.5)))
        self.total.assign(self.total + 0)
        self.calls.assign_add(1)

    def result(self) -> torch.Tensor:
        return self.total / (self.calls[0] - 1)


class Nested(metrics.Metric):
    def __init__(self) -> None:
        super().__init__(name="nested")
        self.inner = metrics.Mean()
        self.others = [metrics.Sum(), TruePositiveCount()]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.inner.update_state(y_pred)
        self.others[0].update_state(y_pred)

    def result(self) -> dict[str, torch.Tensor]:
        return {"mean": self.inner.result(), "sum": self.others[0].result()}


def test_a_metric_written_with_keras_s_idioms() -> None:
    metric = TruePositiveCount()
    y_pred = torch.tensor([0.9, 0.2, 0.7], requires_grad=True)
    metric.update_state(torch.tensor([1, 1, 0]), y_pred)
    value = metric(torch.tensor([1, 1, 1]), y_pred)
    assert float(value) == 1.5
    assert value.numpy() == np.float32(1.5)
    assert not value.requires_grad
    assert len(metric.variables) == 2
    metric.reset_states()
    assert float(metric.total) == 0


def test_nested_metrics_share_state_names_and_reset() -> None:
    metric = Nested()
    metric.update_state(None, torch.tensor([1.0, 3.0]))
    assert {key: float(value) for key, value in metric.result().items()} == {"mean": 2, "sum": 4}
    state = metric.state_dict()
    assert set(state) == {"inner.total", "inner.count", "others.0.total", "others.1.t", "others.1.calls"}
    twin = Nested()
    twin.load_state_dict(state)
    assert float(twin.result()["mean"]) == 2
    metric.reset_state()
    assert float(metric.result()["sum"]) == 0


def test_state_starts_as_the_initializer_says() -> None:
    metric = metrics.Metric()
    for initializer in ("ones", keras_like_ones, torch_ones):
        assert metric.add_weight((2,), initializer).tolist() == [1.0, 1.0]
    assert metric.add_weight((), "random_normal").shape == ()
    with pytest.raises(UnknownNameError, match="ones"):
        metric.add_weight(initializer="ons")


def keras_like_ones(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.ones(shape, "float32")


def torch_ones(shape: Any, dtype: Any = None) -> torch.Tensor:
    return torch.ones(shape, dtype=dtype)


def test_forgotten_super_is_explained() -> None:
    class Forgetful(metrics.Metric):
        def __init__(self) -> None:
            self.total = self.add_weight()

    with pytest.raises(NeocogError, match="super"):
        Forgetful()


def test_updates_keep_no_graph_and_read_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reduction, "reads_for_nothing", lambda tensor: False)  # as on an accelerator

    class NoSync(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            assert func is not torch.ops.aten._local_scalar_dense.default, "a value was read on the host"
            assert func is not torch.ops.aten.nonzero.default, "a shape depends on data"
            return func(*args, **(kwargs or {}))

    labels = torch.tensor([0, 2, 1, 1])
    one_hot = torch.nn.functional.one_hot(labels, 3).float()
    scores = torch.rand(4, 3, requires_grad=True)
    sparse = {"SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "SparseCategoricalCrossentropy"}
    arguments: dict[str, dict[str, Any]] = {
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "IoU": {"num_classes": 3, "target_class_ids": [0]},
        "MeanIoU": {"num_classes": 3},
        "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
        "OneHotMeanIoU": {"num_classes": 3},
    }
    for name, entry in metrics.METRICS.items():
        if name in ("Metric", "MeanMetricWrapper"):
            continue
        metric = entry(**arguments.get(name, {}))
        weight = torch.tensor([1, 2, 1, 1]) if "IoU" in name else torch.tensor([1.0, 0.5, 2.0, 1.0])
        y_pred = torch.rand(4, 3) if name in ("Sum", "Mean") else scores
        y_true = labels if name in sparse else one_hot
        with NoSync():
            for weighted in (None, weight):
                if name in ("Sum", "Mean"):
                    metric.update_state(y_pred, sample_weight=weighted)
                elif "IoU" in name and name not in ("BinaryIoU", "OneHotIoU", "OneHotMeanIoU"):
                    metric.update_state(labels, labels, sample_weight=weighted)
                elif name == "BinaryIoU":
                    metric.update_state(one_hot, y_pred)
                else:
                    metric.update_state(y_true, y_pred, sample_weight=weighted)
        assert all(not variable.requires_grad for variable in metric.variables), name


def test_the_usual_update_costs_a_handful_of_calls() -> None:
    calls: list[str] = []

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            calls.append(str(func))
            return func(*args, **(kwargs or {}))

    metric = metrics.SparseCategoricalAccuracy()
    y_true, y_pred = torch.randint(0, 10, (32,)), torch.rand(32, 10)
    metric.update_state(y_true, y_pred)  # the first reads the total
    with torch.no_grad(), Count():
        metric.update_state(y_true, y_pred)
    assert len([name for name in calls if "detach" not in name]) == 4, calls  # argmax, eq, count, read
    assert metric.count == 64
    assert metric.total == 2 * (y_pred.argmax(1) == y_true).sum()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a second device")
def test_state_moves_to_the_device_of_the_predictions() -> None:
    metric = TruePositiveCount()
    before = metric.total
    metric.update_state(torch.ones(3, device="cuda"), torch.ones(3, device="cuda"))
    assert metric.total is before
    assert metric.total.device.type == metric.calls.device.type == "cuda"
    for entry in (
        metrics.AUC(),
        metrics.F1Score(),
        metrics.R2Score(),
        metrics.Precision(thresholds=[0.1, 0.9]),
    ):
        entry.update_state(torch.eye(3), torch.rand(3, 3, device="cuda"), sample_weight=[1.0, 2.0, 3.0])
        assert entry.result().device.type == "cuda"


def test_labels_may_live_elsewhere_and_be_lists() -> None:
    assert float(metrics.BinaryAccuracy()([[1], [0]], np.array([[0.7], [0.6]]))) == 0.5


def test_counts_beyond_float32_stay_exact() -> None:
    metric = metrics.Mean()
    metric._seen = 2**24 + 1
    metric.total.fill_(2.0**24 + 1)
    metric.update_state(torch.zeros(1))
    assert metric._seen == 2**24 + 2


def test_deepcopy_is_apart() -> None:
    metric = metrics.Mean()
    metric.update_state([2.0])
    twin = copy.deepcopy(metric)
    twin.update_state([4.0])
    assert (float(metric.result()), float(twin.result())) == (2.0, 3.0)


def test_updates_inside_inference_mode_go_on_outside() -> None:
    metric = metrics.F1Score()
    with torch.inference_mode():
        metric.update_state(torch.eye(3), torch.rand(3, 3))
    metric.update_state(torch.eye(3), torch.rand(3, 3))
    assert metric.result().shape == (3,)


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "mae", "bce", "accuracy", "mean_squared_error", "AUC", "auc", "f1_score"]
)
def test_names_that_keras_knows(name: str) -> None:
    assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__


def test_get_takes_what_keras_takes() -> None:
    assert metrics.get(None) is None
    assert isinstance(metrics.get(metrics.AUC), metrics.AUC)
    metric = metrics.Recall()
    assert metrics.get(metric) is metric
    assert metrics.get(metrics.serialize(metric)).get_config() == metric.get_config()
    assert metrics.get(metrics.mean_squared_error) is metrics.mean_squared_error
    with pytest.raises(UnknownNameError, match="categorical_accuracy"):
        metrics.get("categorical_acuracy")


def test_wrapped_functions_and_their_configuration() -> None:
    metric = metrics.MeanMetricWrapper(metrics.huber, name="h", delta=2.0)
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="h", delta=2.0)
    y_true, y_pred = np.random.rand(5, 3).astype("float32"), 4 * np.random.rand(5, 3).astype("float32")
    np.testing.assert_allclose(float(metric(y_true, y_pred)), float(theirs(y_true, y_pred)), rtol=1e-6)
    twin = metrics.deserialize(metrics.serialize(metric))
    assert twin.get_config() == metric.get_config()
    assert type(metrics.deserialize(keras.metrics.serialize(theirs))) is metrics.MeanMetricWrapper

    def mine(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
        return (y_true - y_pred).abs().amax(dim=-1)

    custom = metrics.MeanMetricWrapper(mine)
    assert custom.name == "mine"
    with pytest.raises(UnknownNameError):
        metrics.deserialize(metrics.serialize(custom))
    assert metrics.deserialize(metrics.serialize(custom), {"mine": mine})._fn is mine


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ((4, 1), (4, 1), "Binary"),
        ((4,), (4, 1), "Binary"),
        ((4,), (4,), "Binary"),
        ((4,), (4, 10), "SparseCategorical"),
        ((4, 1), (4, 10), "SparseCategorical"),
        ((4, 7), (4, 7, 10), "SparseCategorical"),
        ((4, 10), (4, 10), "Categorical"),
        ((None, 7, 10), (None, 7, 10), "Categorical"),
    ],
)
def test_accuracy_means_what_keras_means(y_true: Any, y_pred: Any, expected: str) -> None:
    for name in ("accuracy", "acc", "Accuracy"):
        metric = metrics.resolve_accuracy(name, y_true, y_pred)
        assert (type(metric).__name__, metric.name) == (f"{expected}Accuracy", name)
    for name in ("crossentropy", "ce"):
        assert type(metrics.resolve_accuracy(name, y_true, y_pred)).__name__ == f"{expected}Crossentropy"
    if len(y_pred) > 1 and None not in y_pred:
        from keras.src.trainers.compile_utils import get_metric

        theirs = get_metric("acc", np.zeros(y_true), np.zeros(y_pred))
        assert type(theirs).__name__ == f"{expected}Accuracy"


@pytest.mark.parametrize(
    "make",
    [
        lambda: metrics.Precision(thresholds=[0.5, 1.5]),
        lambda: metrics.Precision(top_k=0),
        lambda: metrics.AUC(num_thresholds=1),
        lambda: metrics.AUC(curve="ROCK"),
        lambda: metrics.AUC(num_labels=3),
        lambda: metrics.F1Score(average="mean"),
        lambda: metrics.FBetaScore(beta=0.0),
        lambda: metrics.F1Score(threshold=0.0),
        lambda: metrics.RecallAtPrecision(1.5),
        lambda: metrics.R2Score(class_aggregation="sum"),
        lambda: metrics.IoU(2, [0, 2]),
        lambda: metrics.BinaryCrossentropy(label_smoothing=2),
        lambda: metrics.resolve_accuracy("precision", (3,), (3, 2)),
    ],
)
def test_bad_arguments_are_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        make()


@pytest.mark.parametrize(
    ("make", "y_true", "y_pred"),
    [
        (metrics.SparseCategoricalAccuracy, (4, 3), (4, 3)),
        (metrics.CategoricalAccuracy, (4,), (4, 3)),
        (metrics.Precision, (4,), (4, 3)),
        (metrics.AUC, (4, 2), (4, 3)),
        (metrics.F1Score, (4,), (4,)),
        (metrics.R2Score, (4,), (4,)),
        (lambda: metrics.Recall(class_id=3), (4, 3), (4, 3)),
        (lambda: metrics.AUC(multi_label=True), (4,), (4,)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make: Any, y_true: Any, y_pred: Any) -> None:
    with pytest.raises(ShapeError, match="expected"):
        make().update_state(torch.ones(y_true), torch.rand(y_pred))


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="sample_weight"):
        metrics.MeanSquaredError().update_state(torch.rand(4, 2), torch.rand(4, 2), sample_weight=[1.0, 2.0])
    with pytest.raises(ShapeError, match="sample_weight"):
        metrics.Precision().update_state(torch.ones(4, 2), torch.rand(4, 2), sample_weight=[1.0, 2.0])


def test_states_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ArgumentError, match="total"):
        metrics.Mean().load_state_dict(metrics.Sum().state_dict())
    with pytest.raises(ArgumentError, match="shape"):
        metrics.Precision().load_state_dict(metrics.Precision(thresholds=[0.1, 0.2]).state_dict())


def test_float_weights_of_integer_counts_warn_as_in_keras() -> None:
    with pytest.warns(UserWarning, match="float32"):
        metrics.MeanIoU(2).update_state([0, 1], [0, 1], sample_weight=np.array([0.3, 2.0], "float32"))
    metric = metrics.MeanIoU(2, dtype="float32")
    metric.update_state([0, 1], [1, 1], sample_weight=np.array([0.5, 1.0], "float32"))
    assert float(metric.result()) == pytest.approx((0 + 1 / 1.5) / 2, rel=1e-6)


def test_weights_of_samples_are_refused_where_a_sample_has_several_labels_as_in_keras() -> None:
    labels, weights = np.array([[0, 1], [1, 1], [0, 0]]), np.array([1, 2, 3])
    with pytest.raises(RuntimeError):
        keras.metrics.BinaryIoU().update_state(labels, labels.astype("float32"), weights)
    metric = metrics.BinaryIoU()
    text = r'BinaryIoU "binary_io_u": expected one sample_weight for each of the 6 labels, got shape \(3,\)'
    with pytest.raises(ShapeError, match=text):
        metric.update_state(labels, labels.astype("float32"), weights)
    metric.update_state(labels, labels.astype("float32"), np.repeat(weights[:, None], 2, axis=1))
    assert metric.total_cm.value.tolist() == [[7, 0], [0, 5]]


def test_an_adjusted_r2_without_enough_values_warns() -> None:
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state(torch.rand(3, 1), torch.rand(3, 1))
    with pytest.warns(UserWarning, match="regressors"):
        metric.result()


def test_examples_in_docstrings() -> None:
    for module in pkgutil.iter_modules(neocog.metrics.__path__, "neocog.metrics."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name

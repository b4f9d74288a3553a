"""Models as estimators: scikit-learn's own checks, pipelines, searches, and the path of Keras 2."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import warnings

import keras as real
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import neocog as keras
from neocog.exceptions import ArgumentError, ArgumentTypeError, NotCompiledError
from neocog.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

QUIET = {"verbose": 0}


def network(X, y, loss, widths=(10,), lib=keras):
    source = lib.layers.Input((X.shape[1],))
    x = source
    for width in widths:
        x = lib.layers.Dense(width, activation="relu")(x)
    count = y.shape[1] if y is not None and y.ndim > 1 else 1
    last = "softmax" if loss == "categorical_crossentropy" else None
    model = lib.Model(source, lib.layers.Dense(count, activation=last)(x))
    model.compile(loss=loss, optimizer=lib.optimizers.Adam(0.01))
    return model


def estimators():
    kinds = [
        (SKLearnClassifier, "categorical_crossentropy"),
        (SKLearnRegressor, "mse"),
        (SKLearnTransformer, "mse"),
    ]
    return [
        kind(network, model_kwargs={"loss": loss, "widths": [8]}, fit_kwargs=QUIET) for kind, loss in kinds
    ]


# Two trainings draw different weights: what compares them cannot hold. Real Keras leaves out the same ones.
DRAWN = dict.fromkeys(("check_fit_idempotent", "check_supervised_y_2d"), "two trainings differ")
EXPECTED = {
    SKLearnClassifier: {
        **DRAWN,
        "check_classifier_data_not_an_array": "two trainings differ",
        "check_classifiers_train": "decision_function gives the model's own outputs, two for two classes",
        "check_classifiers_classes": "after one epoch not every class is predicted",
    },
    SKLearnRegressor: {
        **DRAWN,
        "check_regressor_data_not_an_array": "two trainings differ",
        "check_regressors_int": "two trainings differ",
        "check_regressor_multioutput": "predictions are float32",
    },
    SKLearnTransformer: {"check_fit_idempotent": "two trainings differ"},
}


def name_of(value):
    """The same name in every process: scikit-learn's own hold the addresses of functions."""
    return getattr(getattr(value, "func", value), "__name__", type(value).__name__)


CHECKS = parametrize_with_checks(estimators(), expected_failed_checks=lambda made: EXPECTED[type(made)])


@pytest.mark.parametrize(*CHECKS.args, **{**CHECKS.kwargs, "ids": name_of})
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_classifiers_learn_any_labels():
    keras.utils.set_random_seed(0)
    x, y = make_classification(120, n_features=6, n_informative=4, n_classes=3, random_state=0)
    labels = np.array(["cat", "dog", "emu"])[y]
    model = SKLearnClassifier(
        network, model_kwargs={"loss": "categorical_crossentropy"}, fit_kwargs={"epochs": 40, "verbose": 0}
    )
    pipe = make_pipeline(StandardScaler(), model).fit(x, labels)
    assert pipe.score(x, labels) > 0.7
    assert set(pipe.predict(x)) == {"cat", "dog", "emu"}
    assert pipe.decision_function(x).shape == (120, 3)
    assert pipe[-1].classes_.tolist() == ["cat", "dog", "emu"]
    assert pipe[-1].epoch_ == list(range(40))
    with pytest.raises(ArgumentError, match="only one class"):
        model.fit(x, np.zeros(120, int))
    with pytest.raises(ArgumentError, match="binary and multiclass"):
        model.fit(x, x[:, 0])


def test_searches_and_clones():
    x, y = make_regression(60, 4, random_state=0)
    y = (y - y.mean()) / y.std()
    model = SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs={"epochs": 2, "verbose": 0})
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    grid = {"model_kwargs": [{"loss": "mse", "widths": [4]}, {"loss": "mse", "widths": [16, 4]}]}
    search = GridSearchCV(model, grid, cv=2).fit(x, y)
    assert search.best_params_["model_kwargs"]["widths"] in ([4], [16, 4])
    assert cross_val_score(model, x, y, cv=KFold(2)).shape == (2,)
    assert model.fit(x, np.stack([y, y], 1)).predict(x).shape == (60, 2)
    assert model.fit(x, y, epochs=5).epoch_ == list(range(5))  # before fit_kwargs
    assert model.fit_kwargs == {"epochs": 2, "verbose": 0}


def test_a_model_is_cloned_unless_it_starts_warm():
    x, y = make_regression(32, 3, random_state=0)
    given = network(x, y, "mse")
    before = given.get_weights()
    cold = SKLearnRegressor(given, fit_kwargs=QUIET).fit(x, y)
    assert cold.model_ is not given
    for a, b in zip(before, given.get_weights()):
        np.testing.assert_array_equal(a, b)
    warm = SKLearnRegressor(given, warm_start=True, fit_kwargs=QUIET).fit(x, y)
    assert warm.model_ is given
    assert warm.fit(x, y).model_ is given
    transformer = SKLearnTransformer(given, fit_kwargs=QUIET).fit(x, y)
    assert transformer.transform(x).shape == (32, 1)
    with pytest.raises(NotCompiledError, match="compile"):
        SKLearnRegressor(lambda X, y: keras.Sequential([keras.layers.Dense(1)])).fit(x, y)
    with pytest.raises(ArgumentTypeError, match="a function of X and y"):
        SKLearnRegressor(3).fit(x, y)


def test_metadata_routing():
    with pytest.raises(RuntimeError, match="metadata routing"):
        estimators()[1].set_fit_request(sample_weight=True)
    with config_context(enable_metadata_routing=True):
        found = estimators()[1].set_fit_request(sample_weight=True)
        assert found.get_metadata_routing().fit.requests == {"sample_weight": True}


def test_predictions_are_those_of_keras():
    x, y = make_regression(20, 3, random_state=0)
    ours = SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET).fit(x, y)
    theirs = real.wrappers.SKLearnRegressor(network, model_kwargs={"loss": "mse", "lib": real})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(x, y, verbose=0)
    theirs.model_.set_weights(ours.model_.get_weights())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # real Keras speaks of its own
        np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=1e-5)


def build(width=8, loss="binary_crossentropy"):
    one = loss in ("binary_crossentropy", "mse")
    last = {"binary_crossentropy": "sigmoid", "mse": None}.get(loss, "softmax")
    model = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(width), keras.layers.Dense(1 if one else 3, last)]
    )
    model.compile("adam", loss, metrics=["mae"] if loss == "mse" else ["accuracy"])
    return model


@pytest.mark.filterwarnings("ignore:.*older spelling:DeprecationWarning")
def test_the_path_of_keras_2():
    from neocog.wrappers.scikit_learn import KerasClassifier, KerasRegressor

    with pytest.warns(DeprecationWarning, match=r"write wrappers\.SKLearnRegressor"):
        regressor = KerasRegressor(build_fn=build, loss="mse", nb_epoch=2, batch_size=5, verbose=0)
    x, y = make_regression(40, 4, random_state=0)
    history = regressor.fit(x, y)
    assert len(history.history["loss"]) == 2
    assert regressor.predict(x).shape == (40,)
    assert regressor.score(x, y) == pytest.approx(-np.mean((regressor.predict(x) - y) ** 2), rel=1e-4)
    assert cross_val_score(regressor, x, y, cv=2).max() < 0
    labels = np.array(["a", "b", "c"])
    for loss, count in (("binary_crossentropy", 2), ("categorical_crossentropy", 3),
                        ("sparse_categorical_crossentropy", 3)):  # fmt: skip
        names = labels[np.arange(40) % count]
        model = KerasClassifier(build, loss=loss, epochs=1, verbose=0)
        model.fit(x, names)
        assert set(model.predict(x)) <= set(labels[:count])
        np.testing.assert_allclose(model.predict_proba(x).sum(1), 1, rtol=1e-5)
        assert model.score(x, names) == pytest.approx(np.mean(model.predict(x) == names))
    search = GridSearchCV(KerasClassifier(build, epochs=1, verbose=0), {"width": [2, 3]}, cv=2)
    search.fit(x, np.arange(40) % 2)
    assert search.best_params_["width"] in (2, 3)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ArgumentError, match="'widht'"):
        KerasClassifier(build, widht=3)
    with pytest.raises(ArgumentError, match="build_fn"):
        KerasClassifier()


def test_both_paths_of_keras_2_lead_there():
    from neocog.wrappers.scikit_learn import KerasRegressor

    assert keras.wrappers.scikit_learn.KerasRegressor is KerasRegressor
    with pytest.warns(DeprecationWarning, match=r"neocog\.wrappers\.scikit_learn\.KerasRegressor"):
        from neocog.keras.wrappers.scikit_learn import KerasRegressor as again
    assert again is KerasRegressor

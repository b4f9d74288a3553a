"""Older spellings of Keras run with a warning that names today's; TensorFlow's say what to write."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

import neocog as keras
from neocog._elsewhere import OLD_PATHS, TENSORFLOW

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


def spoken(code: str) -> tuple[Any, list[str]]:
    """Run an expression and return its value and the deprecation warnings that it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = eval(code, {"keras": keras})  # noqa: S307
    return value, [str(w.message) for w in caught if issubclass(w.category, DeprecationWarning)]


@pytest.mark.parametrize(
    ("code", "today"),
    [
        ("keras.optimizers.SGD(lr=0.1)", "learning_rate"),
        ("keras.optimizers.Adam(0.1, decay=1e-6)", "InverseTimeDecay"),
        ("keras.layers.LeakyReLU(alpha=0.2)", "negative_slope"),
        ('keras.layers.Conv2D(3, 3, padding="SAME")', "'same'"),
        ('keras.layers.MaxPooling2D(2, padding="VALID")', "'valid'"),
        ("keras.layers.MaxPool2D(2)", "MaxPooling2D"),
        ("keras.layers.GlobalAvgPool2D()", "GlobalAveragePooling2D"),
        ("keras.layers.Convolution2D(3, 3)", "Conv2D"),
        ("keras.layers.Dense(3, input_dim=4)", "Input"),
        ("keras.layers.Embedding(5, 3, input_length=4)", "Input of shape (length,)"),
        ('keras.callbacks.ModelCheckpoint("a.keras", period=2)', "save_freq"),
        ('keras.callbacks.ModelCheckpoint("a.hdf5")', ".keras"),
        ('keras.callbacks.ModelCheckpoint("a.weights.hdf5", save_weights_only=True)', ".weights.h5"),
        ("keras.layers.core.Dense(3)", "neocog.layers.Dense"),
        ("keras.layers.experimental.preprocessing.Rescaling(2.0)", "neocog.layers.Rescaling"),
        ("keras.utils.np_utils.to_categorical([0, 1])", "neocog.utils.to_categorical"),
        ("keras.optimizers.legacy.Adam()", "neocog.optimizers.Adam"),
        ("keras.keras.layers.Dense(3)", "neocog.layers.Dense"),
        ("keras.objectives.mean_squared_error", "neocog.losses.mean_squared_error"),
        ("keras.constraints.maxnorm(2)", "MaxNorm"),
        ("keras.regularizers.l1l2(0.1, 0.1)", "L1L2"),
    ],
)
def test_an_older_spelling_runs_and_names_todays(code: str, today: str) -> None:
    value, said = spoken(code)
    assert value is not None
    assert len(said) == 1
    assert today in said[0]


def test_todays_spelling_says_nothing() -> None:
    assert spoken('keras.layers.Conv2D(3, 3, padding="same", input_shape=(8, 8, 1))')[1] == []


@pytest.mark.parametrize("path", sorted({*OLD_PATHS, "keras", "keras.layers", "keras.layers.core"}))
def test_older_paths_can_be_imported(path: str) -> None:
    module = importlib.import_module(f"neocog.{path}")
    with pytest.raises(AttributeError, match="no_such_thing"):
        module.no_such_thing


def test_from_an_older_path() -> None:
    with pytest.warns(DeprecationWarning, match=r"write neocog\.layers\.Dense") as caught:
        from neocog.layers.core import Dense
    assert Dense is keras.layers.Dense
    assert caught[0].filename == __file__


def test_acc_is_the_key_of_the_history() -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    with pytest.warns(DeprecationWarning, match="'accuracy'"):
        model.compile("sgd", "binary_crossentropy", metrics=["acc"])
    history = model.fit(X, Y, validation_data=(X, Y), epochs=1, verbose=0).history
    assert set(history) == {"acc", "loss", "val_acc", "val_loss"}


@pytest.mark.parametrize(
    ("code", "today"),
    [
        ('keras.layers.Conv2D(3, 3, border_mode="same")', "padding"),
        ('keras.layers.Dense(3, init="uniform")', "kernel_initializer"),
        ("keras.layers.Conv2D(3, 3, subsample=(2, 2))", "strides"),
    ],
)
def test_the_first_keras_is_refused_with_todays_name(code: str, today: str) -> None:
    with pytest.raises(TypeError, match=f"Keras 1's name; write {today}"):
        eval(code, {"keras": keras})  # noqa: S307


@pytest.mark.parametrize("name", sorted(TENSORFLOW))
def test_what_only_tensorflow_has_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError, match=r"TensorFlow's\. Here: "):
        getattr(keras, name)


@pytest.mark.parametrize(
    ("module", "wrong", "right"),
    [
        ("layers", "Dence", "Dense"),
        ("optimizers", "Adamm", "Adam"),
        ("losses", "mean_square_error", "mean_squared_error"),
        ("utils", "to_categorial", "to_categorical"),
        ("datasets", "mnits", "mnist"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(module: str, wrong: str, right: str) -> None:
    with pytest.raises(AttributeError, match=f"Did you mean '{right}'"):
        getattr(getattr(keras, module), wrong)

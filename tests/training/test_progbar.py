"""`utils.Progbar`, `Config`, `get_source_inputs`, and arguments and methods of older Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import copy
import io
import re
from contextlib import redirect_stdout

import keras as real
import numpy as np
import pytest

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError


def shown(lib, *, updates, **options) -> str:
    """What a bar writes, without colours and times."""
    out = io.StringIO()
    with redirect_stdout(out):
        bar = lib.utils.Progbar(5, interval=0, **options)
        for step, values in updates:
            bar.update(step, values)
    last = out.getvalue().strip().splitlines()[-1]
    return re.sub(r"\x1b\[\d+m|\x08|\r", "", last)


UPDATES = [(step, [("loss", 1.0 / step), ("accuracy", step / 10)]) for step in (1, 2, 4, 5)]


@pytest.mark.parametrize(
    "names", [{}, {"stateful_metrics": ["accuracy"]}, {"stateless_metrics": ["accuracy"]}]
)
def test_values_are_averaged_as_in_keras(names):
    # The last update is left out: Keras shows its bare values.
    ours, theirs = (lib.utils.Progbar(5, verbose=0, **names) for lib in (keras, real))
    for bar in (ours, theirs):
        for step, values in UPDATES[:-1]:
            bar.update(step, values)
    assert ours.values == pytest.approx({key: a / max(n, 1) for key, (a, n) in theirs._values.items()})


def test_the_line():
    both = {"updates": UPDATES, "stateful_metrics": ["loss", "accuracy"]}
    line = shown(keras, **both, width=10)
    assert re.fullmatch(r"5/5 [━=]{10} 0s \d+\w+/step - loss: 0.2000 - accuracy: 0.5000", line)
    assert "loss: 0.2000 - accuracy: 0.5000" in shown(
        real, updates=UPDATES, stateful_metrics=["loss", "accuracy"]
    )
    assert "/sample" in shown(keras, updates=UPDATES, unit_name="sample", verbose=2)
    out = io.StringIO()
    with redirect_stdout(out):
        bar = keras.utils.Progbar(None)
        bar.add(3, [("loss", 0.5)])
        bar.add(1, [("loss", 1.0)])
        bar.update(4, finalize=True)
    assert "4/4" in out.getvalue()
    assert bar.values == {"loss": 0.625}
    with redirect_stdout(out := io.StringIO()):
        keras.utils.Progbar(1, verbose=0).update(1)
    assert out.getvalue() == ""
    with pytest.raises(ArgumentError, match="one of two lists"):
        keras.utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])


def test_config_is_that_of_keras():
    for lib in (keras, real):
        config = lib.utils.Config(b=1, a=2)
        config.c = [3]
        config["d"] = 4
        assert (config.b, config["c"], config.get("e", 5), len(config), "a" in config) == (1, [3], 5, 4, True)
        assert list(config) == ["a", "b", "c", "d"]
        assert config.to_json() == '{"b": 1, "a": 2, "c": [3], "d": 4}'
        assert config.pop("d") == 4
        del config["c"]
        config.update(a=6)
        assert config.as_dict() == {"b": 1, "a": 6} == dict(config.items())
        assert repr(config) == "<Config {'b': 1, 'a': 6}>"
        config.freeze()
        assert config.frozen
        with pytest.raises(ValueError, match=r"frozen|freeze"):
            config.b = 2
        config.unfreeze()
        config.b = 2
        assert list(config.values()) == [2, 6]
        with pytest.raises(AttributeError, match=r"(?i)unknown attribute"):
            config.nothing
    assert copy.deepcopy(keras.utils.Config(a=1)).a == 1


def test_sources_of_a_tensor():
    a, b = layers.Input((3,)), layers.Input((3,))
    unused = layers.Input((3,))
    found = keras.utils.get_source_inputs(layers.Add()([layers.Dense(3)(a), b, a]) * 2.0)
    assert [x is y for x, y in zip(found, (a, b), strict=True)] == [True, True]
    assert keras.utils.get_source_inputs(unused) == [unused]


def test_older_arguments_and_methods():
    with pytest.warns(DeprecationWarning, match="write num_classes"):
        assert keras.utils.to_categorical([0, 1], nb_classes=3).shape == (2, 3)
    x = np.random.RandomState(0).randn(6, 4).astype("float32")
    wide = keras.Sequential([layers.Input((4,)), layers.Dense(3, "softmax")])
    one = keras.Sequential([layers.Input((4,)), layers.Dense(1, "sigmoid")])
    with pytest.warns(DeprecationWarning, match=r"write predict\(x\)\.argmax"):
        assert wide.predict_classes(x).shape == (6,)
    with pytest.warns(DeprecationWarning, match=r"predict\(x\) > 0\.5"):
        assert one.predict_classes(x).tolist() == (one.predict(x, verbose=0) > 0.5).astype(int).tolist()
    with pytest.warns(DeprecationWarning, match=r"write predict\(x\)"):
        np.testing.assert_array_equal(wide.predict_proba(x), wide.predict(x, verbose=0))

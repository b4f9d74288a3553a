"""How many samples are computed at once where no gradient is taken: as many as pay, the results the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.training import _batch_size


class _Sizes(keras.layers.Layer):
    """Notes how large batches are."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def call(self, x: Any) -> Any:
        self.seen.append(len(x))
        return x


def _model(*, compiled: Any = None, shape: tuple[int, ...] = (6,)) -> tuple[keras.Model, _Sizes]:
    keras.utils.set_random_seed(0)
    sizes = _Sizes()
    model = keras.Sequential(
        [keras.Input(shape), sizes, keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", **(compiled or {"metrics": ["accuracy"]}))
    sizes.seen.clear()  # of the graph's making
    return model, sizes


X = np.random.default_rng(0).normal(size=(2000, 6)).astype("float32")
Y = np.arange(2000) % 3


def test_small_samples_are_predicted_in_large_batches() -> None:
    model, sizes = _model()
    found = model.predict(X, verbose=0)
    assert [size for size in sizes.seen if size > 4] == [1024, 976]
    np.testing.assert_allclose(found, model.predict(X, batch_size=32, verbose=0), atol=1e-6)
    sizes.seen.clear()
    model.predict(X, batch_size=500, verbose=0)
    assert max(sizes.seen) == 500
    sizes.seen.clear()
    assert len(model.predict(X, batch_size=32, steps=3, verbose=0)) == 96


def test_steps_alone_deal_the_arrays_out_as_in_keras() -> None:
    model, sizes = _model()
    x, y = X[:40], Y[:40]
    whole = model.evaluate(x, y, verbose=0)
    for steps in (1, 3):
        assert len(model.predict(x, steps=steps, verbose=0)) == 40
        np.testing.assert_allclose(model.evaluate(x, y, steps=steps, verbose=0), whole, rtol=1e-6)
    sizes.seen.clear()
    history = model.fit(x, y, steps_per_epoch=2, validation_data=(x, y), validation_steps=1, verbose=0)
    assert {20, 40} == {size for size in sizes.seen if size > 4}
    again = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(history.history["val_loss"][0], again[0], rtol=1e-6)
    assert len(model.predict(x, batch_size=8, steps=2, verbose=0)) == 16


def test_bounds_and_range_tests_deal_nothing_out() -> None:
    model, sizes = _model()
    model.find_learning_rate(X, Y, steps=20)
    assert max(sizes.seen) == 32
    keras.config.set_max_steps_per_epoch(2)
    try:
        sizes.seen.clear()
        model.fit(X, Y, verbose=0)
        model.evaluate(X, Y, verbose=0)
        assert len(model.predict(X, verbose=0)) == 64
        assert max(sizes.seen) == 32
    finally:
        keras.config.set_max_steps_per_epoch(None)


def test_large_samples_stay_in_small_batches() -> None:
    model, sizes = _model(shape=(200, 200, 3))
    model.predict(np.zeros((70, 200, 200, 3), "float32"), verbose=0)
    assert max(sizes.seen) == 32


def test_evaluation_and_validation_do_likewise() -> None:
    model, sizes = _model()
    model.fit(X, Y, epochs=1, batch_size=64, validation_data=(X, Y), verbose=0)
    assert max(sizes.seen) == 1024
    sizes.seen.clear()
    whole = model.evaluate(X, Y, verbose=0)
    assert max(sizes.seen) == 1024
    sizes.seen.clear()
    np.testing.assert_allclose(whole, model.evaluate(X, Y, batch_size=32, verbose=0), rtol=1e-6)
    model.fit(X, Y, epochs=1, batch_size=64, validation_data=(X, Y), validation_batch_size=20, verbose=0)
    assert max(sizes.seen) == 64


def test_a_metric_of_the_users_sees_the_usual_batches() -> None:
    def of_batch(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
        return y_pred[:, 0].max()  # depends on what else is in the batch

    model, sizes = _model(compiled={"metrics": [of_batch]})
    model.evaluate(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert max(sizes.seen) == 32


@pytest.mark.parametrize("verb", ["test_step", "compute_loss", "compute_metrics"])
def test_steps_of_the_users_are_evaluated_on_the_usual_batches(verb: str) -> None:
    def same(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(keras.Sequential, verb)(self, *args, **kwargs)

    own = type("Own", (keras.Sequential,), {verb: same})
    sizes = _Sizes()
    model = own([keras.Input((6,)), sizes, keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    sizes.seen.clear()
    model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, epochs=1, batch_size=64, validation_data=(X, Y), verbose=0)
    assert max(sizes.seen) == 64


def test_a_predict_step_of_the_users_sees_the_usual_batches() -> None:
    class Centred(keras.Sequential):
        def predict_step(self, data: Any) -> Any:
            found = self(data[0] if isinstance(data, tuple) else data)
            return found - found.mean(0)  # depends on what else is in the batch

    model = Centred([keras.Input((6,)), keras.layers.Dense(3)])
    usual = model.predict(X, batch_size=32, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), usual, atol=1e-6)


def test_a_callback_that_counts_batches_sees_the_usual_ones() -> None:
    class Count(keras.callbacks.Callback):
        batches = 0

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1

    model, _ = _model()
    count = Count()
    model.predict(X, verbose=0, callbacks=[count])
    assert count.batches == 63


@pytest.mark.parametrize("kind", ["stateful", "fixed", "subclassed"])
def test_models_that_need_their_batches_keep_them(kind: str) -> None:
    if kind == "subclassed":

        class Own(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = keras.layers.Dense(2)

            def call(self, x: Any) -> Any:
                return self.dense(x)

        model = Own()
        model(X[:2])
        x = X
    else:
        model = keras.Sequential(
            [keras.Input(batch_shape=(32, 5, 2)), keras.layers.SimpleRNN(2, stateful=kind == "stateful")]
        )
        x = np.zeros((320, 5, 2), "float32")
    source = _batch_size.ArraySource(x, shuffle=False)
    assert _batch_size.in_larger_batches(model, source, [], _batch_size.PREDICT_BATCHES) is source

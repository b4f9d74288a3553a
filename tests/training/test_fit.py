"""`fit` in all its forms: sources, overrides, callbacks, early checks, what remains after Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import neocog
from neocog.exceptions import ArgumentError, DataError, NotCompiledError, ShapeError, UnknownNameError
from neocog.layers import Dense, Dropout, Input
from neocog.models import Model, Sequential


def data(n: int = 64) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def classifier(**compiled: Any) -> Sequential:
    model = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(2, activation="softmax")])
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **compiled})
    return model


def test_one_seed_gives_the_same_numbers_bit_for_bit() -> None:
    runs = []
    for _ in range(2):
        neocog.utils.set_random_seed(7)
        head = [Dropout(0.3), Dense(2, activation="softmax")]
        model = Sequential([Input((4,)), Dense(8, activation="relu"), *head])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(*data(), epochs=3, verbose=0)
        runs.append((history.history, model.get_weights()))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_generators_loaders_and_arrays_all_train() -> None:
    x, y = data()

    def endless() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            for start in range(0, 64, 16):
                yield x[start : start + 16], y[start : start + 16]

    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=16
    )
    losses = []
    sources: list[tuple[Any, dict[str, int]]] = [
        ((x, y), {"batch_size": 16}),
        ((endless(),), {"steps_per_epoch": 4}),
        ((loader,), {}),
    ]
    for source, arguments in sources:
        neocog.utils.set_random_seed(1)
        model = classifier()
        history = model.fit(*source, epochs=2, shuffle=False, verbose=0, **arguments)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    np.testing.assert_allclose(losses[0], losses[2], rtol=1e-6)


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped() -> None:
    seen: list[float] = []

    def numbers() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for i in range(100):
            seen.append(i)
            yield np.full((2, 4), i, "float32"), np.zeros(2, "int64")

    classifier().fit(numbers(), steps_per_epoch=3, epochs=2, verbose=0)
    assert seen[:6] == [0, 1, 2, 3, 4, 5]


def test_an_exhausted_generator_says_so() -> None:
    x, y = data()
    with pytest.raises(DataError, match="exhausted"):
        classifier().fit(iter([(x, y)]), epochs=3, verbose=0)


def test_own_train_step_in_keras_torch_idiom() -> None:
    class Custom(Model):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.loss_tracker = neocog.metrics.Mean(name="loss")
            self.loss_fn = neocog.losses.MeanSquaredError()

        def train_step(self, batch: Any) -> dict[str, Any]:
            x, y = batch[:2]
            y_pred = self(x, training=True)
            loss = self.loss_fn(y, y_pred)
            self.zero_grad()
            loss.backward()
            weights = list(self.trainable_weights)
            gradients = [v.value.grad for v in weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, weights)
            self.loss_tracker.update_state(loss)
            return {m.name: m.result() for m in self.metrics}

        @property
        def metrics(self) -> list[Any]:
            return [self.loss_tracker]

    x = Input((4,))
    model = Custom(x, Dense(1)(x))
    model.compile(optimizer=neocog.optimizers.SGD(0.05))
    inputs = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    history = model.fit(inputs, inputs.sum(1, keepdims=True), epochs=20, verbose=0)
    assert history.history["loss"][-1] < 0.05 * history.history["loss"][0]
    assert type(model).__name__ == "Custom"


def test_own_compute_loss_and_added_losses() -> None:
    class Custom(Model):
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                         training: bool = True) -> torch.Tensor:  # fmt: skip
            return torch.mean((y_pred - y) ** 2) + super().compute_loss(x, y, y_pred, sample_weight, training)

    class Adds(neocog.layers.Layer):
        def call(self, inputs: torch.Tensor) -> torch.Tensor:
            self.add_loss(1000.0 + 0 * inputs.sum())
            return inputs

    x = Input((4,))
    model = Custom(x, Dense(1)(Adds()(x)))
    model.compile("sgd", "mse")
    inputs, targets = np.zeros((8, 4), "float32"), np.full((8, 1), 2.0, "float32")
    assert model.fit(inputs, targets, verbose=0).history["loss"][0] == pytest.approx(1008, abs=1)


def test_torch_optimizer_torch_loss_and_torch_layers() -> None:
    model = Sequential([nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 1), nn.Sigmoid()])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    model.compile(optimizer, nn.BCELoss(), metrics=["accuracy"])
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([0, 1, 1, 0], "float32")
    history = model.fit(x, y, epochs=800, batch_size=4, verbose=0)
    assert history.history["accuracy"][-1] == 1.0
    assert (model.predict(x, verbose=0).round().ravel() == y).all()


def test_callbacks_see_everything_in_order() -> None:
    calls: list[str] = []

    class Recorder(neocog.callbacks.Callback):
        pass

    verbs = [
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_begin",
        "on_test_batch_end",
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
    ]
    for verb in verbs:
        setattr(Recorder, verb, lambda self, *args, _verb=verb, **kwargs: calls.append(_verb))
    classifier().fit(
        *data(32), batch_size=16, epochs=1, validation_split=0.5, verbose=0, callbacks=[Recorder()]
    )
    assert calls == verbs


def test_stop_training_initial_epoch_and_history() -> None:
    class Stop(neocog.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 4

    with pytest.warns(DeprecationWarning, match="'acc' is an older spelling; write 'accuracy'"):
        model = classifier(metrics=["acc"])
    history = model.fit(*data(), epochs=10, initial_epoch=3, verbose=0, callbacks=[Stop()])
    assert history.epoch == [3, 4]
    assert list(history.history) == ["acc", "loss"]
    assert model.history is history


def test_interruption_leaves_a_usable_model() -> None:
    class Interrupt(neocog.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                raise KeyboardInterrupt

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data(), batch_size=8, verbose=0, callbacks=[Interrupt()])
    assert not model.training
    assert model.predict(data()[0], verbose=0).shape == (64, 2)
    model.fit(*data(), verbose=0)


def test_precision_is_forced_and_weights_stay_float32() -> None:
    model = classifier(precision="bfloat16", metrics=["accuracy"])
    model.fit(*data(), epochs=2, verbose=0)
    assert "bfloat16" in str(model.plan)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model(data()[0]).dtype == torch.float32
    assert "float32" in str(_fitted(classifier()).plan)
    with pytest.raises(ArgumentError, match="precision"):
        classifier(precision="bf16x")


def _fitted(model: Sequential) -> Sequential:
    model.fit(*data(), verbose=0)
    return model


def test_a_model_in_which_nothing_trains_is_measured_with_a_warning() -> None:
    x, _ = data()
    frozen = Sequential([Input((4,)), Dense(4, kernel_initializer="ones", trainable=False)])
    means = [neocog.layers.BatchNormalization(center=False, scale=False)]
    for model in (frozen, Sequential([Input((4,)), neocog.layers.Rescaling(2.0)]), Sequential(means)):
        model.compile("adam", "mse", metrics=["mae"])
        with pytest.warns(UserWarning, match="does not have any trainable weights"):
            history = model.fit(x, 0 * x, validation_data=(x, 0 * x), verbose=0).history
        assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert np.abs(model.get_weights()[0]).max() > 0  # means that are followed are no weights that train
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        assert frozen.train_on_batch(x, 0 * x)[0] == pytest.approx(float((x.sum(1) ** 2).mean()), rel=1e-4)


def test_a_loss_that_reaches_no_weight_is_said() -> None:
    model = Sequential([Input((4,)), Dense(4), neocog.layers.Lambda(lambda x: x.detach())])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="expected a loss that depends on weights that train"):
        model.fit(data()[0], data()[0], verbose=0)


def test_frozen_layers_do_not_move() -> None:
    model = classifier()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.layers[0].get_weights()
    model.fit(*data(), epochs=2, verbose=0)
    for a, b in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class TestBadInput:
    """Each mistake gets one clear message before anything is trained."""

    def test_fit_before_compile(self) -> None:
        model = Sequential([Input((4,)), Dense(2)])
        for verb in (model.fit, model.evaluate, model.train_on_batch):
            with pytest.raises(NotCompiledError, match="Call compile first"):
                verb(*data())

    @pytest.mark.parametrize(
        ("arguments", "hint"),
        [
            ({"optimizer": "adan"}, "adam"),
            ({"loss": "sparse_categorical_crosentropy"}, "sparse_categorical_crossentropy"),
            ({"metrics": ["acuracy"]}, "accuracy"),
        ],
    )
    def test_unknown_names(self, arguments: dict[str, Any], hint: str) -> None:
        with pytest.raises(UnknownNameError, match=hint):
            classifier(**arguments)

    def test_labels_outside_the_range(self) -> None:
        x, y = data()
        y[40] = 2
        with pytest.raises(DataError, match="2"):
            classifier().fit(x, y, verbose=0)

    def test_one_hot_against_sparse_and_the_reverse(self) -> None:
        x, y = data()
        with pytest.raises((DataError, ShapeError), match="categorical_crossentropy"):
            classifier().fit(x, np.eye(2, dtype="float32")[y], verbose=0)
        with pytest.raises((DataError, ShapeError), match="sparse_categorical_crossentropy"):
            classifier(loss="categorical_crossentropy").fit(x, y, verbose=0)

    def test_softmax_under_from_logits(self) -> None:
        loss = neocog.losses.SparseCategoricalCrossentropy(from_logits=True)
        with pytest.raises(DataError, match="from_logits"):
            classifier(loss=loss).fit(*data(), verbose=0)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_values_that_are_no_numbers(self, bad: float) -> None:
        x, y = data()
        x[5, 2] = bad
        with pytest.raises(DataError, match=r"sample 5|first: 5"):
            classifier().fit(x, y, verbose=0)

    def test_shapes(self) -> None:
        x, y = data()
        with pytest.raises(ShapeError, match=r"expected data of shape \(None, 4\)"):
            classifier().fit(x[:, :3], y, verbose=0)
        with pytest.raises(DataError, match="64 samples"):
            classifier().fit(x, y[:-1], verbose=0)

    def test_no_loss(self) -> None:
        model = Sequential([Input((4,)), Dense(2)])
        model.compile("sgd")
        with pytest.raises(ArgumentError, match="nothing to minimise"):
            model.fit(*data(), verbose=0)

    def test_callback_class_instead_of_object(self) -> None:
        with pytest.raises(ArgumentError, match="Make an instance"):
            classifier().fit(*data(), verbose=0, callbacks=[neocog.callbacks.EarlyStopping])

    def test_verbose_and_epochs(self) -> None:
        with pytest.raises(ArgumentError, match="verbose"):
            classifier().fit(*data(), verbose=7)
        with pytest.raises((ArgumentError, TypeError), match="epochs"):
            classifier().fit(*data(), epochs=-1, verbose=0)

    def test_targets_for_unknown_outputs(self) -> None:
        x, y = data()
        model = classifier()
        with pytest.raises(ArgumentError, match="expected keys among"):
            model.fit(x, {"haed": y}, verbose=0)


def test_the_plan_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    classifier(metrics=["accuracy"]).fit(*data(), epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("plan: ") for line in lines) == 1
    assert any("loss:" in line for line in lines)


def _spoiled(values: np.ndarray, row: int, value: float) -> np.ndarray:
    values = values.astype("float32")
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda x, y: {"validation_data": (_spoiled(x, 3, np.nan), y)}, ["validation data: ", "(first: 3)"]),
        (lambda x, y: {"validation_data": (x, y + 1)}, ["validation data: ", "class numbers from 0 to 1"]),
        (lambda x, y: {"validation_data": (x, np.eye(2)[y])}, ["validation data: ", "one-hot"]),
        (lambda x, y: {"validation_data": (x, y, _spoiled(y, 5, np.inf))}, ["sample_weight", "(first: 5)"]),
        (lambda x, y: {"sample_weight": _spoiled(y, 2, np.nan)}, ["fit: ", "sample_weight", "(first: 2)"]),
    ],
)
def test_faults_of_validation_data_and_weights_are_said_before_the_first_step(
    given: Any, words: list[str]
) -> None:
    x, y = data()
    model = classifier()
    before = model.get_weights()
    with pytest.raises((DataError, ShapeError)) as caught:
        model.fit(x, y, verbose=0, **given(x, y))
    assert all(word in str(caught.value) for word in words)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_labels_that_only_the_held_out_rows_have_are_said_before_the_first_step() -> None:
    x, y = data()
    y[-4:] = 2
    with pytest.raises(DataError, match=r"validation data: .*class numbers from 0 to 1"):
        classifier().fit(x, y, validation_split=0.1, verbose=0)


def test_validation_data_of_ones_own_test_step_are_not_judged_by_the_loss() -> None:
    class Own(Sequential):
        def test_step(self, data: Any) -> dict[str, Any]:
            return {"rows": torch.tensor(float(len(data[0])))}

    x, y = data()
    model = Own([Input((4,)), Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.fit(x, y, validation_data=(x, y + 7), verbose=0).history["val_rows"]

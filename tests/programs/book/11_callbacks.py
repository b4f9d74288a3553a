"""Callbacks: what may happen while a model trains, with the older `.hdf5` and `period` (older spellings)."""

# needs: module tensorboard

import csv
from pathlib import Path

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(11)
rng = np.random.default_rng(11)
x = rng.normal(size=(200, 12)).astype("float32")
y = (x[:, :4].sum(axis=1) > 0).astype("float32")
x_train, y_train, x_val, y_val = x[:150], y[:150], x[150:], y[150:]


def make(loss="binary_crossentropy", metrics=("accuracy",), optimizer="adam"):
    model = keras.Sequential(
        [keras.Input(shape=(12,)), layers.Dense(8, activation="relu"), layers.Dense(1, "sigmoid")]
    )
    model.compile(loss=loss, optimizer=optimizer, metrics=list(metrics))
    return model


# Checkpoints: the best model, all weights by epoch and score, every so many batches.
checkpoints = [
    keras.callbacks.ModelCheckpoint(
        filepath="best.keras", monitor="val_loss", save_best_only=True, verbose=1
    ),
    keras.callbacks.ModelCheckpoint(
        filepath="checkpoints/weights-{epoch:02d}-{val_accuracy:.2f}.weights.h5", save_weights_only=True
    ),
    keras.callbacks.ModelCheckpoint(filepath="often.keras", save_freq=5),
    keras.callbacks.ModelCheckpoint(
        "most_accurate.keras", monitor="accuracy", mode="max", save_best_only=True
    ),
]
model = make()
history = model.fit(
    x_train, y_train, epochs=4, validation_data=(x_val, y_val), callbacks=checkpoints, verbose=0
)
best_epoch = int(np.argmin(history.history["val_loss"]))
best = keras.models.load_model("best.keras")
np.testing.assert_allclose(
    best.evaluate(x_val, y_val, verbose=0)[0], history.history["val_loss"][best_epoch], rtol=1e-5
)
files = sorted(path.name for path in Path("checkpoints").iterdir())
assert len(files) == 4
assert files[0] == f"weights-01-{history.history['val_accuracy'][0]:.2f}.weights.h5"
model.load_weights(Path("checkpoints", files[-1]))
assert Path("often.keras").exists()
assert Path("most_accurate.keras").exists()
best.fit(x_train, y_train, epochs=1, verbose=0)

# As older chapters write them.
checkpointer = keras.callbacks.ModelCheckpoint(filepath="best_model.hdf5", period=2, save_best_only=True)
make().fit(x_train, y_train, epochs=2, validation_split=0.2, callbacks=[checkpointer], verbose=0)
assert keras.models.load_model("best_model.hdf5").predict(x_val, verbose=0).shape == (50, 1)

# Stopping early, by the loss or by another value.
stopping = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, min_delta=10.0, verbose=1),
    keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=50, restore_best_weights=True),
]
history = make().fit(
    x_train, y_train, epochs=20, validation_data=(x_val, y_val), callbacks=stopping, verbose=0
)
assert len(history.epoch) == 2
stopping = keras.callbacks.EarlyStopping(
    monitor="val_binary_crossentropy", mode="min", patience=1, min_delta=9
)
history = make(metrics=["accuracy", "binary_crossentropy"]).fit(
    x_train, y_train, epochs=20, validation_data=(x_val, y_val), callbacks=[stopping], verbose=0
)
assert len(history.epoch) == 2
assert "val_binary_crossentropy" in history.history

# Curves in a table, and for TensorBoard.
model = make()
model.fit(
    x_train,
    y_train,
    epochs=3,
    validation_data=(x_val, y_val),
    callbacks=[
        keras.callbacks.CSVLogger("training.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.1, patience=10),
        keras.callbacks.TensorBoard(log_dir="my_log_dir", histogram_freq=1, update_freq="epoch"),
    ],
    verbose=0,
)
with open("training.csv", newline="") as file:
    rows = list(csv.DictReader(file))
assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
np.testing.assert_allclose([float(row["loss"]) for row in rows], model.history.history["loss"])
assert {path.name for path in Path("my_log_dir").iterdir()} == {"train", "validation"}

words = rng.integers(0, 30, size=(64, 6))
text_model = keras.Sequential(
    [
        keras.Input(shape=(6,), dtype="int32"),
        layers.Embedding(30, 4, name="embed"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
text_model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
tensorboard = keras.callbacks.TensorBoard(
    log_dir="logs/embedded", histogram_freq=1, embeddings_freq=1, update_freq=1, profile_batch=0
)
text_model.fit(words, words[:, 0] % 2, epochs=2, callbacks=[tensorboard], verbose=0)
assert any(Path("logs/embedded").rglob("events.out.tfevents.*"))


# Callbacks of your own.
class LossHistory(keras.callbacks.Callback):
    """Keep the loss of each batch, and draw nothing until the end."""

    def on_train_begin(self, logs=None):
        self.per_batch_losses, self.per_epoch = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.per_batch_losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs=None):
        self.per_epoch.append(dict(logs))
        self.per_batch_losses = []


class PrintValTrainRatio(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        ratio = logs["val_loss"] / logs["loss"]
        print(f"Epoch={epoch}, val/train={ratio:.2f}")
        if epoch == 3:
            self.model.stop_training = True


class ActivationLogger(keras.callbacks.Callback):
    """What the layers answer to one sample, after each epoch, in a file."""

    def set_model(self, model):
        super().set_model(model)
        outputs = [layer.output for layer in model.layers]
        self.activations_model = keras.Model(model.inputs, outputs)

    def on_epoch_end(self, epoch, logs=None):
        activations = self.activations_model.predict(x_val[:1], verbose=0)
        np.savez(f"activations_at_epoch_{epoch}.npz", *activations)


class TestCounter(keras.callbacks.Callback):
    batches = 0

    def on_test_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.batches += 1


losses = LossHistory()
history = model.fit(
    x_train,
    y_train,
    epochs=10,
    validation_data=(x_val, y_val),
    callbacks=[losses, PrintValTrainRatio(), ActivationLogger()],
    verbose=0,
)
assert len(history.epoch) == len(losses.per_epoch) == 4
np.testing.assert_allclose([logs["loss"] for logs in losses.per_epoch], history.history["loss"])
with np.load("activations_at_epoch_3.npz") as saved:
    assert [saved[name].shape for name in saved.files] == [(1, 8), (1, 1)]

counter = TestCounter()
model.evaluate(x_val, y_val, batch_size=10, callbacks=[counter], verbose=0)
assert counter.batches == 5
model.predict(x_val, batch_size=25, callbacks=[counter], verbose=0)
assert counter.batches == 7


class RunTensorBoard(keras.callbacks.TensorBoard):
    """A folder for each run."""

    def __init__(self, run, **kwargs):
        super().__init__(log_dir=f"runs/{run}", **kwargs)


keras.callbacks.TensorBoard.__init__(RunTensorBoard("a"), log_dir="runs/b")
model.fit(x_train, y_train, epochs=1, callbacks=[RunTensorBoard("first")], verbose=0)
assert Path("runs/first/train").is_dir()
logging = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, sorted(logs)))
model.fit(x_train, y_train, epochs=1, callbacks=[logging], verbose=0)

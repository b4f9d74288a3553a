"""Faster optimizers and learning rates that change, with older spellings beside today's."""

import math

import numpy as np

import neocog as keras
from neocog import backend as K
from neocog import layers, ops

rng = np.random.default_rng(10)
x = rng.normal(size=(256, 10)).astype("float32")
y = (x @ rng.normal(size=(10, 3))).argmax(axis=1)


def build_model(seed=42):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input(shape=(10,)),
            layers.Dense(16, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def build_and_train_model(optimizer, epochs=4, callbacks=None):
    model = build_model()
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    history = model.fit(x, y, epochs=epochs, validation_split=0.25, callbacks=callbacks, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    return model, history


for optimizer in (
    keras.optimizers.SGD(learning_rate=0.05),
    keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    keras.optimizers.SGD(learning_rate=0.05, weight_decay=1e-4),
    keras.optimizers.SGD(lr=0.05, decay=1e-4),
    keras.optimizers.Adagrad(learning_rate=0.05),
    keras.optimizers.RMSprop(learning_rate=0.01, rho=0.9),
    keras.optimizers.RMSprop(lr=1e-2),
    keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999),
    keras.optimizers.Adamax(learning_rate=0.01, beta_1=0.9, beta_2=0.999),
    keras.optimizers.Nadam(learning_rate=0.01, beta_1=0.9, beta_2=0.999),
    keras.optimizers.AdamW(weight_decay=1e-5, learning_rate=0.01, beta_1=0.9, beta_2=0.999),
    "sgd",
    "rmsprop",
    "adam",
    "nadam",
):
    build_and_train_model(optimizer)
assert issubclass(keras.optimizers.Adam, keras.optimizers.Optimizer)

# Power scheduling: Keras 2's decay is today's InverseTimeDecay.
schedule = keras.optimizers.schedules.InverseTimeDecay(
    initial_learning_rate=0.05, decay_steps=10, decay_rate=1.0, staircase=False
)
np.testing.assert_allclose(float(schedule(10)), 0.025, rtol=1e-6)
build_and_train_model(keras.optimizers.SGD(learning_rate=schedule))

# Exponential scheduling, smooth and in steps.
schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=0.05, decay_steps=20, decay_rate=0.1, staircase=False
)
np.testing.assert_allclose(float(schedule(10)), 0.05 * 0.1**0.5, rtol=1e-5)
model, _ = build_and_train_model(keras.optimizers.SGD(learning_rate=schedule))
np.testing.assert_allclose(float(model.optimizer.learning_rate), 0.05 * 0.1 ** (24 / 20), rtol=1e-5)
steps = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=20, decay_rate=0.1, staircase=True)
np.testing.assert_allclose([float(steps(19)), float(steps(20))], [0.05, 0.005], rtol=1e-5)

# Piecewise constant scheduling.
schedule = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries=[10, 20], values=[0.05, 0.01, 0.001])
np.testing.assert_allclose([float(schedule(s)) for s in (5, 15, 25)], [0.05, 0.01, 0.001], rtol=1e-6)
build_and_train_model(keras.optimizers.SGD(learning_rate=schedule))


# The same by functions of the epoch.
def exponential_decay_fn(epoch):
    return 0.05 * 0.1 ** (epoch / 20)


def decay_of_the_last(epoch, lr):
    return lr * 0.1 ** (1 / 20)


for function in (exponential_decay_fn, decay_of_the_last):
    scheduler = keras.callbacks.LearningRateScheduler(function)
    model, history = build_and_train_model(keras.optimizers.Nadam(learning_rate=0.05), callbacks=[scheduler])
    rates = history.history["learning_rate"]
    assert len(rates) == 4
    np.testing.assert_allclose(rates[1] / rates[0], 0.1 ** (1 / 20), rtol=1e-4)

# By what the validation says.
lr_scheduler = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_delta=10.0)
model, history = build_and_train_model(keras.optimizers.SGD(learning_rate=0.1), callbacks=[lr_scheduler])
assert float(model.optimizer.learning_rate) < 0.1


# By an own callback, batch by batch.
class ExponentialLearningRate(keras.callbacks.Callback):
    """Raise the rate a little at each batch, to find the one at which training breaks."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.rates, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(K.get_value(self.model.optimizer.learning_rate)))
        self.losses.append(logs["loss"])
        K.set_value(self.model.optimizer.learning_rate, self.rates[-1] * self.factor)


expon_lr = ExponentialLearningRate(factor=1.1)
model, _ = build_and_train_model(keras.optimizers.SGD(learning_rate=1e-2), callbacks=[expon_lr])
np.testing.assert_allclose(expon_lr.rates[-1], 1e-2 * 1.1 ** (len(expon_lr.rates) - 1), rtol=1e-3)


# By an own schedule: a warm-up, then half a wave.
@keras.utils.register_keras_serializable(package="chapter10")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, top, warmup, total):
        self.top, self.warmup, self.total = top, warmup, total

    def __call__(self, step):
        step = ops.cast(step, dtype="float32")
        part = ops.clip((step - self.warmup) / (self.total - self.warmup), 0.0, 1.0)
        wave = 0.5 * self.top * (1 + ops.cos(math.pi * part))
        return ops.where(step < self.warmup, self.top * step / self.warmup, wave)

    def get_config(self):
        return {"top": self.top, "warmup": self.warmup, "total": self.total}


schedule = WarmupCosine(0.05, 6, 24)
np.testing.assert_allclose([float(schedule(s)) for s in (0, 3, 6, 24)], [0, 0.025, 0.05, 0], atol=1e-6)
model, _ = build_and_train_model(keras.optimizers.SGD(learning_rate=schedule, momentum=0.9))
model.save("scheduled.keras")
again = keras.models.load_model("scheduled.keras")
assert int(again.optimizer.iterations) == 24
assert again.optimizer.get_config()["learning_rate"]["config"] == {"top": 0.05, "warmup": 6, "total": 24}
again.optimizer = keras.optimizers.Adam(1e-3)
assert type(again.optimizer).__name__ == "Adam"

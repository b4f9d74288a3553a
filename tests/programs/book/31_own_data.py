"""Data of one's own making: classes that give batches, generators, steps, splits."""

import math

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(6)
random = np.random.default_rng(6)
x = random.normal(size=(200, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")


class Batches(keras.utils.PyDataset):
    """Batches from arrays; mixed again after each epoch."""

    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.order = np.arange(len(x))
        self.epochs = 0

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.epochs += 1
        self.order = np.random.default_rng(self.epochs).permutation(self.order)


class OlderBatches(keras.utils.Sequence):
    """The same under the name that it had."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return x[index * 50 : index * 50 + 50], y[index * 50 : index * 50 + 50]


def new_model():
    model = keras.Sequential([keras.Input(shape=(4,)), layers.Dense(8, activation="elu"), layers.Dense(1)])
    model.compile(
        optimizer=keras.optimizers.Adam(0.03),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    return model


batches = Batches(x[:160], y[:160], 32, workers=2)
assert len(batches) == 5
model = new_model()
model.fit(batches, epochs=4, validation_data=OlderBatches(), verbose=0)
assert batches.epochs == 4
batches.on_epoch_end()
assert not np.array_equal(batches.order, np.arange(160))
assert model.evaluate(OlderBatches(), verbose=0)[1] > 0.85
assert model.predict(batches, verbose=0).shape == (160, 1)


# A generator never ends: steps say how long an epoch is.
def draws(batch_size, seed=0):
    random = np.random.default_rng(seed)
    while True:
        rows = random.integers(0, 160, batch_size)
        yield x[rows], y[rows]


model = new_model()
history = model.fit(
    draws(16), steps_per_epoch=10, epochs=3, validation_data=draws(20, seed=1), validation_steps=2, verbose=0
)
assert len(history.history["val_loss"]) == 3
assert model.optimizer.iterations == 30
assert model.evaluate(draws(16), steps=4, verbose=0)[1] > 0.8

# Weights of samples and of classes.
weights = np.where(y > 0, 2.0, 1.0)
model = new_model()
model.fit(x, y, sample_weight=weights, batch_size=50, epochs=1, verbose=0)
model.fit(x, y, class_weight={0: 1.0, 1: 2.0}, batch_size=50, initial_epoch=1, epochs=2, verbose=0)
assert history.epoch == [0, 1, 2]
with_weights = model.evaluate(x, y, sample_weight=weights, return_dict=True, batch_size=200, verbose=0)
assert np.isfinite(with_weights["loss"])

# Splits: of arrays into data sets, or by fit itself, which holds back the last part.
left, right = keras.utils.split_dataset((x, y), left_size=0.75, shuffle=True, seed=1)
assert (len(list(left)), len(list(right))) == (150, 50)
model.fit(left.batch(25), validation_data=right.batch(25), epochs=1, verbose=0)
history = model.fit(x=x, y=y, validation_split=0.25, validation_batch_size=25, epochs=1, verbose=0)
assert "val_accuracy" in history.history

# One batch at a time.
first = model.train_on_batch(x[:32], y[:32], return_dict=True)
for _ in range(20):
    last = model.train_on_batch(x[:32], y[:32], return_dict=True)
assert last["loss"] < first["loss"]
assert model.predict_on_batch(x[:5]).shape == (5, 1)
assert model.test_on_batch(x[:32], y[:32])[0] > 0

"""Pipelines: from arrays to mixed, mapped, batched data that fit reads."""

from functools import partial

import numpy as np

import neocog as keras
from neocog import layers
from neocog.data import AUTOTUNE, Dataset

keras.utils.set_random_seed(0)
dataset = Dataset.from_tensor_slices(np.arange(10))
items = [int(item) for item in dataset]
assert items == list(range(10))
for item in dataset.take(3):
    print(item.numpy())
assert [int(item) for item in dataset.skip(7)] == [7, 8, 9]
assert dataset.cardinality() == 10
assert int(dataset.cardinality().numpy()) == 10

# A chain: three passes, batches of seven.
dataset = Dataset.from_tensor_slices(np.arange(10)).repeat(3).batch(7)
assert [batch.numpy().tolist() for batch in dataset][:2] == [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9, 0, 1, 2, 3]]
assert [len(batch) for batch in dataset] == [7, 7, 7, 7, 2]
assert dataset.cardinality().numpy() == 5
doubled = dataset.map(lambda x: x * 2, num_parallel_calls=2)
assert next(iter(doubled)).numpy().tolist() == [0, 2, 4, 6, 8, 10, 12]
assert sum(len(batch) for batch in dataset.unbatch().filter(lambda x: x < 5).batch(4)) == 15


def last_batches_dropped(dataset):
    return dataset.unbatch().batch(7, drop_remainder=True)


assert [len(batch) for batch in dataset.apply(last_batches_dropped)] == [7, 7, 7, 7]

# Mixing: in a buffer, the same with a seed, anew each pass or not.
numbers = Dataset.from_tensor_slices(np.arange(10)).repeat(2)
mixed = numbers.shuffle(buffer_size=4, seed=42).batch(20)
first = next(iter(mixed)).numpy().tolist()
assert sorted(first) == sorted([*range(10), *range(10)])
assert first[0] < 4
once = Dataset.from_tensor_slices(np.arange(50)).shuffle(50, seed=1, reshuffle_each_iteration=False)
assert [int(i) for i in once] == [int(i) for i in once]
anew = Dataset.from_tensor_slices(np.arange(50)).shuffle(
    buffer_size=50, seed=1, reshuffle_each_iteration=True
)
assert [int(i) for i in anew] != [int(i) for i in anew]

# Several arrays at once: tuples and dicts keep their form.
pairs = Dataset.from_tensor_slices(({"a": np.ones((6, 2)), "b": np.zeros(6)}, np.arange(6)))
features, label = next(iter(pairs.batch(4)))
assert features["a"].shape == (4, 2)
assert label.numpy().tolist() == [0, 1, 2, 3]

# What the map computed is kept by cache: the second pass calls nothing.
calls = []


def counted(x):
    calls.append(1)
    return x


cached = Dataset.from_tensor_slices(np.arange(4)).map(counted).cache()
assert list(map(int, cached)) == list(map(int, cached)) == [0, 1, 2, 3]
assert len(calls) == 4


# A function with settings of its own: they are bound to it; map itself takes functions of elements alone.
def to_bin(x, bins):
    return (x * bins).long()


refusal = ""
try:
    Dataset.from_tensor_slices(np.array([0.1, 0.6])).map(to_bin, bins=4)
except TypeError as error:
    refusal = str(error)
assert "bins" in refusal
binned = Dataset.from_tensor_slices(np.array([0.1, 0.6])).map(partial(to_bin, bins=4))
assert [int(i) for i in binned] == [0, 2]

# The pipeline of a training run.
random = np.random.default_rng(0)
x = random.normal(size=(320, 8)).astype("float32")
y = (x[:, 0] > 0).astype("float32")
whole = Dataset.from_tensor_slices((x, y))
train = (
    whole.take(256)
    .cache()
    .shuffle(buffer_size=256, seed=2)
    .map(lambda x, y: (x * 2.0, y), num_parallel_calls=AUTOTUNE)
    .batch(32)
    .prefetch(buffer_size=AUTOTUNE)
)
valid = whole.skip(256).map(lambda x, y: (x * 2.0, y)).batch(32).prefetch(1)
assert train.cardinality() == 8
for features, labels in train.take(1):
    assert features.numpy().shape == (32, 8)
model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=4, verbose=0)
assert model.evaluate(valid, verbose=0)[1] > 0.85
answers = model.predict(valid.map(lambda x, y: x), verbose=0)
assert answers.shape == (64, 1)
endless = train.repeat()
model.fit(endless, steps_per_epoch=4, epochs=2, validation_data=valid.repeat(), validation_steps=1, verbose=0)

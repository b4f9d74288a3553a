"""Tables whose columns are numbers and words: a preprocessing layer for each column, a dict of inputs."""

import numpy as np

import neocog as keras
from neocog import layers

keras.utils.set_random_seed(9)
random = np.random.default_rng(9)
rows = 240
table = {
    "age": random.uniform(20, 80, rows).astype("float32"),
    "income": random.normal(30, 10, rows).astype("float32"),
    "town": random.choice(["Ulm", "Gent", "Graz"], rows),
    "plan": random.choice([10, 20, 30], rows),
    "street": np.array([f"street {i}" for i in random.integers(0, 50, rows)]),
}
target = ((table["town"] == "Graz") | (table["plan"] == 30)).astype("float32")

# Words and whole numbers that stand for kinds, learnt from the table.
towns = layers.StringLookup(output_mode="one_hot")
towns.adapt(table["town"])
assert sorted(towns.get_vocabulary()[1:]) == ["Gent", "Graz", "Ulm"]
assert np.asarray(towns(["Graz", "Rom"])).sum(axis=1).tolist() == [1.0, 1.0]
plans = layers.IntegerLookup(output_mode="one_hot")
plans.adapt(table["plan"])
assert plans.vocabulary_size() == 4
given = layers.StringLookup(vocabulary=["a", "b", "c"], output_mode="multi_hot")
assert np.asarray(given([["a", "c"], ["b", "b"]])).tolist() == [[0, 1, 0, 1], [0, 0, 1, 0]]
numbers = layers.StringLookup(vocabulary=["a", "b"])
words = layers.StringLookup(vocabulary=["a", "b"], invert=True)
assert np.asarray(numbers(["b", "x", "a"])).tolist() == [2, 0, 1]
assert list(words(numbers(["b", "a"]))) in (["b", "a"], [b"b", b"a"])

# Too many kinds for a table: hashes share a few bins.
hashing = layers.Hashing(num_bins=8, salt=1337)
bins = np.asarray(hashing(table["street"]))
assert set(bins.tolist()) <= set(range(8))
assert np.array_equal(bins, np.asarray(layers.Hashing(num_bins=8, salt=1337)(table["street"])))
assert not np.array_equal(bins, np.asarray(layers.Hashing(num_bins=8)(table["street"])))

# Numbers: to mean 0 and deviation 1, or into bins with equally many in each.
normalization = layers.Normalization(axis=None)
normalization.adapt(table["income"])
income = np.asarray(normalization(table["income"]))
assert abs(income.mean()) < 1e-5
assert abs(income.std() - 1) < 1e-4
older = layers.Normalization(input_shape=[1], axis=-1)
older.adapt(table["income"][:, None])
assert np.allclose(np.asarray(older(table["income"][:, None]))[:, 0], income, atol=1e-5)
bucket = layers.Discretization(num_bins=4)
bucket.adapt(table["age"])
counts = np.bincount(np.asarray(bucket(table["age"])).astype(int))
assert len(counts) == 4
assert counts.min() > rows / 8
cuts = layers.Discretization(bin_boundaries=[30.0, 50.0])
assert np.asarray(cuts([25.0, 30.0, 70.0])).tolist() == [0, 1, 2]
encode = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot", dtype="float32")
assert np.asarray(encode(np.array([3, 0, 1]))).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]
count = layers.CategoryEncoding(num_tokens=4, output_mode="count")
assert np.asarray(count(np.array([[0, 0, 2]]))).tolist() == [[2, 0, 1, 0]]

# One model that reads the columns as they are.
inputs = {
    "age": keras.Input(shape=(1,), name="age"),
    "income": keras.Input(shape=(1,), name="income"),
    "town": keras.Input(shape=(1,), name="town", dtype="string"),
    "plan": keras.Input(shape=(1,), name="plan", dtype="int64"),
    "street": keras.Input(shape=(1,), name="street", dtype="string"),
}
streets = layers.Embedding(input_dim=8, output_dim=2)(hashing(inputs["street"]))
features = layers.concatenate(
    [
        encode(bucket(inputs["age"])),
        older(inputs["income"]),
        towns(inputs["town"]),
        plans(inputs["plan"]),
        layers.Flatten()(streets),
    ]
)
hidden = layers.Dense(16, activation="relu")(features)
output = layers.Dense(1, activation="sigmoid", name="yes")(hidden)
model = keras.Model(inputs=inputs, outputs=output)
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
columns = {name: column[:, None] for name, column in table.items()}
dataset = keras.Dataset.from_tensor_slices((columns, target[:, None])).batch(40)
model.fit(dataset, epochs=8, verbose=0)
assert model.evaluate(columns, target[:, None], verbose=0)[1] > 0.95
one = {"age": [[33.0]], "income": [[12.0]], "town": [["Graz"]], "plan": [[10]], "street": [["street 7"]]}
assert model.predict({name: np.array(value) for name, value in one.items()}, verbose=0)[0, 0] > 0.5

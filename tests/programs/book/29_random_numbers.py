"""Random numbers, seeds, variables and starting weights."""

import numpy as np

import neocog as keras
from neocog import initializers, layers

# One seed for everything: the same program gives the same model.
results = []
for _ in range(2):
    keras.utils.set_random_seed(812)
    model = keras.Sequential([keras.Input(shape=(3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.random((32, 3)).astype("float32")
    model.fit(x, x.sum(axis=1), epochs=2, verbose=0)
    results.append([*model.get_weights(), x])
assert all(np.array_equal(a, b) for a, b in zip(*results))

# Draws: a whole number gives the same ones each time, a SeedGenerator goes on.
a = keras.random.normal(shape=(1000,), seed=1)
assert np.array_equal(a, keras.random.normal(shape=(1000,), seed=1))
assert abs(float(a.mean())) < 0.2
generator = keras.random.SeedGenerator(42)
b, c = keras.random.uniform((5,), seed=generator), keras.random.uniform((5,), seed=generator)
assert not np.array_equal(b, c)
d = keras.random.uniform(shape=(200,), minval=-2.0, maxval=3.0, seed=3)
assert -2 <= float(d.min()) < float(d.max()) < 3
dropped = np.asarray(keras.random.dropout(np.ones((1000,), "float32"), rate=0.25, seed=7))
assert set(np.round(np.unique(dropped), 4)) == {0.0, np.round(np.float32(1 / 0.75), 4)}
assert 0.15 < np.mean(dropped == 0) < 0.35
assert sorted(np.asarray(keras.random.shuffle(np.arange(8), seed=0)).tolist()) == list(range(8))
assert keras.random.randint((3, 2), 0, 10, seed=5).shape == (3, 2)


class NoisyDropout(layers.Layer):
    """A layer that draws keeps its own generator, which goes into files with it."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if training:
            return keras.random.dropout(inputs, rate=self.rate, seed=self.seed_generator)
        return inputs


ones = np.ones((4, 50), "float32")
first, second = NoisyDropout(0.5, seed=1), NoisyDropout(0.5, seed=1)
assert np.array_equal(first(ones, training=True), second(ones, training=True))
assert np.array_equal(first(ones), ones)

# Variables change in place.
v = keras.Variable(initializer=np.array([1.0, 2.0], "float32"))
v.assign([3.0, 4.0])
v.assign_add([1.0, 1.0])
v.assign_sub([0.5, 0.0])
assert v.numpy().tolist() == [3.5, 5.0]
zeros = keras.Variable(shape=(2, 3), initializer="zeros", trainable=False, name="counts")
assert zeros.shape == (2, 3)
drawn = keras.Variable(shape=(64, 64), initializer=initializers.GlorotNormal(seed=1))
assert abs(float(np.std(drawn.numpy())) - np.sqrt(2 / 128)) < 0.01

# Starting weights: by name, as an object, as a configuration.
he = initializers.get("he_normal")
weights = np.asarray(he(shape=(100, 50)))
assert abs(weights.std() - np.sqrt(2 / 100)) < 0.02
scaled = initializers.VarianceScaling(scale=2.0, mode="fan_avg", distribution="uniform", seed=2)
layer = layers.Dense(10, activation="relu", kernel_initializer=scaled, bias_initializer="Ones")
layer.build((None, 20))
limit = np.sqrt(3 * 2.0 / 15)
assert np.abs(layer.get_weights()[0]).max() <= limit
assert (layer.get_weights()[1] == 1).all()
config = initializers.serialize(scaled)
again = initializers.deserialize(config)
assert np.array_equal(again(shape=(4, 4)), initializers.get(config)(shape=(4, 4)))
assert (np.asarray(initializers.Zeros()(shape=(3,))) == 0).all()
selu = layers.Dense(5, activation="selu", kernel_initializer="lecun_normal")
selu.build((None, 400))
assert abs(selu.get_weights()[0].std() - np.sqrt(1 / 400)) < 0.01
assert keras.initializers.get(None) is None


def small(shape, dtype=None):
    """A function of a shape works as well."""
    return keras.random.uniform(shape, minval=-0.01, maxval=0.01, seed=1)


mine = layers.Dense(2, kernel_initializer=small)
mine.build((None, 3))
assert np.abs(mine.get_weights()[0]).max() <= 0.01

"""Vanishing and exploding gradients: initial weights and activations, in older spellings."""

# needs: fashion-mnist

import numpy as np

import neocog as keras
from neocog import layers
from neocog.datasets import fashion_mnist

keras.utils.set_random_seed(8)
(X_train, y_train), (X_test, y_test) = fashion_mnist.load_data()
X_train, y_train = X_train[:600].astype("float32") / 255, y_train[:600]

# Each activation with the initialization that belongs to it.
PAIRS = [
    ("relu", "he_normal"),
    ("elu", "he_normal"),
    ("selu", "lecun_normal"),
    ("swish", "he_normal"),
    ("gelu", "he_normal"),
    ("tanh", "glorot_uniform"),
    ("sigmoid", "glorot_normal"),
]
for activation, initializer in PAIRS:
    model = keras.models.Sequential(
        [
            layers.Flatten(input_shape=[28, 28]),
            layers.Dense(40, activation=activation, kernel_initializer=initializer),
            layers.Dense(20, activation=activation, kernel_initializer=initializer, bias_initializer="Ones"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert (model.layers[2].get_weights()[1] == 1).all()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="nadam", metrics=["accuracy"])
    history = model.fit(X_train, y_train, epochs=2, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]

# The spread of what an initializer draws.
he_avg_init = keras.initializers.VarianceScaling(scale=2.0, mode="fan_avg", distribution="uniform")
dense = layers.Dense(200, activation="sigmoid", kernel_initializer=he_avg_init)
dense.build((None, 300))
np.testing.assert_allclose(dense.get_weights()[0].std(), np.sqrt(2.0 / 250), rtol=0.05)
dense = layers.Dense(200, kernel_initializer="he_normal")
dense.build((None, 300))
np.testing.assert_allclose(dense.get_weights()[0].std(), np.sqrt(2.0 / 300), rtol=0.05)
dense = layers.Dense(200, kernel_initializer=keras.initializers.get("lecun_normal"))
dense.build((None, 300))
np.testing.assert_allclose(dense.get_weights()[0].std(), np.sqrt(1.0 / 300), rtol=0.05)
glorot = keras.initializers.GlorotNormal()
assert keras.initializers.serialize(glorot)["class_name"] == "GlorotNormal"
assert float(keras.initializers.Zeros()(shape=(2, 2)).sum()) == 0.0

# Layers in place of names, where an activation has arguments or weights of its own.
old_leaky = layers.LeakyReLU(alpha=0.2)
leaky = layers.LeakyReLU(negative_slope=0.2)
x = np.linspace(-2, 2, 9, dtype="float32")
np.testing.assert_allclose(old_leaky(x).numpy(), np.where(x > 0, x, 0.2 * x), rtol=1e-6)
np.testing.assert_allclose(leaky(x).numpy(), old_leaky(x).numpy())
model = keras.models.Sequential()
model.add(layers.InputLayer(input_shape=(28, 28)))
model.add(layers.Flatten())
model.add(layers.Dense(40, kernel_initializer="he_normal"))
model.add(layers.LeakyReLU(alpha=0.2))
model.add(layers.Dense(20, kernel_initializer="he_normal"))
model.add(layers.PReLU())
model.add(layers.Dense(10))
model.add(layers.Activation("softmax"))
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(),
    optimizer=keras.optimizers.SGD(learning_rate=1e-2, momentum=0.9),
    metrics=[keras.metrics.sparse_categorical_accuracy],
)
history = model.fit(X_train, y_train, epochs=3, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert not (model.layers[4].get_weights()[0] == 0).all()

# A deep network that normalises itself: scaled inputs, SELU, LeCun's initialization, AlphaDropout.
pixel_means, pixel_stds = X_train.mean(axis=0), X_train.std(axis=0) + 1e-3
X_train_scaled = (X_train - pixel_means) / pixel_stds
model = keras.models.Sequential([layers.Flatten(input_shape=[28, 28])])
for _ in range(8):
    model.add(layers.Dense(50, activation="selu", kernel_initializer="lecun_normal"))
signals = model.predict(X_train_scaled, verbose=0)
assert abs(signals.mean()) < 0.3
assert 0.5 < signals.std() < 1.5
model.add(layers.AlphaDropout(rate=0.1))
model.add(layers.Dense(10, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["acc"])
history = model.fit(X_train_scaled, y_train, epochs=3, verbose=0)
assert history.history["acc"][-1] > history.history["acc"][0]
assert np.array_equal(
    model.predict(X_train_scaled[:5], verbose=0), model.predict(X_train_scaled[:5], verbose=0)
)


# Monte Carlo: the dropout stays on, and the spread of the answers says how sure the network is.
class MCDropout(layers.AlphaDropout):
    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


mc_model = keras.Sequential(
    [MCDropout(layer.rate) if isinstance(layer, layers.AlphaDropout) else layer for layer in model.layers]
)
probas = np.stack([mc_model.predict(X_train_scaled[:4], verbose=0) for _ in range(5)])
assert probas.std(axis=0).max() > 0

# Functions by name, and back.
assert keras.activations.get("relu") is keras.activations.relu
assert keras.activations.serialize(keras.activations.relu) == "relu"
logits = np.array([[1.0, 2.0], [3.0, 3.0]], dtype="float32")
np.testing.assert_allclose(
    keras.activations.softmax(keras.ops.array(logits), axis=0).numpy().sum(axis=0), 1, rtol=1e-6
)

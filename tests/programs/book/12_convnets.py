"""Convolutional networks on small pictures, with older spellings here and there."""

# needs: mnist, fashion-mnist

from functools import partial

import numpy as np

import neocog as keras
from neocog import layers
from neocog.datasets import mnist
from neocog.models import Sequential
from neocog.utils import to_categorical

keras.utils.set_random_seed(12)
(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images[:640].reshape((640, 28, 28, 1)).astype("float32") / 255
train_labels = train_labels[:640]
test_images = test_images[:200].reshape((200, 28, 28, 1)).astype("float32") / 255
test_labels = test_labels[:200]

# A small convnet, functional.
inputs = keras.Input(shape=(28, 28, 1))
x = layers.Conv2D(filters=16, kernel_size=3, activation="relu")(inputs)
x = layers.MaxPooling2D(pool_size=2)(x)
x = layers.Conv2D(filters=32, kernel_size=3, activation="relu")(x)
x = layers.MaxPooling2D(pool_size=2)(x)
x = layers.Conv2D(filters=32, kernel_size=3, activation="relu")(x)
x = layers.Flatten()(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
assert [layer.output.shape for layer in model.layers[1:6]] == [
    (None, 26, 26, 16),
    (None, 13, 13, 16),
    (None, 11, 11, 32),
    (None, 5, 5, 32),
    (None, 3, 3, 32),
]
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_images, train_labels, epochs=4, batch_size=64, verbose=0)
test_loss, test_acc = model.evaluate(test_images, test_labels, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert test_acc > 0.7

# The same, stacked, on targets of zeros and ones.
model = Sequential()
model.add(layers.Conv2D(8, (3, 3), input_shape=(28, 28, 1), activation="relu", padding="same", strides=2))
model.add(layers.MaxPooling2D((2, 2), strides=2, padding="same"))
model.add(layers.Dropout(0.25))
model.add(layers.Flatten())
model.add(layers.Dense(10, activation="softmax"))
model.compile(
    optimizer="adam",
    loss=keras.losses.CategoricalCrossentropy(),
    metrics=[keras.metrics.CategoricalAccuracy()],
)
history = model.fit(train_images, to_categorical(train_labels), epochs=2, verbose=0)
assert history.history["categorical_accuracy"][-1] > history.history["categorical_accuracy"][0]

# Fashion, with defaults for all convolutions set once.
(X_train, y_train), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
X_train = np.expand_dims(X_train[:480], axis=-1) / 255
X_test = np.expand_dims(X_test[:120], axis=-1) / 255
y_train, y_test = y_train[:480], y_test[:120]
DefaultConv2D = partial(
    keras.layers.Conv2D, kernel_size=3, padding="same", activation="relu", kernel_initializer="he_normal"
)
model = keras.Sequential(
    [
        DefaultConv2D(filters=8, kernel_size=7, input_shape=[28, 28, 1]),
        keras.layers.MaxPooling2D(),
        DefaultConv2D(filters=16),
        keras.layers.MaxPool2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(units=32, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(units=10, activation="softmax"),
    ]
)
model.compile(loss="sparse_categorical_crossentropy", optimizer="nadam", metrics=["accuracy"])

# Rare or doubtful samples count more or less: by class, or each by itself.
class_weight = dict.fromkeys(range(10), 1.0) | {6: 3.0}
history = model.fit(X_train, y_train, epochs=2, class_weight=class_weight, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
sample_weight = np.where(y_train == 6, 3.0, 1.0)
weighted = model.fit(X_train, y_train, epochs=1, sample_weight=sample_weight, verbose=0)
assert np.isfinite(weighted.history["loss"][0])
nothing = np.zeros(len(y_train))
before = model.get_weights()
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
model.fit(X_train, y_train, epochs=1, sample_weight=nothing, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
model.fit(
    X_train,
    y_train,
    validation_data=(X_test, y_test, np.ones(len(y_test))),
    sample_weight=sample_weight,
    verbose=0,
)

# Depthwise separable convolutions need fewer weights.
size = {"kernel_size": 3, "padding": "same"}
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.SeparableConv2D(16, kernel_size=3, activation="relu", padding="same", strides=2),
        layers.BatchNormalization(),
        layers.SeparableConv2D(32, 3, padding="same", use_bias=False),
        layers.Activation("relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ]
)
assert model.layers[0].count_params() == 3 * 3 * 1 + 1 * 16 + 16
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(X_train, y_train, epochs=2, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]

# Older papers and programs write the padding in capitals: the same.
picture = np.random.default_rng(0).normal(size=(2, 9, 9, 3)).astype("float32")
for old, new in (("SAME", "same"), ("VALID", "valid")):
    shape = keras.layers.Conv2D(4, kernel_size=3, strides=2, padding=old)(picture).shape
    assert shape == keras.layers.Conv2D(4, kernel_size=3, strides=2, padding=new)(picture).shape
assert keras.layers.Conv2D(4, 3, strides=2, padding="SAME")(picture).shape == (2, 5, 5, 4)
assert keras.layers.Conv2D(4, 3, strides=2, padding="VALID", use_bias=False, name="conv")(picture).shape == (
    2,
    4,
    4,
    4,
)
assert keras.layers.MaxPool2D(pool_size=2, strides=1, padding="same")(picture).shape == picture.shape
average = keras.layers.GlobalAvgPool2D()(picture).numpy()
np.testing.assert_allclose(average, picture.mean(axis=(1, 2)), atol=1e-6)
largest = keras.layers.GlobalMaxPooling2D()(picture).numpy()
np.testing.assert_allclose(largest, picture.max(axis=(1, 2)))
average = keras.layers.Lambda(lambda X: keras.ops.mean(X, axis=(1, 2)))(picture).numpy()
np.testing.assert_allclose(average, picture.mean(axis=(1, 2)), atol=1e-6)

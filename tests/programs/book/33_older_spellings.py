"""The older spellings of Keras 1 and 2, which books still print: they run, each with a warning."""

import warnings

import numpy as np
from neocog.layers.core import Dense as CoreDense
from neocog.layers.core import Dropout
from neocog.layers.experimental import preprocessing

import neocog as keras
from neocog import backend as K
from neocog.callbacks import ModelCheckpoint
from neocog.layers import Dense, Flatten, LeakyReLU
from neocog.models import Sequential
from neocog.optimizers import SGD, RMSprop
from neocog.utils import np_utils

keras.backend.clear_session()
keras.utils.set_random_seed(5)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    SGD(lr=0.1)
assert "learning_rate" in str(caught[0].message)

random = np.random.default_rng(5)
x = random.normal(size=(160, 8)).astype("float32")
classes = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0).astype(int)
y = np_utils.to_categorical(classes)
assert y.shape == (160, 3)

# lr, decay, acc, input_dim, nb_epoch; period and .hdf5 of checkpoints.
model = Sequential()
model.add(CoreDense(16, input_dim=8, activation="relu"))
model.add(Dropout(0.1))
model.add(Dense(8, input_dim=16))
model.add(LeakyReLU(alpha=0.2))
model.add(CoreDense(3, activation="softmax"))
sgd = SGD(lr=0.1, decay=1e-4, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["acc"])
checkpoint = ModelCheckpoint("best.hdf5", monitor="val_acc", save_best_only=True, mode="max", period=1)
history = model.fit(x, y, nb_epoch=6, validation_split=0.2, callbacks=[checkpoint], verbose=0)
assert set(history.history) == {"loss", "acc", "val_loss", "val_acc"}
assert len(history.history["acc"]) == 6
best = keras.models.load_model("best.hdf5")
assert np.isclose(best.evaluate(x[128:], y[128:], verbose=0)[1], max(history.history["val_acc"]))
again = Sequential([CoreDense(3, activation="softmax", input_dim=8)])
again.compile(RMSprop(lr=0.01, rho=0.9), loss="categorical_crossentropy", metrics=["accuracy"])


# Generators had verbs of their own.
def batches(size):
    while True:
        rows = random.integers(0, 128, size)
        yield x[rows], y[rows]


history = model.fit_generator(
    batches(32), steps_per_epoch=4, epochs=2, validation_data=batches(16), validation_steps=2, verbose=0
)
assert len(history.history["val_loss"]) == 2
assert len(model.evaluate_generator(batches(16), steps=3)) == 2
assert model.predict_generator(batches(16), steps=2).shape == (32, 3)

# Layers under other names and paths, padding in capitals.
images = random.random((4, 12, 12, 3)).astype("float32")
older = Sequential(
    [
        preprocessing.Rescaling(scale=2.0, input_shape=(12, 12, 3)),
        preprocessing.CenterCrop(height=8, width=8),
        preprocessing.RandomFlip("horizontal"),
        preprocessing.RandomRotation(0.1),
        keras.layers.Convolution2D(4, 3, padding="SAME", activation="swish"),
        keras.layers.MaxPool2D(pool_size=2, strides=2, padding="VALID"),
        keras.layers.MaxPool2D(pool_size=2, padding="same"),
        keras.layers.GlobalAvgPool2D(),
        Flatten(),
    ]
)
assert older.predict(images, verbose=0).shape == (4, 4)
assert isinstance(older.layers[6], keras.layers.MaxPooling2D)
norm = preprocessing.Normalization(axis=-1)
norm.adapt(x)
assert np.allclose(np.asarray(norm(x)).mean(axis=0), 0, atol=1e-5)
norm = keras.layers.experimental.preprocessing.Normalization(axis=1)
norm.adapt(x)
rescale = keras.layers.experimental.preprocessing.Rescaling(scale=1 / 255)
assert np.isclose(float(rescale(np.array([51.0]))[0]), 0.2)
assert keras.layers.experimental.preprocessing.CenterCrop(height=4, width=4)(images).shape == (4, 4, 4, 3)
flip = keras.layers.experimental.preprocessing.RandomFlip("horizontal")
assert flip(images).shape == images.shape
assert np.array_equal(
    keras.layers.experimental.preprocessing.RandomRotation(0.1)(images, training=False), images
)

# The functions of the backend, on tensors and in the graph of a model.
assert np.isclose(float(K.mean(K.constant([1.0, 2.0, 6.0]))), 3.0)
assert np.isclose(float(keras.backend.std(K.constant([1.0, 3.0]))), 1.0)
assert K.epsilon() == 1e-7
assert (K.floatx(), K.image_data_format()) == ("float32", "channels_last")
noise = keras.backend.random_normal(shape=(1000,))
assert abs(float(K.mean(noise))) < 0.2
rate = model.optimizer.learning_rate
keras.backend.set_value(rate, 0.025)
assert np.isclose(keras.backend.get_value(model.optimizer.learning_rate), 0.025)
K.set_value(model.optimizer.lr, K.get_value(model.optimizer.lr) * 2)
assert np.isclose(float(model.optimizer.learning_rate), 0.05)


def standardized(z):
    return (z - K.mean(z, axis=1, keepdims=True)) / (K.std(z, axis=1, keepdims=True) + K.epsilon())


inputs = keras.layers.Input(shape=(8,))
lambda_model = keras.models.Model(inputs=inputs, outputs=keras.layers.Lambda(standardized)(inputs))
assert np.allclose(lambda_model.predict(x, verbose=0).std(axis=1), 1, atol=1e-4)
assert np.allclose(keras.ops.mean(x, axis=1, keep_dims=True), x.mean(axis=1, keepdims=True), atol=1e-6)

# A metric's older verb, and models as text.
mean = keras.metrics.Mean()
mean.update_state([2.0, 4.0])
assert float(mean.result()) == 3.0
mean.reset_states()
assert float(mean.result()) == 0.0
text = model.to_json()
same = keras.models.model_from_json(text)
same.set_weights(model.get_weights())
assert np.allclose(same.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
keras.backend.clear_session()

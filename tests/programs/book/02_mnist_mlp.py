"""Handwritten digits, a first network, and the curves of its training."""

# needs: mnist, module matplotlib

import matplotlib.pyplot as plt
import numpy as np

import neocog as keras
from neocog import layers
from neocog.datasets import mnist

print("neocog", keras.__version__)
keras.backend.clear_session()
keras.utils.set_random_seed(0)

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
assert train_images.shape == (60000, 28, 28)
assert train_images.dtype == "uint8"
train_images = train_images[:1500].reshape((1500, 28 * 28)).astype("float32") / 255
train_labels = train_labels[:1500]
test_images = test_images[:400].reshape((400, 28 * 28)).astype("float32") / 255
test_labels = test_labels[:400]

model = keras.Sequential(
    [
        layers.Dense(128, activation="relu", name="hidden"),
        layers.Dense(10, activation="softmax", name="digit"),
    ],
    name="first_network",
)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x=train_images, y=train_labels, epochs=6, batch_size=64, validation_split=0.2, verbose=2)

# What the history holds, drawn as the chapter draws it.
record = history.history
assert set(record) == {"loss", "accuracy", "val_loss", "val_accuracy"}
epochs = range(1, len(record["accuracy"]) + 1)
plt.plot(epochs, record["loss"], "bo", label="Training loss")
plt.plot(epochs, record["val_loss"], "b", label="Validation loss")
plt.title("Training and validation loss")
plt.xlabel("Epochs")
plt.legend()
plt.savefig("loss.png")
plt.close()

test_loss, test_accuracy = model.evaluate(test_images, test_labels)
print(f"test accuracy: {test_accuracy:.3f}")
assert record["loss"][-1] < record["loss"][0]
assert test_accuracy > 0.7

predictions = model.predict(test_images[:10])
assert predictions.shape == (10, 10)
np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)

# Training goes on where it stopped: the numbers of the epochs too.
more = model.fit(
    train_images,
    train_labels,
    epochs=8,
    initial_epoch=6,
    validation_data=(test_images, test_labels),
    steps_per_epoch=10,
    validation_steps=4,
    verbose=0,
)
assert more.epoch == [6, 7]
assert len(more.history["val_loss"]) == 2

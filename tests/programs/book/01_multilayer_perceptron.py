"""A multilayer perceptron that reads digits, in older spellings.

The first network of the course: pictures of 8×8 pixels are laid flat, two hidden layers look at them, and ten
units answer with probabilities.
"""

# needs: module sklearn

import numpy as np
from neocog.layers.core import Dense as CoreDense

import neocog as keras
from neocog.datasets import digits
from neocog.layers import Activation, Dense, Dropout
from neocog.models import Sequential
from neocog.optimizers import SGD
from neocog.utils import np_utils, to_categorical

keras.utils.set_random_seed(42)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train = x_train.reshape(-1, 64).astype("float32") / 16
x_test = x_test.reshape(-1, 64).astype("float32") / 16
targets = to_categorical(y_train, num_classes=10)
test_targets = np_utils.to_categorical(y_test, 10)
assert targets.shape == (1438, 10)

# One layer after another.
model = Sequential()
model.add(Dense(48, input_shape=(64,)))
model.add(Activation("relu"))
model.add(Dropout(0.1))
model.add(Dense(units=32, activation="tanh", use_bias=True))
model.add(Dense(10))
model.add(Activation("softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.1, momentum=0.9), metrics=["accuracy"])
history = model.fit(x_train, targets, batch_size=32, epochs=12, verbose=0, validation_split=0.1)
score = model.evaluate(x_test, test_targets, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
assert score[1] > 0.85

classes = np.argmax(model.predict(x_test, batch_size=64), axis=1)
assert abs(np.mean(classes == y_test) - score[1]) < 1e-5

# The perceptron of the first lesson: the logical AND, one unit, no hidden layer.
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
y = np.array([0, 0, 0, 1], dtype="float32")
perceptron = Sequential()
perceptron.add(CoreDense(1, input_dim=2, activation="sigmoid"))
perceptron.compile(loss="binary_crossentropy", optimizer=SGD(lr=1.0), metrics=["acc"])
history = perceptron.fit(x, y, epochs=150, verbose=0)
assert history.history["acc"][-1] == 1.0
weights, bias = perceptron.get_weights()
assert weights.shape == (2, 1)
assert bias.shape == (1,)
assert (weights > 0).all()
assert bias[0] < 0

# A layer too many is taken off again.
model.pop()
model.add(Activation("softmax", name="answer"))
assert model.layers[-1].name == "answer"
assert model.get_layer(name="answer") is model.layers[-1]

"""Forty-six classes: what is a newswire about?

One softmax unit a topic. Labels work as one-hot rows with categorical_crossentropy, or as they are with
sparse_categorical_crossentropy. A layer narrower than the number of topics loses what it would need.
"""
# needs: reuters

import numpy as np

import neocog as keras
from neocog.datasets import reuters
from neocog.layers import Dense
from neocog.utils import to_categorical

keras.utils.set_random_seed(5)
(train_data, train_labels), (test_data, test_labels) = reuters.load_data(num_words=300)
train_data, train_labels = train_data[:960], train_labels[:960]
test_data, test_labels = test_data[:400], test_labels[:400]
word_index = reuters.get_word_index()
reverse_word_index = {value: key for key, value in word_index.items()}
newswire = " ".join(reverse_word_index.get(i - 3, "?") for i in train_data[0])
assert newswire.count(" ") == len(train_data[0]) - 1
assert train_labels.max() < 46


def multi_hot(sequences, dimension=300):
    rows = np.zeros((len(sequences), dimension), dtype="float32")
    for row, sequence in zip(rows, sequences):
        row[sequence] = 1
    return rows


x_train, x_test = multi_hot(train_data), multi_hot(test_data)
y_train = to_categorical(train_labels, num_classes=46)
assert y_train.shape == (len(train_labels), 46)
assert (y_train.argmax(axis=1) == train_labels).all()


def newswire_model(width):
    model = keras.Sequential()
    model.add(keras.Input(shape=(300,)))
    model.add(Dense(width, activation="relu"))
    model.add(Dense(46, activation="softmax"))
    return model


model = newswire_model(64)
top_3 = keras.metrics.TopKCategoricalAccuracy(k=3, name="top_3_accuracy")
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy", top_3])
history = model.fit(x_train, y_train, epochs=8, batch_size=32, validation_split=0.2, verbose=0).history
assert history["accuracy"][-1] > 0.5
assert history["top_3_accuracy"][-1] >= history["accuracy"][-1]
assert history["val_accuracy"][-1] > 0.1

predictions = model.predict(x_test, verbose=0)
assert predictions.shape == (len(x_test), 46)
assert np.allclose(predictions.sum(axis=1), 1.0, atol=1e-5)

# The same with integer labels: the same losses, as the starting weights are the same.
losses = []
for labels, loss in (
    (y_train, "categorical_crossentropy"),
    (train_labels, "sparse_categorical_crossentropy"),
):
    keras.utils.set_random_seed(6)
    again = newswire_model(64)
    again.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    losses.append(again.fit(x_train, labels, epochs=1, batch_size=128, verbose=0).history["loss"][0])
assert np.isclose(losses[0], losses[1], rtol=1e-5)

# Four units for forty-six topics: a bottleneck.
narrow = newswire_model(4)
narrow.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    metrics=[
        keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
        keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top_3"),
    ],
)
small = narrow.fit(x_train, train_labels, epochs=8, batch_size=32, verbose=0).history
assert small["accuracy"][-1] < history["accuracy"][-1]
assert small["top_3"][-1] >= small["accuracy"][-1]

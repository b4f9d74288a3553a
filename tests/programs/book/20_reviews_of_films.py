"""Two classes: is a review of a film good or bad?

Reviews are lists of word numbers. Each becomes a row of zeros and ones, one column a word; two small layers
and a sigmoid unit decide.
"""
# needs: imdb

import numpy as np

import neocog as keras
from neocog import layers
from neocog.datasets import imdb

keras.utils.set_random_seed(3)
vocabulary = 300
(train_data, train_labels), (test_data, test_labels) = imdb.load_data(num_words=vocabulary)
train_data, train_labels = train_data[:600], train_labels[:600]
test_data, test_labels = test_data[:200], test_labels[:200]
assert max(max(sequence) for sequence in train_data) < vocabulary
assert train_data[0][0] == 1  # every review begins with the same mark

# Back to words: the numbers 0, 1 and 2 are marks, so that the word numbers begin at 3.
word_index = imdb.get_word_index()
reverse_word_index = {value: key for (key, value) in word_index.items()}
decoded_review = " ".join([reverse_word_index.get(i - 3, "?") for i in train_data[0]])
assert decoded_review.startswith("? ")
assert len(decoded_review.split(" ")) == len(train_data[0])


def vectorize_sequences(sequences, dimension=vocabulary):
    results = np.zeros((len(sequences), dimension))
    for i, sequence in enumerate(sequences):
        for j in sequence:
            results[i, j] = 1.0
    return results


x_train = vectorize_sequences(train_data)
x_test = vectorize_sequences(test_data)
y_train = np.asarray(train_labels).astype("float32")
y_test = np.asarray(test_labels).astype("float32")

model = keras.Sequential(
    [
        layers.Dense(16, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
cut = len(x_train) // 4
x_val, partial_x_train = x_train[:cut], x_train[cut:]
y_val, partial_y_train = y_train[:cut], y_train[cut:]
history = model.fit(
    partial_x_train,
    partial_y_train,
    epochs=8,
    batch_size=32,
    validation_data=(x_val, y_val),
    verbose=0,
)
history_dict = history.history
assert sorted(history_dict.keys()) == ["accuracy", "loss", "val_accuracy", "val_loss"]
assert len(history_dict["val_loss"]) == 8
assert history_dict["loss"][-1] < history_dict["loss"][0]

results = model.evaluate(x_test, y_test, verbose=0)
assert results[1] > 0.7
predictions = model.predict(x_test, verbose=0)
assert predictions.shape == (len(x_test), 1)
assert np.isclose(np.mean((predictions[:, 0] > 0.5) == y_test), results[1])

# A bigger network remembers more of the training reviews; a penalty on its weights or dropout holds it back.
large = keras.Sequential(
    [
        layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.l2(0.002)),
        layers.Dropout(0.5),
        layers.Dense(1),
    ]
)
large.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="binary_accuracy")],
)
stop = keras.callbacks.EarlyStopping(monitor="val_binary_accuracy", patience=3, mode="max")
large.fit(x_train, y_train, epochs=10, batch_size=32, validation_split=0.2, callbacks=[stop], verbose=0)
assert large.evaluate(x_test, y_test, return_dict=True, verbose=0)["binary_accuracy"] > 0.7
assert len(large.losses) == 1
assert keras.ops.convert_to_numpy(large.losses[0]) > 0

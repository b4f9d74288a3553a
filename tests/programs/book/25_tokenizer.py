"""Texts as lists of numbers, with the Tokenizer and pad_sequences of older books, in older spellings."""

import numpy as np

import neocog as keras
from neocog.layers import GRU, Dense, Embedding, Flatten
from neocog.models import Sequential
from neocog.preprocessing import sequence
from neocog.preprocessing.sequence import pad_sequences
from neocog.preprocessing.text import Tokenizer, text_to_word_sequence

keras.utils.set_random_seed(1)
text = "The cat sat on the mat. The dog ate my homework!"
words = text_to_word_sequence(text)
assert words == ["the", "cat", "sat", "on", "the", "mat", "the", "dog", "ate", "my", "homework"]
assert keras.preprocessing.text.text_to_word_sequence("A-b, C", lower=False) == ["A", "b", "C"]

samples = ["The cat sat on the mat.", "The dog ate my homework."]
tokenizer = Tokenizer(num_words=1000)
tokenizer.fit_on_texts(samples)
sequences = tokenizer.texts_to_sequences(samples)
assert sequences == [[1, 2, 3, 4, 1, 5], [1, 6, 7, 8, 9]]
word_index = tokenizer.word_index
assert len(word_index) == 9
one_hot_results = tokenizer.texts_to_matrix(samples, mode="binary")
assert one_hot_results.shape == (2, 1000)
assert one_hot_results.sum(axis=1).tolist() == [5.0, 5.0]

data = pad_sequences(sequences, maxlen=8)
assert data.tolist() == [[0, 0, 1, 2, 3, 4, 1, 5], [0, 0, 0, 1, 6, 7, 8, 9]]
assert sequence.pad_sequences(sequences, maxlen=4, padding="post", truncating="post")[0].tolist() == [
    1,
    2,
    3,
    4,
]
assert keras.preprocessing.sequence.pad_sequences(sequences).shape == (2, 6)

# A hash in place of a table of words.
results = np.zeros((2, 10, 50))
for i, sample in enumerate(samples):
    for j, word in list(enumerate(sample.split()))[:10]:
        results[i, j, sum(word.encode()) % 50] = 1.0
assert results.sum() == 11

# Complaints and praise, short enough to follow.
random = np.random.default_rng(3)
good, bad = ["lovely", "great", "fine", "splendid"], ["dull", "awful", "poor", "boring"]
middle = ["a", "film", "story", "with", "actors", "and", "music"]
labels = random.integers(0, 2, 160)
texts = [
    " ".join([*random.choice(middle, random.integers(2, 6)), random.choice((bad, good)[y])]) for y in labels
]
tokenizer = Tokenizer(num_words=20, oov_token="<?>")
tokenizer.fit_on_texts(texts)
data = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=6)
assert data.shape == (160, 6)

model = Sequential()
model.add(Embedding(20, 8, input_length=6))
model.add(Flatten())
model.add(Dense(16, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
assert model.output_shape == (None, 1)
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
history = model.fit(
    data[:128], labels[:128], epochs=10, batch_size=16, validation_data=(data[128:], labels[128:]), verbose=0
)
acc, val_acc = history.history["acc"], history.history["val_acc"]
assert len(acc) == len(val_acc) == 10
assert val_acc[-1] > 0.8

# Known vectors of the words, which training leaves alone.
embedding_matrix = np.zeros((20, 2), dtype="float32")
for word, i in tokenizer.word_index.items():
    if i < 20 and word in good + bad:
        embedding_matrix[i] = [1.0 if word in good else -1.0, 0.5]
model = Sequential([Embedding(20, 2), GRU(4), Dense(1, activation="sigmoid")])
model.build(input_shape=(None, 6))
model.layers[0].set_weights([embedding_matrix])
model.layers[0].trainable = False
model.compile(optimizer=keras.optimizers.RMSprop(lr=0.03), loss="binary_crossentropy", metrics=["acc"])
model.fit(data[:128], labels[:128], epochs=4, batch_size=16, verbose=0)
assert np.array_equal(model.layers[0].get_weights()[0], embedding_matrix)
model.save_weights("known_vectors.weights.h5")
assert model.evaluate(data[128:], labels[128:], verbose=0)[1] > 0.9

# Letters instead of words.
letters = Tokenizer(char_level=True)
letters.fit_on_texts(["abba", "abc"])
assert letters.texts_to_sequences(["cab"]) == [[3, 1, 2]]
again = keras.preprocessing.text.tokenizer_from_json(letters.to_json())
assert again.texts_to_sequences(["cab"]) == [[3, 1, 2]]

"""Words to numbers: TextVectorization, embeddings and convolutions along sentences; some older spellings."""

import numpy as np

import neocog as keras
from neocog import layers
from neocog.layers import TextVectorization

keras.utils.set_random_seed(2)
dataset = [
    "I write, erase, rewrite",
    "Erase again, and then",
    "A poppy blooms.",
]
text_vectorization = TextVectorization(output_mode="int")
text_vectorization.adapt(dataset)
vocabulary = text_vectorization.get_vocabulary()
assert vocabulary[:3] == ["", "[UNK]", "erase"]
encoded_sentence = text_vectorization("I write, rewrite, and still rewrite again")
assert encoded_sentence.shape == (7,)
inverse_vocab = dict(enumerate(vocabulary))
decoded = " ".join(inverse_vocab[int(i)] for i in encoded_sentence)
assert decoded == "i write rewrite and [UNK] rewrite again"

# Bags of words and of pairs of words.
words = TextVectorization(max_tokens=40, output_mode="multi_hot")
words.adapt(dataset)
rows = words(dataset)
assert rows.shape[0] == 3
assert set(np.unique(rows.numpy())) == {0.0, 1.0}
pairs = TextVectorization(ngrams=2, max_tokens=40, output_mode="multi_hot")
pairs.adapt(dataset)
assert "erase again" in pairs.get_vocabulary()
weights = TextVectorization(ngrams=2, max_tokens=40, output_mode="tf_idf")
weights.adapt(dataset)
rare = weights.get_vocabulary().index("poppy")
often = weights.get_vocabulary().index("erase")
table = weights(dataset).numpy()
assert table[2, rare] > table[0, often] > 0

# The names that TensorFlow's older releases and their books used.
binary = layers.experimental.preprocessing.TextVectorization(output_mode="binary")
tf_idf = layers.experimental.preprocessing.TextVectorization(output_mode="tf-idf", ngrams=2)
for older in (binary, tf_idf):
    older.adapt(dataset)
assert np.allclose(tf_idf(dataset).numpy(), weights(dataset).numpy()[:, : len(tf_idf.get_vocabulary())])

# A classifier of sentences: what is it about, the sea or the wood?
random = np.random.default_rng(0)
sea, wood = ["wave", "ship", "salt", "tide"], ["tree", "leaf", "moss", "fox"]
plain = ["a", "the", "and", "near", "old", "we", "saw"]
labels = random.integers(0, 2, 160)
texts = np.array(
    [" ".join([*random.choice(plain, 5), *random.choice((sea, wood)[y], 2)][::-1]) for y in labels]
)
vectorize = TextVectorization(max_tokens=30, output_sequence_length=8)
vectorize.adapt(texts)
int_train, int_test = vectorize(texts[:128]), vectorize(texts[128:])
y_train, y_test = labels[:128], labels[128:]

model = keras.Sequential()
model.add(layers.Embedding(input_dim=30, output_dim=8, input_length=8))
model.add(layers.Conv1D(16, 3, activation="relu"))
model.add(layers.MaxPooling1D(2))
model.add(layers.Conv1D(16, 2, activation="relu"))
model.add(layers.GlobalMaxPooling1D())
model.add(layers.Dense(1, activation="sigmoid"))
model.summary()
model.compile(optimizer=keras.optimizers.RMSprop(0.01), loss="binary_crossentropy", metrics=["acc"])
history = model.fit(
    int_train, y_train, epochs=6, batch_size=16, validation_data=(int_test, y_test), verbose=0
)
assert history.history["val_acc"][-1] > 0.9
embeddings = model.layers[0].get_weights()[0]
assert embeddings.shape == (30, 8)

# Averages of the embedding find the words as well; the layer goes into the model, which then reads text.
inputs = keras.Input(shape=(), dtype="string")
x = vectorize(inputs)
x = layers.Embedding(30, 8)(x)
x = layers.GlobalAveragePooling1D()(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
reader = keras.Model(inputs, outputs)
reader.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"])
reader.fit(texts[:128], y_train, epochs=6, batch_size=16, verbose=0)
assert reader.evaluate(texts[128:], y_test, verbose=0)[1] > 0.9
answers = reader.predict(np.array(["the salt and the tide", "moss near the old tree"]), verbose=0)
assert answers[0, 0] < 0.5 < answers[1, 0]

# A text as one long series with an input of its own shape.
series = keras.Sequential(
    [
        layers.Conv1D(4, 5, activation="relu", input_shape=(20, 1)),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1),
    ]
)
assert series.output_shape == (None, 1)

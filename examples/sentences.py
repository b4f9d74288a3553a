"""Tell friendly reviews from unfriendly ones with convolutions over sentences, in two forms.

    python examples/sentences.py DATA/text

`DATA/text` holds the sentence polarity set (Pang and Lee, 2005): `rt-polarity.pos` and `rt-polarity.neg`, one
sentence a line. Network: Y. Kim, Convolutional neural networks for sentence classification (2014).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import neocog as keras
from neocog import layers

LENGTH, WORDS, DIMENSIONS = 40, 12_000, 64


def read_sentences(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the sentences of both classes, mixed by a fixed seed, and 1 for friendly ones."""
    parts = [(folder / f"rt-polarity.{name}").read_text("latin-1").splitlines() for name in ("neg", "pos")]
    texts = np.array([*parts[0], *parts[1]], dtype=object)
    labels = np.repeat([0, 1], [len(part) for part in parts])
    order = np.random.default_rng(0).permutation(len(texts))
    return texts[order], labels[order]


def words_to_numbers(texts: np.ndarray) -> layers.TextVectorization:
    """Return the layer that knows the words of these texts."""
    numbers = layers.TextVectorization(max_tokens=WORDS, output_sequence_length=LENGTH)
    numbers.adapt(texts)
    return numbers


def parallel_widths(numbers: layers.TextVectorization) -> keras.Model:
    """Return the network with three widths of 1D kernels side by side."""
    sizes = {"dimensions": DIMENSIONS, "widths": (3, 4, 5), "filters": 64}
    return keras.zoo.text_cnn(numbers, 1, **sizes, embedding_dropout=0.6, name="parallel_widths")


def word_windows(numbers: layers.TextVectorization, width: int = 4) -> keras.Model:
    """Return the network of word windows: kernels that span the embedding and move along the sentence."""
    return keras.Sequential(
        [
            keras.Input((), dtype="string", name="sentence"),
            numbers,
            layers.Embedding(numbers.vocabulary_size(), DIMENSIONS),
            layers.Dropout(0.6),
            layers.Reshape((LENGTH, DIMENSIONS, 1)),
            layers.Conv2D(96, (width, DIMENSIONS), activation="relu"),  # (length - width + 1, 1, 96)
            layers.GlobalMaxPooling2D(),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="word_windows",
    )


def train(model: keras.Model, texts: np.ndarray, labels: np.ndarray, epochs: int = 4) -> None:
    """Train on sentences. Four epochs are the best in cross-validation within the training part."""
    model.compile(keras.optimizers.Adam(1.5e-3), "binary_crossentropy", metrics=["accuracy"])
    model.fit(texts, labels, batch_size=64, epochs=epochs, verbose=2)


def main(folder: Path) -> None:
    """Train both forms and print how many sentences of the tenth that was held out they tell right."""
    texts, labels = read_sentences(folder)
    held_out = len(texts) // 10
    for make in (parallel_widths, word_windows):
        keras.utils.set_random_seed(1)
        numbers = words_to_numbers(texts[held_out:])
        model = make(numbers)
        train(model, texts[held_out:], labels[held_out:])
        _, accuracy = model.evaluate(texts[:held_out], labels[:held_out], verbose=0)
        print(f"{model.name}: {100 * accuracy:.1f} % of {held_out} sentences")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

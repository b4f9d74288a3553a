"""Convolutions over sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, message
from neocog.layers import (
    Concatenate,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalMaxPooling1D,
    Input,
    TextVectorization,
)
from neocog.models import Model
from neocog.zoo._architecture import enter

_REFERENCE = "Kim, Convolutional Neural Networks for Sentence Classification, 2014."


def text_cnn(
    vocabulary: int | TextVectorization = 20_000,
    classes: int = 2,
    classifier_activation: Any = "auto",
    *,
    length: int | None = None,
    dimensions: int = 300,
    widths: Sequence[int] = (3, 4, 5),
    filters: int = 100,
    embedding_dropout: float = 0.0,
    dropout: float = 0.5,
    embeddings_initializer: Any = "uniform",
    train_embeddings: bool = True,
    name: str = "text_cnn",
) -> Any:
    """Classify sentences by windows of words: 1D kernels of several widths, the best window of each.

    Args:
        vocabulary: number of words, for sentences as numbers; or an adapted TextVectorization, for sentences
            as strings, which becomes part of the model.
        classes: outputs of the classifier; 1 for a sigmoid.
        classifier_activation: "auto" takes softmax, or sigmoid for one output; None gives logits.
        length: words in a sentence; None (the default) takes any, of the widest kernel or more.
        dimensions: of the word vectors.
        widths: words under the kernels.
        filters: kernels of each width.
        embedding_dropout: rate after the word vectors.
        dropout: rate before the classifier.
        embeddings_initializer: of the word vectors, such as `Constant(pretrained)`.
        train_embeddings: False keeps the word vectors as they are.
        name: name of the model.

    Shapes:
        (batch, length) numbers of words, or (batch,) strings, to (batch, classes).

    Returns:
        A functional model.

    Raises:
        ArgumentError: no widths, or sentences shorter than the widest kernel.

    Example:
        >>> text_cnn(1000, dimensions=16, filters=4).output_shape
        (None, 2)

    Reference:
        Kim, Convolutional Neural Networks for Sentence Classification, 2014.
    """
    _check(classes, dimensions, filters, widths, length)
    for what, rate in (("embedding_dropout", embedding_dropout), ("dropout", dropout)):
        check_number("text_cnn", what, rate, minimum=0)
    if isinstance(vocabulary, TextVectorization):
        sentence = Input((), dtype="string", name="sentence")
        numbers, words = vocabulary(sentence), vocabulary.vocabulary_size()
    else:
        words = check_int("text_cnn", "vocabulary", vocabulary, minimum=1)
        sentence = numbers = Input((length,), dtype="int64", name="sentence")
    embedding = Embedding(
        words, dimensions, embeddings_initializer, trainable=train_embeddings, name="embedding"
    )
    x = embedding(numbers)
    if embedding_dropout:
        x = Dropout(embedding_dropout, name="embedding_dropout")(x)
    best = []
    for width in widths:
        found = Conv1D(filters, width, activation="relu", name=f"conv{width}")(x)
        best.append(GlobalMaxPooling1D(name=f"pool{width}")(found))
    x = best[0] if len(best) == 1 else Concatenate(name="features")(best)
    if dropout:
        x = Dropout(dropout, name="dropout")(x)
    if classifier_activation == "auto":
        classifier_activation = "sigmoid" if classes == 1 else "softmax"
    return Model(sentence, Dense(classes, activation=classifier_activation, name="predictions")(x), name=name)


def _check(classes: int, dimensions: int, filters: int, widths: Any, length: int | None) -> None:
    for what, value in (("classes", classes), ("dimensions", dimensions), ("filters", filters)):
        check_int("text_cnn", what, value, minimum=1)
    if isinstance(widths, (str, int)) or not widths or len(set(widths)) != len(list(widths)):
        raise ArgumentError(
            message("text_cnn", expected="widths: different whole numbers, as (3, 4, 5)", got=repr(widths))
        )
    for width in widths:
        check_int("text_cnn", "widths", width, minimum=1)
    if length is not None and length < max(widths):
        raise ArgumentError(
            message("text_cnn", expected=f"length of {max(widths)} words or more", got=length)
        )


enter(
    text_cnn,
    "text_cnn",
    form="published",
    image=None,
    pixels="none",
    parameters=6_360_902,
    reference=_REFERENCE,
)

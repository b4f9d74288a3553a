"""TextVectorization: expected values from Keras's documentation and tests; strings through whole models."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.core import custom_object_scope
from neocog.data import Dataset
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, FileFormatError, ShapeError
from neocog.layers import TextVectorization, deserialize, serialize

TEXTS = ["foo bar", "bar baz", "baz bada boom"]


def test_the_example_of_keras() -> None:
    layer = TextVectorization(max_tokens=5000, output_sequence_length=4)
    layer.adapt(TEXTS)
    assert layer.get_vocabulary() == ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    assert layer([["foo qux bar"], ["qux baz"]]).tolist() == [[4, 1, 3, 0], [1, 2, 0, 0]]
    assert layer(np.array(["Foo, QUX! bar"])).tolist() == [[4, 1, 3, 0]]
    assert layer("bar").tolist() == [3, 0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "texts", "expected"),
    [
        ({"vocabulary": ["hello", "world", "this", "is", "nice", "test"]},
         ["Hello, World!. This is just a nice test!"], [[2, 3, 4, 5, 1, 1, 6, 7]]),
        ({"standardize": "lower", "vocabulary": ["hello,", "hello", "world", "this", "is", "nice", "test"]},
         ["Hello, World!. This is just a nice test!"], [[2, 1, 5, 6, 1, 1, 7, 1]]),
        ({"standardize": "strip_punctuation", "vocabulary": ["Hello", "World", "Test"]},
         ["Hello, World! Test."], [[2, 3, 4]]),
        ({"standardize": None, "vocabulary": ["Hello", "world"]}, ["Hello hello"], [[2, 1]]),
        ({"split": "character", "vocabulary": list("abcde")}, ["abcf"], [[2, 3, 4, 1]]),
        ({"split": None, "vocabulary": ["foo", "bar"]}, [["foo"], ["bar"], ["x"]], [[2], [3], [1]]),
        ({"split": None, "vocabulary": ["foo", "bar"]}, ["foo", "bar", "x"], [2, 3, 1]),
        ({"split": None, "vocabulary": ["foo"], "output_sequence_length": 3}, [["foo"], ["x"]],
         [[2, 0, 0], [1, 0, 0]]),
        ({"split": lambda texts: [text.split("|") for text in texts], "vocabulary": ["foo", "bar"],
          "standardize": None}, ["foo|bar", "bar"], [[2, 3], [3, 0]]),
        ({"standardize": lambda texts: np.char.replace(np.char.lower(texts), "-", " "),
          "vocabulary": ["foo", "bar"]}, ["Foo-bar"], [[2, 3]]),
        ({"ngrams": 2, "vocabulary": ["a", "b", "a b"]}, ["a b a"], [[2, 3, 2, 4, 1]]),
        ({"ngrams": (1, 3), "vocabulary": ["a", "b", "a b a"]}, ["a b a", "b"], [[2, 3, 2, 4], [3, 0, 0, 0]]),
        ({"output_mode": "multi_hot", "vocabulary": ["foo", "bar", "baz"]}, [["foo bar"], ["baz foo foo"]],
         [[0, 1, 1, 0], [0, 1, 0, 1]]),
        ({"output_mode": "count", "vocabulary": ["foo", "bar", "baz"]}, ["foo bar", "baz foo foo"],
         [[0, 1, 1, 0], [0, 2, 0, 1]]),
        ({"output_mode": "tf-idf", "vocabulary": ["foo", "bar", "baz"], "idf_weights": [0.3, 0.5, 0.2]},
         ["foo bar", "baz foo foo"], [[0, 0.3, 0.5, 0], [0, 0.6, 0, 0.2]]),
        ({"output_mode": "binary", "vocabulary": ["foo"], "max_tokens": 5, "pad_to_max_tokens": True},
         ["foo x"], [[1, 1, 0, 0, 0]]),
        ({"vocabulary": ["é", "É"]}, ["É é"], [[3, 2]]),  # TensorFlow lowers ASCII alone
        ({"vocabulary": ["a\u00a0b", "c"]}, ["a\u00a0b\tc\n"], [[2, 3]]),  # and splits at ASCII blanks alone
    ],
)  # fmt: skip
def test_values_of_keras(arguments: dict[str, Any], texts: Any, expected: Any) -> None:
    np.testing.assert_allclose(TextVectorization(**arguments)(texts), expected, rtol=1e-6)


def test_ngrams_and_max_tokens_when_it_learns() -> None:
    layer = TextVectorization(ngrams=2)
    layer.adapt(["foo bar baz"])
    assert {"foo bar", "bar baz", "foo"} <= set(layer.get_vocabulary())
    layer = TextVectorization(max_tokens=5)
    layer.adapt(["a b c d e f g h i j"])
    assert layer.get_vocabulary() == ["", "[UNK]", "j", "i", "h"]
    data = Dataset.from_tensor_slices((np.array(["b a", "b", "never"]), np.arange(3))).batch(1)
    layer = TextVectorization()
    layer.adapt(data, steps=2)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"]


def test_idf_weights_of_documents() -> None:
    layer = TextVectorization(output_mode="tf_idf")
    layer.adapt(["a a b", "a", "c"])
    assert layer.get_vocabulary() == ["[UNK]", "a", "c", "b"]
    expected = np.log(1 + 3 / (1 + np.array([2.0, 1.0, 1.0])))
    np.testing.assert_allclose(layer(["a a b c"])[0, 1:], expected * [2, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(layer(["x"])[0, 0], expected.mean(), rtol=1e-6)


@pytest.mark.parametrize("arguments", [
    {}, {"output_sequence_length": 3}, {"split": "character"}, {"output_mode": "multi_hot"}, {"ngrams": 2},
    {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True}, {"split": None},
])  # fmt: skip
@pytest.mark.parametrize("shape", [(), (1,)])
def test_symbolic_shape_and_type(arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer = TextVectorization(vocabulary=["foo", "bar"], **arguments)
    symbolic = layer(keras.Input(shape, dtype="string"))
    real = [layer(np.full((3, *shape), text)) for text in ("foo bar foo", "bar")]
    sizes = {tuple(one.shape[1:]) for one in real}
    expected = (None, *(next(iter(sizes)) if len(sizes) == 1 else (None,)))
    if arguments != {"split": None} or shape:
        assert symbolic.shape == expected
    assert symbolic.dtype == str(real[0].dtype).removeprefix("torch.")


def test_configuration_and_functions_of_the_user() -> None:
    def shout(texts: Any) -> Any:
        return np.char.upper(texts)

    layer = TextVectorization(standardize=shout, ngrams=(1, 2), vocabulary=["A"])
    described = json.loads(json.dumps(serialize(layer)))
    assert described["config"]["vocabulary"] == ["A"]
    with pytest.raises(FileFormatError, match="shout"):
        deserialize(described)
    with custom_object_scope({"shout": shout}):
        again = deserialize(described)
    assert again(["a b"]).tolist() == layer(["a b"]).tolist() == [[2, 1, 1]]
    adapted = TextVectorization()
    adapted.adapt(TEXTS)
    again = deserialize(serialize(adapted))
    assert again.get_config()["vocabulary"] is None
    again.load_own_assets(adapted.save_own_assets())
    assert again.get_vocabulary() == adapted.get_vocabulary()


@pytest.mark.parametrize(("arguments", "error"), [
    ({"ngrams": "two"}, ArgumentTypeError),
    ({"output_mode": "count", "output_sequence_length": 5}, ArgumentError),
    ({"ragged": True}, ArgumentError),
    ({"output_mode": "count", "sparse": True}, ArgumentError),
    ({"standardize": "upper"}, ArgumentError),
    ({"split": "words"}, ArgumentError),
    ({"output_sequence_length": "long"}, ArgumentTypeError),
])  # fmt: skip
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        TextVectorization(**arguments)


def test_bad_inputs() -> None:
    with pytest.raises(ShapeError, match=r"\(batch, 1\)"):
        TextVectorization()([["a", "b"]])
    with pytest.raises(DataError, match="expected strings"):
        TextVectorization()(torch.ones(2))
    with pytest.raises(ShapeError, match="a row of tokens for each of 2 texts"):
        TextVectorization(split=lambda texts: [["a"]])(["a", "b"])


def _model(first: list[Any]) -> Any:
    words = TextVectorization(vocabulary=["good", "bad"], output_sequence_length=3)
    return keras.Sequential([*first, words, layers.Embedding(4, 4), layers.Flatten(), layers.Dense(1)])


@pytest.mark.parametrize(
    "first", [[], [keras.Input((), dtype="string")], [keras.Input((1,), dtype="string")]]
)
def test_a_stack_that_begins_with_text(first: list[Any]) -> None:
    x, y = np.array(["good", "bad", "very good", "so bad"] * 8), np.array([1.0, -1, 1, -1] * 8)
    keras.utils.set_random_seed(0)
    model = _model(first)
    model.compile(keras.optimizers.Adam(0.05), "mse")
    history = model.fit(x, y, epochs=8, batch_size=8, validation_split=0.25, verbose=0)
    assert history.history["val_loss"][-1] < 0.1
    assert (model.predict(np.array(["good", "bad"]), verbose=0)[:, 0] > 0).tolist() == [True, False]
    assert model.predict(x[:, None], verbose=0).shape == (32, 1)
    assert model(["good", "bad"]).shape == (2, 1)
    assert model.evaluate(Dataset.from_tensor_slices((x, y)).batch(4), verbose=0) < 0.1
    assert model.train_on_batch(x[:4], y[:4]) < 0.5


def test_text_beside_numbers() -> None:
    title, price = keras.Input((), dtype="string", name="title"), keras.Input((1,), name="price")
    counts = TextVectorization(vocabulary=["good", "bad"], output_mode="count")(title)
    model = keras.Model([title, price], layers.Dense(1)(layers.Concatenate()([counts, price])))
    model.compile("sgd", "mse")
    data = {"title": np.array(["good", "bad"] * 4), "price": np.arange(8.0)}
    model.fit(data, np.ones(8), verbose=0)
    assert model.predict(data, verbose=0).shape == (8, 1)
    assert model({"title": ["good", "bad"], "price": torch.ones(2, 1)}).shape == (2, 1)
    nested = keras.Model([title, price], layers.Activation("tanh")(model([title, price])))
    assert nested.predict(data, verbose=0).shape == (8, 1)


def test_text_where_nothing_reads_it() -> None:
    x = np.array(["a", "b"])
    for model in (
        keras.Sequential([layers.Dense(1)]),
        keras.Sequential([keras.Input((1,)), layers.Dense(1)]),
    ):
        model.compile("sgd", "mse")
        with pytest.raises(DataError, match="expected numbers, got text"):
            model.fit(x, np.ones(2), verbose=0)
    with pytest.raises(DataError, match="expected numbers, got text"):
        layers.Dense(1)(keras.Input((3,), dtype="string"))
    with pytest.raises(DataError, match="expected text, got numbers"):
        _model([keras.Input((1,), dtype="string")]).predict(np.ones((2, 1)), verbose=0)


def test_a_users_layer_may_read_text() -> None:
    class Length(keras.Layer):
        def call(self, inputs: Any) -> Any:
            return torch.tensor([[float(len(text))] for text in inputs.ravel()])

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 1)

        def compute_output_dtype(self, input_dtype: str) -> str:
            return "float32"

    text = keras.Input((), dtype="string")
    model = keras.Model(text, layers.Rescaling(2.0)(Length()(text)))
    assert model.predict(np.array(["ab", "abc"]), verbose=0).tolist() == [[4.0], [6.0]]

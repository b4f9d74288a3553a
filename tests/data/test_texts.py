"""Tokenizer, sequences and text folders against real Keras, which still carries the old functions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras._tf_keras.keras.preprocessing import sequence as keras_sequence
from keras._tf_keras.keras.preprocessing import text as keras_text
from keras.src.utils import dataset_utils

import neocog
from neocog.data import text_dataset_from_directory
from neocog.exceptions import ArgumentError, DataError
from neocog.preprocessing import sequence, text

WORDS = st.lists(st.sampled_from(["cat", "Dog", "the", "mat,", "é", "x-y"]), max_size=6).map(" ".join)
OPTIONS = st.fixed_dictionaries({
    "num_words": st.sampled_from([None, 1, 3, 5]),
    "oov_token": st.sampled_from([None, "<?>", "cat"]),
    "lower": st.booleans(),
    "char_level": st.booleans(),
})  # fmt: skip


@given(st.lists(WORDS, max_size=6), OPTIONS, st.lists(WORDS, max_size=3))
def test_tokenizer(texts: list[str], options: dict[str, Any], others: list[str]) -> None:
    ours, theirs = text.Tokenizer(**options), keras_text.Tokenizer(**options)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(texts)
        tokenizer.fit_on_texts([["the", "Cat"]])
    assert json.loads(ours.to_json()) == json.loads(theirs.to_json())
    found = theirs.texts_to_sequences(others)
    assert ours.texts_to_sequences(others) == found
    assert ours.sequences_to_texts([*found, [0, 99]]) == theirs.sequences_to_texts([*found, [0, 99]])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(ours.texts_to_matrix(others, mode), theirs.texts_to_matrix(others, mode))
    again = text.tokenizer_from_json(theirs.to_json())
    assert again.texts_to_sequences(others) == found
    assert again.to_json() == ours.to_json()


def test_tokenizer_for_sequences_and_bad_use() -> None:
    ours, theirs = text.Tokenizer(num_words=6), keras_text.Tokenizer(num_words=6)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_sequences([[1, 2, 2], [2, 5]])
    rows = [[1, 2, 2, 9], []]
    np.testing.assert_allclose(
        ours.sequences_to_matrix(rows, "tfidf"), theirs.sequences_to_matrix(rows, "tfidf")
    )
    with pytest.raises(DataError, match="num_words or texts"):
        text.Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ArgumentError, match="mode"):
        ours.sequences_to_matrix([[1]], "sum")
    with pytest.raises(ArgumentError, match=r"Tokenizer\.to_json"):
        text.tokenizer_from_json("{}")
    with pytest.warns(DeprecationWarning, match="num_words"):
        assert text.Tokenizer(nb_words=3).num_words == 3


@given(st.text(max_size=30), st.booleans(), st.sampled_from([" ", ",", "ab"]))
def test_words_and_hashes(given_text: str, lower: bool, split: str) -> None:
    arguments = {"lower": lower, "split": split}
    assert text.text_to_word_sequence(given_text, **arguments) == keras_text.text_to_word_sequence(
        given_text, **arguments
    )
    assert text.hashing_trick(given_text, 9, "md5") == keras_text.hashing_trick(given_text, 9, "md5")
    assert text.one_hot(given_text, 9) == keras_text.one_hot(given_text, 9)


SEQUENCES = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=5)
ENDS = st.sampled_from(["pre", "post"])


@given(SEQUENCES, st.sampled_from([None, 1, 3, 8]), ENDS, ENDS, st.sampled_from(["int32", "float64"]))
def test_pad_sequences(rows: Any, maxlen: int | None, padding: str, truncating: str, dtype: str) -> None:
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "dtype": dtype, "value": 7}
    got, want = neocog.utils.pad_sequences(rows, **arguments), keras_sequence.pad_sequences(rows, **arguments)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype


def test_pad_sequences_of_vectors_and_strings() -> None:
    vectors = [[[1, 2]], [[3, 4], [5, 6], [7, 8]]]
    np.testing.assert_array_equal(
        sequence.pad_sequences(vectors, maxlen=2), keras_sequence.pad_sequences(vectors, maxlen=2)
    )
    assert sequence.pad_sequences([["a"], ["b", "c"]], dtype=object, value="").tolist() == [
        ["", "a"],
        ["b", "c"],
    ]
    for wrong in ({"padding": "left"}, {"truncating": "x"}, {"value": "x"}):
        with pytest.raises(ArgumentError):
            sequence.pad_sequences([[1]], **wrong)
    for rows in ([1, 2], 5, [[[1, 2]], [[1]]]):
        with pytest.raises(DataError):
            sequence.pad_sequences(rows)


@given(
    st.lists(st.integers(0, 9), max_size=12), st.booleans(), st.sampled_from([0.0, 0.5, 1.0]), st.booleans()
)
def test_skipgrams(numbers: list[int], shuffle: bool, negative: float, categorical: bool) -> None:
    results = []
    for function in (sequence.skipgrams, keras_sequence.skipgrams):
        random.seed(4)
        table = sequence.make_sampling_table(10, 0.1)
        results.append(function(numbers, 10, 2, negative, shuffle, categorical, table, seed=6))
    assert results[0] == results[1]


def test_sampling_table() -> None:
    np.testing.assert_allclose(sequence.make_sampling_table(50), keras_sequence.make_sampling_table(50))


@given(
    st.integers(6, 40),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 7),
    st.booleans(),
)
def test_timeseries_generator(
    steps: int, length: int, rate: int, stride: int, batch_size: int, reverse: bool
) -> None:
    data, targets = np.arange(steps * 2).reshape(steps, 2), np.arange(steps)
    form = (data, targets, length, rate, stride)
    arguments = {"batch_size": batch_size, "reverse": reverse}
    ours, theirs = (
        sequence.TimeseriesGenerator(*form, **arguments),
        keras_sequence.TimeseriesGenerator(*form, **arguments),
    )
    assert len(ours) == len(theirs)
    for i in range(len(ours)):
        for got, want in zip(ours[i], theirs[i], strict=True):
            np.testing.assert_array_equal(got, want)
    assert json.loads(ours.to_json())["config"]["length"] == length


def test_timeseries_generator_trains_and_refuses() -> None:
    windows = sequence.TimeseriesGenerator(
        np.ones((30, 1)), np.ones(30), length=3, batch_size=8, shuffle=True
    )
    model = neocog.Sequential([neocog.Input((3, 1)), neocog.layers.Flatten(), neocog.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(windows, verbose=0)
    with pytest.raises(DataError, match="as many targets"):
        sequence.TimeseriesGenerator([1, 2], [1], 1)
    with pytest.raises(ArgumentError, match="behind the first window"):
        sequence.TimeseriesGenerator([1, 2], [1, 2], 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for i in range(5):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} é {i}", encoding="utf-8")
    (tmp_path / "neg" / "notes.md").write_text("no text")
    return tmp_path


def test_text_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = text_dataset_from_directory(folder, batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert data.class_names == ["neg", "pos"]
    x, y = next(iter(data))
    assert (list(x), y.tolist()) == ([f"neg é {i}" for i in range(4)], [0, 0, 0, 0])
    assert len(data) == 3
    only = text_dataset_from_directory(
        folder, labels=None, batch_size=None, shuffle=False, max_length=5, verbose=False
    )
    assert [str(item) for item in only][:2] == ["neg ", "neg "]  # 5 bytes end within the é
    binary = text_dataset_from_directory(folder, label_mode="binary", verbose=False)
    assert next(iter(binary))[1].shape == (10, 1)
    categories = text_dataset_from_directory(
        folder, label_mode="categorical", class_names=["pos", "neg"], verbose=False
    )
    assert next(iter(categories))[1].shape == (10, 2)


def test_text_folder_is_split_as_keras_splits(folder: Path) -> None:
    options = {"validation_split": 0.3, "seed": 5, "verbose": False}
    train, held_out = text_dataset_from_directory(folder, subset="both", **options)
    files, labels, _ = dataset_utils.index_directory(
        folder, "inferred", formats=(".txt",), seed=5, verbose=False
    )
    expected = dataset_utils.get_training_or_validation_split(files, labels, 0.3, "validation")
    assert held_out.file_paths == list(expected[0])
    assert [int(label) for _, y in held_out for label in y] == list(expected[1])
    assert len(train.file_paths) == 7
    alone = text_dataset_from_directory(folder, subset="validation", **options)
    assert alone.file_paths == held_out.file_paths


def test_text_folder_trains_a_model(folder: Path) -> None:
    data = text_dataset_from_directory(folder, batch_size=5, seed=1, verbose=False)
    words = neocog.layers.TextVectorization(output_mode="multi_hot")
    words.adapt(data.map(lambda x, y: x))
    model = neocog.Sequential([words, neocog.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    model.fit(data, epochs=2, verbose=0)
    before = neocog.Sequential([neocog.Input((words.vocabulary_size(),)), neocog.layers.Dense(1)])
    before.compile("sgd", "mse")
    before.fit(data.map(lambda x, y: (words(x), y)), verbose=0)


def test_bad_text_folders(folder: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        text_dataset_from_directory(folder / "none")
    with pytest.raises(ArgumentError, match="seed"):
        text_dataset_from_directory(folder, validation_split=0.2, subset="training")
    (folder / "pos" / "5.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        text_dataset_from_directory(folder, verbose=False)
    (folder / "other").mkdir()
    with pytest.raises(ArgumentError, match="two classes"):
        text_dataset_from_directory(folder, label_mode="binary", verbose=False)

"""StringLookup and IntegerLookup: values from Keras's documentation and tests, by hand where it has none."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import layers
from neocog.data import Dataset
from neocog.exceptions import ArgumentError, DataError, NeocogError, ShapeError
from neocog.layers import IntegerLookup, StringLookup, deserialize, serialize
from neocog.layers.lookup._fingerprint import fingerprint64
from neocog.models import Model

WORDS = ["one", "one", "one", "two", "two", "three"]


def test_vocabulary_is_learned_by_frequency_ties_from_high_to_low() -> None:
    layer = StringLookup(mask_token="", max_tokens=7)
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["", "[UNK]", "one", "two", "three"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["one", "two", "three"]
    assert layer(["one", "two", "four", ""]).tolist() == [2, 3, 1, 0]
    assert layer.vocabulary_size() == 5
    layer.adapt([["b", "a"], ["c", "[UNK]"], ["", ""]])
    assert layer.get_vocabulary() == ["", "[UNK]", "c", "b", "a"]
    numbers = IntegerLookup(max_tokens=4, mask_token=0)
    numbers.adapt(np.array([1, 1, 1, 2, 2, 3]))
    assert numbers.get_vocabulary() == [0, -1, 1, 2]
    assert numbers([1, 2, 3, 4, 0]).tolist() == [2, 3, 1, 1, 0]


@given(st.lists(st.text("abcé", max_size=2), min_size=1, max_size=30))
def test_vocabulary_is_that_of_a_sort_of_utf8(terms: list[str]) -> None:
    layer = StringLookup()
    layer.adapt(np.array(terms, dtype=object))
    counted = {term: terms.count(term) for term in terms}
    expected = sorted(counted, key=lambda term: (counted[term], term.encode()), reverse=True)
    assert layer.get_vocabulary() == ["[UNK]", *expected]
    assert layer(terms).tolist() == [1 + expected.index(term) for term in terms]


@pytest.mark.parametrize(
    ("data", "steps"),
    [
        (Dataset.from_tensor_slices(np.array(WORDS)).batch(2), None),
        (Dataset.from_tensor_slices((np.array(WORDS), np.arange(6))).batch(2), None),
        (torch.utils.data.DataLoader([(word, 0) for word in WORDS], batch_size=4), None),
        ((np.array([word]) for word in [*WORDS, "never"]), 6),
        ([[word] for word in WORDS], None),
    ],
)
def test_adapts_to_whatever_gives_strings(data: Any, steps: int | None) -> None:
    layer = StringLookup()
    layer.adapt(data, steps=steps)
    assert layer.get_vocabulary() == ["[UNK]", "one", "two", "three"]


@pytest.mark.parametrize(
    ("mode", "one", "batch"),
    [
        ("int", [2, 3, 1], [[2, 3, 1, 3]]),
        ("multi_hot", [1, 1, 1, 0], [[1, 1, 1, 0]]),
        ("binary", [1, 1, 1, 0], [[1, 1, 1, 0]]),
        ("count", [1, 1, 1, 0], [[1, 1, 2, 0]]),
        ("tf_idf", [0.2, 0.1, 0.2, 0.0], [[0.2, 0.1, 0.4, 0.0]]),
        ("tf-idf", [0.2, 0.1, 0.2, 0.0], [[0.2, 0.1, 0.4, 0.0]]),
        (
            "one_hot",
            [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]],
            [[[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]]],
        ),
    ],
)
def test_output_modes(mode: str, one: Any, batch: Any) -> None:
    weights = [0.1, 0.2, 0.3] if mode.startswith("tf") else None
    layer = StringLookup(
        max_tokens=7, mask_token="", vocabulary=["one", "two", "three"], output_mode=mode, idf_weights=weights
    )
    np.testing.assert_allclose(layer(["one", "two", "four"]), one, rtol=1e-6)
    np.testing.assert_allclose(layer([["one", "two", "four", "two"]]), batch, rtol=1e-6)
    if mode != "int":
        padded = StringLookup(
            max_tokens=7,
            vocabulary=["one"],
            output_mode=mode,
            idf_weights=weights and [1.0],
            pad_to_max_tokens=True,
        )
        assert padded([["one"]]).shape == (1, 7)


def test_idf_weights_are_learned() -> None:
    layer = StringLookup(max_tokens=7, mask_token="", output_mode="tf_idf")
    layer.adapt(WORDS)
    expected = [1.1337324, 0.91629076, 1.0986123, 0.0]
    np.testing.assert_allclose(layer(["one", "two", "four"]), expected, rtol=1e-6)
    layer = StringLookup(max_tokens=7, mask_token="", output_mode="tf_idf")
    layer.adapt([["one", "one"], ["one", "two"], ["two", "three"]])
    rows = [[0.0, 0.6931472, 0.6931472, 0.0], [0.76752836, 0.0, 0.6931472, 0.0]]
    np.testing.assert_allclose(layer([["one", "two"], ["two", "four"]]), rows, rtol=1e-6)


def test_unknown_terms() -> None:
    many = StringLookup(num_oov_indices=3, vocabulary=["a"])
    assert many(["a", "x", "yy"]).tolist() == [3, fingerprint64(b"x") % 3, fingerprint64(b"yy") % 3]
    assert IntegerLookup(num_oov_indices=2, vocabulary=[12, 36])([12, 37, 38, -3]).tolist() == [2, 1, 0, 1]
    hashed = IntegerLookup(num_oov_indices=2, vocabulary=[12], oov_method="farmhash")
    assert hashed([10, 12]).tolist() == [fingerprint64(b"10") % 2, 2]
    strict = StringLookup(num_oov_indices=0, vocabulary=["a", "b"])
    assert strict(["b", "a"]).tolist() == [1, 0]
    with pytest.raises(DataError, match="got 'x', 'y'"):
        strict(["a", "x", "y"])


def test_there_and_back() -> None:
    forth = IntegerLookup(vocabulary=[12, 36, 1138, 42])
    back = IntegerLookup(vocabulary=forth.get_vocabulary(), invert=True)
    data = np.array([[12, 1138, 42], [42, 1000, 36]])
    assert forth(data).tolist() == [[1, 3, 4], [4, 0, 2]]
    assert back(forth(data)).tolist() == [[12, 1138, 42], [42, -1, 36]]
    words = StringLookup(vocabulary=["a", "b"], mask_token="", invert=True)
    assert words([[2, 3], [0, 1], [9, -1]]).tolist() == [["a", "b"], ["", "[UNK]"], ["[UNK]", "[UNK]"]]
    places = layers.Input((2,), dtype="int64")
    named = Model(places, words(places))
    assert named.outputs[0].dtype == "string"
    assert named.predict(np.array([[2, 3]]), verbose=0).tolist() == [["a", "b"]]


def test_vocabulary_from_a_file_that_the_code_names(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("foo\nbär\n", encoding="utf-8")
    layer = StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", "foo", "bär"]
    assert layer.get_config()["vocabulary"] is None
    assert layer.save_own_assets() == {"vocabulary.txt": "[UNK]\nfoo\nbär"}
    with pytest.raises(ArgumentError, match="no such file"):
        StringLookup(vocabulary=str(tmp_path / "none"))
    for address in ("https://example.com/words.txt", "gs://bucket/words"):
        with pytest.raises(ArgumentError, match="local file"):
            StringLookup(vocabulary=address)


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
@pytest.mark.parametrize(
    "value", ["/etc/passwd", "https://example.com/x", {"class_name": "str", "config": "/etc/passwd"}]
)
def test_configurations_never_open_paths(name: str, value: Any) -> None:
    described = serialize(layers.LAYERS.resolve(name)())
    described["config"]["vocabulary"] = value
    with pytest.raises(NeocogError):
        deserialize(described)
    with pytest.raises(ArgumentError, match="never open files"):
        layers.LAYERS.resolve(name).from_config({**described["config"], "vocabulary": value})


def test_learned_vocabulary_travels_as_text() -> None:
    for mode in ("int", "tf_idf"):
        layer = StringLookup(mask_token="", output_mode=mode)
        layer.adapt(["x", "x", "ö", ""])
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        again = deserialize(serialize(layer))
        again.load_own_variables(store)
        again.load_own_assets(layer.save_own_assets())
        assert again.get_vocabulary() == layer.get_vocabulary()
        assert torch.equal(again([["x", "ö", "?"]]), layer([["x", "ö", "?"]]))
        twin = copy.deepcopy(layer)
        assert twin.get_vocabulary() == layer.get_vocabulary()
    numbers = IntegerLookup(mask_token=0)
    numbers.adapt([5, 5, 7])
    again = deserialize(serialize(numbers))
    again.load_own_assets(numbers.save_own_assets())
    assert again([5, 7, 0, 1]).tolist() == [2, 3, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"max_tokens": 1}, ArgumentError),
        ({"pad_to_max_tokens": True}, ArgumentError),
        ({"num_oov_indices": -1}, ArgumentError),
        ({"invert": True, "output_mode": "one_hot"}, ArgumentError),
        ({"output_mode": "multi_hot", "sparse": True}, ArgumentError),
        ({"idf_weights": [0.5]}, ArgumentError),
        ({"output_mode": "tf_idf", "vocabulary": ["a"]}, ArgumentError),
        ({"output_mode": "tf_idf", "vocabulary": ["a"], "idf_weights": [1.0, 2.0]}, ArgumentError),
        ({"vocabulary": ["a", "a"]}, ArgumentError),
        ({"vocabulary": []}, ArgumentError),
        ({"vocabulary": ["a", "m", "b"], "mask_token": "m"}, ArgumentError),
        ({"vocabulary": ["a", "[UNK]"], "invert": True}, ArgumentError),
        ({"vocabulary": ["a", "b"], "max_tokens": 2}, ArgumentError),
        ({"vocabulary": [1, 2]}, DataError),
        ({"salt": [1, 2, 3]}, ArgumentError),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        StringLookup(**arguments)


def test_bad_use() -> None:
    with pytest.raises(NeocogError, match="vocabulary"):
        StringLookup(output_mode="multi_hot")(["a"])
    with pytest.raises(ArgumentError, match="given one"):
        StringLookup(vocabulary=["a"]).adapt(["b"])
    fixed = StringLookup(output_mode="count", vocabulary=["a"])
    with pytest.raises(ShapeError, match="2 places"):
        fixed.set_vocabulary(["a", "b"])
    with pytest.raises(DataError, match="expected strings, got numbers"):
        StringLookup(vocabulary=["a"])([1, 2])
    with pytest.raises(DataError, match="expected numbers, got text"):
        IntegerLookup(vocabulary=[1])(["a"])
    with pytest.raises(DataError, match="got None"):
        StringLookup(vocabulary=["a"])(np.array(["a", None], dtype=object))

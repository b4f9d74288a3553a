"""FarmHash and SipHash against published values, and the layers that hash against Keras's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from neocog.exceptions import ArgumentError, DataError, ShapeError
from neocog.layers import HashedCrossing, Hashing, Input
from neocog.layers.lookup._fingerprint import fingerprint64
from neocog.layers.lookup._siphash import siphash

# Values of farmhashna::Hash64 from the tests of its Go port (dgryski/go-farm), some for each length class.
FARM = {
    "": 0x9AE16A3B2F90404F,
    "a": 0xB3454265B6DF75E3,
    "abc": 0x24A5B3A074E7F369,
    "abcd": 0x1A5502DE4A1F8101,
    "abcdefg": 0x3C40C92B1CCB7355,
    "abcdefgh": 0xFEE9D22990C82909,
    "0123456789'01234": 0x4283D4EF43627F64,
    "0123456789=012345": 0x46A7416ED4861E3B,
    "0123456789%0123456789£": 0x4DBD128AF51D77E8,
    "C is as portable as Stonehedge!!": 0xB944F8A16261E414,
    "Discard medicine more than two years old.": 0xE8F89AB6DF9BDD25,
    "The days of the digital watch are numbered.  -Tom Stoppard": 0x2A578B80BB82147C,
    "For every action there is an equal and opposite government program.": 0x55182F8859ECA4CE,
    "Even if I could be Shakespeare, I think I should still choose to be Faraday. "
    "- A. Huxley": 0x5A05644EB66E435E,
    "The fugacity of a constituent in a mixture of gases at a given temperature is proportional to its mole "
    "fraction.  Lewis-Randall Rule": 0x098EFF6958C5E91A,
}
NAMES = [["omar"], ["stringer"], ["marlo"], ["wire"], ["skywalker"]]
LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]


@pytest.mark.parametrize("text", FARM)
def test_farmhash(text: str) -> None:
    assert fingerprint64(text.encode()) == FARM[text]


def test_siphash_of_its_paper() -> None:
    assert siphash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)) == 0xA129CA6149BE45E5


# What Keras's own documentation and tests give, which TensorFlow computes.
@pytest.mark.parametrize(
    ("arguments", "inputs", "expected"),
    [
        ({"num_bins": 3}, LETTERS, [[1], [0], [1], [1], [2]]),
        ({"num_bins": 3, "mask_value": ""}, [["A"], ["B"], [""], ["C"], ["D"]], [[1], [1], [0], [2], [2]]),
        ({"num_bins": 3, "salt": [133, 137]}, LETTERS, [[1], [2], [1], [0], [2]]),
        ({"num_bins": 3, "salt": 133}, LETTERS, [[0], [0], [2], [1], [0]]),
        ({"num_bins": 2}, NAMES, [[0], [0], [1], [0], [0]]),
        ({"num_bins": 3, "mask_value": "omar"}, NAMES, [[0], [1], [2], [1], [1]]),
        ({"num_bins": 2, "salt": [133, 137]}, NAMES, [[0], [1], [0], [1], [0]]),
        ({"num_bins": 2, "salt": [211, 137]}, NAMES, [[1], [0], [1], [0], [1]]),
        ({"num_bins": 3}, [0, 1, 2, 3, 4], [1, 0, 1, 0, 2]),
        ({"num_bins": 3}, np.array([0.0, 1.9, 2, 3, 4]), [1, 0, 1, 0, 2]),
        ({"num_bins": 3, "salt": [133, 137]}, [[0], [1], [2], [3], [4]], [[1], [1], [2], [0], [1]]),
        ({"num_bins": 2}, [[[1], [2]], [[2], [3]]], [[[1], [1]], [[1], [1]]]),
        ({"num_bins": 1}, LETTERS, [[0]] * 5),
        (
            {"num_bins": 3, "output_mode": "one_hot"},
            [[0], [1], [4]],
            [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        ),
        ({"num_bins": 3, "output_mode": "multi_hot"}, [[0, 1, 2, 3, 4]], [[1.0, 1.0, 1.0]]),
        ({"num_bins": 3, "output_mode": "count"}, [0, 1, 2, 3, 4], [2.0, 2.0, 1.0]),
        ({"num_bins": 3, "output_mode": "count"}, [[0, 1, 2, 3, 4]], [[2.0, 2.0, 1.0]]),
    ],
)
def test_hashing_gives_the_bins_of_keras(arguments: dict[str, Any], inputs: Any, expected: Any) -> None:
    result = Hashing(**arguments)(inputs)
    assert result.tolist() == expected
    assert result.dtype == (torch.float32 if "output_mode" in arguments else torch.int64)


def test_crossing_gives_the_bins_of_keras() -> None:
    letters, numbers = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    assert HashedCrossing(num_bins=5)((letters, numbers)).tolist() == [1, 4, 1, 1, 3]
    columns = [letters[:, None], numbers[:, None]]
    assert HashedCrossing(num_bins=5)(columns).tolist() == [[1], [4], [1], [1], [3]]
    rows = HashedCrossing(num_bins=5, output_mode="one_hot")((letters, numbers))
    assert rows.argmax(-1).tolist() == [1, 4, 1, 1, 3]
    assert int(HashedCrossing(num_bins=10)(("A", 101))) == 1
    symbolic = HashedCrossing(num_bins=5)([Input((1,), dtype="string"), Input((1,), dtype="int64")])
    assert (symbolic.shape, symbolic.dtype) == ((None, 1), "int64")


def test_bad_arguments_and_features() -> None:
    for arguments in ({"num_bins": 0}, {"num_bins": 2, "salt": "x"}, {"num_bins": 2, "salt": [1]},
                      {"num_bins": 3, "dtype": "float32"}, {"num_bins": 2, "output_mode": "tf_idf"},
                      {"num_bins": 3, "output_mode": "one_hot", "sparse": True}):  # fmt: skip
        with pytest.raises(ArgumentError):
            Hashing(**arguments)
    cross = HashedCrossing(num_bins=3)
    with pytest.raises(TypeError, match="list of two features"):
        cross(np.array([1]))
    with pytest.raises(ArgumentError, match="two features or more"):
        cross([np.array([1])])
    with pytest.raises(DataError, match="whole numbers"):
        cross([np.array([1.0]), np.array([1.0])])
    with pytest.raises(ShapeError, match="one shape"):
        cross([np.ones((2, 2), int), np.ones((2, 2), int)])

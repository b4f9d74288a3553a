"""Errors: one base, one sentence form, and the built-in class that a Keras user would catch."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neocog import exceptions
from neocog.exceptions import NeocogError, message, nearest

CLASSES = [
    value
    for value in vars(exceptions).values()
    if inspect.isclass(value) and issubclass(value, NeocogError) and value is not NeocogError
]
BUILT_IN = {
    "ArgumentError": ValueError,
    "ArgumentTypeError": TypeError,
    "UnknownNameError": ValueError,
    "ShapeError": ValueError,
    "GraphError": ValueError,
    "NotBuiltError": ValueError,
    "NotCompiledError": RuntimeError,
    "TrainingError": RuntimeError,
    "OutOfMemoryError": MemoryError,
    "DataError": ValueError,
    "FileFormatError": ValueError,
    "StorageError": OSError,
    "DownloadError": OSError,
    "MissingExtraError": ImportError,
}


def test_every_class_has_a_row() -> None:
    assert {cls.__name__ for cls in CLASSES} == set(BUILT_IN)


@pytest.mark.parametrize("cls", CLASSES)
def test_each_is_also_what_a_keras_user_catches(cls: type[NeocogError]) -> None:
    assert issubclass(cls, BUILT_IN[cls.__name__])
    assert inspect.getdoc(cls)
    with pytest.raises(BUILT_IN[cls.__name__], match=r"^what$"):
        raise cls("what")


def test_the_sentence() -> None:
    assert message("A", expected="b", got=3) == "A: expected b, got 3."
    assert message("A", expected="b", got="c", do="Do d.") == "A: expected b, got c. Do d."


@given(st.text(min_size=1, max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=8, unique=True))
def test_the_nearest_are_known_names(name: str, known: list[str]) -> None:
    close = nearest(name, known)
    assert set(close) <= set(known)
    assert len(close) <= 3
    if name in known:
        assert close[0].lower() == name.lower()


def test_the_nearest_come_without_case_and_best_first() -> None:
    assert nearest("RELU6", ["relu", "relu6", "selu", "softmax"])[0] == "relu6"
    assert nearest("conv2d", ["Dense", "Conv2D"]) == ["Conv2D"]
    assert nearest("xyzzy", ["relu"]) == []

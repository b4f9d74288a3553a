"""The programs of `book/` write, between them, everything that people write (`api-usage.txt`)."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from coverage_of_usage import Reader, Usage, read_list, read_programs

LIST = """How often: uses, files, name.

== KERAS: uses, files, symbol / keyword arguments
  968  107  keras.layers.Dense
            kw: activation=741 units=23
    4    4  keras.Model.from_config
   10   10  keras.__version__
    1    1  keras.layers.add

== METHODS on objects
  441  105  .fit
            kw: epochs=404 x=1
   79   29  .numpy

== STRING VALUES
metrics {'mae': 16, 'acc': 14}
"""


def shared_list() -> Path | None:
    """Return the list of what people write, next to the repository or to the data, or None."""
    places = [Path(__file__).parents[2].parent / "shared"]
    if os.environ.get("NEOCOG_DATA"):
        places.append(Path(os.environ["NEOCOG_DATA"]).parent)
    files = (place / "api-usage.txt" for place in places)
    return next((file for file in files if file.is_file()), None)


def written(source: str) -> Usage:
    usage = Usage()
    Reader(usage).visit(ast.parse(source))
    return usage


def test_nothing_that_people_write_is_missing() -> None:
    path = shared_list()
    if path is None:
        pytest.skip("api-usage.txt is not at hand (../shared, or next to NEOCOG_DATA)")
    wanted = read_list(path.read_text(encoding="utf-8"))
    assert len(wanted.names) > 250
    assert len(wanted.values) > 10
    assert read_programs().missing(wanted) == []


def test_a_list_is_read() -> None:
    usage = read_list(LIST)
    assert usage.names == {
        "keras.layers.Dense": {"activation", "units"},
        "keras.Model.from_config": set(),
        "keras.__version__": set(),
        "keras.layers.add": set(),
        ".fit": {"epochs", "x"},
        ".numpy": set(),
    }
    assert usage.values == {"metrics": {"mae", "acc"}}


def test_what_no_program_writes_is_reported() -> None:
    wanted = read_list(LIST)
    assert len(Usage().missing(wanted)) == 8
    source = (
        "import neocog as keras\nmodel.fit(epochs=1)\nkeras.layers.Dense(units=3)\nprint(keras.__version__)\n"
        "model.compile(metrics=['acc', f(metrics='x')])\n"
    )
    assert written(source).missing(wanted) == [
        "keras.layers.Dense(activation=…)",
        "keras.Model.from_config()",
        "keras.layers.add()",
        ".fit(x=…)",
        ".numpy()",
        "metrics='mae'",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import neocog\nneocog.layers.Dense(units=1)",
        "import neocog as keras\nkeras.layers.Dense(units=1)",
        "import neocog.keras as keras\nkeras.layers.Dense(units=1)",
        "from neocog import keras\nkeras.layers.Dense(units=1)",
        "from neocog import layers\nlayers.Dense(units=1)",
        "from neocog import layers as kl\nD = kl.Dense\nD(units=1)",
        "from neocog.layers import Dense\nDense(units=1)",
        "import neocog.layers as L\nL.Dense(units=1)",
        "from neocog.layers import Dense as D\nfrom functools import partial\npartial(D, units=1)",
    ],
)
def test_imports_and_aliases_are_followed(source: str) -> None:
    assert written(source).names["keras.layers.Dense"] == {"units"}


def test_functions_of_modules_are_no_methods_and_methods_of_classes_are() -> None:
    usage = written("from neocog import Model, layers\nlayers.add(a)\nModel.from_config(c)\nsuper().fit(x=1)")
    assert {name for name in usage.names if name.startswith(".")} == {".from_config", ".fit"}
    assert "keras.Model.from_config" in usage.names
    assert {"keras", "keras.layers", "keras.Model"} <= set(usage.names)


def test_strings_in_lists_and_dicts_count() -> None:
    usage = written("model.compile(loss={'a': 'mse'}, metrics=[['mae'], ('acc', 'auc')])")
    assert usage.values == {"loss": {"mse"}, "metrics": {"mae", "acc", "auc"}}

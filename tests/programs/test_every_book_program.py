"""Runs each program of `book/`: chapters as books and course notes write them, the import line alone changed.

A program is a file `<number>_<topic>.py` that a reader would run as it stands; it asserts what it says.
Two things are read from it here: the first line of its docstring, where "older spellings" allows deprecation
warnings, and lines `# needs: mnist` or `# needs: module onnx`, without which it is skipped, and `# slow`.
Where some data sets are not at hand, `stand_ins.py` makes up small files of their form.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import runpy
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from stand_ins import STAND_INS

import neocog as keras

BOOK = Path(__file__).parent / "book"
PROGRAMS = sorted(BOOK.glob("*.py"))
NEEDS = re.compile(r"^# needs: (.+)$", re.MULTILINE)


def older_spellings(source: str) -> bool:
    first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return "older spellings" in first.lower()


def missing_needs(source: str) -> list[str]:
    """Return what a program needs and this machine has not."""
    wanted = [need.strip() for line in NEEDS.findall(source) for need in line.split(",")]
    return [need for need in wanted if not at_hand(need)]


def at_hand(need: str) -> bool:
    if need.startswith("module "):
        return importlib.util.find_spec(need.removeprefix("module ")) is not None
    data, home = os.environ.get("NEOCOG_DATA"), os.environ.get("NEOCOG_HOME")
    folders = [Path(data)] if data else []
    folders += [Path(home) / "datasets"] if home else []
    folders += [Path.home() / ".neocog" / "datasets"]
    spellings = {need, need.replace("_", "-"), need.replace("-", "_")}
    names = [name for spelling in spellings for name in (spelling, f"{spelling}.npz")]
    return any(holds_something(folder / name) for folder in folders for name in names)


def holds_something(path: Path) -> bool:
    """Whether a data set is there; a download that failed may leave an empty folder."""
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def stand_in(needs: list[str], home: Path) -> None:
    """Make up the data that are not at hand, below another `NEOCOG_HOME`."""
    for need in needs:
        if need in STAND_INS:
            folder = home / "datasets" / need
            folder.mkdir(parents=True)
            STAND_INS[need](folder)
            os.environ["NEOCOG_HOME"] = str(home)


def settings() -> dict[str, object]:
    """Return the settings of the process, which a program has to leave as it found them."""
    return {
        "dtype_policy": keras.config.dtype_policy().name,
        "epsilon": keras.config.epsilon(),
        "floatx": keras.config.floatx(),
        "image_data_format": keras.config.image_data_format(),
        "traceback_filtering": keras.config.is_traceback_filtering_enabled(),
        "torch dtype": torch.get_default_dtype(),
        "torch gradients": torch.is_grad_enabled(),
    }


@pytest.fixture
def reader_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; what a program registers for its files is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEOCOG_HOME", os.environ.get("NEOCOG_HOME", str(tmp_path / "home")))
    registered = keras.utils.get_custom_objects()
    before = dict(registered)
    yield tmp_path
    registered.clear()
    registered.update(before)


def run(path: Path) -> None:
    """Run a program as `python path` does, in this process."""
    source = path.read_text(encoding="utf-8")
    stand_in(missing_needs(source), Path.cwd() / "home")
    missing = missing_needs(source)
    if missing:
        pytest.skip(f"{path.name} needs {', '.join(missing)}: not at hand")
    before = settings()
    with warnings.catch_warnings():
        if older_spellings(source):
            warnings.simplefilter("ignore", DeprecationWarning)
        runpy.run_path(str(path), run_name="__main__")
    assert settings() == before, f"{path.name} left settings of the process changed"


def marked(path: Path) -> object:
    """Return a program as a case, marked `slow` where a line of it says so."""
    slow = re.search(r"^# slow\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    return pytest.param(path, marks=[pytest.mark.slow] if slow else [], id=path.stem)


@pytest.mark.parametrize("path", [marked(path) for path in PROGRAMS])
def test_program(path: Path, reader_folder: Path) -> None:
    run(path)


def test_there_are_thirty_programs_or_more_each_with_a_number_of_its_own() -> None:
    numbers = [path.stem.partition("_")[0] for path in PROGRAMS]
    assert len(numbers) >= 30
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdigit() for number in numbers)


def test_every_program_asserts_what_it_claims() -> None:
    without = [p.name for p in PROGRAMS if not re.search(r"^\s*assert ", p.read_text("utf-8"), re.MULTILINE)]
    assert without == []


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ('"""A chapter."""\nassert 1 == 2\n', AssertionError),
        ('"""A chapter."""\nimport neocog as keras\nkeras.optimizers.SGD(lr=0.1)\n', DeprecationWarning),
        ('"""A chapter, in older spellings."""\nimport warnings\nwarnings.warn("x")\n', UserWarning),
        ('"""A chapter."""\nimport neocog as keras\nkeras.config.set_epsilon(1e-3)\n', AssertionError),
    ],
)
def test_a_program_that_goes_wrong_fails(source: str, error: type[Exception], reader_folder: Path) -> None:
    path = reader_folder / "99_wrong.py"
    path.write_text(source, encoding="utf-8")
    epsilon = keras.config.epsilon()
    try:
        with pytest.raises(error):
            run(path)
    finally:
        keras.config.set_epsilon(epsilon)


def test_a_program_without_its_data_is_skipped(reader_folder: Path) -> None:
    path = reader_folder / "99_needs.py"
    path.write_text('"""A chapter."""\n# needs: module no_such_module, no_such_set\nassert False\n')
    with pytest.raises(pytest.skip.Exception, match="no_such_module, no_such_set"):
        run(path)


def test_older_spellings_are_allowed_where_the_first_line_says_so(reader_folder: Path) -> None:
    path = reader_folder / "99_older.py"
    path.write_text('"""Older spellings."""\nimport neocog as keras\nassert keras.optimizers.SGD(lr=0.1)\n')
    run(path)

"""The house: arrows point down, no file runs code, imports stay light, examples run, names are there."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULES = sorted(
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES
    if path.name != "__main__.py"
)
PUBLIC = [name for name in MODULES if not any(part.startswith("_") for part in name.split("."))]
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "imp"}
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "compile"}
MAY_IMPORT_BY_NAME = {"src/neocog/__init__.py", "src/neocog/core/_optional.py"}
HEAVY = ["PIL", "matplotlib", "sklearn", "h5py", "pandas", "typer", "rich", "tensorboard", "safetensors"]


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def faults(path: str, text: str) -> list[str]:
    """Return what a source file may not do."""
    tree = ast.parse(text)
    modules = list(imported(tree))
    found = [f"imports {name}" for name in modules if name.partition(".")[0] in FORBIDDEN_MODULES]
    if path not in MAY_IMPORT_BY_NAME:
        found += [f"imports {name}" for name in modules if name.partition(".")[0] == "importlib"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            found.append(f"line {node.lineno} calls {node.func.id}")
        if isinstance(node, ast.Assert):
            found.append(f"line {node.lineno} asserts")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and length(node) > 40:
            found.append(f"{node.name} has {length(node)} lines of code")
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.append(f"line {node.lineno} imports *")
    return found


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body: signature and docstring are documentation, and not counted."""
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        return (node.end_lineno or 0) - (first.end_lineno or 0)
    return (node.end_lineno or 0) - first.lineno + 1


def loads_by_torch(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "load"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("torch", "np", "numpy")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from marshal import loads",
        "import importlib.util",
        "from importlib import import_module",
        "def f():\n    eval('1')",
        "exec('1')",
        "__import__('os')",
        "assert True",
        "from os import *",
        "def f():\n" + "    x = 1\n" * 41,
    ],
)
def test_the_checker_sees_each_fault(text: str) -> None:
    assert len(faults("src/neocog/x.py", text)) == 1


@pytest.mark.parametrize("path", SOURCES, ids=where)
def test_source_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert faults(where(path), text) == []
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it holds"
    for call in loads_by_torch(tree):  # both unpickle unless told not to
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert options.get("weights_only") == "True" or options.get("allow_pickle") == "False"


@pytest.mark.parametrize("path", SOURCES, ids=where)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_arrows_point_down_only() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


TRAINING = """
import numpy
model = models.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
model.compile("adam", "mse", jit_compile=False)
model.fit(numpy.zeros((4, 8, 8, 1), "float32"), numpy.zeros((4, 2)), validation_split=0.5, verbose=0)
"""


def loaded_after(statement: str) -> set[str]:
    """Return the packages, and torch's parts, that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    names = json.loads(done.stdout.splitlines()[-1])
    return {name if name.startswith("torch._") else name.partition(".")[0] for name in names}


def test_importing_neocog_loads_nothing_heavy() -> None:
    assert not loaded_after("import neocog") & {"torch", "numpy", *HEAVY}


def test_what_loads_something_heavy_is_seen() -> None:
    loaded = loaded_after("import h5py, sys\nsys.modules['torch._dynamo'] = sys")
    assert loaded >= {"h5py", "torch._dynamo"}


@pytest.mark.parametrize(
    "modules", ["models, layers, losses, metrics, optimizers, callbacks, datasets, utils, data, files"]
)
def test_importing_all_parts_and_training_load_torch_and_nothing_heavy(modules: str) -> None:
    loaded = loaded_after(f"import neocog.models\nfrom neocog import {modules}\n{TRAINING}")
    assert "torch" in loaded
    assert not loaded & {*HEAVY, "torch._dynamo"}  # the compiler takes as long to load as all of torch


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_there_and_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert inspect.getdoc(module)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    for public in names:
        value: Any = getattr(module, public)
        ours = getattr(value, "__module__", name).startswith("neocog")
        if ours and (inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)):
            assert inspect.getdoc(value), f"{name}.{public} has no docstring"
        if inspect.isclass(value) and ours:
            assert "__doc__" in value.__dict__, f"{name}.{public} has its base's docstring"
            assert value.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), warnings.catch_warnings():
        warnings.simplefilter("error")
        result = doctest.testmod(module)
    assert result.failed == 0, output.getvalue()

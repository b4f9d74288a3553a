"""Writes docs/api.md: every public name of Keras, and whether neocog has it; read off the code of both.

    .venv-test/bin/python scripts/api_table.py           # write the table
    .venv-test/bin/python scripts/api_table.py --check   # fail where the file is not what the code says

What a program cannot read off, why a name is left out and what a supported one does differently, stands in
docs/api-notes.toml. A name of Keras that is neither here nor in the notes makes the script fail.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

DOCS = Path(__file__).resolve().parent.parent / "docs"
SUPPORTED, DIFFERENT, OUT = "supported", "with a difference", "out of scope"
# Arguments that Keras's functions take for reasons of its own (subclassing, registration).
_NOT_COMPARED = {"self", "args", "kwargs", "cls"}


@dataclass(frozen=True)
class Row:
    """One public name: its module and name, one of the three verdicts, and what is different or why."""

    module: str
    name: str
    verdict: str
    note: str


def rows() -> list[Row]:
    """Compare every public name of the installed Keras with neocog's."""
    import keras

    import neocog

    notes = tomllib.loads((DOCS / "api-notes.toml").read_text(encoding="utf-8"))
    return [
        _row(path, name, theirs, _find(neocog, f"{path}.{name}".lstrip(".")), notes)
        for path, name, theirs in public_names(keras)
    ]


def public_names(root: ModuleType, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Give (module path, name, object) of all that a package exports, sorted, submodules after names."""
    names = sorted(name for name in dir(root) if not name.startswith("_") or name == "__version__")
    modules = []
    for name in names:
        value = getattr(root, name)
        if isinstance(value, ModuleType):
            exported = value.__name__.startswith(("keras._tf_keras", "keras.src", "keras.api")) is False
            if exported and name not in ("src", "api") and (path, name) != ("", "legacy"):
                modules.append((f"{path}.{name}".lstrip("."), value))
        else:
            yield path, name, value
    for inner, module in modules:
        yield from public_names(module, inner)


def _find(root: Any, path: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in path.split("."):
            try:
                root = getattr(root, part)
            except (AttributeError, ImportError):
                return None
    return root


def _row(module: str, name: str, theirs: Any, ours: Any, notes: dict[str, dict[str, str]]) -> Row:
    path = f"{module}.{name}".lstrip(".")
    reason = notes["out_of_scope"].get(path) or notes["out_of_scope"].get(f"{module}.*")
    if ours is None or reason is not None:
        if reason is None:
            raise SystemExit(
                f"api_table: keras.{path} is not in neocog; add it or say why in api-notes.toml."
            )
        return Row(module, name, OUT, reason)
    found = (notes["differences"].get(path), _missing_arguments(theirs, ours))
    differences = [note for note in found if note]
    return Row(module, name, DIFFERENT if differences else SUPPORTED, "; ".join(differences))


def _missing_arguments(theirs: Any, ours: Any) -> str:
    wanted, have = _arguments(theirs), _arguments(ours)
    if wanted is None or have is None or any(name.startswith("**") for name in have):
        return ""
    missing = [name for name in wanted if name not in have and not name.startswith("*")]
    return f"without {', '.join(missing)}" if missing else ""


def _arguments(value: Any) -> list[str] | None:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [star.get(p.kind, "") + p.name for p in parameters if p.name not in _NOT_COMPARED - {"kwargs"}]


def table(found: list[Row]) -> str:
    """Return the page."""
    import keras

    counts = Counter(row.verdict for row in found)
    lines = [
        "# Names of Keras, and what neocog has of them",
        "",
        f"Read off Keras {keras.__version__} and this code by `scripts/api_table.py`; do not edit by hand.",
        f"{len(found)} names: {counts[SUPPORTED]} supported, {counts[DIFFERENT]} with a difference, "
        f"{counts[OUT]} out of scope.",
    ]
    for module in dict.fromkeys(row.module for row in found):
        group = [row for row in found if row.module == module]
        head = f"keras.{module}".rstrip(".")
        lines += ["", f"## {head}", "", "| name | neocog | note |", "| --- | --- | --- |"]
        lines += [f"| `{row.name}` | {row.verdict} | {row.note} |" for row in group]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check docs/api.md."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--check", action="store_true")
    page, path = table(rows()), DOCS / "api.md"
    if not parser.parse_args().check:
        path.write_text(page, encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == page:
        return 0
    print("docs/api.md is not what the code says; run scripts/api_table.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

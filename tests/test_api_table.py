"""docs/api.md is what the code says, and every name that people write is supported."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import neocog

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import api_table  # noqa: E402


@pytest.fixture(scope="module")
def rows() -> list[api_table.Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own modules warn when they are listed
        return api_table.rows()


def test_the_page_is_what_the_code_says(rows: list[api_table.Row]) -> None:
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == api_table.table(rows)


def test_what_is_out_of_scope_says_why(rows: list[api_table.Row]) -> None:
    assert all(len(row.note) > 10 for row in rows if row.verdict != api_table.SUPPORTED)


def test_a_name_that_is_neither_here_nor_in_the_notes_is_seen() -> None:
    notes: dict[str, dict[str, str]] = {"out_of_scope": {}, "differences": {}}
    with pytest.raises(SystemExit, match=r"keras\.layers\.Missing is not in neocog"):
        api_table._row("layers", "Missing", object, None, notes)


def test_a_missing_argument_is_a_difference() -> None:
    notes: dict[str, dict[str, str]] = {"out_of_scope": {}, "differences": {}}

    def theirs(x: Any, axis: Any) -> None: ...

    def ours(x: Any) -> None: ...

    row = api_table._row("ops", "f", theirs, ours, notes)
    assert (row.verdict, row.note) == (api_table.DIFFERENT, "without axis")


def usage_names() -> list[str]:
    """The names of Keras that people write, from the list beside the repository, where it is at hand."""
    data = Path(os.environ.get("NEOCOG_DATA", ROOT.parent / "shared" / "data"))
    listed = data.parent / "api-usage.txt"
    if not listed.exists():
        return []
    return re.findall(r"^ +\d+ +\d+ +(keras\.[\w.]+)$", listed.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(not usage_names(), reason="the list of what people write is not at hand")
@pytest.mark.parametrize("name", usage_names() or ["keras"])
def test_what_people_write_is_there(name: str) -> None:
    found: Any = neocog
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older spellings are among them
        for part in name.split(".")[1:]:
            found = getattr(found, part)
    assert found is not None

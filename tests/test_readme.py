"""What a stranger reads first is true: the examples of README and guides run, the commands exist."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README, KOREAN = ROOT / "README.md", ROOT / "README.ko.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FIGURE = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language, its text, the line where it begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(language=found[1], text=found[2], line=page.count("\n", 0, found.start()) + 2)
        for found in _FENCE.finditer(page)
    ]


def run_page(page: str, name: str) -> None:
    """Run the Python blocks of a page, each in a namespace of its own.

    Every line of a `text` block that follows one must be among the lines that it printed.
    """
    found = blocks(page)
    for block, after in zip(found, [*found[1:], None], strict=False):
        if block.language != "python":
            continue
        code = compile("\n" * (block.line - 1) + block.text, name, "exec")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, {"__name__": "__main__"})  # noqa: S102 (our own pages)
        if after is not None and after.language == "text":
            missing = [line for line in after.text.splitlines() if line not in output.getvalue().splitlines()]
            assert not missing, f"{name}:{block.line} printed\n{output.getvalue()}\nwithout {missing}"


def headings(page: str) -> list[int]:
    """Return the levels of a page's headings, in order."""
    return [len(found) for found in re.findall(r"^(#+) ", _FENCE.sub("", page), re.MULTILINE)]


def code(block: Block) -> str:
    """Return a block without its comments, which are translated."""
    return "\n".join(re.sub(r"\s*(?<!\S)# .*$", "", line) for line in block.text.splitlines())


def command_lines(page: str) -> Iterator[list[str]]:
    """Give the `neocog …` lines of the `bash` blocks, split into words."""
    for block in blocks(page):
        if block.language == "bash":
            for line in block.text.splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0].rpartition("/")[2] == "neocog":
                    yield words[1:]


def check_command(words: list[str]) -> None:
    """Raise where the command line has no such command, option or number of arguments; nothing is run."""
    from typer.main import get_command

    from neocog.cli import app

    command: Any = get_command(app)
    context = command.context_class(command, info_name="neocog")
    while hasattr(command, "resolve_command") and words and not words[0].startswith("-"):
        name, command, words = command.resolve_command(context, list(words))
        context = command.context_class(command, info_name=name, parent=context)
    if "--help" not in words:
        command.parse_args(context, list(words))


def measured(page: str) -> list[list[str]]:
    """Return the rows of the table "Measured" that have a figure: result and file are their last cells."""
    section = re.split(r"^## (?:Measured|측정값)$", page, flags=re.MULTILINE)[1]
    lines = re.split(r"^## ", section, flags=re.MULTILINE)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in rows[2:] if _FIGURE.search(re.sub(r"<!--.*?-->", "", row[-2]))]


def check_row(row: list[str]) -> None:
    """Raise unless the row's file is there, is dated, and holds every figure of the result."""
    links = re.findall(r"\((benchmarks/results/\d{4}-\d{2}-\d{2}-[\w.-]+)\)", row[-1])
    assert links, f"{row}: the last cell links no dated file in benchmarks/results"
    text = "\n".join((ROOT / link).read_text(encoding="utf-8") for link in links)
    values = [float(found.replace(",", "")) for found in _FIGURE.findall(text)]
    for figure in _FIGURE.findall(row[-2]):
        digits = len(figure.partition(".")[2])
        wanted = float(figure.replace(",", ""))
        near = 0.5 * 10.0**-digits + 1e-9
        assert any(abs(scale * value - wanted) <= near for value in values for scale in (1, 100)), (
            f"{row}: {figure} is not in {links}"
        )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_python_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    run_page(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize("path", [*PAGES, KOREAN], ids=lambda path: path.name)
def test_the_commands_exist(path: Path) -> None:
    for words in command_lines(path.read_text(encoding="utf-8")):
        check_command(words)


@pytest.mark.parametrize("path", [*PAGES, KOREAN, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_the_links_lead_somewhere(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page)
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_says_the_same_in_korean() -> None:
    english, korean = README.read_text(encoding="utf-8"), KOREAN.read_text(encoding="utf-8")
    assert headings(english) == headings(korean)
    assert [block.language for block in blocks(english)] == [block.language for block in blocks(korean)]
    for ours, theirs in zip(blocks(english), blocks(korean), strict=True):
        assert code(ours) == code(theirs)
    assert [row[-2:] for row in measured(english)] == [row[-2:] for row in measured(korean)]


@pytest.mark.parametrize("path", [README, KOREAN], ids=lambda path: path.name)
def test_every_figure_has_a_dated_file(path: Path) -> None:
    for row in measured(path.read_text(encoding="utf-8")):
        check_row(row)


def test_the_checks_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run_page("```python\n1 / 0\n```\n", "page")
    with pytest.raises(AssertionError, match="without"):
        run_page("```python\nprint(1)\n```\n\n```text\n2\n```\n", "page")
    with pytest.raises(Exception, match="No such command"):
        check_command(["trian", "photos"])
    with pytest.raises(Exception, match="No such option"):
        check_command(["train", "photos", "--epoch-number", "3"])
    with pytest.raises(Exception, match="valid int"):
        check_command(["train", "photos", "--epochs", "many"])
    with pytest.raises(Exception, match="Missing"):
        check_command(["predict", "runs/photos"])
    monkeypatch.setattr("test_readme.ROOT", tmp_path)
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "2026-11-21-digits.json").write_text('{"accuracy": 0.9833}')
    check_row(["digits", "98.3 %", "[file](benchmarks/results/2026-11-21-digits.json)"])
    with pytest.raises(AssertionError, match="is not in"):
        check_row(["digits", "98.4 %", "[file](benchmarks/results/2026-11-21-digits.json)"])
    with pytest.raises(AssertionError, match="no dated file"):
        check_row(["digits", "98.3 %", "measured"])
    with pytest.raises(FileNotFoundError):
        check_row(["digits", "98.3 %", "[file](benchmarks/results/2026-11-22-digits.json)"])

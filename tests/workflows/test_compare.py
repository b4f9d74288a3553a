"""Runs side by side: the numbers of their files, the settings that differ, a page that runs nothing."""

from __future__ import annotations

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from neocog.cli._app import app
from neocog.exceptions import ArgumentError, DataError, FileFormatError
from neocog.workflows import TrainConfig, compare, train


@pytest.fixture(scope="module")
def two(digits_run: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The run on the digits, and one without augmentation under a hostile name."""
    out = tmp_path_factory.mktemp("more") / "<b>둘째 & 'run'"
    train(TrainConfig(data="digits", model="mlp", epochs=2, augment="none", out=str(out)))
    return [digits_run.result.folder, out]


class Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_numbers_are_those_of_the_files(two: list[Path], tmp_path: Path) -> None:
    result = compare(two, tmp_path / "page.html")
    for run, folder in zip(result.runs, two, strict=True):
        metrics = json.loads((folder / "metrics.json").read_text())
        rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
        kept = rows[metrics["best_epoch"] - 1]
        assert run.test == metrics["test"]["accuracy"]
        assert (run.low, run.high) == (metrics["test"]["low"], metrics["test"]["high"])
        assert run.training == float(kept["accuracy"])
        assert run.gap == pytest.approx(float(kept["accuracy"]) - float(kept["val_accuracy"]))
        last = rows[result.common_epochs - 1]
        gap = float(last["accuracy"]) - float(last["val_accuracy"])
        assert run.gap_after(result.common_epochs) == pytest.approx(gap)
        assert run.gap_after(len(rows) + 1) is None
        assert len(run.epochs) == len(rows)
    assert result.common_epochs == 2
    assert result.runs[0].name == two[0].name
    assert result.differing["augment"] == ("light", "none")
    assert result.differing["epochs"] == (3, 2)
    assert not set(result.differing) & {"out", "seed", "batch_size"}
    assert result.notes == ()


def test_the_page_stands_by_itself(two: list[Path], tmp_path: Path) -> None:
    page = compare(two, tmp_path / "page.html").page.read_text("utf-8")
    checker = Checker()
    checker.feed(page)
    assert not {"script", "link", "img", "b", "iframe"} & set(checker.tags)
    assert checker.tags.count("svg") == 2
    assert checker.tags.count("polyline") == 8
    assert "둘째 & 'run'" in checker.text
    assert "light" in checker.text
    assert "default-src" in page
    compare(two, tmp_path / "page.html")  # an older comparison makes room


def test_names_that_are_alike_get_their_folders(two: list[Path], tmp_path: Path) -> None:
    copies = [tmp_path / name / "run" for name in ("a", "b")]
    for copy, run in zip(copies, two, strict=True):
        shutil.copytree(run, copy)
    found = compare(copies, tmp_path / "page.html")
    assert [run.name for run in found.runs] == ["a/run", "b/run"]


def test_other_data_are_noted(two: list[Path], shapes_run: Any, tmp_path: Path) -> None:
    found = compare([two[0], shapes_run.result.folder], tmp_path / "page.html")
    assert "different data" in found.notes[0]
    other = tmp_path / "other"
    shutil.copytree(two[1], other)
    split = (other / "split.csv").read_text().replace(",test,", ",train,", 1)
    (other / "split.csv").write_text(split)
    assert "splits differ" in compare([two[0], other], tmp_path / "page.html").notes[0]


def test_refused(two: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with pytest.raises(ArgumentError, match="2 to 6 runs"):
        compare(two[:1], out)
    with pytest.raises(ArgumentError, match="twice"):
        compare([two[0], two[0]], out)
    with pytest.raises(ArgumentError, match=r"\.html"):
        compare(two, tmp_path / "page.txt")
    with pytest.raises(ArgumentError, match="a folder that is there"):
        compare(two, tmp_path / "missing" / "page.html")
    with pytest.raises(DataError, match="no such folder"):
        compare([two[0], tmp_path / "missing"], out)
    mine = tmp_path / "mine.html"
    mine.write_text("<p>my page</p>")
    with pytest.raises(ArgumentError, match="stays as it is"):
        compare(two, mine)
    assert mine.read_text() == "<p>my page</p>"
    assert not out.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"test": 3}', '{"test": {}, "best_epoch": "x"}'])
def test_damaged_results(text: str, two: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(two[1], copy)
    (copy / "metrics.json").write_text(text)
    (copy / "history.csv").write_text("epoch,loss\n1,abc\n")
    if "best_epoch" in text:
        found = compare([two[0], copy], tmp_path / "page.html").runs[1]
        assert (found.test, found.gap, found.best_epoch) == (None, None, 0)
        return
    with pytest.raises(FileFormatError, match=r"metrics\.json"):
        compare([two[0], copy], tmp_path / "page.html")


def test_the_command(two: list[Path], tmp_path: Path) -> None:
    out = str(tmp_path / "page.html")
    run = CliRunner().invoke(app, ["compare", *map(str, two), "--out", out])
    assert run.exit_code == 0, run.output
    for text in ("points", "augment", "light", "none", "page "):
        assert text in run.output
    told = json.loads(CliRunner().invoke(app, ["compare", *map(str, two), "--out", out, "--json"]).stdout)
    assert len(told["runs"]) == 2
    assert CliRunner().invoke(app, ["compare", str(two[0])]).exit_code == 2

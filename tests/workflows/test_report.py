"""The report: complete, self-contained, escaped, and its examples run."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from drawn_shapes import HOSTILE, Trained
from PIL import Image

from neocog.workflows._hints import hints
from neocog.workflows._report._charts import _axis, _written, curve
from neocog.workflows._report._html import Markup, el, join, text

VOID = {"meta", "img", "br", "line", "polyline", "circle", "rect"}


class Page(HTMLParser):
    """Tags with attributes, texts by tag, and whether everything that opens also closes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str | None = None) -> str:
        """Return the text in such tags, or all of it."""
        return "\n".join(data for name, data in self.texts if tag in (None, name) and name != "style")


def page_of(trained: Trained) -> Page:
    """Parse a run's report."""
    return Page(trained.result.report.read_text(encoding="utf-8"))


@pytest.mark.parametrize("run", ["digits_run", "shapes_run"])
def test_the_report_is_whole_and_self_contained(run: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(run)
    page = page_of(trained)
    assert page.open == []
    found = {tag for tag, _ in page.tags}
    assert not found & {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    style = next(data for tag, data in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    for wanted in ("prefers-color-scheme: dark", "@media print", "max-width"):
        assert wanted in style
    policies = [item["content"] for item in page.all("meta") if "http-equiv" in item]
    assert policies[0].startswith("default-src 'none'")
    assert any(item.get("name") == "viewport" for item in page.all("meta"))
    assert page.all("html")[0]["lang"] == "en"


def test_the_headline_says_what_was_measured(digits_run: Trained) -> None:
    page, test = page_of(digits_run), digits_run.result.test
    assert page.text("h1") == f"{100 * test.accuracy:.1f} % of 359 test images are recognised"
    whole = page.text()
    assert f"{100 * test.low:.1f} % to {100 * test.high:.1f} %" in whole
    assert "1222 were learned from" in whole
    assert digits_run.result.plan.removeprefix("plan: ") in whole
    for heading in ("worst mistakes", "taken for what", "Class by class", "training went", "Use the model"):
        assert heading in page.text("h2")


def test_drawings_say_in_words_what_they_show(digits_run: Trained) -> None:
    page = page_of(digits_run)
    labels = [item["aria-label"] for item in page.all("svg") if item["role"] == "img"]
    assert len(labels) == len(page.all("svg")) == 3
    assert all(re.search(r"\d", label) for label in labels)
    assert all(item["alt"] for item in page.all("img"))


def test_the_matrix_and_the_table_hold_the_scores(digits_run: Trained) -> None:
    page, test = page_of(digits_run), digits_run.result.test
    cells = [data for tag, data in page.texts if tag == "td"]
    filled = [str(count) for row in test.confusion for count in row if count]
    assert cells[: len(filled)] == filled
    assert f"{100 * (test.classes[0].recall or 0):.1f} %" in cells


def test_the_worst_mistakes_are_pictures(digits_run: Trained) -> None:
    page, test = page_of(digits_run), digits_run.result.test
    images = page.all("img")
    assert len(images) == min(24, test.count - test.correct)
    for attributes in images:
        head, _, data = attributes["src"].partition(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == (8, 8)
        assert re.fullmatch(r"digits/test/\d+: \d, taken for \d", attributes["alt"])
    sure = [float(data.split()[0]) for _, data in page.texts if data.endswith(" % sure")]
    assert sure == sorted(sure, reverse=True)


def test_names_cannot_become_markup(shapes_run: Trained) -> None:
    page = page_of(shapes_run)
    assert HOSTILE in page.text("th")  # as text
    source = shapes_run.result.report.read_text(encoding="utf-8")
    assert "<img src=x" not in source
    assert "<script" not in source
    assert "막대 $x$" in page.text("th")
    assert "circle/empty.png" in page.text("code")


def test_hostile_text_is_escaped_everywhere() -> None:
    nasty = "\"><script>'&\udcff\x00\u202e"
    shown = el("p", nasty, title=nasty)
    page = Page(str(shown))
    assert [tag for tag, _ in page.tags] == ["p"]
    assert "script" in page.text("p")
    str(shown).encode("utf-8")  # no byte that is no Unicode is left
    for hidden in ("\udcff", "\x00", "\u202e"):
        assert hidden not in shown
    assert join("a<", Markup("<b>"), text("&")) == "a&lt;<b>&amp;"


def test_the_code_in_the_report_runs(digits_run: Trained) -> None:
    blocks = [data for tag, data in page_of(digits_run).texts if tag == "code"]
    python = [block for block in blocks if "import" in block]
    assert len(python) == 2
    digit = digits_run.folder.parent / "photo.jpg"
    Image.new("L", (8, 8), 90).save(digit)
    for block in python:
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=digit.parent, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert re.search(r"photo\.jpg \d 0\.\d+|\[\[", done.stdout)
    assert f"neocog evaluate {digits_run.folder}" in blocks[0]


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [(0.1, 0.97, True), (0.5, 0.5, True), (1.0, 1.0, True), (0.999, 1.0, True), (0.0, 2.4, False)]
    + [(0.0, 0.0, False), (0.0, 1e-6, False), (3.0, 5000.0, False)]
    + [(-7.1, -0.08, False), (-0.4, 0.6, False), (-4e6, 0.3, False)],
)  # fmt: skip
def test_axes_hold_their_values(low: float, high: float, share: bool) -> None:
    bottom, top, step = _axis(low, high, share)
    assert bottom <= low + 1e-9
    assert top >= high - 1e-9
    assert top > bottom
    assert 1 <= round((top - bottom) / step) <= 12


def test_curves_of_negative_values_lie_inside_their_drawing() -> None:
    epochs = [{"r2": -7.1, "val_r2": -1.4}, {"r2": -0.6, "val_r2": -0.08}]
    page = Page(curve("R²", "r2", epochs, 2, share=False))
    height = float(page.all("svg")[0]["viewbox"].split()[-1])
    lines = [line["points"] for line in page.all("polyline")]
    assert len(lines) == 2
    assert all(0 <= float(point.split(",")[1]) <= height for line in lines for point in line.split())


@pytest.mark.parametrize(
    ("step", "share", "shown"),
    [(2.5, False, ["0.0", "2.5", "5.0", "7.5"]), (0.25, False, ["0.00", "0.25", "0.50", "0.75"])]
    + [(0.025, True, ["0.0 %", "2.5 %", "5.0 %", "7.5 %"]), (0.2, True, ["0 %", "20 %", "40 %", "60 %"])]
    + [(20.0, False, ["0", "20", "40", "60"]), (0.005, True, ["0.0 %", "0.5 %", "1.0 %", "1.5 %"])],
)  # fmt: skip
def test_the_numbers_beside_the_lines_are_those_of_the_lines(
    step: float, share: bool, shown: list[str]
) -> None:
    assert [_written(number * step, share, step) for number in range(4)] == shown


def test_the_word_for_guessing_stays_in_the_drawing_with_many_classes(digits_run: Trained) -> None:
    from dataclasses import replace

    from neocog.workflows._report._charts import accuracy_scale

    anchors = [
        re.search(r'<text x="[\d.]+" y="9" text-anchor="(\w+)">guessing', accuracy_scale(scores))
        for scores in (replace(digits_run.result.test, majority=share) for share in (0.01, 0.3, 1.0))
    ]
    assert [found and found.group(1) for found in anchors] == ["start", "middle", "end"]


def test_long_class_names_do_not_push_the_confusion_matrix_out_of_sight(digits_run: Trained) -> None:
    from dataclasses import replace

    from neocog.workflows._report._sections import confusion

    long = "n" * 120
    classes = digits_run.result.test.classes
    test = replace(digits_run.result.test, classes=(replace(classes[0], name=long), *classes[1:]))
    page = Page(confusion(test))
    cut = [span for span in page.all("span") if span.get("class") == "long"]
    assert len(cut) == 2 * len(classes)
    assert sum(span["title"] == long for span in cut) == 2  # the whole name is there to be pointed at
    style = digits_run.result.report.read_text(encoding="utf-8")
    assert re.search(r"\.matrix \.long \{[^}]*max-width", style)
    assert not re.search(r"\.legend span \{[^}]*nowrap", style)  # nor the legend off a telephone


def test_hints_speak_when_there_is_something_to_say(digits_run: Trained) -> None:
    from dataclasses import replace

    from neocog.workflows._fit import FitRecord

    good = {"accuracy": 0.99, "val_accuracy": 0.98, "loss": 0.1, "val_loss": 0.1}
    test = replace(digits_run.result.test, accuracy=0.95, low=0.93, high=0.97, majority=0.1)
    classes = tuple(replace(item, recall=0.95) for item in test.classes)
    test = replace(test, classes=classes)
    even = {"a": 10, "b": 12}
    record = FitRecord(epochs=[good, {**good, "val_loss": 0.2}], best_epoch=1)
    assert hints(record, test, even, [], most_epochs=9) == []

    over = FitRecord(epochs=[{**good, "val_accuracy": 0.7}], best_epoch=1)
    assert "Overfitting" in hints(over, test, even, [], most_epochs=9)[0]
    wide = replace(test, low=0.7, high=0.99)
    assert "Only 359 test images" in hints(record, wide, even, [], most_epochs=9)[0]
    guess = replace(test, majority=0.94)
    assert "guessing" in hints(record, guess, even, [], most_epochs=9)[0]
    assert "Uneven" in hints(record, test, {"a": 10, "b": 40}, [], most_epochs=9)[0]
    weak = replace(test, classes=(replace(classes[0], recall=0.4), *classes[1:]))
    assert "40.0 % of its" in hints(record, weak, even, [], most_epochs=9)[0]
    chance = replace(test, classes=(replace(classes[0], recall=0.5, count=2), *classes[1:]))
    assert hints(record, chance, even, [], most_epochs=9) == []  # one image of two says nothing
    both = (replace(classes[0], recall=0.0, count=1), replace(classes[1], recall=0.4), *classes[2:])
    said = hints(record, replace(test, classes=both), even, [], most_epochs=9)
    assert "40.0 % of its" in said[0]  # not the class with one image
    assert "exact copy" in hints(record, test, even, [("test/a", "train/b")], most_epochs=9)[0]
    rising = FitRecord(epochs=[good, {**good, "val_loss": 0.05}], best_epoch=2)
    assert "more than 2 epochs" in hints(rising, test, even, [], most_epochs=2)[0]
    cut = FitRecord(epochs=[good], best_epoch=1, interrupted=True)
    assert "Interrupted after epoch 1" in hints(cut, test, even, [], most_epochs=9)[0]


def test_numbers_that_were_not_learned_are_not_called_overfitted() -> None:
    from neocog.workflows._fit import FitRecord
    from neocog.workflows._hints_tasks import number_hints
    from neocog.workflows._scores_numbers import score_numbers

    test = score_numbers([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]], ["price"])

    def said(train: float, validation: float) -> str:
        record = FitRecord(epochs=[{"r2": train, "val_r2": validation}], best_epoch=1)
        return " ".join(number_hints(record, test))

    assert "Overfitting" not in said(-0.1, -0.6)
    assert "Overfitting" not in said(0.02, -0.4)
    assert "Overfitting: R² is 0.900" in said(0.9, 0.5)
    assert "Overfitting" in said(0.6, -0.2)

"""How the findings of a check look: a page with pictures, contact sheets, lists for other programs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neocog.data import load_image
from neocog.diagnosis import Diagnosis, Finding, Samples
from neocog.exceptions import DataError
from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._data import Images, shrink
from neocog.workflows._report._html import Markup, el, join, text
from neocog.workflows._report._pictures import data_uri
from neocog.workflows._report._style import STYLE
from neocog.workflows._train_checks import CheckedData

Thumbs = Mapping[int, Images]

MOST_CASES, MOST_A_CASE, MOST_LISTED = 24, 4, 200
_LONGEST = 160  # pixels of a picture
_PICTURELESS = ("unreadable", "imbalance", "alike-classes", "empty-folders")


def shown_thumbs(findings: Sequence[Finding], samples: Samples) -> dict[int, Images]:
    """Return small pictures of the images that pages and sheets show."""
    wanted = {
        index
        for finding in findings
        if finding.kind not in _PICTURELESS
        for item in finding.items[:MOST_CASES]
        for index in item.images[:MOST_A_CASE]
    }
    found = {}
    for index in sorted(wanted):
        try:
            found[index] = shrink(load_image(samples.paths[index]), _LONGEST)
        except (DataError, OSError, MemoryError):
            continue  # gone since it was checked
    return found


def finding_rows(details: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of a finding's list: a row for each image; the first of a case is kept."""
    header = ["case", "file", "class", "part", "role", "suggested", "score", "note"]
    rows: list[list[Any]] = []
    copies = details["kind"] in ("exact-copies", "near-copies", "leaks", "label-conflicts")
    for number, case in enumerate(details["cases"], 1):
        rest = [case["suggested"] or "", case["score"], case["note"]]
        for place, file in enumerate(case["files"] or [""]):
            role = ("keep" if place == 0 else "copy") if copies else ""
            classes, parts = case["classes"], case["parts"]
            name = classes[place] if place < len(classes) else None
            part = parts[place] if place < len(parts) else None
            cells = [name or "", part or "", role, *rest]
            shown = [guarded(cell) if isinstance(cell, str) else cell for cell in cells]
            rows.append([number, guarded_path(file) if file else "", *shown])
    return header, rows


def sheet(finding: Finding, details: Mapping[str, Any], thumbs: Thumbs) -> Any:
    """Return a contact sheet (a Pillow image): a row for each pair, a grid of single images; None without."""
    from PIL import Image, ImageDraw, ImageFont

    cases = [
        (case, [(i, file) for i, file in zip(item.images, case["files"], strict=True) if i in thumbs])
        for item, case in zip(finding.items[:MOST_CASES], details["cases"], strict=False)
    ]
    cases = [(case, shown[:MOST_A_CASE]) for case, shown in cases if shown]
    if not cases or finding.kind in _PICTURELESS:
        return None
    across = max(len(shown) for _, shown in cases)
    width, height = across * (_LONGEST + 10), _LONGEST + 56
    columns = max(min(6 // across, len(cases)), 1)
    page = Image.new("RGB", (columns * (width + 16), -(-len(cases) // columns) * height), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=11)
    for number, (case, shown) in enumerate(cases):
        left, top = number % columns * (width + 16) + 8, number // columns * height + 4
        for place, (index, file) in enumerate(shown):
            picture = thumbs[index]
            at = (left + place * (_LONGEST + 10), top)
            page.paste(Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture), at)
            pen.text((at[0], top + _LONGEST + 2), _drawn(file), fill="black", font=font)
        note = textwrap.wrap(_drawn(case["note"], 52 * across), 27 * across)
        pen.text((left, top + _LONGEST + 18), "\n".join(note[:2]), fill="#b3261e", font=font, spacing=2)
    return page


def _drawn(words: str, most: int = 27) -> str:
    """Return the end of a name in characters that the built-in font has."""
    plain = words.encode("latin-1", "replace").decode("latin-1")
    plain = "".join(c if c.isprintable() else "?" for c in plain)
    return plain if len(plain) <= most else f"...{plain[-most + 3 :]}"


def check_page(
    result: Mapping[str, Any],
    findings: Sequence[Finding],
    samples: Samples,
    diagnosis: Diagnosis,
    thumbs: Thumbs,
) -> str:
    """Return the findings as one self-contained page."""
    body = [
        el(
            "header",
            el("p", f"neocog check · {result['data']}", class_="name"),
            el("h1", _headline(result)),
            el("p", str(result["trust"]), class_="lead"),
        ),
        *([el("section", el("h2", "What was found"), _overview(result))] if findings else []),
        *(
            _section(finding, details, thumbs)
            for finding, details in zip(findings, result["findings"], strict=True)
        ),
        el("section", el("h2", "The images"), _counts(samples, diagnosis)),
    ]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy",
           content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"),
        el("title", f"{result['data']}: {_headline(result)}"),
        el("style", Markup(STYLE + _STYLE)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{el('html', head, el('body', el('main', *body)), lang='en')}\n"


_STYLE = """
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.2rem;
  padding: 0; list-style: none; }
.cases.single { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
.cases .row { display: flex; gap: .5rem; }
.cases .row > div { flex: 1 1 0; min-width: 0; }
.cases img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card); border-radius: 8px; }
.cases small { display: block; color: var(--soft); overflow-wrap: anywhere; font-size: .78rem; }
.error { color: var(--bad); font-weight: 600; } .warning { color: var(--validation); font-weight: 600; }
.found td { white-space: normal; text-align: left; } .found th { text-align: left; }
"""


def findings_section(checked: CheckedData) -> Markup:
    """Return the findings on the data of a run as part of its report, pictures included."""
    findings, result = checked.findings, checked.as_dict()
    if not findings:
        return el("p", "No copies, no odd images, nothing unreadable.", class_="note")
    thumbs = shown_thumbs(findings, checked.samples)
    lead = el("p", str(result["trust"]), class_="note") if result["trust"] else ""
    cases = [
        el("details", el("summary", f"{finding.title}: {finding.count}"), _cases(finding, details, thumbs))
        for finding, details in zip(findings, result["findings"], strict=True)
    ]
    return join(el("style", Markup(_STYLE)), lead, _overview(result, linked=False), *cases)


def _headline(result: Mapping[str, Any]) -> str:
    grave = [found for found in result["findings"] if found["severity"] != "information"]
    images = f"{result['images']} images"
    if not grave:
        return f"{images}, nothing wrong found"
    return f"{images}, {len(grave)} kind{'s' if len(grave) > 1 else ''} of fault"


def _overview(result: Mapping[str, Any], *, linked: bool = True) -> Markup:
    head = el("tr", *(el("th", name, scope="col") for name in ("finding", "cases", "severity", "what to do")))
    rows = [
        el(
            "tr",
            el("th", _titled(found, linked), scope="row"),
            el("td", found["count"]),
            el("td", found["severity"], class_=found["severity"]),
            el("td", found["advice"]),
        )
        for found in result["findings"]
    ]
    return el("div", el("table", el("thead", head), el("tbody", *rows), class_="found"), class_="scroll")


def _titled(found: Mapping[str, Any], linked: bool) -> Markup:
    return el("a", found["title"], href=f"#{found['kind']}") if linked else text(found["title"])


def _section(finding: Finding, details: Mapping[str, Any], thumbs: Thumbs) -> Markup:
    note = el("p", f"{finding.meaning} {finding.advice}", class_="note")
    title = el("h2", f"{finding.title}: {finding.count}")
    return el("section", title, note, _cases(finding, details, thumbs), id=finding.kind)


def _cases(finding: Finding, details: Mapping[str, Any], thumbs: Thumbs) -> Markup:
    parts: list[object] = []
    cases = list(zip(finding.items, details["cases"], strict=True))
    pictured = [] if finding.kind in _PICTURELESS else cases[:MOST_CASES]
    shown = [_case(item.images, case, thumbs) for item, case in pictured]
    if shown:
        single = all(len(item.images) < 2 for item, _ in cases)
        parts.append(el("ul", *shown, class_="cases single" if single else "cases"))
    listed = [
        el("li", *(join(el("code", file), " ") for file in case["files"]), case["note"])
        for _, case in cases[len(pictured) : MOST_LISTED]
    ]
    if listed:
        parts.append(el("details", el("summary", f"{len(listed)} more" if shown else f"{len(listed)} in all"),
                        el("ul", *listed), open=None if shown else ""))  # fmt: skip
    if len(cases) > MOST_LISTED:
        parts.append(el("p", f"All {len(cases)} are in {finding.kind}.csv.", class_="note"))
    return join(*parts)


def _case(images: Sequence[int], case: Mapping[str, Any], thumbs: Thumbs) -> Markup:
    pictures = [
        el(
            "div",
            el("img", src=data_uri(thumbs[index]), alt=file, loading="lazy") if index in thumbs else "",
            el("small", file),
        )
        for index, file in list(zip(images, case["files"], strict=True))[:MOST_A_CASE]
    ]
    more = len(images) - MOST_A_CASE
    note = f"{case['note']}{f', {more} more' if more > 0 else ''}"
    return el("li", el("div", *pictures, class_="row"), text(note))


def _counts(samples: Samples, diagnosis: Diagnosis) -> Markup:
    readable = set(diagnosis.looks.readable.tolist())
    counted = Counter(
        (int(label), str(samples.part(i) or "all"))
        for i, label in enumerate(samples.labels)
        if i in readable and label >= 0
    )
    parts = sorted(
        {part for _, part in counted}, key=lambda p: ("train", "validation", "test", "all").index(p)
    )
    looks, rows = diagnosis.looks, diagnosis.looks.readable
    sizes = "none could be read"
    if len(rows):
        sizes = (
            f"{int(np.median(looks.width[rows]))}×{int(np.median(looks.height[rows]))} pixels in the median, "
            f"from {int(looks.width[rows].min())}×{int(looks.height[rows].min())} to "
            f"{int(looks.width[rows].max())}×{int(looks.height[rows].max())}"
        )
    note = el("p", f"Width and height: {sizes}. Labels judged by: {diagnosis.feature_name}.", class_="note")
    if not samples.class_names or not counted:
        return note
    head = el("tr", *(el("th", name, scope="col") for name in ("class", *parts)))
    table = [
        el("tr", el("th", name, scope="row"), *(el("td", counted[label, part]) for part in parts))
        for label, name in enumerate(samples.class_names)
    ]
    return join(note, el("div", el("table", el("thead", head), el("tbody", *table)), class_="scroll"))

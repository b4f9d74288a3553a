"""The report as a whole: what it says, in which order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.workflows._config import TrainConfig
from neocog.workflows._data import ImageData
from neocog.workflows._environment import environment
from neocog.workflows._fit import FitRecord
from neocog.workflows._hints import percent
from neocog.workflows._models import MODELS
from neocog.workflows._recipe import AUGMENTATIONS, Recipe
from neocog.workflows._report._charts import accuracy_scale, curve
from neocog.workflows._report._html import Markup, el, join, text
from neocog.workflows._report._sections import class_table, confusion, data_section, mistakes
from neocog.workflows._report._style import STYLE
from neocog.workflows._scores import Scores


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the report tells.

    Attributes:
        config: what was asked for.
        data: images in parts.
        recipe: how the model was trained.
        model: its name.
        parameters: number of its weights.
        record: what became of the training.
        scores: on the test images.
        probabilities: (test images, classes).
        hints: what to know before believing the headline.
        folder: of the run.
    """

    config: TrainConfig
    data: ImageData
    recipe: Recipe
    model: str
    parameters: int
    record: FitRecord
    scores: Scores
    probabilities: Any
    hints: tuple[str, ...]
    folder: Path


def report_html(facts: Facts) -> str:
    """Return the report as HTML."""
    info = facts.data.info
    sections = (
        ("The worst mistakes", mistakes(facts.data.parts["test"], facts.probabilities, info.class_names)),
        ("What is taken for what", confusion(facts.scores)),
        ("Class by class", class_table(facts.scores)),
        ("How the training went", _curves(facts.record)),
        ("Use the model", _usage(facts)),
        ("The images", data_section(facts.data)),
        ("How it was made", _making(facts)),
    )
    body = [_header(facts), *(el("section", el("h2", title), part) for title, part in sections)]
    title = f"{info.name}: {percent(facts.scores.accuracy)} test accuracy"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        # Nothing may be loaded, nothing may run, whatever a file name holds.
        el("meta", http_equiv="Content-Security-Policy",
           content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"),
        el("title", title),
        el("style", Markup(STYLE)),
    )  # fmt: skip
    page = el("html", head, el("body", el("main", *body), _footer()), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _header(facts: Facts) -> Markup:
    scores, counts = facts.scores, {name: len(part.ids) for name, part in facts.data.parts.items()}
    status = f" · interrupted after epoch {len(facts.record.epochs)}" if facts.record.interrupted else ""
    lead = (
        f"95 % confidence interval: {percent(scores.low)} to {percent(scores.high)}. Measured on "
        f"{scores.count} images that the training never saw; {counts['train']} were learned from, "
        f"{counts['validation']} chose the epoch that was kept. {len(scores.classes)} classes, "
        f"{_epochs(facts.record)} in {duration(facts.record.seconds)}."
    )
    return el(
        "header",
        el("p", f"neocog report · {facts.data.info.name}{status}", class_="name"),
        el("h1", f"{percent(scores.accuracy)} of {scores.count} test images are recognised"),
        accuracy_scale(scores),
        el("p", lead, class_="lead"),
        el("ul", *(el("li", hint) for hint in facts.hints), class_="hints") if facts.hints else "",
    )


def _epochs(record: FitRecord) -> str:
    count = len(record.epochs)
    return "1 epoch" if count == 1 else f"{count} epochs"


def _curves(record: FitRecord) -> Markup:
    if not record.epochs:
        return el("p", "No epoch was finished.")
    legend = el(
        "p",
        el("span", el("i", style="background: var(--train)"), "training"),
        el("span", el("i", style="background: var(--validation)"), "validation"),
        el("span", f"dotted: epoch {record.best_epoch}, whose weights were kept"),
        class_="legend",
    )
    charts = el(
        "div",
        curve("Accuracy", "accuracy", record.epochs, record.best_epoch, share=True),
        curve("Loss", "loss", record.epochs, record.best_epoch, share=False),
        class_="charts",
    )
    note = el(
        "p",
        "Training values are taken while the weights change, with dropout and varied images: they may lie "
        "below those of validation.",
        class_="note",
    )
    return join(legend, charts, note)


def _usage(facts: Facts) -> Markup:
    """Commands and code that work as they stand, from the folder that training ran in or any other."""
    run = str(facts.folder.absolute())
    info = facts.data.info
    height, width, channels = info.image_shape
    command = f"neocog predict {shlex.quote(run)} photo.jpg another.png\nneocog evaluate {shlex.quote(run)}"
    code = (
        "from neocog.workflows import predict\n\n"
        f"for found in predict({run!r}, ['photo.jpg']).predictions:\n"
        "    print(found.file, found.label, found.confidence)"
    )
    module = (
        "import numpy as np\n"
        "from neocog.workflows import load_run\n\n"
        f"model = load_run({run!r}).model  # an ordinary torch.nn.Module\n"
        f"images = np.zeros((1, {height}, {width}, {channels}), dtype='uint8')  # 0 to 255, scaled inside\n"
        "print(model.predict(images, verbose=0))  # probabilities of the classes"
    )
    blocks = (("On the command line", command), ("In Python", code), ("As a model", module))
    return join(*(join(el("h3", title), el("pre", el("code", block))) for title, block in blocks))


def _making(facts: Facts) -> Markup:
    recipe, info, config = facts.recipe, facts.data.info, facts.config
    height, width, _ = info.image_shape
    described = MODELS[facts.model].text
    return _list(
        {
            "plan": facts.record.plan.removeprefix("plan: ") or "none",
            "model": f"{facts.model}: {described}; {facts.parameters:,} parameters",
            "images": f"{height} × {width} pixels, {info.color_mode}",
            "augmentation": f"{recipe.augment}: {AUGMENTATIONS[recipe.augment]}",
            "optimizer": f"AdamW, weight decay {recipe.weight_decay:g}, batches of {recipe.batch_size}",
            "learning rate": f"{recipe.learning_rate:g} after a warm-up of {recipe.warmup_epochs:g} epochs, "
            "then a cosine to 0",
            "epochs": f"{len(facts.record.epochs)} of at most {recipe.epochs}; stops after {recipe.patience} "
            "without a lower validation loss",
            "seed": str(config.seed),
            "data": info.root,
            "run": str(facts.folder.absolute()),
            "macro F1": f"{facts.scores.macro_f1:.4f}",
            "test loss": f"{facts.scores.loss:.4f}",
            **environment(),
        }
    )


def _list(rows: Mapping[str, str]) -> Markup:
    return el("dl", *(join(el("dt", key), el("dd", value)) for key, value in rows.items()))


def _footer() -> Markup:
    return el("footer", text("Made by neocog. This file needs no network and runs no code."))


def duration(seconds: float) -> str:
    """Return seconds in the unit that a person would use.

    Example:
        >>> duration(8.2), duration(200), duration(7200)
        ('8 seconds', '3 minutes', '2.0 hours')
    """
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} second{'s' if round(seconds) != 1 else ''}"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"

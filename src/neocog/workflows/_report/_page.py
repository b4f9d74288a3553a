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
from neocog.workflows._models import MODELS
from neocog.workflows._outputs import AnyScores
from neocog.workflows._percent import percent
from neocog.workflows._pretrained import TransferFacts
from neocog.workflows._recipe import AUGMENTATIONS, Recipe
from neocog.workflows._report._charts import accuracy_scale, curve
from neocog.workflows._report._html import Markup, el, join, text
from neocog.workflows._report._labels import (
    label_mistakes,
    label_table,
    labels_headline,
    labels_lead,
)
from neocog.workflows._report._numbers import (
    number_mistakes,
    numbers_headline,
    numbers_lead,
    scatter,
    target_table,
)
from neocog.workflows._report._sections import class_table, confusion, data_section, mistakes
from neocog.workflows._report._style import STYLE
from neocog.workflows._report._transfer import transferred
from neocog.workflows._scores import Scores
from neocog.workflows._scores_multi import MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores
from neocog.workflows._task import MULTI, REGRESSION, SINGLE

_TITLES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "r2": "R²"}


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
        probabilities: (test images, classes); for numbers (test images, targets).
        hints: what to know before believing the headline.
        folder: of the run.
        transfer: what a pretrained base brought; None without one.
        checked: what the checks of the data found, as HTML; None for arrays.
    """

    config: TrainConfig
    data: ImageData
    recipe: Recipe
    model: str
    parameters: int
    record: FitRecord
    scores: AnyScores
    probabilities: Any
    hints: tuple[str, ...]
    folder: Path
    transfer: TransferFacts | None = None
    checked: Markup | None = None


def report_html(facts: Facts) -> str:
    """Return the report as HTML."""
    sections = (
        *_results(facts),
        *([("What the pretrained network brought", transferred(facts.transfer))] if facts.transfer else []),
        ("How the training went", _curves(facts.record, facts.data.task.headline)),
        ("Use the model", _usage(facts)),
        ("The images", data_section(facts.data)),
        *([("The images, checked", facts.checked)] if facts.checked else []),
        ("How it was made", _making(facts)),
    )
    body = [_header(facts), *(el("section", el("h2", title), part) for title, part in sections)]
    title = f"{facts.data.info.name}: {_headline(facts.scores)}"
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


def _results(facts: Facts) -> list[tuple[str, Markup]]:
    """Return the sections on what the model is worth, by task."""
    part, scores, outputs = facts.data.parts["test"], facts.scores, facts.probabilities
    if isinstance(scores, MultiLabelScores):
        return [
            ("The worst mistakes", label_mistakes(part, outputs, scores)),
            ("Label by label", label_table(scores)),
        ]
    if isinstance(scores, RegressionScores):
        return [
            ("Predicted and true", scatter(part, outputs, scores)),
            ("How far off", target_table(scores)),
            ("The worst mistakes", number_mistakes(part, outputs, scores)),
        ]
    return [
        ("The worst mistakes", mistakes(part, outputs, facts.data.info.class_names)),
        ("What is taken for what", confusion(scores)),
        ("Class by class", class_table(scores)),
    ]


def _headline(scores: AnyScores) -> str:
    if isinstance(scores, MultiLabelScores):
        return labels_headline(scores)
    if isinstance(scores, RegressionScores):
        return numbers_headline(scores)
    return f"{percent(scores.accuracy)} of {scores.count} test images are recognised"


def _lead(scores: AnyScores) -> str:
    if isinstance(scores, MultiLabelScores):
        return labels_lead(scores)
    if isinstance(scores, RegressionScores):
        return numbers_lead(scores)
    return f"95 % confidence interval: {percent(scores.low)} to {percent(scores.high)}. "


def _header(facts: Facts) -> Markup:
    scores, counts = facts.scores, {name: len(part.ids) for name, part in facts.data.parts.items()}
    status = f" · interrupted after epoch {len(facts.record.epochs)}" if facts.record.interrupted else ""
    lead = (
        f"{_lead(scores)}Measured on {scores.count} images that the training never saw; {counts['train']} "
        f"were learned from, {counts['validation']} chose the epoch that was kept. {_outputs(facts)}, "
        f"{_epochs(facts.record)} in {duration(facts.record.seconds)}."
    )
    return el(
        "header",
        el("p", f"neocog report · {facts.data.info.name}{status}", class_="name"),
        el("h1", _headline(scores)),
        accuracy_scale(scores) if isinstance(scores, Scores) else "",
        el("p", lead, class_="lead"),
        el("ul", *(el("li", hint) for hint in facts.hints), class_="hints") if facts.hints else "",
    )


def _outputs(facts: Facts) -> str:
    count = len(facts.data.task.names)
    noun = {SINGLE: "classes", MULTI: "labels", REGRESSION: "targets"}[facts.data.task.kind]
    return f"{count} {noun if count > 1 else noun.removesuffix('s')}"


def _epochs(record: FitRecord) -> str:
    count = len(record.epochs)
    return "1 epoch" if count == 1 else f"{count} epochs"


def _curves(record: FitRecord, metric: str) -> Markup:
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
        curve(_TITLES[metric], metric, record.epochs, record.best_epoch, share=metric != "r2"),
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
    kind = facts.data.task.kind
    said = {SINGLE: "found.label, found.confidence", MULTI: "found.labels", REGRESSION: "found.values"}[kind]
    given = "numbers in the targets' units" if kind == REGRESSION else "probabilities of the classes"
    code = (
        "from neocog.workflows import predict\n\n"
        f"for found in predict({run!r}, ['photo.jpg']).predictions:\n"
        f"    print(found.file, {said})"
    )
    module = (
        "import numpy as np\n"
        "from neocog.workflows import load_run\n\n"
        f"model = load_run({run!r}).model  # an ordinary torch.nn.Module\n"
        f"images = np.zeros((1, {height}, {width}, {channels}), dtype='uint8')  # 0 to 255, scaled inside\n"
        f"print(model.predict(images, verbose=0))  # {given}"
    )
    blocks = (("On the command line", command), ("In Python", code), ("As a model", module))
    return join(*(join(el("h3", title), el("pre", el("code", block))) for title, block in blocks))


def _making(facts: Facts) -> Markup:
    recipe, info, config = facts.recipe, facts.data.info, facts.config
    height, width, _ = info.image_shape
    known = MODELS.get(facts.model)
    described = "a published architecture" if known is None else known.text
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
            **_more_scores(facts.scores),
            **environment(),
        }
    )


def _more_scores(scores: AnyScores) -> dict[str, str]:
    if isinstance(scores, RegressionScores):
        return {}
    more = {"micro F1": f"{scores.micro_f1:.4f}"} if isinstance(scores, MultiLabelScores) else {}
    return {"macro F1": f"{scores.macro_f1:.4f}", **more, "test loss": f"{scores.loss:.4f}"}


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

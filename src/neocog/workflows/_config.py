"""What `train` is asked for, checked before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neocog.core import check_int, check_number, check_one_of
from neocog.data import TASKS
from neocog.exceptions import ArgumentError, message
from neocog.workflows._augmentations import AUGMENTATIONS, MOST_STRENGTH, SCALED
from neocog.workflows._bases import check_model, is_base
from neocog.workflows._mixing import mixes
from neocog.workflows._resume_snapshots import check_every

_RANGES = {
    "learning_rate": (1e-8, 10.0),
    "depth": (1.0, 8.0),
    "width": (0.05, 16.0),
    "dropout": (0.0, 0.95),
    "weight_decay": (0.0, 10.0),
    "augment_strength": (0.0, MOST_STRENGTH),
    "head_rate": (1e-8, 10.0),
}
_WHOLE = {"epochs": 1, "batch_size": 1, "depth": 1, "finetune": 0}  # least
_WORDS = {"augment": ("auto", *AUGMENTATIONS), "precision": ("auto", "float32", "bfloat16")}
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 4, 4096


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What `train` is asked for; None leaves the choice to the recipe.

    Attributes:
        data: a data set's name (`"digits"`) or a folder of images.
        out: folder of the run, which must be new or empty; default `runs/<data>-<n>`.
        model: a name of the table of models or of the zoo (`"mobilenet"`), or `"auto"`.
        weights: of an architecture of the zoo: a file, an address with its SHA-256, `"imagenet"`, or `"auto"`
            for a known file on this machine; None trains from scratch.
        finetune: after the head on frozen features: `"auto"`, `"none"`, a number of top blocks, or the name
            of a block or layer.
        image_size: (height, width) in pixels.
        color: `"rgb"`, `"grayscale"` or `"auto"`, which looks at the images.
        epochs: most epochs; training stops earlier when validation gets no better.
        batch_size: images a step, or `"auto"`: as many as fit and pay, as in `fit`.
        learning_rate: highest rate.
        augment: `"auto"` or a name in `AUGMENTATIONS`: `"none"`, `"light"`, `"photo"`, `"notes"`, …
        seed: of weights, order and augmentation; the split does not depend on it.
        precision: `"auto"`, `"float32"` or `"bfloat16"`, as in `compile`.
        strict: stop at broken images instead of leaving them out.
        task: one of `neocog.data.TASKS`, or `"auto"`: by the labels.
        label: a manifest's column, or several separated by commas, with what is to be learned.
        pattern: form of the file names of a flat folder: `"{label}_{n}.jpg"`, or a regular expression.
        images: folder that a manifest's paths are relative to.
        group_by: a manifest's column, or a pattern with `{group}`: images of one group stay in one part.
        split: an earlier run, or its `split.csv`, whose parts are taken again.
        every: how often a snapshot is kept, by which a run that died goes on: `"5min"`, `"100steps"`,
            `"1epochs"`; None keeps none.
        leaks: what to do with copies of an image in several given parts: `"keep"` and warn, or `"move"` them
            into one part for this run (no file is touched).
        width: factor on the filters and units of a network of the table.
        depth: number of its blocks.
        dropout: share dropped before the head.
        weight_decay: of AdamW; with `weights` of the top.
        augment_strength: factor on shifts, turns, zooms and contrast of the augmentation; 0 leaves flips.
        head_rate: with `weights`, learning rate of the head alone.
    """

    data: str
    out: str | None = None
    model: str = "auto"
    weights: str | None = None
    finetune: str = "auto"
    image_size: tuple[int, int] | None = None
    color: str = "auto"
    epochs: int | None = None
    batch_size: Any = None
    learning_rate: float | None = None
    augment: str = "auto"
    seed: int = 0
    precision: str = "auto"
    strict: bool = False
    task: str = "auto"
    label: str | None = None
    pattern: str | None = None
    images: str | None = None
    group_by: str | None = None
    split: str | None = None
    leaks: str = "keep"
    every: str | None = "5min"
    width: float | None = None
    depth: int | None = None
    dropout: float | None = None
    weight_decay: float | None = None
    augment_strength: float | None = None
    head_rate: float | None = None

    def check(self) -> None:
        """Raise for values that cannot work.

        Raises:
            UnknownNameError: no model of that name; the nearest ones are offered.
            ArgumentError: a value out of its range.
        """
        check_model(self.model, self.weights)
        if self.weights is None and self.finetune != "auto":
            expected = "--weights with --finetune"
            raise ArgumentError(message("train", expected=expected, got=f"--finetune {self.finetune} alone"))
        if is_base(self.model) and self.color == "grayscale":
            do = "Gray images are given to it as RGB."
            raise ArgumentError(message(f"model {self.model}", expected="color rgb", got="grayscale", do=do))
        check_one_of("train", "color", self.color, ("auto", "rgb", "grayscale"))
        check_setting("train", "augment", self.augment)
        if self.weights is not None and mixes(self.augment):
            do = "Leave --weights out, or choose --augment photo."
            got = f"--weights with --augment {self.augment}"
            raise ArgumentError(message("train", expected="mixing from scratch alone", got=got, do=do))
        check_one_of("train", "task", self.task, ("auto", *TASKS))
        check_setting("train", "precision", self.precision)
        check_one_of("train", "leaks", self.leaks, ("keep", "move"))
        check_int("train", "seed", self.seed, minimum=0)
        if self.every is not None:
            check_every(self.every)
        if self.seed >= 2**32:
            raise ArgumentError(message("train", expected="seed below 2**32", got=self.seed))
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None and (name, getattr(self, name)) != ("batch_size", "auto"):
                check_setting("train", name, getattr(self, name))
        if self.image_size is not None:
            check_image_size("train", self.image_size)
        self._check_form()

    def _check_form(self) -> None:
        """Raise for sizes and strengths that cannot work, or that the model or augmentation has not."""
        for name in _RANGES:
            if getattr(self, name) is not None:
                check_setting("train", name, getattr(self, name))
        if is_base(self.model) and (self.width is not None or self.depth is not None):
            do = "Published architectures have one size; choose another of them."
            expected = "width and depth with mlp, lenet, small-cnn, cnn or small-resnet"
            raise ArgumentError(message("train", expected=expected, got=f"model {self.model}", do=do))
        if self.augment_strength is not None and self.augment not in ("auto", *SCALED):
            expected = f"augment_strength with --augment auto, {', '.join(SCALED)}"
            raise ArgumentError(message("train", expected=expected, got=self.augment))
        if self.head_rate is not None and self.weights is None:
            raise ArgumentError(message("train", expected="weights with head_rate", got="head_rate alone"))


def check_setting(where: str, name: str, value: Any) -> None:
    """Raise ArgumentError for a value of a setting that works with no others."""
    if name in _WORDS:
        check_one_of(where, name, value, _WORDS[name])
    elif name in _WHOLE:
        check_int(where, name, value, minimum=_WHOLE[name])
    if name in _RANGES:
        least, most = _RANGES[name]
        check_number(where, name, value, minimum=least, maximum=most)


def check_image_size(where: str, size: Any) -> tuple[int, int]:
    """Return (height, width), which must be whole numbers that images and memory can take."""
    pair = tuple(size) if isinstance(size, (list, tuple)) else (size, size)
    whole = all(isinstance(side, int) and not isinstance(side, bool) for side in pair)
    if len(pair) != 2 or not whole or not all(MIN_IMAGE_SIZE <= side <= MAX_IMAGE_SIZE for side in pair):
        raise ArgumentError(
            message(
                where,
                expected=f"an image size from {MIN_IMAGE_SIZE} to {MAX_IMAGE_SIZE} pixels a side",
                got=repr(size),
            )
        )
    return (pair[0], pair[1])

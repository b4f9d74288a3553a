"""The whole recipe: a head on cached features, then the top of the base, each measured on validation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_one_of
from neocog.data import scan_folder
from neocog.exceptions import ArgumentTypeError, DataError, message
from neocog.transfer._advice import Advice, advise, similarity
from neocog.transfer._features import Progress, layers_of
from neocog.transfer._heads import TASKS, add_head
from neocog.transfer._phase import Phase, Settings
from neocog.transfer._steps import Transfer, count_of
from neocog.transfer._targets import is_folder, needed, outputs_and_loss

_METRICS = {"softmax": "accuracy", "sigmoid": "binary_accuracy", "linear": "mae"}


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """What `finetune` made.

    Attributes:
        model: from images to outputs, with the better weights of both phases, compiled with their loss and
            metrics: `evaluate` works, and `fit` goes on at the low rate of the top.
        head: the training of the head on the features: feature extraction alone.
        top: the training of the top of the base; None where only the head was trained.
        kept: whether the top's training was better on validation, so that its weights are in `model`.
        opened: names of the blocks that were opened.
        advice: how much to open, with reasons.
        base_seconds: that an epoch through the base takes: the forward pass over the training part, measured.
        feature_seconds: that an epoch on the features took, in the mean.
        cached: whether the features were there already.
    """

    model: Any
    head: Phase
    top: Phase | None
    kept: bool
    opened: tuple[str, ...]
    advice: Advice
    base_seconds: float
    feature_seconds: float
    cached: bool

    @property
    def best(self) -> dict[str, float]:
        """The values of the epoch whose weights are in `model`."""
        return self.top.best if self.top is not None and self.kept else self.head.best


def finetune(
    base: Any,
    train: Any,
    validation: Any,
    *,
    classes: int | None = None,
    task: str = "softmax",
    top: int | str | None = "auto",
    dropout: float = 0.2,
    at: str | None = None,
    head: Callable[[Any], Any] | None = None,
    loss: Any = None,
    metrics: Callable[[], list[Any]] | None = None,
    better: Callable[[dict[str, float], dict[str, float]], bool] | None = None,
    settings: Settings | None = None,
    augment: Any = (),
    precision: str = "auto",
    cache: bool = True,
    callbacks: Callable[[str], Sequence[Any]] | None = None,
    progress: Progress | None = None,
    verbose: int | str = "auto",
) -> FineTuned:
    """Return a model for new data on a pretrained base: a head on its features, then its top at a low rate.

    The base runs over the images once; head and top are trained on what it gave. Where `augment` varies the
    images, the top's training runs the whole model instead. The top's weights are kept if they are better on
    validation.

    Args:
        base: a `zoo.Backbone`, or a model with a graph; its layers become part of the result.
        train: (images, labels), a source, an image data set, or a folder with one folder a class.
        validation: likewise.
        classes: number of classes, labels or targets; None counts them, in a folder or in labels at hand.
        task: `"softmax"` for one class an image, as a number or a one-hot row; `"sigmoid"` for several
            labels, `"linear"` for numbers, each in a column.
        top: what is opened after the head: `"auto"` goes by `advise`, None nothing; or a number of blocks,
            the name of a block or of a layer in one.
        dropout, at, head: of the head, as in `add_head`.
        loss: None takes the task's, of one-hot rows `"categorical_crossentropy"`.
        metrics: function that makes metrics for `compile`; None takes the task's.
        better: whether values of an epoch (`val_…`) beat others; None: a lower validation loss.
        settings: rates, epochs and the like.
        augment: layer, or list of layers, that vary the images while the top is trained.
        precision: as in `compile`.
        cache: keep the features on disk.
        callbacks: given `"head"` or `"top"`, the callbacks of that training.
        progress: called with (images done, images in all) while the base runs.
        verbose: 0 silent, 1 a bar for the features and for each epoch, 2 a line an epoch, `"auto"` bars on a
            terminal alone.

    Raises:
        UnknownNameError: no block of that name.
        DataError: folders without images, or of different classes; labels that are no numbers.
        ShapeError: images that do not fit the base.

    Example:
        ```
        base = neocog.zoo.backbone("mobilenet", weights="imagenet")
        found = neocog.transfer.finetune(base, "photos/train", "photos/validation")
        found.model.save("photos.keras")
        ```
    """
    check_one_of("finetune", "task", task, TASKS)
    if settings is not None and not isinstance(settings, Settings):
        expected = "settings as transfer.Settings(…)"
        raise ArgumentTypeError(message("finetune", expected=expected, got=repr(settings)))
    _check_folders(train, validation)
    found_classes, fitting = outputs_and_loss(train, task, strict=loss is None)
    if head is None:
        classes = needed(classes or found_classes)
    model = add_head(base, classes if head is None else None, task=task, dropout=dropout, at=at, head=head)
    job = Transfer(
        model,
        loss or fitting,
        metrics or (lambda: [_METRICS[task]]),
        settings or Settings(),
        precision,
        verbose=_shown(verbose),
    )
    advice, opened = prepared(job, train, validation, classes, top, cache=cache, progress=progress)
    found = job.train_features
    hooks = callbacks or (lambda phase: ())
    first = job.fit_head(hooks("head"))
    second, kept = None, False
    if opened and not first.interrupted:
        augment = layers_of(augment)
        images = (train, validation) if augment or not job.keeps_inputs else None
        second, kept = tuned(job, first, opened, hooks("top"), images, augment, better)
    job.compile_whole()
    return FineTuned(
        model=model,
        head=first,
        top=second,
        kept=kept,
        opened=tuple(block.name for block in job.blocks[len(job.blocks) - opened :]) if second else (),
        advice=advice,
        base_seconds=found.seconds,
        feature_seconds=float(np.mean([row["seconds"] for row in first.epochs])) if first.epochs else 0.0,
        cached=found.cached,
    )


def _shown(verbose: int | str) -> int:
    check_one_of("finetune", "verbose", verbose, (0, 1, 2, "auto"))
    return int(sys.stdout.isatty() if verbose == "auto" else verbose)


def prepared(
    job: Transfer,
    train: Any,
    validation: Any,
    classes: int | None,
    top: int | str | None,
    *,
    cache: bool = True,
    progress: Progress | None = None,
) -> tuple[Advice, int]:
    """Compute the features, and with them what enters the blocks that will be opened.

    How many `"auto"` opens is known only by the features: a second pass is needed where the images are
    strange to the base, so that more has to be opened than was to be expected.

    Returns:
        the advice, and the number of top blocks to open.
    """
    if top is None or top == "none":
        deepest = 0
    elif top == "auto":
        deepest = advise(max(count_of(train), 1), classes or 1).count(len(job.blocks))
    else:
        deepest = job.choose(top if isinstance(top, str) else check_int("finetune", "top", top, minimum=0))
    found = job.extract(train, validation, deepest=deepest, cache=cache, progress=progress)
    advice = advise(found.images, classes or 1, similarity(found.outputs[0], found.labels))
    if top != "auto":
        return advice, deepest
    opened = advice.count(len(job.blocks))
    if opened > deepest:
        job.extract(train, validation, deepest=opened, cache=cache, progress=progress)
    return advice, opened


def tuned(
    job: Transfer,
    first: Phase,
    opened: int,
    hooks: Sequence[Any] = (),
    images: tuple[Any, Any] | None = None,
    augment: Any = (),
    better: Callable[[dict[str, float], dict[str, float]], bool] | None = None,
) -> tuple[Phase, bool]:
    """Train the top and keep it if it is better; else the weights from before come back.

    Returns:
        what became of the training, and whether it was kept.
    """
    before = {name: tensor.clone() for name, tensor in job.model.state_dict().items()}
    second = job.fit_top(opened, hooks, images=images, augment=augment)
    judge = better or _lower_loss
    kept = bool(second.best) and judge(second.best, first.best)
    if not kept:
        with torch.no_grad():
            for name, tensor in job.model.state_dict().items():
                tensor.copy_(before[name])
    return second, kept


def _lower_loss(new: dict[str, float], old: dict[str, float]) -> bool:
    return new.get("val_loss", np.inf) < old.get("val_loss", np.inf)


def _check_folders(train: Any, validation: Any) -> None:
    """Raise DataError where two folders have other classes: their numbers would not mean the same."""
    if not (is_folder(train) and is_folder(validation)):
        return
    own, others = (scan_folder(path, check="none").class_names for path in (train, validation))
    if own != others:
        differing = ", ".join(sorted(set(own) ^ set(others)))
        expected = "the same class folders in train and validation"
        raise DataError(message("finetune", expected=expected, got=f"{differing} in one of them alone"))

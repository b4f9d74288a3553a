"""A run on a pretrained base: features once, a head on them, then the top of the base; both are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neocog import transfer
from neocog.training import Hook
from neocog.transfer import Phase
from neocog.workflows._bases import as_top, varying
from neocog.workflows._config import TrainConfig
from neocog.workflows._data import ImageData
from neocog.workflows._evaluate import chances_of
from neocog.workflows._events import Evaluating, Event, Featured, PhaseDone, Reading, Reporter, StepsDone
from neocog.workflows._fit import FitRecord, StopBetweenBatches, Watch
from neocog.workflows._outputs import AnyScores, score_outputs
from neocog.workflows._recipe import Recipe
from neocog.workflows._resume_snapshots import KeepSnapshots, fit_takes_signals
from neocog.workflows._run_folder import RunFolder
from neocog.workflows._scores import Scores
from neocog.workflows._scores_multi import MultiLabelScores
from neocog.workflows._task import REGRESSION


@dataclass(frozen=True, kw_only=True)
class TransferFacts:
    """What a pretrained base brought, for `metrics.json` and the report.

    Attributes:
        base: name of the architecture.
        weights: SHA-256 of its weight file.
        advice: how much to open, in words.
        similarity: how well its features tell the classes apart, 0 to 1.
        opened: names of the blocks that were opened; empty where only the head was trained.
        kept: whether fine-tuning was better on validation.
        head: values on validation and scores on test of feature extraction alone.
        tuned: likewise after fine-tuning; None where there was none.
        images: that went through the base.
        base_seconds: an epoch through the base: its forward pass over the training images, measured.
        feature_seconds: an epoch on the features, the mean of those trained.
        head_epochs: that were trained.
        cached: whether the features were there from an earlier run; times are those of that run.
    """

    base: str
    weights: str | None
    advice: str
    similarity: float | None
    opened: tuple[str, ...]
    kept: bool
    head: Mapping[str, float]
    head_test: AnyScores
    tuned: Mapping[str, float] | None
    images: int
    base_seconds: float
    feature_seconds: float
    head_epochs: int
    cached: bool
    tuned_test: AnyScores | None = None

    @property
    def speedup(self) -> float:
        """How many epochs on features take the time of one through the base."""
        return self.base_seconds / max(self.feature_seconds, 1e-9)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "base": self.base,
            "weights_sha256": self.weights,
            "advice": self.advice,
            "similarity": self.similarity,
            "feature_extraction_alone": {
                "validation": dict(self.head),
                "test": self.head_test.as_dict(),
                "epochs": self.head_epochs,
            },
            "fine_tuning": None
            if self.tuned is None
            else {
                "opened": list(self.opened),
                "kept": self.kept,
                "validation": dict(self.tuned),
                "test": None if self.tuned_test is None else self.tuned_test.as_dict(),
            },
            "seconds": {
                "epoch_through_base": self.base_seconds,
                "epoch_through_base_is": "forward pass over the training images, measured while extracting"
                + (", in an earlier run" if self.cached else ""),
                "epoch_on_features": self.feature_seconds,
                "times_faster": self.speedup,
            },
        }


def settings_of(config: TrainConfig) -> transfer.Settings:
    """Return how head and top are trained; what was asked for overrides the defaults."""
    asked = {
        "epochs": config.epochs,
        "batch": config.batch_size,
        "rate": config.learning_rate,
        "decay": config.weight_decay,
        "head_rate": config.head_rate,
    }
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    return replace(transfer.Settings(seed=config.seed), **given)


def recipe_of(config: TrainConfig, recipe: Recipe) -> Recipe:
    """Return the recipe of the top's training, as the report tells it."""
    settings = settings_of(config)
    return replace(
        recipe,
        batch_size=settings.batch,
        epochs=settings.epochs,
        patience=max(settings.patience // 2, 2),
        learning_rate=settings.rate,
        warmup_epochs=settings.warmup,
        weight_decay=settings.decay,
        augment="none" if config.augment == "auto" else config.augment,
    )


class PretrainedRun:
    """Trains the model of a run phase by phase.

    Args:
        base: the architecture and its weights.
        model: the whole model that `whole_model` made of it.
        data: images in parts.
        config: what was asked for.
        recipe: of the top's training.
        folder: of the run.
        report: told what happens.
        keeps: makes what takes the snapshots of a phase, `"head"` or `"top"`; None keeps none.
    """

    def __init__(
        self,
        base: Any,
        model: Any,
        data: ImageData,
        config: TrainConfig,
        recipe: Recipe,
        folder: RunFolder,
        report: Reporter,
        keeps: Callable[[str], KeepSnapshots] | None = None,
    ) -> None:
        self.keeps = keeps
        self.base, self.model, self.data, self.config = base, model, data, config
        self.recipe, self.folder, self.report = recipe, folder, report
        task = data.task
        settings = settings_of(config)
        self.job = transfer.Transfer(model, task.loss(), task.metrics, settings, config.precision)
        self.top = as_top(config.finetune)

    def run(self, hooks: tuple[Hook, ...] = ()) -> tuple[FitRecord, TransferFacts, Any]:
        """Compute features, train the head, measure it, train the top, measure that, keep what is better.

        Returns:
            What became of the training, what the base brought, and the outputs on the test part.
        """
        record = FitRecord()
        advice, opened = self._features()
        top: Phase | None = None
        kept, tuned_test = False, None
        with StopBetweenBatches() as stop:
            with self._watched(record, "head", stop, hooks) as watching:
                head = self.job.fit_head(watching)
            outputs, head_test = self._measured("feature extraction alone", head)
            if opened and not head.interrupted and not stop.is_asked:
                before = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
                with self._watched(record, "top", stop, hooks) as watching:
                    top = self._fit_top(opened, watching)
                tuned_outputs, tuned_test = self._measured(f"fine-tuning of {self._names(opened)}", top)
                kept = self._is_better(top.best, head.best)
                if kept:
                    outputs = tuned_outputs
                else:
                    self.model.load_state_dict(before)
        _conclude(record, head, top, left_out=bool(opened) and top is None, kept=kept)
        found = self.job.train_features
        facts = TransferFacts(
            base=self.base.name,
            weights=self.base.weights_sha256,
            advice=advice.words,
            similarity=advice.similarity,
            opened=tuple(block.name for block in self.job.blocks[-opened:]) if top else (),
            kept=kept,
            head=_validation(head),
            head_test=head_test,
            tuned=None if top is None else _validation(top),
            tuned_test=tuned_test,
            images=found.images,
            base_seconds=found.seconds,
            feature_seconds=float(np.mean([row["seconds"] for row in head.epochs] or [0.0])),
            head_epochs=len(head.epochs),
            cached=found.cached,
        )
        return record, facts, outputs

    def _features(self) -> tuple[transfer.Advice, int]:
        """Run the base over the training and validation images, unless an earlier run has."""
        parts = self.data.parts
        classes = 1 if self.data.info.task == REGRESSION else len(self.data.info.class_names)
        advice, opened = transfer.prepared(
            self.job,
            parts["train"].source,
            parts["validation"].source,
            classes,
            self.top,
            progress=self._extracting,
        )
        found, other = self.job.train_features, self.job.validation_features
        self.report(
            Featured(
                images=found.images + other.images,
                seconds=found.seconds + other.seconds,
                base=self.base.name,
                cached=found.cached and other.cached,
                advice=advice.words,
            )
        )
        return advice, opened

    @contextmanager
    def _watched(
        self, record: FitRecord, phase: str, stop: StopBetweenBatches, hooks: tuple[Hook, ...]
    ) -> Iterator[list[Any]]:
        """Give the callbacks of a phase; with snapshots `fit` takes the signals, without them `stop` does."""
        watch = self._watch(record, phase)
        if self.keeps is None:
            yield [watch, stop, *hooks]
            return
        with fit_takes_signals():
            yield [watch, self.keeps(phase), *hooks]

    def _watch(self, record: FitRecord, phase: str) -> Watch:
        settings = self.job.settings
        epochs = settings.head_epochs if phase == "head" else settings.epochs
        return Watch(
            record,
            replace(self.recipe, epochs=epochs),
            self.folder,
            self.report if phase == "top" else self._steps_alone,
            self.base.name,
            self.data.task,
        )

    def _steps_alone(self, event: Event) -> None:
        """Pass on how far an epoch is, and not each of the many short ones."""
        if isinstance(event, StepsDone):
            self.report(event)

    def _fit_top(self, opened: int, hooks: list[Any]) -> Phase:
        if self.recipe.augment == "none" and self.job.keeps_inputs:
            return self.job.fit_top(opened, hooks)
        images = (self.data.parts["train"].source, self.data.parts["validation"].source)
        return self.job.fit_top(
            opened,
            hooks,
            images=images,
            augment=varying(self.recipe.augment, self.data.info, self.config.augment_strength),
        )

    def _is_better(self, new: Mapping[str, float], old: Mapping[str, float]) -> bool:
        """Whether values on validation are better: by what is shown first, then by the loss."""
        name = f"val_{self.data.task.headline}"
        pair = (new.get(name, -np.inf), -new.get("val_loss", np.inf))
        return pair > (old.get(name, -np.inf), -old.get("val_loss", np.inf))

    def _extracting(self, done: int, total: int | None) -> None:
        self.report(Reading(done=done, total=total or done, what=f"images through {self.base.name}"))

    def _names(self, opened: int) -> str:
        names = [block.name for block in self.job.blocks[-opened:]]
        return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"

    def _measured(self, title: str, phase: Phase) -> tuple[Any, AnyScores]:
        """Return the outputs on the test part and what they are worth, and tell both figures."""
        part, task = self.data.parts["test"], self.data.task
        self.report(Evaluating(part="test", count=len(part.ids)))
        outputs = chances_of(self.model, part)
        scores = score_outputs(task, outputs, part.labels)
        self.report(
            PhaseDone(
                title=title,
                headline=task.headline,
                validation=phase.best.get(f"val_{task.headline}"),
                test=headline_score(scores),
                epochs=len(phase.epochs),
                seconds=phase.seconds,
            )
        )
        return outputs, scores


def headline_score(scores: AnyScores) -> float | None:
    """Return the figure that is shown first: accuracy, macro F1, R²."""
    if isinstance(scores, Scores):
        return scores.accuracy
    return scores.macro_f1 if isinstance(scores, MultiLabelScores) else scores.r2


def _validation(phase: Phase) -> dict[str, float]:
    return {name.removeprefix("val_"): value for name, value in phase.best.items() if name.startswith("val_")}


def _conclude(record: FitRecord, head: Phase, top: Phase | None, *, left_out: bool, kept: bool) -> None:
    """Put into the record of a training what became of its phases."""
    record.seconds = record.spent()
    record.interrupted = head.interrupted or left_out or (top is not None and top.interrupted)
    record.plan = (top or head).plan
    record.best_epoch = len(head.epochs) + top.best_epoch if top and kept else head.best_epoch

"""What the workflows give back: frozen dataclasses with plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neocog.workflows._scores import Scores
from neocog.workflows._scores_multi import MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one image.

    Attributes:
        file: as it was given.
        probabilities: (class, probability), the most probable first.
    """

    file: str
    probabilities: tuple[tuple[str, float], ...]

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.probabilities[0][0]

    @property
    def confidence(self) -> float:
        """Its probability."""
        return self.probabilities[0][1]

    @property
    def second(self) -> str:
        """The class that comes next."""
        return self.probabilities[1][0]

    @property
    def second_confidence(self) -> float:
        """The probability of the class that comes next."""
        return self.probabilities[1][1]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "file": self.file,
            "class": self.label,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsPrediction:
    """What a model of several labels says of one image.

    Attributes:
        file: as it was given.
        probabilities: (label, probability), the most probable first.
        threshold: probability above which a label is taken as there.
    """

    file: str
    probabilities: tuple[tuple[str, float], ...]
    threshold: float

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are there, the most probable first; may be none."""
        return tuple(name for name, chance in self.probabilities if chance > self.threshold)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "file": self.file,
            "labels": list(self.labels),
            "threshold": self.threshold,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersPrediction:
    """The numbers that a model predicts for one image: (target, value in its units)."""

    file: str
    values: tuple[tuple[str, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"file": self.file, "values": dict(self.values)}


AnyPrediction = Prediction | LabelsPrediction | NumbersPrediction


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What `train` left.

    Attributes:
        folder: of the run.
        report: the report in it.
        test: scores on the test images, by task.
        validation_accuracy: in the kept epoch; None when no epoch ended, and where there is no accuracy.
        epochs: whole epochs that were trained.
        best_epoch: the one whose weights are kept, from 1; 0 when no epoch ended.
        seconds: that training took.
        plan: how it ran, in one line.
        interrupted: whether Ctrl-C ended it.
        task: one of `neocog.data.TASKS`.
        validation: loss and metrics in the kept epoch.
        transfer: what a pretrained base brought, feature extraction and fine-tuning apart; else None.
    """

    folder: Path
    report: Path
    test: Scores | MultiLabelScores | RegressionScores
    validation_accuracy: float | None
    epochs: int
    best_epoch: int
    seconds: float
    plan: str
    interrupted: bool
    task: str = "single-label"
    validation: Mapping[str, float] = field(default_factory=dict)
    transfer: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run": str(self.folder),
            "report": str(self.report),
            "task": self.task,
            "test": self.test.as_dict(),
            "validation_accuracy": self.validation_accuracy,
            "validation": dict(self.validation),
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "seconds": self.seconds,
            "plan": self.plan,
            "interrupted": self.interrupted,
            **({} if self.transfer is None else {"transfer": dict(self.transfer)}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateResult:
    """What `evaluate` found.

    Attributes:
        run: folder of the run.
        measured_on: the images, in words.
        scores: what the model is worth on them, by task.
        broken: (file, reason) of images that were left out.
        task: one of `neocog.data.TASKS`.
    """

    run: Path
    measured_on: str
    scores: Scores | MultiLabelScores | RegressionScores
    broken: tuple[tuple[str, str], ...] = ()
    task: str = "single-label"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run": str(self.run),
            "task": self.task,
            "measured_on": self.measured_on,
            **self.scores.as_dict(),
            "broken": [{"file": file, "reason": reason} for file, reason in self.broken],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    """Predictions in the order of the files, and (file, reason) of those that could not be read."""

    run: Path
    predictions: tuple[AnyPrediction, ...]
    broken: tuple[tuple[str, str], ...] = ()
    task: str = "single-label"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run": str(self.run),
            "task": self.task,
            "predictions": [prediction.as_dict() for prediction in self.predictions],
            "broken": [{"file": file, "reason": reason} for file, reason in self.broken],
        }

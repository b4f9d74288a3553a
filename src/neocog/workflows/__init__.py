"""Floor 8: train, evaluate and predict as plain functions over frozen dataclasses."""

from neocog.workflows._config import TrainConfig
from neocog.workflows._evaluate import evaluate
from neocog.workflows._events import (
    DataReady,
    EpochDone,
    Evaluating,
    Event,
    Interrupted,
    Reading,
    Reporter,
    StepsDone,
    TrainingStarted,
    Warned,
    silent,
)
from neocog.workflows._models import MODELS, ModelInfo, build_model
from neocog.workflows._predict import predict
from neocog.workflows._recipe import AUGMENTATIONS, Recipe, choose_recipe
from neocog.workflows._results import EvaluateResult, Prediction, PredictResult, TrainResult
from neocog.workflows._run import Run, SplitRow, load_run
from neocog.workflows._scores import ClassScore, Scores, wilson_interval
from neocog.workflows._train import train

__all__ = [
    "AUGMENTATIONS",
    "MODELS",
    "ClassScore",
    "DataReady",
    "EpochDone",
    "EvaluateResult",
    "Evaluating",
    "Event",
    "Interrupted",
    "ModelInfo",
    "PredictResult",
    "Prediction",
    "Reading",
    "Recipe",
    "Reporter",
    "Run",
    "Scores",
    "SplitRow",
    "StepsDone",
    "TrainConfig",
    "TrainResult",
    "TrainingStarted",
    "Warned",
    "build_model",
    "choose_recipe",
    "evaluate",
    "load_run",
    "predict",
    "silent",
    "train",
    "wilson_interval",
]

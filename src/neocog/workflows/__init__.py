"""Floor 8: train, evaluate and predict as plain functions over frozen dataclasses."""

from neocog.workflows._augment import AugmentResult, augment
from neocog.workflows._check import CheckConfig, CheckResult, check
from neocog.workflows._compare import CompareResult, RunSummary, compare
from neocog.workflows._config import TrainConfig
from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._evaluate import evaluate
from neocog.workflows._events import (
    DataReady,
    EpochDone,
    Evaluating,
    Event,
    Featured,
    Interrupted,
    PhaseDone,
    Reading,
    Reporter,
    StepsDone,
    TrainingStarted,
    Warned,
    silent,
)
from neocog.workflows._models import MODELS, ModelInfo, build_model
from neocog.workflows._outputs import AnyScores
from neocog.workflows._predict import predict
from neocog.workflows._recipe import AUGMENTATIONS, Recipe, choose_recipe
from neocog.workflows._results import (
    AnyPrediction,
    EvaluateResult,
    LabelsPrediction,
    NumbersPrediction,
    Prediction,
    PredictResult,
    TrainResult,
)
from neocog.workflows._run import Run, SplitRow, load_run
from neocog.workflows._scores import ClassScore, Scores, wilson_interval
from neocog.workflows._scores_multi import LabelScore, MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores, TargetScore
from neocog.workflows._task import Task
from neocog.workflows._train import train

__all__ = [
    "AUGMENTATIONS",
    "MODELS",
    "AnyPrediction",
    "AnyScores",
    "AugmentResult",
    "CheckConfig",
    "CheckResult",
    "ClassScore",
    "CompareResult",
    "DataReady",
    "EpochDone",
    "EvaluateResult",
    "Evaluating",
    "Event",
    "Featured",
    "Interrupted",
    "LabelScore",
    "LabelsPrediction",
    "ModelInfo",
    "MultiLabelScores",
    "NumbersPrediction",
    "PhaseDone",
    "PredictResult",
    "Prediction",
    "Reading",
    "Recipe",
    "RegressionScores",
    "Reporter",
    "Run",
    "RunSummary",
    "Scores",
    "SplitRow",
    "StepsDone",
    "TargetScore",
    "Task",
    "TrainConfig",
    "TrainResult",
    "TrainingStarted",
    "Warned",
    "augment",
    "build_model",
    "check",
    "choose_recipe",
    "compare",
    "evaluate",
    "guarded",
    "guarded_path",
    "load_run",
    "predict",
    "silent",
    "train",
    "wilson_interval",
]

"""Floor 8: train, evaluate and predict as plain functions over frozen dataclasses."""

from neocog.workflows._augment import AugmentResult, augment
from neocog.workflows._bench import BenchResult, Speed, bench
from neocog.workflows._calibrate import (
    CalibrationResult,
    Point,
    calibrate,
    forget_thresholds,
    thresholds,
)
from neocog.workflows._check import CheckConfig, CheckResult, check
from neocog.workflows._compare import CompareResult, RunSummary, compare
from neocog.workflows._config import TrainConfig
from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._evaluate import evaluate
from neocog.workflows._events import (
    Complete,
    DataReady,
    EpochDone,
    Evaluating,
    Event,
    Featured,
    Interrupted,
    PhaseDone,
    Reading,
    Reporter,
    Resumed,
    StepsDone,
    TrainingStarted,
    Unfinished,
    Warned,
    silent,
)
from neocog.workflows._lr import LearningRateResult, learning_rate
from neocog.workflows._models import MODELS, ModelInfo, build_model
from neocog.workflows._outputs import AnyScores
from neocog.workflows._predict import predict
from neocog.workflows._processes import leads, processes, restarted, wanted_processes
from neocog.workflows._processes_launch import run_in_processes
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
from neocog.workflows._resume import found_run, is_open, processes_of, resume, train_or_resume
from neocog.workflows._resume_snapshots import has_snapshots
from neocog.workflows._run import Run, SplitRow, load_run
from neocog.workflows._scores import ClassScore, Scores, wilson_interval
from neocog.workflows._scores_multi import LabelScore, MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores, TargetScore
from neocog.workflows._search import SearchResult, TrialRow, search
from neocog.workflows._search_config import SearchRequest, read_space_file
from neocog.workflows._search_events import SearchStarted, TrialDone, TrialEpoch, WinnerStarted
from neocog.workflows._search_space import Value, setting_name, setting_value
from neocog.workflows._task import Task
from neocog.workflows._timing import Measuring
from neocog.workflows._train import claimed, forget_if_empty, train

__all__ = [
    "AUGMENTATIONS",
    "MODELS",
    "AnyPrediction",
    "AnyScores",
    "AugmentResult",
    "BenchResult",
    "CalibrationResult",
    "CheckConfig",
    "CheckResult",
    "ClassScore",
    "CompareResult",
    "Complete",
    "DataReady",
    "EpochDone",
    "EvaluateResult",
    "Evaluating",
    "Event",
    "Featured",
    "Interrupted",
    "LabelScore",
    "LabelsPrediction",
    "LearningRateResult",
    "Measuring",
    "ModelInfo",
    "MultiLabelScores",
    "NumbersPrediction",
    "PhaseDone",
    "Point",
    "PredictResult",
    "Prediction",
    "Reading",
    "Recipe",
    "RegressionScores",
    "Reporter",
    "Resumed",
    "Run",
    "RunSummary",
    "Scores",
    "SearchRequest",
    "SearchResult",
    "SearchStarted",
    "Speed",
    "SplitRow",
    "StepsDone",
    "TargetScore",
    "Task",
    "TrainConfig",
    "TrainResult",
    "TrainingStarted",
    "TrialDone",
    "TrialEpoch",
    "TrialRow",
    "Unfinished",
    "Value",
    "Warned",
    "WinnerStarted",
    "augment",
    "bench",
    "build_model",
    "calibrate",
    "check",
    "choose_recipe",
    "claimed",
    "compare",
    "evaluate",
    "forget_if_empty",
    "forget_thresholds",
    "found_run",
    "guarded",
    "guarded_path",
    "has_snapshots",
    "is_open",
    "leads",
    "learning_rate",
    "load_run",
    "predict",
    "processes",
    "processes_of",
    "read_space_file",
    "restarted",
    "resume",
    "run_in_processes",
    "search",
    "setting_name",
    "setting_value",
    "silent",
    "thresholds",
    "train",
    "train_or_resume",
    "wanted_processes",
    "wilson_interval",
]

"""Floor 4: the training step, the loop around it, the plan, and what watches a run.

This floor sees a model only as the `Trainable` Protocol.
"""

from neocog.metrics import Metric
from neocog.training._calibration import (
    NEVER,
    Calibration,
    built_in,
    calibrated,
    calibration_file,
    calibration_for,
    calibration_place,
    forget_calibration,
    save_calibration,
)
from neocog.training._compiled import Compiled, require_compiled
from neocog.training._evaluate import evaluate, predict
from neocog.training._executions import checked_executions
from neocog.training._finders import LearningRateRange
from neocog.training._finders_batch import BatchSizeSearch, auto_batch_size, find_batch_size
from neocog.training._history import History
from neocog.training._hook import Hook, HookList
from neocog.training._interrupts import Interrupts
from neocog.training._loop import FitRequest, fit
from neocog.training._on_batch import as_list, names_in_list, predict_on_batch, test_on_batch, train_on_batch
from neocog.training._plan import Plan
from neocog.training._precision import half_precision
from neocog.training._progbar import Progbar
from neocog.training._progress import Progress
from neocog.training._progress_bar import ProgressBar
from neocog.training._range_test import RangeTest, check_range, find_learning_rate, request_of
from neocog.training._snapshots import Every, Snapshots
from neocog.training._state import TrainingState
from neocog.training._step import (
    LazyLogs,
    compute_loss,
    compute_metrics,
    metric_results,
    predict_step,
    test_step,
    train_step,
)

__all__ = [
    "NEVER",
    "BatchSizeSearch",
    "Calibration",
    "Compiled",
    "Every",
    "FitRequest",
    "History",
    "Hook",
    "HookList",
    "Interrupts",
    "LazyLogs",
    "LearningRateRange",
    "Metric",
    "Plan",
    "Progbar",
    "Progress",
    "ProgressBar",
    "RangeTest",
    "Snapshots",
    "TrainingState",
    "as_list",
    "auto_batch_size",
    "built_in",
    "calibrated",
    "calibration_file",
    "calibration_for",
    "calibration_place",
    "check_range",
    "checked_executions",
    "compute_loss",
    "compute_metrics",
    "evaluate",
    "find_batch_size",
    "find_learning_rate",
    "fit",
    "forget_calibration",
    "half_precision",
    "metric_results",
    "names_in_list",
    "predict",
    "predict_on_batch",
    "predict_step",
    "request_of",
    "require_compiled",
    "save_calibration",
    "test_on_batch",
    "test_step",
    "train_on_batch",
    "train_step",
]

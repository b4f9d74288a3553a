"""Callbacks: what happens around epochs and batches, with Keras's names."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.callbacks._backup_and_restore import BackupAndRestore
from neocog.callbacks._callback import Callback
from neocog.callbacks._callback_list import CallbackList
from neocog.callbacks._csv_logger import CSVLogger
from neocog.callbacks._early_stopping import EarlyStopping
from neocog.callbacks._lambda_callback import LambdaCallback
from neocog.callbacks._learning_rate_finder import LearningRateFinder
from neocog.callbacks._learning_rate_scheduler import LearningRateScheduler
from neocog.callbacks._model_checkpoint import ModelCheckpoint
from neocog.callbacks._progbar_logger import ProgbarLogger
from neocog.callbacks._reduce_lr_on_plateau import ReduceLROnPlateau
from neocog.callbacks._registry import CALLBACKS
from neocog.callbacks._swap_ema_weights import SwapEMAWeights
from neocog.callbacks._tensorboard import TensorBoard
from neocog.callbacks._terminate_on_nan import TerminateOnNaN
from neocog.training import History

CALLBACKS.register()(History)

__all__ = [
    "CALLBACKS",
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateFinder",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)

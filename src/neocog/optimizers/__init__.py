"""Floor 2: optimizers, with Keras's names and semantics on torch's fused and foreach kernels."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.optimizers import schedules
from neocog.optimizers._adafactor import Adafactor
from neocog.optimizers._adam import Adam, AdamW
from neocog.optimizers._adam_relatives import Adamax, Nadam
from neocog.optimizers._adaptive import Adadelta, Adagrad
from neocog.optimizers._ftrl import Ftrl
from neocog.optimizers._lamb import Lamb
from neocog.optimizers._lion import Lion
from neocog.optimizers._loss_scale import LossScaleOptimizer
from neocog.optimizers._multi import MultiOptimizer, OptimizerMap
from neocog.optimizers._muon import Muon
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._options import OptimizerOptions
from neocog.optimizers._registry import OPTIMIZERS, deserialize, get, serialize
from neocog.optimizers._rmsprop import RMSprop
from neocog.optimizers._schedule_free import ScheduleFreeAdamW
from neocog.optimizers._sgd import SGD
from neocog.optimizers._torch import TorchOptimizer
from neocog.optimizers._values import LearningRate, OptimizerVariable

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "LearningRate",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "OptimizerOptions",
    "OptimizerVariable",
    "RMSprop",
    "ScheduleFreeAdamW",
    "TorchOptimizer",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)

"""neocog: the Keras API on PyTorch, for people who train image classifiers.

    import neocog as keras

runs the code of Keras books. Every model is an ordinary `torch.nn.Module`. The names below are loaded when
they are
first used, so that `import neocog` and the command line start at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neocog._elsewhere import TENSORFLOW, install_old_paths
from neocog._old_spellings import missing_name
from neocog._version import __version__

if TYPE_CHECKING:
    from neocog import (
        activations,
        applications,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        diagnosis,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        transfer,
        tree,
        utils,
        visualization,
        wrappers,
        zoo,
    )
    from neocog.backend import KerasTensor, StatelessScope, name_scope, version
    from neocog.data import Dataset
    from neocog.dtype_policies import DTypePolicy, FloatDTypePolicy
    from neocog.graph import RematScope, remat
    from neocog.initializers import Initializer
    from neocog.layers import Input, InputSpec, Layer, Variable
    from neocog.losses import Loss
    from neocog.metrics import Metric
    from neocog.models import Model, Sequential
    from neocog.ops import device
    from neocog.optimizers import Optimizer
    from neocog.regularizers import Regularizer

_MODULES = (
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "core",
    "data",
    "datasets",
    "diagnosis",
    "dtype_policies",
    "exceptions",
    "export",
    "files",
    "functional",
    "graph",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "training",
    "transfer",
    "tree",
    "utils",
    "visualization",
    "workflows",
    "wrappers",
    "zoo",
)
_NAMES = {
    "Dataset": "data",
    "device": "ops",
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "backend",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "name_scope": "backend",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "remat": "graph",
    "RematScope": "graph",
    "Sequential": "models",
    "StatelessScope": "backend",
    "Variable": "layers",
    "version": "backend",
}

__all__ = [
    "DTypePolicy",
    "Dataset",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "StatelessScope",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "diagnosis",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "remat",
    "saving",
    "transfer",
    "tree",
    "utils",
    "version",
    "visualization",
    "wrappers",
    "zoo",
]


def __getattr__(name: str) -> Any:
    """Load a part of neocog when it is first used; only the names in the tables above."""
    if name in _MODULES:
        return import_module(f"neocog.{name}")
    if name in _NAMES:
        return getattr(import_module(f"neocog.{_NAMES[name]}"), name)
    if name in TENSORFLOW:
        raise AttributeError(f"neocog has no {name!r}: it is TensorFlow's. Here: {TENSORFLOW[name]}.")
    return _missing(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_NAMES})


_missing = missing_name(__name__, (*_MODULES, *_NAMES))
install_old_paths(sys.modules[__name__], _MODULES)

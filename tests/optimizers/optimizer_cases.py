"""Constructor arguments for every registered optimizer, hard gradients, and the comparison with Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch
from torch import nn

from neocog import optimizers
from neocog.optimizers import Optimizer

# Each optimizer is compared with Keras under each of these; a registered one that is missing fails a test.
ARGUMENTS: dict[str, list[dict[str, object]]] = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.7, "nesterov": True, "learning_rate": 0.1}],
    "RMSprop": [
        {},
        {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3},
        {"centered": True, "epsilon": 1e-2},
        {"centered": True, "momentum": 0.9, "epsilon": 1e-2},
    ],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.9999, "epsilon": 1e-3}],
    "AdamW": [{}, {"weight_decay": 0.3, "amsgrad": True, "learning_rate": 0.05}],
    "Nadam": [{}, {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-4}],
    "Adamax": [{}, {"beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-2}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3, "learning_rate": 0.1}],
    "Adadelta": [{}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4}],
    "Ftrl": [
        {},
        {
            "learning_rate": 0.05,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03,
            "beta": 0.1,
        },
    ],
    "Lion": [{}, {"beta_1": 0.8, "beta_2": 0.9, "learning_rate": 0.01}],
    "Lamb": [{}, {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3, "learning_rate": 0.05}],
    "Adafactor": [{}, {"beta_2_decay": -0.5, "epsilon_2": 1e-2, "clip_threshold": 0.5, "learning_rate": 0.1}],
    "ScheduleFreeAdamW": [{}, {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-4, "warmup_steps": 4}],
    "Muon": [{}, {"nesterov": False, "momentum": 0.8, "ns_steps": 3, "rms_rate": None, "adam_lr_ratio": 0.5}],
}

# Options of the base class; each is compared under each optimizer.
OPTIONS: list[dict[str, object]] = [
    {},
    {"clipvalue": 0.3},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.7},
    {"weight_decay": 0.1},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "use_ema": True, "weight_decay": 0.05},
]

CASES = [(name, arguments) for name, table in ARGUMENTS.items() for arguments in table]

SHAPES: list[tuple[int, ...]] = [(5, 3), (3,), (1, 1, 2, 7), (), (4, 4), (1,)]


class Pair:
    """The same weights under Keras's optimizer and under ours."""

    def __init__(
        self, name: str, arguments: dict[str, object], shapes: list[tuple[int, ...]], seed: int = 0
    ) -> None:
        rng = np.random.default_rng(seed)
        values = [rng.normal(size=shape).astype("float32") for shape in shapes]
        values[-1] *= 0.0  # a bias starts at zero: its relative error is that of the updates
        self.keras_variables = [keras.Variable(value, name=f"v{k}") for k, value in enumerate(values)]
        self.parameters = [torch.nn.Parameter(torch.tensor(value)) for value in values]
        schedule = arguments.get("learning_rate")
        theirs = dict(arguments)
        if isinstance(schedule, optimizers.schedules.LearningRateSchedule):
            kind = getattr(keras.optimizers.schedules, type(schedule).__name__)
            theirs["learning_rate"] = kind(**schedule.get_config())
        self.keras_optimizer = getattr(keras.optimizers, name)(**theirs)
        self.optimizer = getattr(optimizers, name)(**arguments)
        self.keras_optimizer.build(self.keras_variables)
        self.optimizer.build(self.parameters)

    def apply(self, gradients: list[np.ndarray | None]) -> None:
        """Do one step on both sides; None stands for a missing gradient."""
        pairs = [
            (torch.tensor(gradient), variable)
            for gradient, variable in zip(gradients, self.keras_variables, strict=True)
            if gradient is not None
        ]
        self.keras_optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else torch.tensor(gradient)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def check(self, rtol: float = 1e-5) -> None:
        """Compare weights and slots."""
        for mine, theirs in zip(self.parameters, self.keras_variables, strict=True):
            compare(mine.detach().numpy(), theirs.value.detach().numpy(), rtol)

    def finish(self) -> None:
        """Put the moving averages in place on both sides."""
        self.keras_optimizer.finalize_variable_values(self.keras_variables)
        self.optimizer.finalize_variable_values(self.parameters)


def compare(mine: np.ndarray, theirs: np.ndarray, rtol: float = 1e-5) -> None:
    """Hold two arrays equal, relative to the size of each value and a little of the largest one."""
    scale = float(np.max(np.abs(theirs), initial=0.0))
    np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-6 * scale + 1e-30)


def gradients_of(
    rng: np.random.Generator, shapes: list[tuple[int, ...]], scale: float = 1.0
) -> list[np.ndarray]:
    """Draw gradients of several magnitudes."""
    return [
        np.asarray((rng.normal(size=shape) + 0.3) * scale * 10.0 ** rng.uniform(-1, 1), dtype="float32")
        for shape in shapes
    ]


def parameters(seed: int = 0) -> list[nn.Parameter]:
    """Make one parameter a shape."""
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def drive(optimizer: Optimizer, params: list[nn.Parameter], steps: range) -> None:
    """Do steps by gradients that the step's number determines."""
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for param in params:
            param.grad = torch.randn(param.shape, generator=generator)
        optimizer.step()
        optimizer.zero_grad()

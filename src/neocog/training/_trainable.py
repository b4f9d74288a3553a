"""What training needs to know of a model: a Protocol, so that this floor never sees the one above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from neocog.training._compiled import Compiled
    from neocog.training._state import TrainingState


class Trainable(Protocol):
    """A model as `fit`, `evaluate` and `predict` see it."""

    name: str
    built: bool
    training: bool
    stop_training: bool
    history: Any

    @property
    def label(self) -> str:
        """How error texts name the model."""

    @property
    def compile_settings(self) -> Compiled:
        """The resolved settings of `compile`."""

    @property
    def training_state(self) -> TrainingState:
        """What training keeps between steps."""

    @property
    def has_call(self) -> bool:
        """Whether the model itself can be called; else its steps say all that it does."""

    def check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise ShapeError where a batch does not fit the model's inputs."""

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, where the model knows them."""

    @property
    def metrics(self) -> list[Any]:
        """All metrics, the loss first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""

    def infer(self, x: Any) -> Any:
        """Compute the outputs of a batch in inference mode."""

    def train_step(self, data: Any) -> Any:
        """Train on one batch."""

    def test_step(self, data: Any) -> Any:
        """Evaluate on one batch."""

    def predict_step(self, data: Any) -> Any:
        """Compute the outputs for one batch."""

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> torch.Tensor:
        """Return the loss of one batch."""

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Mapping[str, Any]:
        """Update the metrics with one batch."""

    def reset_metrics(self) -> None:
        """Set all metrics back to their start."""

    def modules(self) -> Iterator[torch.nn.Module]:
        """All modules, the model included."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """All parameters."""

    def train(self, mode: bool = True) -> Any:
        """Switch between training and inference mode."""

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move to a device."""


def statistics_of(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Give what forward passes may change, by name: buffers, and variables of layers that never train."""
    yield from ((name, value) for name, value in model.named_buffers() if isinstance(value, torch.Tensor))
    for name, value in model.named_parameters():
        if not value.requires_grad and not getattr(value, "wants_training", True):
            yield name, value


def uses_own_loss(model: Any) -> bool:
    """Whether training goes by the losses of `compile`, so that they can be checked against the data."""
    usual = runs_own(model, "train_step") and runs_own(model, "compute_loss")
    return usual and model.compile_settings.loss_argument is not None


def is_users(kind: Any) -> bool:
    """Whether a class is neither neocog's nor torch's."""
    return not f"{kind.__module__}.".startswith(("neocog.", "torch."))


def forget_gradients(model: Any) -> None:
    """Drop gradients that code of the user's left on the weights: a step of neocog's would add its own.

    A step of the user's may gather them on purpose.
    """
    if runs_own(model, "train_step"):
        for value in model.parameters():
            value.grad = None


def runs_own(model: Any, name: str) -> bool:
    """Whether a verb of a model (`train_step`, `compute_loss`, …) is neocog's, in its class and in itself."""
    base: Any = next(cls for cls in type(model).__mro__ if cls.__name__ == "Trainer")
    return getattr(type(model), name) is getattr(base, name) and name not in vars(model)

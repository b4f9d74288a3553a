"""Losses with a gradient by formula take what the losses themselves take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from neocog.functional import GRADIENT_FORMS, MEAN_FORMS


def arguments(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Names and defaults behind targets and predictions."""
    return [(name, value.default) for name, value in inspect.signature(function).parameters.items()][2:]


@pytest.mark.parametrize("loss", GRADIENT_FORMS, ids=lambda loss: loss.__name__)
def test_gradients_take_the_arguments_of_the_loss(loss: Callable[..., Any]) -> None:
    assert arguments(GRADIENT_FORMS[loss]) == arguments(loss)


@pytest.mark.parametrize("loss", MEAN_FORMS, ids=lambda loss: loss.__name__)
def test_means_take_the_arguments_of_the_loss(loss: Callable[..., Any]) -> None:
    assert arguments(MEAN_FORMS[loss]) == arguments(loss)


def test_the_comparison_sees_a_difference() -> None:
    def loss(y_true: Any, y_pred: Any, delta: float = 1.0) -> None:
        """Take one default."""

    def form(y_true: Any, y_pred: Any, delta: float = 2.0) -> None:
        """Take another."""

    assert arguments(loss) != arguments(form)

"""How good a model is that predicts numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neocog.workflows._scores import Z95


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScore:
    """One target, in its own units.

    Attributes:
        name: of the target.
        mae: mean of |y − ŷ|.
        low, high: 95 % interval of it (normal approximation).
        rmse: root of the mean of (y − ŷ)².
        r2: 1 − Σ(y − ŷ)² / Σ(y − ȳ)²; None where all y are alike.
        bias: mean of ŷ − y.
        guess: mean of |y − ȳ|: the error of always saying the mean.
    """

    name: str
    mae: float
    low: float
    high: float
    rmse: float
    r2: float | None
    bias: float
    guess: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionScores:
    """What predictions of numbers are worth.

    Attributes:
        count: images.
        r2: mean R² of the targets that differ between images; None without one.
        targets: one score a target.
    """

    count: int
    r2: float | None
    targets: tuple[TargetScore, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def written(value: float, spread: float) -> str:
    """Return a number with so many decimals that differences of a hundredth of `spread` can be seen.

    Example:
        >>> written(2000.1234, 0.5), written(136.52, 20), written(123456.0, 9000.0)
        ('2000.123', '136.5', '123456')
    """
    if not 1e-6 < spread < 1e12 or abs(value) >= 1e12:
        return f"{value:.4g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(spread)))}f}"


def score_numbers(predictions: Any, truth: Any, names: Sequence[str]) -> RegressionScores:
    """Return what predictions are worth.

    Args:
        predictions: (count, targets).
        truth: (count, targets).
        names: of the targets.
    """
    found = np.asarray(predictions, dtype=np.float64)
    real = np.asarray(truth, dtype=np.float64)
    targets = tuple(_target(name, found[:, i], real[:, i]) for i, name in enumerate(names))
    shares = [target.r2 for target in targets if target.r2 is not None]
    return RegressionScores(count=len(real), r2=float(np.mean(shares)) if shares else None, targets=targets)


def _target(name: str, found: Any, real: Any) -> TargetScore:
    error = found - real
    size = np.abs(error)
    spread = float(((real - real.mean()) ** 2).sum())
    half = Z95 * float(size.std(ddof=1)) / len(size) ** 0.5 if len(size) > 1 else float(size.mean())
    return TargetScore(
        name=name,
        mae=float(size.mean()),
        low=max(float(size.mean()) - half, 0.0),
        high=float(size.mean()) + half,
        rmse=float(np.sqrt((error**2).mean())),
        r2=1 - float((error**2).sum()) / spread if spread > 0 else None,
        bias=float(error.mean()),
        guess=float(np.abs(real - real.mean()).mean()),
    )

"""Losses over sets of pixels, pairs and alignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.functional import (
    circle,
    ctc,
    dice,
    tversky,
)
from neocog.losses._loss import FormulaLoss
from neocog.losses._registry import LOSSES


@LOSSES.register()
class Dice(FormulaLoss):
    """1 - 2 Σ y p / (Σ y + Σ p): how little two masks overlap.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"dice"`.
        axis: axes to sum over; default None: one value for the whole batch.
        dtype: type to compute in; default the default float.

    Example:
        >>> Dice()([[1.0, 1.0]], [[1.0, 0.0]])
        tensor(0.3333)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


@LOSSES.register()
class Tversky(FormulaLoss):
    """1 - Σ y p / (Σ y p + α missed + β added): Dice with a price for each kind of error.

    Args:
        alpha: weight of what was missed; default 0.5.
        beta: weight of what was added; default 0.5.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"tversky"`.
        axis: axes to sum over; default None: one value for the whole batch.
        dtype: type to compute in; default the default float.

    Example:
        >>> Tversky(alpha=1.0, beta=0.0)([[1.0, 1.0]], [[1.0, 0.0]])
        tensor(0.5000)

    Reference:
        Salehi et al., Tversky Loss Function for Image Segmentation, 2017.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


@LOSSES.register()
class Circle(FormulaLoss):
    """Pulls embeddings of one class together and pushes others apart, the worst pairs most.

    Args:
        gamma: scale; default 80.
        margin: relaxation; default 0.4.
        remove_diagonal: leave out the pair of each sample with itself; default True.
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"circle"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> Circle()([0, 1], [[1.0, 0.0], [0.0, 1.0]])
        tensor(0.)

    Reference:
        Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )

    def _mask(self, y_true: Any, y_pred: Any, values: torch.Tensor) -> torch.Tensor | None:
        mask = super()._mask(y_true, y_pred, values)
        # Samples without a pair have loss 0 and do not count in the mean.
        return values > 0 if mask is None else mask & (values > 0)


@LOSSES.register()
class CTC(FormulaLoss):
    """The mean of -log of the probability of a label sequence under all its alignments; class 0 is blank.

    Args:
        reduction: `"sum_over_batch_size"` (the mean over the batch; the default), `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or None.
        name: name in logs; default `"ctc"`.
        dtype: type to compute in; default the default float.

    Example:
        >>> CTC()([[1]], [[[0.0, 0.0]]])
        tensor(0.6931)

    Reference:
        Graves et al., Connectionist Temporal Classification, 2006.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)

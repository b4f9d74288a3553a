"""Probabilities that remember the logits they came from.

A crossentropy over softmax's or sigmoid's own output is computed from the logits: fewer kernels, and a
gradient that
does not vanish where the probability is rounded to 0 or 1.
"""

from __future__ import annotations

import torch


def remember_logits(probabilities: torch.Tensor, logits: torch.Tensor, kind: str) -> torch.Tensor:
    """Attach logits to the result of `kind` ("softmax" over the last axis, or "sigmoid"), while gradients are
    taken.
    """
    if probabilities.requires_grad and not torch.compiler.is_compiling():
        probabilities._neocog_logits = (logits, kind)  # type: ignore[attr-defined]
    return probabilities


def logits_of(probabilities: torch.Tensor, kind: str) -> torch.Tensor | None:
    """Return the logits that `probabilities` came from by `kind`, or None; any further operation forgets
    them.
    """
    logits, made_by = getattr(probabilities, "_neocog_logits", (None, None))
    return logits if made_by == kind else None

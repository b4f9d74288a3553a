"""Suite `predict`: samples a second of `evaluate` and `predict`, against PyTorch's inference and Keras.

The batch size is left to the library, as most people leave it; tuned PyTorch runs with 32 and with 256.
neocog and Keras compute in float32 unless asked: `neocog-bf16` runs beside, under `mixed_bfloat16`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases import CASES, PREDICT
from contest import PATIENCE
from fit import picked, run_cases, shortened
from fit import render as render


def run(
    seconds: float = 2.0,
    rounds: int = 5,
    only: str | None = None,
    competitors: str | None = None,
    patience: float = PATIENCE,
    samples: int | None = None,
    starts: int = 1,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Run the suite; the arguments are those of `fit.run`."""
    cases = [*PREDICT, CASES["vgg16"]]
    wanted = picked(only, [case.name for case in cases])
    chosen = shortened([case for case in cases if case.name in wanted], samples)
    return run_cases(chosen, seconds, rounds, competitors, patience, starts, done)

"""Models as torch's exported programs (`.pt2`): run without neocog, by `torch.export.load(path).module()`."""

from __future__ import annotations

import os

import torch

from neocog.core import atomic_path
from neocog.files._export_plan import ExportPlan, export_program, quietly


def export_torch(plan: ExportPlan, path: str | os.PathLike[str]) -> None:
    """Write a model as a `.pt2` file, whole or not at all; the batch stays free.

    Args:
        plan: the model, its inputs and names.
        path: where to; replaced if it exists.

    Raises:
        ArgumentError: torch cannot export the model; the text says why.
        StorageError: full or read-only disk, missing permission.
    """
    program = export_program(plan)
    with atomic_path(path) as temporary, quietly(), open(temporary, "wb") as file:
        torch.export.save(program, file)

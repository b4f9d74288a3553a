"""Where models train unless told otherwise."""

from __future__ import annotations

import os

import torch


def default_device() -> torch.device:
    """Return the device that `fit` moves a model to: `NEOCOG_DEVICE`, else the accelerator, else the CPU."""
    named = os.environ.get("NEOCOG_DEVICE")
    if named:
        return torch.device(named)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")

"""Where models train unless told otherwise."""

from __future__ import annotations

import os

import torch

from neocog.exceptions import ArgumentError, message


def default_device() -> torch.device:
    """Return the device that `fit` moves a model to: `NEOCOG_DEVICE`, else the accelerator, else the CPU."""
    named = os.environ.get("NEOCOG_DEVICE")
    if named:
        try:
            return torch.device(named)
        except RuntimeError as error:
            expected = "a device of torch (cpu, cuda, cuda:1, mps)"
            raise ArgumentError(message("NEOCOG_DEVICE", expected=expected, got=repr(named))) from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")

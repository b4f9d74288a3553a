"""What a run was made with."""

from __future__ import annotations

import os
import platform

import numpy as np
import torch

from neocog._version import __version__
from neocog.core import default_device
from neocog.training import calibration_for, half_precision


def environment() -> dict[str, str]:
    """Return the versions and the hardware that decide a run's numbers."""
    return {
        "neocog": __version__,
        "torch": str(torch.__version__),
        "numpy": str(np.__version__),
        "pillow": _pillow_version(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": str(torch.get_num_threads()),
        "calibration": _calibration(),
    }


def _calibration() -> str:
    """Return where the thresholds of the training plan come from: "built-in", or the date of measuring."""
    device = default_device()
    return calibration_for(device, half_precision(device)).source


def _pillow_version() -> str:
    from PIL import __version__ as version

    return str(version)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return f"{line.partition(':')[2].strip()}, {os.cpu_count()} processors"
    except OSError:
        pass
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors"

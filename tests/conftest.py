"""Shared by all tests: Keras on torch as the oracle, seeded draws, and the real sets where they are."""

from __future__ import annotations

import os
import signal

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("NEOCOG_CACHE_GB", "0")  # tests keep no images in the home folder
os.environ.setdefault("NEOCOG_CALIBRATION", "off")  # nor plans by what was measured on a machine

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "neocog",
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("neocog")

# A shell that starts the tests in the background has Ctrl-C ignored, also by all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name cases alike in every process: workers must collect the same, and packed bytes hold the time."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test starts from the same random state and from fresh automatic names."""
    from neocog.core import reset_names, set_random_seed

    set_random_seed(1234)
    reset_names()

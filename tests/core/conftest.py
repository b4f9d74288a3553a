"""Settings come back after a test that changes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neocog import core


@pytest.fixture
def restored() -> Iterator[None]:
    """Put the process-wide settings back."""
    before = core.floatx(), core.image_data_format(), core.epsilon()
    yield
    core.set_floatx(before[0])
    core.set_image_data_format(before[1])
    core.set_epsilon(before[2])

"""A network and a home of its own for each test of transfer."""

from __future__ import annotations

import pytest
from small_network import small_base


@pytest.fixture
def base():
    """The small network."""
    return small_base()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A home of its own for each test."""
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"

"""What tests of the zoo share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """neocog's own folder, empty."""
    folder = tmp_path / "home"
    monkeypatch.setenv("NEOCOG_HOME", str(folder))
    return folder

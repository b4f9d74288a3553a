"""Faults planted in real photographs, at a small size; `planted.py` runs the full one by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from planted import Planted, judge, plant

from neocog.workflows import CheckConfig, check

DATA = Path(os.environ.get("NEOCOG_DATA", "missing"))


@pytest.mark.data
@pytest.mark.slow
def test_planted_faults_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = DATA / "cats-vs-dogs"
    if not photos.is_dir():
        pytest.skip("NEOCOG_DATA holds no cats-vs-dogs")
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    made = plant(photos, tmp_path / "photos", seed=3, split=True, most=300, counts=(3, 6, 12, 6, 3))
    result = check(CheckConfig(data=str(made.root), out=str(tmp_path / "out")))
    judged = judge(made, {found["kind"]: found["cases"] for found in result.details})
    wrong = judged["recall"].pop("wrong")
    assert wrong >= 0.8, result.trust  # of six
    assert min(judged["recall"].values()) >= 0.9, judged
    assert judged["false share"] <= 0.02, judged["false"]


def test_the_judge_sees_what_is_missed() -> None:
    made = Planted(
        Path("x"), images=10, truncated=["a/1.jpg"], exact=[("a/2.jpg", "a/3.jpg")], small_class="a"
    )
    made.class_of = {f"a/{k}.jpg": "a" for k in range(10)}
    nothing = judge(made, {})
    assert (
        nothing["recall"]["truncated"] == nothing["recall"]["exact"] == nothing["recall"]["small class"] == 0
    )
    loose = judge(made, {"blank": [{"files": ["a/9.jpg"], "classes": []}]})
    assert loose["false share"] == 0.1

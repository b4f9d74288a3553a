"""`--tta`: the mean of several passes in `predict` and `evaluate` of a run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from neocog.cli._app import app
from neocog.exceptions import ArgumentError
from neocog.workflows import evaluate, load_run, predict

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_evaluate_measures_the_mean_of_the_passes(digits_run: Any) -> None:
    run = load_run(digits_run.result.folder)
    plain, mean = evaluate(run), evaluate(run, tta=4)
    assert "mean of 4 passes" in mean.measured_on
    assert "passes" not in plain.measured_on
    assert mean.scores.loss != plain.scores.loss
    assert evaluate(run, tta=4).scores == mean.scores
    assert evaluate(run, tta=1).scores == plain.scores


def test_predict_answers_by_the_mean_whatever_the_batch_size(shapes_run: Any) -> None:
    run = load_run(shapes_run.result.folder)
    one = predict(run, shapes_run.data / "circle", tta=3)
    other = predict(run, shapes_run.data / "circle", tta=3, batch_size=5)
    plain = predict(run, shapes_run.data / "circle")
    chances = [
        np.array([[value for _, value in sorted(item.probabilities)] for item in found.predictions])
        for found in (one, other, plain)
    ]
    np.testing.assert_allclose(chances[0], chances[1], atol=1e-5)
    assert np.abs(chances[0] - chances[2]).max() > 1e-4
    np.testing.assert_allclose(chances[0].sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("tta", [0, -1, 1000])
def test_refused(tta: int, digits_run: Any) -> None:
    with pytest.raises(ArgumentError, match="tta"):
        evaluate(digits_run.result.folder, tta=tta)
    with pytest.raises(ArgumentError, match="tta"):
        predict(digits_run.result.folder, "nothing.png", tta=tta)


def test_the_commands(digits_run: Any, shapes_run: Any) -> None:
    told = CliRunner().invoke(app, ["evaluate", str(digits_run.result.folder), "--tta", "3", "--json"])
    assert told.exit_code == 0, told.output
    assert "mean of 3 passes" in json.loads(told.stdout)["measured_on"]
    image = str(next((shapes_run.data / "circle").glob("00*.png")))
    told = CliRunner().invoke(app, ["predict", str(shapes_run.result.folder), image, "--tta", "2", "--json"])
    assert told.exit_code == 0, told.output
    assert len(json.loads(told.stdout)["predictions"]) == 1

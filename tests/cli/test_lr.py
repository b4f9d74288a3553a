"""`neocog lr` and `--batch-size auto` on the digits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from neocog.cli._app import app
from neocog.cli._arguments import parse_batch_size
from neocog.exceptions import ArgumentError
from neocog.training import RangeTest


def test_it_says_a_rate_and_draws_the_losses(tmp_path: Path) -> None:
    plot = tmp_path / "rates.png"
    asked = ["lr", "digits", "--model", "mlp", "--steps", "40", "--out", str(plot), "--json", "-q"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout[done.stdout.index("{") :])
    assert 1e-5 < found["suggestion"] < 1
    assert found["option"].startswith("--learning-rate ")
    assert len(found["rates"]) == len(found["losses"]) <= 40
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_plot_in_a_folder_that_is_not_there_is_refused_before_any_step(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["lr", "digits", "--out", str(tmp_path / "no" / "rates.png")])
    assert done.exit_code != 0
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--steps", "1"), "lr: expected --steps to be a whole number of 20 or more, got 1"),
        (("--lowest", "0"), "lr: expected --lowest in [1e-12, 1000], got 0"),
        (("--highest", "inf"), "lr: expected --highest in"),
        (("--lowest", "1", "--highest", "0.5"), "lr: expected --highest above --lowest, got 0.5 and 1"),
    ],
)
def test_a_test_that_cannot_be_is_refused_by_the_names_of_options(
    options: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["lr", "digits", "--out", str(tmp_path / "rates.png"), *options])
    assert done.exit_code != 0
    assert text in " ".join((done.output + str(done.exception)).split())
    assert list(tmp_path.iterdir()) == []


def test_the_limits_of_the_command_are_those_of_the_test() -> None:
    RangeTest(1e-12, 1e3, 20)
    with pytest.raises(ArgumentError):
        RangeTest(1e-12, 1e3, 19)
    with pytest.raises(ArgumentError):
        RangeTest(0.9e-12, 1e3, 20)


def test_batch_sizes_on_the_command_line() -> None:
    assert (parse_batch_size(None), parse_batch_size("16"), parse_batch_size("auto")) == (None, 16, "auto")
    with pytest.raises(ArgumentError, match="a whole number or auto"):
        parse_batch_size("0")


def test_a_run_with_the_batch_size_of_the_rule(tmp_path: Path) -> None:
    asked = ["train", "digits", "--model", "mlp", "--batch-size", "auto", "--epochs", "1"]
    done = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    recipe = json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]
    assert recipe["batch_size"] & (recipe["batch_size"] - 1) == 0

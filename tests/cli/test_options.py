"""Options of commands are the fields of a configuration, with the same defaults."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from neocog import workflows
from neocog.cli import _training, app
from neocog.workflows import TrainConfig

GIVEN: dict[str, Any] = {
    "model": "mobilenet",
    "weights": "auto",
    "finetune": "3",
    "image_size": (20, 30),
    "color": "rgb",
    "epochs": 4,
    "batch_size": 9,
    "learning_rate": 0.1,
    "augment": "light",
    "seed": 3,
    "precision": "float32",
    "strict": True,
    "task": "regression",
    "label": "a,b",
    "pattern": "{label}_{n}.jpg",
    "images": "folder",
    "group_by": "patient",
    "split": "runs/one",
    "leaks": "move",
    "every": "3steps",
    "width": 2.0,
    "depth": 2,
    "dropout": 0.2,
    "weight_decay": 0.1,
    "augment_strength": 0.3,
    "head_rate": 0.05,
}
NOT_IN_SEARCH = {
    *("batch_size", "learning_rate", "every", "width", "depth", "dropout", "weight_decay"),
    *("augment_strength", "head_rate"),
}
IN_LR = {
    *("model", "weights", "image_size", "color", "batch_size", "augment", "seed", "precision", "task"),
    *("label", "pattern", "images", "group_by"),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Commands that do nothing; what they were asked for is listed."""
    found: list[TrainConfig] = []

    def grab(config: Any, *_: Any, **__: Any) -> None:
        found.append(getattr(config, "config", config))
        raise SystemExit(0)

    monkeypatch.setattr(_training, "trained", grab)
    monkeypatch.setattr(workflows, "search", grab)
    monkeypatch.setattr(workflows, "learning_rate", grab)
    return found


def typed(name: str) -> list[str]:
    option, value = f"--{name.replace('_', '-')}", GIVEN[name]
    if value is True:
        return [option]
    return [option, "x".join(map(str, value)) if isinstance(value, tuple) else str(value)]


@pytest.mark.parametrize(
    ("command", "names"),
    [("train", set(GIVEN)), ("search", set(GIVEN) - NOT_IN_SEARCH), ("lr", IN_LR)],
)
def test_every_option_is_its_field(command: str, names: set[str], asked: list[TrainConfig]) -> None:
    for given in (names, set()):
        words = [word for name in sorted(given) for word in typed(name)]
        done = CliRunner().invoke(app, [command, "digits", "--out", "somewhere", *words])
        assert done.exit_code == 0, done.output
        out = "somewhere" if command == "train" else None
        assert asked.pop() == TrainConfig(data="digits", out=out, **{name: GIVEN[name] for name in given})


def test_words_that_are_no_numbers(asked: list[TrainConfig]) -> None:
    done = CliRunner().invoke(app, ["train", "digits", "--batch-size", "auto", "--no-snapshots"])
    assert done.exit_code == 0, done.output
    assert asked == [TrainConfig(data="digits", batch_size="auto", every=None)]

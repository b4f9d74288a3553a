"""One label, several labels and numbers: heads, scores, and runs on small real pictures from end to end."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score, f1_score, r2_score

from neocog.workflows import TrainConfig, Warned, evaluate, load_run, predict, train
from neocog.workflows._csv_cells import guarded, guarded_path, unguarded
from neocog.workflows._outputs import read_label, score_outputs, written_label
from neocog.workflows._task import Task

RANDOM = np.random.default_rng(0)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a table."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(path: Path, rows: list[list[Any]]) -> Path:
    """Write a table."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blue patterns, some with red, some with green, of different brightness; three manifests."""
    root = tmp_path_factory.mktemp("squares")
    several, numbers, classes = [["file", "labels"]], [["file", "bright", "year"]], [["file", "label", "who"]]
    for i in range(72):
        red, green, light = i % 2, (i // 2) % 2, int(RANDOM.integers(40, 255))
        blocks = np.kron(RANDOM.uniform(0.3, 1, (4, 4)), np.ones((3, 3)))  # no two pictures are copies
        pixels = np.zeros((12, 12, 3), np.uint8)
        pixels[..., 0] = light * blocks * (0.2 + 0.8 * red)
        pixels[..., 1] = light * blocks * (0.2 + 0.8 * green)
        pixels[..., 2] = light * blocks
        name = f"-{i}.png" if i % 9 == 0 else f"{i}.png"
        Image.fromarray(pixels).save(root / name)
        several.append([name, "|".join(["=red"] * red + ["gr|een".replace("|", " ")] * green)])
        numbers.append([name, str(light), f"{2000 + light / 100:.2f}"])
        classes.append([name, ("a", "=b")[red], f"p{i // 4}"])
    table(root / "several.csv", several)
    table(root / "numbers.csv", numbers)
    table(root / "classes.csv", [*classes, ["gone.png", "a", "p1"]])
    return root


def run(squares: Path, tmp_path: Path, name: str, **settings: Any) -> tuple[Any, Path, list[str]]:
    """Train a perceptron on one of the manifests."""
    out, said = tmp_path / "run", []
    settings = {"epochs": 6, **settings}
    config = TrainConfig(data=str(squares / name), model="mlp", out=str(out), **settings)
    result = train(config, lambda event: said.append(event.text) if isinstance(event, Warned) else None)
    return result, out, said


def test_several_labels(squares: Path, tmp_path: Path) -> None:
    result, out, said = run(squares, tmp_path, "several.csv")
    assert result.task == "multi-label"
    assert result.test.macro_f1 > 0.8
    assert set(result.validation) >= {"loss", "macro_f1", "mean_ap", "binary_accuracy"}
    assert any("several labels an image, 2 in all" in text for text in said)
    metrics = json.loads((out / "metrics.json").read_text())
    assert [row["name"] for row in metrics["test"]["labels"]] == ["=red", "gr een"]
    rows = rows_of(out / "predictions.csv")
    assert list(rows[0]) == ["file", "labels", "predicted", "right", "p(=red)", "p(gr een)"]
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell)
    report = (out / "report.html").read_text()
    assert "Label by label" in report
    assert "threshold" in report or "probability of 0.5" in report
    again = evaluate(out)
    assert again.scores == result.test
    other = evaluate(out, squares / "several.csv")
    assert other.scores.count == 72
    said_of = predict(out, squares / "3.png").predictions[0]
    assert set(dict(said_of.probabilities)) == {"=red", "gr een"}
    assert said_of.as_dict()["labels"] == list(said_of.labels)
    head = load_run(out).model.layers[-1]
    assert (head.name, head.activation.__name__) == ("probabilities", "sigmoid")


def test_numbers(squares: Path, tmp_path: Path) -> None:
    result, out, _ = run(squares, tmp_path, "numbers.csv", epochs=25, learning_rate=5e-3)
    assert result.task == "regression"
    assert result.test.r2 > 0.5
    bright, year = result.test.targets
    assert bright.mae < bright.guess
    assert abs(year.bias) < 1  # in years, not in standard deviations
    rows = rows_of(out / "predictions.csv")
    assert set(rows[0]) == {
        f"{before}{name}" for before in ("", "predicted ", "error ") for name in ("bright", "year")
    } | {"file"}
    errors = [abs(float(row["error bright"])) for row in rows]
    assert np.isclose(np.mean(errors), bright.mae, rtol=1e-5)
    assert (out / "predictions.png").stat().st_size > 1000
    assert "Predicted and true" in (out / "report.html").read_text()
    assert evaluate(out).scores == result.test
    assert evaluate(out, squares / "numbers.csv").scores.count == 72
    values = dict(predict(out, squares / "3.png").predictions[0].values)
    assert 1990 < values["year"] < 2010
    asked = json.loads((out / "config.json").read_text())
    assert asked["recipe"]["augment"] == "none"


def test_a_manifest_of_classes_and_its_split_again(squares: Path, tmp_path: Path) -> None:
    result, out, _ = run(squares, tmp_path, "classes.csv", group_by="who")
    assert result.test.count == len(rows_of(out / "predictions.csv"))
    rows = rows_of(out / "split.csv")
    parts = {row["file"].removeprefix("./"): row["part"] for row in rows}
    who = {row["file"]: row["who"] for row in rows_of(squares / "classes.csv")}
    homes = {(who[file], part) for file, part in parts.items()}
    assert len(homes) == len({name for name, _ in homes})  # no group is in two parts
    assert json.loads((out / "config.json").read_text())["broken"] == [
        {"file": "gone.png", "reason": "no such file (line 74)"}
    ]
    assert "'=b" in {row["class"] for row in rows}
    assert evaluate(out).scores == result.test

    moved = tmp_path / "moved"  # other names, other layout, one image less and one more
    for label in ("a", "=b"):
        (moved / label).mkdir(parents=True)
    labels = {row["file"]: row["label"] for row in rows_of(squares / "classes.csv")}
    for i, file in enumerate(sorted(parts)):
        if i:
            shutil.copy(squares / file, moved / labels[file] / f"{i}.png")
    Image.fromarray(np.full((12, 12, 3), 7, np.uint8)).save(moved / "a" / "new.png")
    again = TrainConfig(data=str(moved), model="mlp", epochs=1, out=str(tmp_path / "second"), split=str(out))
    told: list[str] = []
    train(again, lambda event: told.append(event.text) if isinstance(event, Warned) else None)
    first = {row["sha256"]: row["part"] for row in rows}
    second = {row["sha256"]: row["part"] for row in rows_of(tmp_path / "second" / "split.csv")}
    assert {second[sha] for sha in second if sha not in first} == {"train"}
    assert all(first[sha] == second[sha] for sha in second if sha in first)
    assert any("1 of 72 images are not in" in text for text in told)
    assert any("1 images of" in text for text in told)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_head_for_numbers_gives_their_units(precision: str) -> None:
    from neocog.workflows import build_model

    values = np.stack([2000 + RANDOM.normal(size=50), 1e-3 * RANDOM.normal(size=50)], 1)
    task = Task.of("regression", ("year", "drift"), values)
    model = build_model("mlp", (8, 8, 3), task)
    model.compile("sgd", task.loss(), metrics=task.metrics(), precision=precision)
    outputs = model.predict(np.zeros((4, 8, 8, 3), np.uint8), verbose=0)
    assert np.abs(outputs[:, 0] - 2000).max() < 10
    loss = task.loss()
    said = torch.tensor(values + np.array([task.deviation]), dtype=torch.float32)
    assert abs(float(loss(torch.tensor(values, dtype=torch.float32), said)) - 1) < 1e-2


def test_scores_against_scikit_learn() -> None:
    chances = np.round(RANDOM.random((200, 4)), 2)  # with ties
    truth = (RANDOM.random((200, 4)) < chances * 0.6).astype(np.uint8)
    task = Task(kind="multi-label", names=tuple("abcd"))
    scores: Any = score_outputs(task, chances, truth)
    assert np.isclose(scores.mean_ap, average_precision_score(truth, chances, average="macro"))
    assert np.isclose(scores.macro_f1, f1_score(truth, chances > 0.5, average="macro"))
    assert np.isclose(scores.micro_f1, f1_score(truth, chances > 0.5, average="micro"))
    assert np.isclose(scores.exact, ((chances > 0.5) == truth).all(1).mean())
    real = RANDOM.normal(size=(100, 2))
    found = real + RANDOM.normal(size=(100, 2)) * [0.1, 2]
    numbers: Any = score_outputs(Task(kind="regression", names=("x", "y")), found, real)
    assert np.isclose(numbers.r2, r2_score(real, found))
    assert np.isclose(numbers.targets[1].mae, np.abs(found - real)[:, 1].mean())
    alone: Any = score_outputs(Task(kind="regression", names=("x",)), found[:1, :1], real[:1, :1])
    assert alone.r2 is None
    none: Any = score_outputs(task, chances, np.zeros_like(truth))
    assert (none.macro_f1, none.mean_ap, none.labels[0].average_precision) == (0.0, 0.0, None)


@pytest.mark.parametrize("text", ["=1", "+a", "-1", "@x", "'=x", "''", "cat", "", "\tx", "'-"])
def test_formulas_are_made_harmless_and_come_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple("=+-@\t")
    assert os.path.normpath(guarded_path(f"{text}.png")) == os.path.normpath(f"{text}.png")


@pytest.mark.parametrize("names", [("a", "b|c", "d\\"), ("=x", "y;z", "w,")])
def test_labels_come_back_from_their_cells(names: tuple[str, ...]) -> None:
    task = Task(kind="multi-label", names=names)
    for label in ([0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 1, 0]):
        assert read_label(task, written_label(task, label)) == label
    assert read_label(task, "other") is None
    numbers = Task(kind="regression", names=("x", "y"))
    assert read_label(numbers, written_label(numbers, [0.1, -2e9])) == [0.1, -2e9]
    assert read_label(numbers, "1") is None
    assert read_label(numbers, "1|nan") is None


def test_a_target_that_never_changes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'x' that differ.*got 3 in all 2 training images"):
        Task.of("regression", ("x",), [[3.0], [3.0]])

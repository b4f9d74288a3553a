"""What a run leaves: every file, what stands in it, and that it says the same as the model."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_shapes import HOSTILE, Trained, draw, fill, mosaics, shapes
from PIL import Image

from neocog.data import load_image
from neocog.workflows import (
    DataReady,
    EpochDone,
    Reading,
    TrainConfig,
    TrainingStarted,
    Warned,
    load_run,
    predict,
    train,
)
from neocog.workflows import evaluate as evaluate_run
from neocog.workflows._image_look import look_at

FILES = {
    *("config.json", "split.csv", "plan.txt", "model.json", "model.safetensors", "history.csv"),
    *("curves.png", "confusion.png", "predictions.csv", "metrics.json", "report.html"),
}


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("run", ["digits_run", "shapes_run"])
def test_a_run_holds_every_file_and_no_other(run: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(run)
    checked = {"findings.json"} if trained.data is not None else set()
    assert {path.name for path in trained.folder.iterdir()} == FILES | checked
    for name in ("curves.png", "confusion.png"):
        with Image.open(trained.folder / name) as image:
            image.load()
            assert min(image.size) > 200


def test_the_digits_are_all_there(digits_run: Trained) -> None:
    split = rows(digits_run.folder / "split.csv")
    assert len(split) == 1797
    assert len({row["file"] for row in split}) == 1797
    counts = {part: sum(row["part"] == part for row in split) for part in ("train", "validation", "test")}
    assert counts == {"train": 1222, "validation": 216, "test": 359}
    assert digits_run.result.test.count == 359
    assert digits_run.result.test.accuracy > 0.8


def test_the_split_names_files_by_their_content(shapes_run: Trained) -> None:
    split = rows(shapes_run.folder / "split.csv")
    assert shapes_run.data is not None
    assert len(split) == 44  # 38 drawn and 6 copies; the broken ones are in no part
    assert {row["class"] for row in split} == {"circle", HOSTILE, "막대 $x$"}
    for row in split:
        data = (shapes_run.data / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["file"].startswith(row["class"] + "/")


def test_history_has_a_row_an_epoch(digits_run: Trained) -> None:
    history = rows(digits_run.folder / "history.csv")
    told = [event for event in digits_run.events if isinstance(event, EpochDone)]
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert [event.epoch for event in told] == [1, 2, 3]
    for row, event in zip(history, told, strict=True):
        assert float(row["val_loss"]) == event.values["val_loss"]
        assert float(row["learning_rate"]) >= 0
    best = min(range(3), key=lambda i: float(history[i]["val_loss"]))
    assert digits_run.result.best_epoch == best + 1
    assert [event.best for event in told][best]


def test_metrics_say_what_the_result_says(digits_run: Trained) -> None:
    metrics = json.loads((digits_run.folder / "metrics.json").read_text())
    assert metrics["test"] == json.loads(json.dumps(digits_run.result.test.as_dict()))
    assert metrics["interrupted"] is False
    assert digits_run.result.plan in (digits_run.folder / "plan.txt").read_text()
    assert digits_run.result.plan.startswith("plan: ")


def test_predictions_are_the_models(digits_run: Trained) -> None:
    table = rows(digits_run.folder / "predictions.csv")
    assert len(table) == 359
    right = sum(row["class"] == row["predicted"] for row in table)
    assert right == digits_run.result.test.correct == sum(int(row["correct"]) for row in table)
    for row in table:
        chances = {name[2:-1]: float(value) for name, value in row.items() if name.startswith("p(")}
        assert max(chances, key=lambda name: chances[name]) == row["predicted"]
        assert sum(chances.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("run", ["digits_run", "shapes_run"])
def test_evaluating_again_gives_the_same_scores(run: str, request: pytest.FixtureRequest) -> None:
    trained: Trained = request.getfixturevalue(run)
    again = evaluate_run(trained.folder)
    before = trained.result.test
    # another batch size may change the last bits of a product
    assert again.scores.loss == pytest.approx(before.loss, rel=1e-5)
    assert replace(again.scores, loss=before.loss) == before
    assert "test images of the run" in again.measured_on


def test_prediction_of_files_equals_training(shapes_run: Trained) -> None:
    table = rows(shapes_run.folder / "predictions.csv")
    assert shapes_run.data is not None
    found = predict(shapes_run.folder, [shapes_run.data / row["file"] for row in table])
    assert not found.broken
    for row, prediction in zip(table, found.predictions, strict=True):
        assert prediction.label == row["predicted"]
        assert prediction.confidence == pytest.approx(float(row["confidence"]), abs=1e-5)
        assert prediction.second != prediction.label
        assert prediction.confidence >= prediction.second_confidence


def test_a_digit_as_a_file_is_the_digit(digits_run: Trained, tmp_path: Path) -> None:
    from neocog.datasets import digits

    _, (x, _) = digits.load_data()
    for number in range(8):
        Image.fromarray(np.rint(x[number] * (255 / 16)).astype(np.uint8)).save(tmp_path / f"{number}.png")
    table = rows(digits_run.folder / "predictions.csv")
    found = predict(digits_run.folder, tmp_path)
    assert [item.label for item in found.predictions] == [row["predicted"] for row in table[:8]]
    assert found.predictions[0].file == str(tmp_path / "0.png")


def test_the_model_is_an_ordinary_one(shapes_run: Trained) -> None:
    import torch

    run = load_run(shapes_run.folder)
    assert isinstance(run.model, torch.nn.Module)
    assert shapes_run.data is not None
    image = load_image(next((shapes_run.data / "circle").glob("0*.png")), size=run.data.image_size)
    assert run.model.predict(image[None], verbose=0).shape == (1, 3)


def test_what_is_broken_is_listed_and_left_out(shapes_run: Trained) -> None:
    ready = next(event for event in shapes_run.events if isinstance(event, DataReady))
    assert [file for file, _ in ready.broken] == ["circle/cut.png", "circle/empty.png"]
    assert "empty file" in ready.broken[1][1]
    config = json.loads((shapes_run.folder / "config.json").read_text())
    assert [item["file"] for item in config["broken"]] == ["circle/cut.png", "circle/empty.png"]
    reading = [event for event in shapes_run.events if isinstance(event, Reading)]
    assert reading[-1].done <= reading[-1].total


def test_copies_stay_in_one_part_and_are_told(shapes_run: Trained) -> None:
    split = rows(shapes_run.folder / "split.csv")
    trained = {row["sha256"] for row in split if row["part"] == "train"}
    assert not [row for row in split if row["part"] != "train" and row["sha256"] in trained]
    assert len({row["sha256"] for row in split}) == len(split) - 6  # the copies are there
    told = [event.text for event in shapes_run.events if isinstance(event, Warned)]
    assert any(text.startswith("exact copies: 1") for text in told)


def test_events_come_in_order(digits_run: Trained) -> None:
    names = [type(event).__name__ for event in digits_run.events if not isinstance(event, Warned)]
    order = dict.fromkeys(name for name in names if name != "StepsDone")
    assert list(order) == ["DataReady", "TrainingStarted", "EpochDone", "Evaluating"]
    started = next(event for event in digits_run.events if isinstance(event, TrainingStarted))
    assert started.epochs == 3
    assert started.parameters == load_run(digits_run.folder).model.count_params()


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    config = {"data": "digits", "model": "mlp", "epochs": 1, "seed": 7}
    first = train(TrainConfig(**config, out=str(tmp_path / "a")))
    second = train(TrainConfig(**config, out=str(tmp_path / "b")))
    other = train(TrainConfig(**{**config, "seed": 8}, out=str(tmp_path / "c")))
    assert first.test == second.test
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in "abc"]
    assert weights[0][-1000:] == weights[1][-1000:] != weights[2][-1000:]
    splits = [(tmp_path / run / "split.csv").read_bytes() for run in "abc"]
    assert splits[0] == splits[1] == splits[2]  # runs of different seeds are compared on the same images
    assert other.test.count == first.test.count


def test_given_parts_stay_and_missing_ones_come_from_train(tmp_path: Path) -> None:
    part = {"circle": 10, "square": 10}
    parts = {"train": part, "val": {"circle": 3, "square": 3}, "test": part}
    given = fill(tmp_path / "all", parts, mosaics)
    train(TrainConfig(data=str(given), model="mlp", epochs=1, out=str(tmp_path / "1")))
    for row in rows(tmp_path / "1" / "split.csv"):
        assert row["file"].split("/")[0] == {"validation": "val"}.get(row["part"], row["part"])

    events = []
    two = fill(tmp_path / "two", {"train": part, "test": {"circle": 4, "square": 4}}, mosaics)
    train(TrainConfig(data=str(two), model="mlp", epochs=1, out=str(tmp_path / "2")), events.append)
    split = rows(tmp_path / "2" / "split.csv")
    assert {row["part"] for row in split if row["file"].startswith("train/")} == {"train", "validation"}
    assert sum(row["part"] == "test" for row in split) == 8
    assert any("no validation part" in event.text for event in events if isinstance(event, Warned))


def test_sizes_and_colours_come_from_the_images(tmp_path: Path) -> None:
    for label, name in enumerate(("dark", "light")):
        (tmp_path / "grey" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.fromarray(np.full((12, 17), 40 + 150 * label + number, np.uint8))
            image.save(tmp_path / "grey" / name / f"{number}.png")
    config = TrainConfig(data=str(tmp_path / "grey"), model="mlp", epochs=1, out=str(tmp_path / "1"))
    train(config)
    assert load_run(tmp_path / "1").data.image_shape == (12, 17, 1)

    large = shapes(tmp_path / "large", {"circle": 6, "square": 6})
    for file in large.rglob("*.png"):
        draw("circle", 1, size=260).save(file)
    config = TrainConfig(
        data=str(large),
        model="mlp",
        epochs=1,
        out=str(tmp_path / "2"),
        image_size=(30, 20),
        color="grayscale",
    )
    train(config)
    assert load_run(tmp_path / "2").data.image_shape == (30, 20, 1)

    assert look_at([str(file) for file in large.rglob("*.png")]) == ((128, 128), "rgb")


def test_shapes_are_learned(tmp_path: Path) -> None:
    data = shapes(tmp_path / "data", {"circle": 30, "square": 30, "bar": 30})
    result = train(TrainConfig(data=str(data), epochs=6, out=str(tmp_path / "run"), augment="none"))
    assert result.test.accuracy > 0.9
    fresh = shapes(tmp_path / "fresh", {"circle": 8, "square": 8}, suffix=".jpg", first=500)
    other = evaluate_run(tmp_path / "run", fresh)
    assert other.scores.count == 16
    assert other.scores.accuracy > 0.8
    assert other.scores.classes[0].recall is None  # no bar among the fresh ones
    assert "16 images in" in other.measured_on

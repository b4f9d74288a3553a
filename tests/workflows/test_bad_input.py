"""Everything that people get wrong: one message with place, expectation, finding, remedy; no half run."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_shapes import Trained, draw, fill, shapes
from PIL import Image

from neocog.exceptions import (
    ArgumentError,
    DataError,
    FileFormatError,
    NeocogError,
    StorageError,
    TrainingError,
    UnknownNameError,
)
from neocog.training import Hook
from neocog.workflows import TrainConfig, load_run, predict, train
from neocog.workflows import evaluate as evaluate_run

pytestmark = pytest.mark.usefixtures("blank_pictures")


def refused(kind: type[NeocogError], text: str, out: Path, **config: Any) -> str:
    """Train, expect an error with that text, and see that nothing is left."""
    with pytest.raises(kind, match=text) as caught:
        train(TrainConfig(out=str(out), **{"model": "mlp", "epochs": 1, **config}))
    assert not out.exists()
    return str(caught.value)


def empty(root: Path) -> Path:
    """Make an empty folder."""
    root.mkdir()
    return root


def flat(root: Path) -> Path:
    """Make a folder with images and no class folders."""
    root.mkdir()
    for number in range(3):
        draw("circle", number).save(root / f"{number}.png")
    return root


def all_broken(root: Path) -> Path:
    """Make a class without one readable image."""
    shapes(root, {"circle": 6, "square": 6})
    for file in (root / "square").iterdir():
        file.write_bytes(b"\x89PNG no")
    return root


FOLDERS: list[tuple[str, Callable[[Path], Any], str]] = [
    ("missing", lambda root: None, "no such folder"),
    ("empty", empty, "empty folder"),
    ("flat", flat, "3 images directly in it"),
    ("one class", lambda root: shapes(root, {"circle": 9}), "at least 2 classes"),
    ("few images", lambda root: shapes(root, {"circle": 9, "square": 2}), "'square'.*at least 3.*2 images"),
    ("all broken", all_broken, "'square'"),
    ("a file", lambda root: root.write_text("x"), "a file"),
    ("other classes in test", lambda root: fill(root, {"train": {"circle": 5, "square": 5},
                                                        "test": {"circle": 3, "bar": 3}}), "bar"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), [row[1:] for row in FOLDERS], ids=[row[0] for row in FOLDERS])
def test_a_folder_that_cannot_be_learned_from(make: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    make(tmp_path / "data")
    told = refused(DataError, text, tmp_path / "run", data=str(tmp_path / "data"))
    assert "expected" in told
    assert "got" in told


def test_a_misspelt_data_set_gets_the_nearest(tmp_path: Path) -> None:
    told = refused(DataError, "Did you mean 'fashion_mnist'", tmp_path / "run", data="fashion-mnits")
    assert "digits" in told


@pytest.mark.parametrize(
    ("kind", "text", "config"),
    [
        (UnknownNameError, "Did you mean 'small-cnn'", {"model": "smallcnn"}),
        (ArgumentError, "epochs to be a whole number of 1 or more, got 0", {"epochs": 0}),
        (ArgumentError, "batch_size", {"batch_size": -1}),
        (ArgumentError, "learning_rate", {"learning_rate": 0.0}),
        (ArgumentError, "learning_rate", {"learning_rate": float("nan")}),
        (ArgumentError, "seed", {"seed": -1}),
        (ArgumentError, "seed", {"seed": 2**32}),
        (ArgumentError, "Did you mean 'bfloat16'", {"precision": "bfloat"}),
        (ArgumentError, "augment", {"augment": "much"}),
        (ArgumentError, "color", {"color": "cmyk"}),
        (ArgumentError, "from 4 to 4096 pixels", {"image_size": (0, 8)}),
        (ArgumentError, "from 4 to 4096 pixels", {"image_size": (8, 100_000)}),
        (ArgumentError, "its own image size, 8×8, got 16×16", {"image_size": (16, 16)}),
        (ArgumentError, "color 'grayscale', got 'rgb'", {"color": "rgb"}),
        (ArgumentError, "at least 16×16 pixels, got 8×8", {"model": "small-resnet"}),
    ],
)
def test_settings_that_cannot_work(
    kind: type[NeocogError], text: str, config: dict[str, Any], tmp_path: Path
) -> None:
    refused(kind, text, tmp_path / "run", data="digits", **config)


def test_strict_stops_at_broken_images(tmp_path: Path) -> None:
    data = shapes(tmp_path / "data", {"circle": 8, "square": 8})
    (data / "circle" / "zero.jpg").write_bytes(b"")
    told = refused(DataError, "1 broken image", tmp_path / "run", data=str(data), strict=True)
    assert "circle/zero.jpg: an empty file" in told
    (data / "circle" / "zero.jpg").unlink()
    whole = (data / "circle" / "000.png").read_bytes()
    (data / "square" / "cut.png").write_bytes(whole[:-200])  # found when it is decoded
    told = refused(DataError, "square/cut.png", tmp_path / "run", data=str(data), strict=True)
    assert "--strict" in told


def test_every_kind_of_image_is_read(tmp_path: Path) -> None:
    data = shapes(tmp_path / "data", {"circle": 6, "square": 6})
    odd = draw("circle", 50)
    folder = data / "circle"
    odd.convert("CMYK").save(folder / "cmyk.jpg")
    odd.convert("P").save(folder / "palette.png")
    odd.convert("RGBA").save(folder / "alpha.png")
    Image.fromarray((np.arange(400).reshape(20, 20) * 160).astype("uint16")).save(folder / "sixteen.png")
    odd.save(folder / "moving.gif", save_all=True, append_images=[odd.convert("L")])
    exif = Image.Exif()
    exif[0x0112] = 6
    odd.save(folder / "turned.jpg", exif=exif)
    result = train(TrainConfig(data=str(data), model="mlp", epochs=1, out=str(tmp_path / "run"), strict=True))
    assert result.epochs == 1
    split = (tmp_path / "run" / "split.csv").read_text()
    for name in ("cmyk.jpg", "palette.png", "alpha.png", "sixteen.png", "moving.gif", "turned.jpg"):
        assert f"circle/{name}" in split


def test_a_folder_with_another_run_or_other_files_is_refused(digits_run: Trained, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in digits_run.folder.iterdir()}
    with pytest.raises(ArgumentError, match="holds another run"):
        train(TrainConfig(data="digits", out=str(digits_run.folder)))
    assert {path: path.read_bytes() for path in digits_run.folder.iterdir()} == before

    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ArgumentError, match=r"holds letter\.txt"):
        train(TrainConfig(data="digits", out=str(tmp_path)))
    with pytest.raises(ArgumentError, match="got a file"):
        train(TrainConfig(data="digits", out=str(tmp_path / "letter.txt")))
    with pytest.raises(ArgumentError, match="a file"):
        train(TrainConfig(data="digits", out=str(tmp_path / "letter.txt" / "run")))
    with pytest.raises(ArgumentError, match="an empty name"):
        train(TrainConfig(data="digits", out="  "))
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_full_disk_is_seen_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    refused(StorageError, "50 MB of free disk space.*got 1 MB", tmp_path / "run", data="digits")


def test_a_read_only_disk_is_seen_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "mkstemp", fail)
    refused(StorageError, "read-only file system", tmp_path / "run", data="digits")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(StorageError, "permission", tmp_path / "locked" / "run", data="digits")


@pytest.mark.parametrize("limit", [100_000, 180_000], ids=["at the split", "at the model"])
def test_a_disk_that_fills_up_leaves_nothing(limit: int, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(StorageError, match=r"could not be written .*File too large"):
            train(TrainConfig(data="digits", model="mlp", epochs=1, out=str(tmp_path / "new" / "run")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


class Spoil(Hook):
    """Makes the weights NaN after the first batch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        import torch

        with torch.no_grad():
            next(self.model.parameters()).fill_(float("nan"))


def test_a_loss_that_is_no_number_ends_with_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingError, match=r"finite loss.*--learning-rate"):
        train(TrainConfig(data="digits", model="mlp", epochs=2, out=str(tmp_path / "run")), hooks=(Spoil(),))
    assert not (tmp_path / "run").exists()
    assert capsys.readouterr().out == ""


def test_what_is_no_run_is_told(digits_run: Trained, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load_run(tmp_path / "none")
    with pytest.raises(DataError, match=r"without config\.json.*neocog train"):
        load_run(tmp_path)
    copy = Path(shutil.copytree(digits_run.folder, tmp_path / "copy"))
    (copy / "model.json").rename(copy / "away")
    with pytest.raises(DataError, match="did not end"):
        load_run(copy)
    (copy / "away").rename(copy / "model.json")
    config = json.loads((copy / "config.json").read_text())

    for change, text in (
        ("{", "JSON"),
        ("[1]", "another file"),
        (json.dumps({**config, "version": 99}), "update neocog"),
        (json.dumps({**config, "data": {**config["data"], "image_size": [10**6, 10**6]}}), "changed by hand"),
        (json.dumps({**config, "data": {**config["data"], "class_names": ["a", 1]}}), "changed by hand"),
        (json.dumps({**config, "data": None}), "changed by hand"),
    ):
        (copy / "config.json").write_text(change)
        with pytest.raises(FileFormatError, match=text):
            load_run(copy)
    (copy / "config.json").write_text(
        json.dumps({**config, "data": {**config["data"], "class_names": ["a", "b"]}})
    )
    with pytest.raises(FileFormatError, match="a model of 2 classes"):
        _ = load_run(copy).model


def test_damaged_weights_are_told(digits_run: Trained, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(digits_run.folder, tmp_path / "copy"))
    data = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(NeocogError, match=r"model\.safetensors"):
        evaluate_run(copy)


def test_missing_and_changed_test_images_are_named(tmp_path: Path) -> None:
    data = shapes(tmp_path / "data", {"circle": 9, "square": 9})
    train(TrainConfig(data=str(data), model="mlp", epochs=1, out=str(tmp_path / "run")))
    first, second = [row.file for row in load_run(tmp_path / "run").split("test")][:2]
    draw("bar", 99).save(data / first)
    with pytest.raises(DataError, match=f"1 is changed since: {first}"):
        evaluate_run(tmp_path / "run")
    (data / second).unlink()
    with pytest.raises(DataError, match=f"1 is missing: {second}"):
        evaluate_run(tmp_path / "run")
    shutil.rmtree(data)
    with pytest.raises(DataError, match="the folder that the run used"):
        evaluate_run(tmp_path / "run")


def test_a_split_cannot_lead_outside_the_data(shapes_run: Trained, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shapes_run.folder, tmp_path / "copy"))
    for path in ("../../etc/passwd", "/etc/passwd"):
        (copy / "split.csv").write_text(f"file,class,part,sha256\n{path},circle,test,00\n")
        with pytest.raises(FileFormatError, match="below the data's folder"):
            evaluate_run(copy)
    (copy / "split.csv").write_text("name\nx\n")
    with pytest.raises(FileFormatError, match="the columns file, class, part, sha256"):
        evaluate_run(copy)


def test_no_path_is_not_the_present_folder(tmp_path: Path) -> None:
    for data in ("", "  "):
        refused(DataError, "got an empty path", tmp_path / "run", data=data)


def test_other_classes_are_refused(shapes_run: Trained, digits_run: Trained, tmp_path: Path) -> None:
    other = shapes(tmp_path / "other", {"circle": 3, "hexagon": 3})
    with pytest.raises(DataError, match="also 'hexagon'"):
        evaluate_run(shapes_run.folder, other)
    with pytest.raises(DataError, match="no such folder"):
        evaluate_run(shapes_run.folder, tmp_path / "none")
    with pytest.raises(DataError, match="also '0'"):
        evaluate_run(shapes_run.folder, "digits")
    assert evaluate_run(digits_run.folder, "digits").scores.correct == digits_run.result.test.correct


def test_images_that_cannot_be_predicted_are_named(shapes_run: Trained, tmp_path: Path) -> None:
    draw("circle", 3).save(tmp_path / "good.png")
    (tmp_path / "zero.png").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<!DOCTYPE html>")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    found = predict(shapes_run.folder, [tmp_path, tmp_path / "none.jpg"])
    assert [item.file for item in found.predictions] == [str(tmp_path / "good.png")]
    reasons = {Path(file).name: reason for file, reason in found.broken}
    assert set(reasons) == {"zero.png", "page.jpg", "cut.png", "none.jpg"}
    assert "empty file" in reasons["zero.png"]
    assert "web page" in reasons["page.jpg"]
    assert reasons["none.jpg"] == "no such file"
    (tmp_path / "hollow").mkdir()
    with pytest.raises(DataError, match="images in the folder"):
        predict(shapes_run.folder, tmp_path / "hollow")
    nothing = predict(shapes_run.folder, tmp_path / "zero.png")
    assert nothing.predictions == ()
    assert len(nothing.broken) == 1

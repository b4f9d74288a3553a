"""The sheet of augmented samples: what is on it, and what is refused before anything is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from neocog.cli._app import app
from neocog.exceptions import ArgumentError, DataError, StorageError
from neocog.workflows import AUGMENTATIONS, augment
from neocog.workflows._sheet import _can_draw, _fitted, _font, is_sheet

RNG = np.random.default_rng(1)


def write(path: Path, mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new(mode, size, 90 if mode == "L" else (90, 140, 200))
    ImageDraw.Draw(image).ellipse((4, 4, 20, 25), fill=240 if mode == "L" else (250, 60, 20))
    image.save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "사진 'quoted'"
    for number in range(5):
        write(root / "cat" / f"{number}.png")
        write(root / "고양이 <b>" / f"나비 {number} $x$.png")
    return root


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_sheet_by_each_augmentation(name: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / f"{name}.png"
    result = augment(folder, augment=name, count=2, seed=1, out=out)
    assert result.sheet == out
    assert len(result.files) == 8
    assert result.found == 10
    assert {file.split("/")[0] for file in result.files} == {"cat", "고양이 <b>"}
    assert result.image_size == (30, 40)
    with Image.open(out) as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert is_sheet(out)
    assert pixels.shape[1] > pixels.shape[0] / 4
    columns = [pixels[90:200, left : left + 150] for left in (222, 222 + 128)]
    same = np.abs(columns[0][:, :100] - columns[1][:, :100]).mean() < 1
    assert same == (name == "none")


def test_the_same_seed_gives_the_same_sheet(folder: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.png" for number in range(3)]
    for name, seed in zip(names, (4, 4, 5), strict=True):
        augment(folder, augment="notes", count=1, seed=seed, out=name)
    first, again, other = (np.asarray(Image.open(name)) for name in names)
    assert (first == again).all()
    assert not (first == other).all()


def test_one_gray_image_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "digit.png", "L", (12, 12))
    monkeypatch.chdir(tmp_path)
    result = augment(file, count=3, image_size=(16, 8))
    assert result.sheet == Path("digit-augmented.png")
    assert result.augment == "light"
    assert result.image_size == (16, 8)
    augment(file, count=1)  # an older sheet makes room
    with pytest.raises(ArgumentError, match="colour images"):
        augment(file, augment="randaugment")


def test_broken_images_give_their_place_to_the_next(folder: Path, tmp_path: Path) -> None:
    for name in ("cat/0.png", "cat/3.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:60])
    result = augment(folder, count=1, out=tmp_path / "a.png")
    assert {file for file, _ in result.broken} <= {"cat/0.png", "cat/3.png"}
    assert not {file for file, _ in result.broken} & set(result.files)
    for file in folder.rglob("*.png"):
        file.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match=r"can be read, got a damaged PNG\.$"):
        augment(folder, count=1, out=tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"augment": "much"}, ArgumentError),
        ({"count": 0}, ArgumentError),
        ({"count": 31}, ArgumentError),
        ({"seed": -1}, ArgumentError),
        ({"image_size": (2, 2)}, ArgumentError),
        ({"out": "sheet.jpg"}, ArgumentError),
        ({"out": "nowhere/sheet.png"}, ArgumentError),
    ],
)
def test_refused(arguments: dict[str, Any], error: type[Exception], folder: Path) -> None:
    with pytest.raises(error):
        augment(folder, **arguments)


def test_nothing_of_the_users_is_written_over(folder: Path, tmp_path: Path) -> None:
    mine = folder / "cat" / "0.png"
    before = mine.read_bytes()
    with pytest.raises(ArgumentError, match="stays as it is"):
        augment(folder, out=mine)
    assert mine.read_bytes() == before
    (tmp_path / "dir.png").mkdir()
    with pytest.raises(ArgumentError, match="a folder"):
        augment(folder, out=tmp_path / "dir.png")
    with pytest.raises(DataError, match="got an empty path"):
        augment("", out=tmp_path / "empty.png")
    with pytest.raises(DataError, match="no such file"):
        augment(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="none"):
        augment(tmp_path / "empty")


def test_a_disk_that_takes_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    told = r"/A\.png: could not be written \(No space left on device\)\. Check that [^.]*\.$"
    with pytest.raises(StorageError, match=told):
        augment(folder, count=1, out=tmp_path / "A.png")
    assert list(tmp_path.glob("*A.png*")) == []


def test_the_command(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    run = CliRunner().invoke(app, ["augment", str(folder), "--augment", "photo", "--out", str(out)])
    assert run.exit_code == 0, run.output
    assert "8 of 10 images, 6 versions each by 'photo'" in run.output
    assert "sheet.png" in run.output
    told = CliRunner().invoke(app, ["augment", str(folder), "--json", "--out", str(out), "--count", "1"])
    assert json.loads(told.stdout)["augment"] == "light"
    wrong = CliRunner().invoke(app, ["augment", str(tmp_path / "missing")])
    assert wrong.exit_code == 2


def test_names_are_drawn_or_cut() -> None:
    font = _font(14)
    assert _can_draw(font, "Straße é Ж 1.jpg")
    assert not _can_draw(font, "나비")
    assert not _can_draw(font, "\udcff")
    short = _fitted("a-very-long-name-indeed-that-goes-on.jpg", font, 120)
    assert font.getlength(short) <= 120
    assert short.startswith("a-ver")
    assert short.endswith(".jpg")

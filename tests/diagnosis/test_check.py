"""`neocog check` as people use it: folders with faults, odd files and names, exit codes, what is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_copies import scene
from typer.testing import CliRunner, Result

from neocog.cli import app
from neocog.exceptions import ArgumentError
from neocog.workflows import CheckConfig, check


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts with a leak, a conflict, a truncated file, a turned one, a flat one, 1×1, and hostile names."""
    root = tmp_path_factory.mktemp("data") / "사진 'x'"
    seed = 0
    for part, count in (("train", 12), ("test", 6)):
        for name in ("=고양이", "dog <b>"):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                scene(seed, 96, 72).save(root / part / name / f"{number} 장.png")
                seed += 1
    train, test = root / "train", root / "test"
    first = train / "=고양이" / "0 장.png"
    (test / "=고양이" / "leak.png").write_bytes(first.read_bytes())
    Image.open(train / "=고양이" / "1 장.png").save(train / "dog <b>" / "conflict.bmp")
    (train / "dog <b>" / "cut.png").write_bytes(first.read_bytes()[:900])
    Image.new("RGB", (50, 50), (9, 200, 9)).save(train / "dog <b>" / "flat.png")
    Image.new("RGB", (1, 1)).save(train / "dog <b>" / "one.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(99, 96, 72).save(train / "dog <b>" / "turned.jpg", exif=exif)
    (train / "notes.txt").write_text("no image")
    return root


def test_every_fault_is_found_and_nothing_is_touched(faulty: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in faulty.rglob("*") if path.is_file()}
    result = check(CheckConfig(data=str(faulty), out=str(tmp_path / "found")))
    assert {path: path.read_bytes() for path in faulty.rglob("*") if path.is_file()} == before
    cases = {found["kind"]: found["cases"] for found in result.details}
    assert [case["files"] for case in cases["unreadable"]] == [["train/dog <b>/cut.png"]]
    assert "truncated" in cases["unreadable"][0]["note"]
    assert [set(case["files"]) for case in cases["leaks"]] == [
        {"train/=고양이/0 장.png", "test/=고양이/leak.png"}
    ]
    conflict = {"train/=고양이/1 장.png", "train/dog <b>/conflict.bmp"}
    assert [set(case["files"]) for case in cases["label-conflicts"]] == [conflict]
    assert {"train/dog <b>/flat.png"} <= {case["files"][0] for case in cases["blank"]}
    assert [case["files"] for case in cases["exif-rotated"]] == [["train/dog <b>/turned.jpg"]]
    assert ["train/dog <b>/one.png"] in [case["files"] for case in cases["odd-size"]]
    assert "near-copies" not in cases
    assert "none are listed" in result.trust or "not judged" in result.trust
    assert result.worst == "error"


def test_without_a_network_that_knows_enough_it_says_what_would_help(tmp_path: Path) -> None:
    for number in range(60):  # classes at random
        folder = tmp_path / "data" / ("cat" if number % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        scene(number, 60, 48).save(folder / f"{number}.png")
    result = check(CheckConfig(data=str(tmp_path / "data"), out=str(tmp_path / "out")))
    assert "none are listed. A pretrained network sees more: --weights FILE" in result.trust


def test_what_is_written_can_be_used(faulty: Path, tmp_path: Path) -> None:
    out = tmp_path / "found"
    result = check(CheckConfig(data=str(faulty), out=str(out), features="none"))
    document = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert document["findings"] == result.as_dict()["findings"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "dog <b>" not in page
    assert "0 장.png" in page
    for found in document["findings"]:
        with open(out / f"{found['kind']}.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len({row["case"] for row in rows}) == found["count"]
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    with Image.open(out / "leaks.jpg") as image:
        assert min(image.size) > 150
    roles = list(csv.DictReader((out / "leaks.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["role"], row["part"]) for row in roles] == [("keep", "train"), ("copy", "test")]


def test_a_second_check_finds_the_same_from_what_it_kept(faulty: Path, tmp_path: Path) -> None:
    one, two = (check(CheckConfig(data=str(faulty), out=str(tmp_path / name))) for name in ("a", "b"))
    assert one.details == two.details
    assert one.trust == two.trust


def test_exit_codes_and_streams(faulty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--features", "none")
    shown = run(faulty, *options)
    assert shown.exit_code == 3
    assert "the same image in two parts" in shown.stdout
    assert (tmp_path / "checks").is_dir()
    assert run(faulty, *options, "--fail-on", "never").exit_code == 0
    told = run(faulty, *options, "--json", "--fail-on", "error")
    assert told.exit_code == 3
    assert json.loads(told.stdout)["worst"] == "error"
    assert run(faulty, *options, "--fail-on", "rarely").exit_code == 2
    assert run(tmp_path / "missing").exit_code == 2


def test_clean_images_give_0(tmp_path: Path) -> None:
    for seed in range(24):
        folder = tmp_path / "data" / ("a" if seed % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        scene(seed, 96, 72).save(folder / f"{seed}.png")
    done = run(tmp_path / "data", "--features", "none", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "nothing wrong found" in done.stdout


def test_all_images_equal(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(30):
            scene(0, 64, 64).save(tmp_path / "data" / name / f"{number}.png")
    result = check(CheckConfig(data=str(tmp_path / "data"), out=str(tmp_path / "out")))
    counts = {found["kind"]: found["images"] for found in result.details}
    assert counts["label-conflicts"] == counts["exact-copies"] == 60


@pytest.mark.parametrize("images", [0, 1])
def test_folders_without_two_classes_are_refused(images: int, tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    for number in range(images):
        scene(number).save(tmp_path / "data" / "a" / f"{number}.png")
    done = run(tmp_path / "data", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "expected" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_left_alone(faulty: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="new or empty"):
        check(CheckConfig(data=str(faulty), out=str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_grey_16_bit_and_declared_giants(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            scene(number + 10 * (name == "b")).save(tmp_path / "data" / name / f"{number}.png")
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16).save(
        tmp_path / "data/a/deep.png"
    )
    header = (tmp_path / "data/a/0.png").read_bytes()
    giant = header[:16] + (50_000).to_bytes(4, "big") * 2 + header[24:]
    (tmp_path / "data/b/giant.png").write_bytes(giant)
    result = check(CheckConfig(data=str(tmp_path / "data"), out=str(tmp_path / "out"), features="none"))
    broken = next(found for found in result.details if found["kind"] == "unreadable")
    assert [case["files"] for case in broken["cases"]] == [["b/giant.png"]]


def test_links_that_lead_back_up_add_no_images(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        scene(number, 64, 48).save(root / name / "1.png")
    (root / "cat" / "all").symlink_to(root, target_is_directory=True)
    (root / "dog" / "self").symlink_to(root / "dog", target_is_directory=True)
    result = check(CheckConfig(data=str(root), out=str(tmp_path / "out"), features="none"))
    assert result.images == 2
    assert result.findings == ()


def test_a_file_with_a_second_row_is_no_copy_of_itself(tmp_path: Path) -> None:
    rows = ["file,target"]
    for number in range(6):
        scene(number, 64, 48).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{number}.5")
    rows += ["0.png,", "./1.png,NaN", "2.png,9", "2.png,10"]  # rows that cannot be used
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    result = check(CheckConfig(data=str(tmp_path / "labels.csv"), out=str(tmp_path / "out")))
    assert [finding.kind for finding in result.findings] == ["unreadable"]
    named = {name for case in result.details[0]["cases"] for name in case["files"]}
    assert {Path(name).name for name in named} == {"0.png", "1.png", "2.png"}
    assert result.trust == "Labels were not judged: that takes one class an image."


def test_of_a_file_and_a_link_to_it_the_file_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for number, name in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        (root / name).mkdir(parents=True)
        scene(number, 64, 48).save(root / name / "1.png")
    (root / "train/cat/0.png").symlink_to(root / "train/cat/1.png")
    (root / "train/dog/0.png").symlink_to(root / "test/dog/1.png")
    result = check(CheckConfig(data=str(root), out=str(tmp_path / "out"), features="none"))
    kept = {row["kind"]: [case["files"][0] for case in row["cases"]] for row in result.details}
    assert sorted(kept["exact-copies"]) == ["test/dog/1.png", "train/cat/1.png"]
    assert kept["leaks"] == ["test/dog/1.png"]

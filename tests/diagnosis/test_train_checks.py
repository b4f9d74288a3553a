"""The checks inside `train`: copies stay in one part, leaks of given parts are told or moved."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from test_copies import scene

from neocog.exceptions import ArgumentError
from neocog.workflows import Event, TrainConfig, Warned, train


def parts_of(folder: Path) -> dict[str, str]:
    with open(folder / "split.csv", encoding="utf-8", newline="") as file:
        return {row["file"]: row["part"] for row in csv.DictReader(file)}


def trained(data: Path, out: Path, **options: str) -> list[str]:
    events: list[Event] = []
    train(
        TrainConfig(data=str(data), out=str(out), model="mlp", epochs=1, batch_size=8, **options),
        events.append,
    )
    return [event.text for event in events if isinstance(event, Warned)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes; of four images a cropped or re-encoded copy beside them."""
    root = tmp_path / "photos"
    for seed in range(40):
        folder = root / ("cat" if seed % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        scene(seed, 96, 72).save(folder / f"{seed:03d}.png")
        if seed < 4:
            scene(seed, 96, 72).crop((8, 5, 92, 66)).save(folder / f"copy{seed}.jpg", quality=70)
    return root


def test_near_copies_stay_in_one_part(photos: Path, tmp_path: Path) -> None:
    told = trained(photos, tmp_path / "run")
    part = parts_of(tmp_path / "run")
    for seed in range(4):
        name = "cat" if seed % 2 else "dog"
        assert part[f"{name}/{seed:03d}.png"] == part[f"{name}/copy{seed}.jpg"]
    assert any(text.startswith("near copies") for text in told)
    found = json.loads((tmp_path / "run" / "findings.json").read_text(encoding="utf-8"))
    kinds = {finding["kind"]: finding["count"] for finding in found["findings"]}
    assert kinds["near-copies"] == 4
    assert "leaks" not in kinds
    assert found["trust"]
    assert "near copies" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("leaks", ["keep", "move"])
def test_leaks_of_given_parts(leaks: str, photos: Path, tmp_path: Path) -> None:
    root = tmp_path / "parts"
    for path in sorted(photos.rglob("*.*g")):
        number = int(path.stem[-3:]) if path.stem.isdigit() else 39
        part = "test" if path.stem.startswith("copy") or number >= 30 else "train"
        target = root / part / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        (target / path.name).write_bytes(path.read_bytes())
    told = trained(root, tmp_path / "run", leaks=leaks)
    part = parts_of(tmp_path / "run")
    assert (root / "test" / "cat" / "copy1.jpg").exists()
    copies = {part[f"test/{'cat' if seed % 2 else 'dog'}/copy{seed}.jpg"] for seed in range(4)}
    leaked = [text for text in told if text.startswith("the same image in two parts")]
    if leaks == "keep":
        assert copies == {"test"}
        assert len(leaked) == 1
    else:
        assert "test" not in copies
        assert not [text for text in leaked if "test" in text.split(":")[1]]


def test_a_wrong_word_is_refused(photos: Path) -> None:
    with pytest.raises(ArgumentError, match="leaks"):
        TrainConfig(data=str(photos), leaks="drop").check()

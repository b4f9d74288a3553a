"""Folders of real photographs with faults planted in them, and how many of them a check finds.

Run by hand at full size: `NEOCOG_DATA=… python tests/diagnosis/planted.py`, which writes a dated result.
"""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageOps

KINDS = ("truncated", "exact", "near", "wrong", "rotated", "small class")


@dataclass
class Planted:
    """A folder, and what was done to which of its files (paths below it)."""

    root: Path
    images: int = 0
    truncated: list[str] = field(default_factory=list)
    exact: list[tuple[str, str]] = field(default_factory=list)
    near: list[tuple[str, str]] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)  # path: the class that it is of
    rotated: list[str] = field(default_factory=list)
    small_class: str = ""
    class_of: dict[str, str] = field(default_factory=dict)

    @property
    def touched(self) -> set[str]:
        """Every file that a finding may name rightly."""
        pairs = {name for pair in (*self.exact, *self.near) for name in pair}
        return {*self.truncated, *pairs, *self.wrong, *self.rotated}


def plant(
    photos: Path,
    root: Path,
    *,
    seed: int,
    split: bool = True,
    most: int | None = None,
    counts: tuple[int, int, int, int, int] = (5, 20, 20, 20, 5),
) -> Planted:
    """Copy photographs and plant faults.

    Args:
        photos: train, validation (and test) folders, each with a folder a class.
        root: where to; must not exist.
        seed: of everything.
        split: keep the parts; False puts all into one folder a class.
        most: images of a class at the most.
        counts: truncated, exact copies, near copies, wrong labels, rotated by EXIF.
    """
    rng = random.Random(seed)
    made = Planted(root)
    names = sorted({folder.name for folder in photos.glob("*/*") if folder.is_dir()})
    made.small_class = rng.choice(names)
    listed = {name: sorted(photos.glob(f"*/{name}/*.jpg")) for name in names}
    for name, files in listed.items():
        rng.shuffle(files)
        kept = files[:most]
        kept = kept[: max(len(kept) // 10, 4)] if name == made.small_class else kept
        for number, file in enumerate(kept):
            part = (file.parent.parent.name,) if split else ()
            _place(made, file, "/".join((*part, name, f"{number:05d}.jpg")))
    free = [path for path in made.class_of if path.split("/")[-2] != made.small_class]
    rng.shuffle(free)
    fresh = iter(free)
    _truncate(made, fresh, rng, counts[0])
    _copy_exactly(made, fresh, rng, counts[1])
    _copy_nearly(made, fresh, rng, counts[2], split)
    _mislabel(made, fresh, rng, counts[3], names)
    _rotate(made, fresh, rng, counts[4])
    made.images = len(made.class_of)
    return made


def _place(made: Planted, source: Path, path: str) -> None:
    target = made.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    made.class_of[path] = path.split("/")[-2]


def _truncate(made: Planted, fresh: Iterable[str], rng: random.Random, count: int) -> None:
    for _ in range(count):
        path = next(iter(fresh))
        data = (made.root / path).read_bytes()
        (made.root / path).write_bytes(data[: int(len(data) * rng.uniform(0.2, 0.97))])
        made.truncated.append(path)


def _copy_exactly(made: Planted, fresh: Iterable[str], rng: random.Random, count: int) -> None:
    for number in range(count):
        path = next(iter(fresh))
        copy = f"{path.rpartition('/')[0]}/x{rng.randrange(10**6):06d}{number}.jpg"
        _place(made, made.root / path, copy)
        made.exact.append((path, copy))


def _copy_nearly(made: Planted, fresh: Iterable[str], rng: random.Random, count: int, split: bool) -> None:
    parts = sorted({path.split("/")[0] for path in made.class_of}) if split else []
    for number in range(count):
        path = next(iter(fresh))
        where = path.split("/")
        if split:
            where[0] = rng.choice([part for part in parts if part != where[0]])
        where[-1] = f"n{rng.randrange(10**6):06d}{number}.jpg"
        copy = "/".join(where)
        with Image.open(made.root / path) as image:
            data = altered(image.convert("RGB"), rng, number)
        (made.root / copy).parent.mkdir(parents=True, exist_ok=True)
        (made.root / copy).write_bytes(data)
        made.class_of[copy] = where[-2]
        made.near.append((path, copy))


def altered(image: Image.Image, rng: random.Random, number: int) -> bytes:
    """Return a photograph stored otherwise: by `number` re-encoded, resized, cropped, lighter, mirrored."""
    kind = number % 6
    if kind in (2, 3, 4, 5):
        cut = [rng.uniform(0.05, 0.15) for _ in range(4)]
        width, height = image.size
        image = image.crop(
            (int(width * cut[0]), int(height * cut[1]), int(width * (1 - cut[2])), int(height * (1 - cut[3])))
        )
    if kind in (1, 3, 4):
        scale = rng.uniform(0.4, 1.4)
        image = image.resize((max(int(image.width * scale), 16), max(int(image.height * scale), 16)))
    if kind == 4:
        image = ImageEnhance.Brightness(image).enhance(rng.choice((0.7, 1.3)))
    if kind == 5:
        image = ImageOps.mirror(image)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=rng.choice((30, 50, 70, 90)))
    return buffer.getvalue()


def _mislabel(made: Planted, fresh: Iterable[str], rng: random.Random, count: int, names: list[str]) -> None:
    for number in range(count):
        path = next(iter(fresh))
        where = path.split("/")
        truth = where[-2]
        where[-2] = rng.choice([name for name in names if name != truth])
        where[-1] = f"w{rng.randrange(10**6):06d}{number}.jpg"
        moved = "/".join(where)
        (made.root / moved).parent.mkdir(parents=True, exist_ok=True)
        (made.root / path).rename(made.root / moved)
        del made.class_of[path]
        made.class_of[moved] = where[-2]
        made.wrong[moved] = truth


def _rotate(made: Planted, fresh: Iterable[str], rng: random.Random, count: int) -> None:
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    for _ in range(count):
        path = next(iter(fresh))
        orientation = rng.choice((3, 6, 8))
        with Image.open(made.root / path) as image:
            stored = image.convert("RGB").transpose(turns[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(made.root / path, "JPEG", quality=90, exif=exif)
        made.rotated.append(path)


def judge(made: Planted, findings: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the recall of each kind, and the images that were named though nothing was done to them.

    Args:
        made: the folder.
        findings: cases by kind, as in `findings.json`: each with `files` and `classes`.
    """

    def named(kind: str) -> set[str]:
        return {file for case in findings.get(kind, []) for file in case["files"]}

    def paired(pair: tuple[str, str], *kinds: str) -> bool:
        return any(set(pair) <= set(case["files"]) for kind in kinds for case in findings.get(kind, []))

    recall = {
        "truncated": _share(path in named("unreadable") for path in made.truncated),
        "exact": _share(paired(pair, "exact-copies") for pair in made.exact),
        "near": _share(paired(pair, "near-copies", "exact-copies") for pair in made.near),
        "wrong": _share(path in named("wrong-labels") for path in made.wrong),
        "rotated": _share(path in named("exif-rotated") for path in made.rotated),
        "small class": _share(
            [
                made.small_class
                in {name for case in findings.get("imbalance", []) for name in case["classes"][:1]}
            ]
        ),
    }
    split = {path.split("/")[0] for pair in made.near for path in pair}
    if len(next(iter(made.class_of)).split("/")) == 3 and len(split) > 1:
        recall["leaks"] = _share(paired(pair, "leaks") for pair in made.near)
    false = {
        kind: sorted(named(kind) - made.touched if kind != "wrong-labels" else named(kind) - set(made.wrong))
        for kind in findings
    }
    flagged = {file for files in false.values() for file in files}
    return {"recall": recall, "false": false, "false share": len(flagged) / made.images}


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / len(values) if values else 1.0


def main() -> None:
    """Plant and check at full size: two sets, several seeds, with parts and without; write a dated result."""
    import argparse
    import datetime
    import json
    import os
    import sys
    import tempfile

    from neocog.workflows import CheckConfig, check

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=["flowers", "cats-vs-dogs"])
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from run import RESULTS, as_table, machine_facts

    rows = []
    for name in options.sets:
        for seed in range(options.seeds):
            for split in (True, False):
                with tempfile.TemporaryDirectory() as folder:
                    photos = Path(os.environ["NEOCOG_DATA"]) / name
                    made = plant(photos, Path(folder) / "photos", seed=seed, split=split)
                    result = check(CheckConfig(data=str(made.root), out=str(Path(folder) / "out")))
                judged = judge(made, {found["kind"]: found["cases"] for found in result.details})
                named = {kind: len(files) for kind, files in judged["false"].items() if files}
                row = {"set": name, "parts": "kept" if split else "none", "seed": seed, "images": made.images}
                row |= judged["recall"] | {"named without planting": f"{judged['false share']:.2%}"}
                rows.append(row | {"of kinds": str(named)[1:-1].replace("'", ""), "seconds": result.seconds})
                print(rows[-1], flush=True)
    machine = machine_facts()
    stem = f"{datetime.date.today():%Y-%m-%d}-check-{machine['slug']}"
    document = {"suite": "check", "machine": machine, "rows": rows}
    (RESULTS / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    facts = ", ".join(f"{key} {value}" for key, value in machine.items() if key != "slug")
    (RESULTS / f"{stem}.md").write_text(f"# check, {facts}\n\n{as_table(rows)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

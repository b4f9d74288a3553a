"""Manifests: which column is what, in every file format, and one way in for all layouts."""

from __future__ import annotations

import csv
import importlib.util
import json
import unicodedata
from pathlib import Path

import pytest
from drawn import photo, save, tree

from neocog.data import ImageFile, scan_images
from neocog.exceptions import ArgumentError, DataError, MissingExtraError


def pictures(root: Path, count: int = 6) -> list[str]:
    """Write 0.png, 1.png, … and return their names."""
    for i in range(count):
        picture = photo(8, 10)
        picture[0, 0] = (i, 0, 0)
        save(root / f"{i}.png", picture)
    return [f"{i}.png" for i in range(count)]


def written(root: Path, rows: list[list[object]], name: str = "m.csv", encoding: str = "utf-8") -> Path:
    """Write a CSV."""
    path = root / name
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter="\t" if name.endswith(".tsv") else ",").writerows(rows)
    return path


def test_classes_parts_groups_and_weights(tmp_path):
    names = pictures(tmp_path)
    rows = [[n, "cat" if i % 2 else "dog", ("train", "train", "val")[i // 2], i // 2, 0.5, "x"]
            for i, n in enumerate(names)]  # fmt: skip
    scan = scan_images(
        written(tmp_path, [["File Name", "Class", "Subset", "patient_id", "weight", "extra"], *rows])
    )
    assert (scan.layout, scan.task, scan.class_names) == ("manifest", "single-label", ("cat", "dog"))
    assert scan.files[1] == ImageFile(path="1.png", label=0, split="train", group="0", weight=0.5)
    assert scan.splits == ("train", "validation")
    assert scan.counts("validation") == {"cat": 1, "dog": 1}
    assert "groups from patient_id" in scan.notes[0]
    assert "not used: extra" in scan.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
def test_encodings_quotes_and_korean(tmp_path, encoding, name):
    folder = tmp_path / unicodedata.normalize("NFD", "사진")
    save(folder / '고양이, "1".png')
    save(folder / "개 2.png")
    rows = [["파일", "라벨"], ['사진/고양이, "1".png', "고양이"], ["사진/개 2.png", "개"]]
    scan = scan_images(written(tmp_path, rows, name, encoding))
    assert scan.broken == ()  # the names on disk are decomposed, as macOS writes them
    assert scan.class_names == ("개", "고양이")
    assert any("cp949" in note for note in scan.notes) == (encoding == "cp949")


def test_windows_files_paths_suffixes_and_no_header(tmp_path):
    save(tmp_path / "in" / "a.JPG", mode="RGB")
    save(tmp_path / "in" / "b.png")
    (tmp_path / "m.csv").write_bytes(b"image;label\r\nin\\a.JPG;x\r\n\r\nin/b;y\r\n")
    assert [file.path for file in scan_images(tmp_path / "m.csv").files] == ["in/a.JPG", "in/b.png"]
    (tmp_path / "n.csv").write_text("in/a.JPG,x\nin/b.png,y\n")
    assert scan_images(tmp_path / "n.csv").counts() == {"x": 1, "y": 1}


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["a|b", "b", "", "a;c"], [(0, 2), (2,), (), (1,)]),
        (["a;b", "b", "", "a"], [(0, 1), (1,), (), (0,)]),
        (["a, b", "b", "c", "a,b,c"], [(0, 1), (1,), (2,), (0, 1, 2)]),
    ],
)
def test_several_labels_in_one_cell(tmp_path, cells, labels):
    names = pictures(tmp_path, 4)
    scan = scan_images(written(tmp_path, [["file", "tags"], *map(list, zip(names, cells, strict=True))]))
    assert scan.task == "multi-label"
    assert [file.labels for file in scan.files] == labels
    assert all(file.label == -1 for file in scan.files)


def test_a_comma_in_a_class_name_makes_no_second_label(tmp_path):
    names = pictures(tmp_path, 2)
    scan = scan_images(written(tmp_path, [["file", "label"], [names[0], "tench, Tinca"], [names[1], "hen"]]))
    assert scan.task == "single-label"
    assert scan.class_names == ("hen", "tench, Tinca")


def test_columns_of_0_and_1(tmp_path):
    names = pictures(tmp_path, 3)
    several = written(
        tmp_path, [["file", "cat", "dog"], [names[0], 1, 1], [names[1], 0, 0], [names[2], 1, 0]]
    )
    scan = scan_images(several)
    assert (scan.task, scan.class_names, scan.files[0].labels) == ("multi-label", ("cat", "dog"), (0, 1))
    one = written(tmp_path, [["file", "cat", "dog"], [names[0], 1, 0], [names[1], "0.0", "1.0"]], "o.csv")
    assert scan_images(one).task == "single-label"
    assert scan_images(one, task="multi-label").counts() == {"cat": 1, "dog": 1}


def test_numbers(tmp_path):
    names = pictures(tmp_path, 3)
    path = written(
        tmp_path, [["id", "file", "age", "tilt"], *([i, n, i * 1.5, -i] for i, n in enumerate(names))]
    )
    scan = scan_images(path)
    assert (scan.task, scan.class_names) == ("regression", ("age", "tilt"))
    assert scan.files[2].targets == (3.0, -2.0)
    assert scan_images(path, label="tilt", task="regression").files[2].targets == (-2.0,)
    assert scan_images(path, label="tilt").class_names == ("-1", "-2", "0")  # whole numbers are classes


def test_numbered_classes_stand_in_their_order(tmp_path):
    names = pictures(tmp_path, 3)
    rows = [["file", "label"], *([name, label] for name, label in zip(names, (10, 9, 0), strict=True))]
    assert scan_images(written(tmp_path, rows)).class_names == ("0", "9", "10")


def test_json_lines(tmp_path):
    names = pictures(tmp_path, 3)
    rows = [{"file_name": name, "labels": ["a", "b"][: i + 1]} for i, name in enumerate(names[:2])]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert [file.labels for file in scan_images(tmp_path / "m.jsonl").files] == [(0,), (0, 1)]


def test_parquet_asks_for_its_package(tmp_path):
    path = tmp_path / "m.parquet"
    path.write_bytes(b"PAR1")
    if importlib.util.find_spec("pyarrow") is None:
        with pytest.raises(MissingExtraError, match=r"'pyarrow'.*neocog\[parquet\]"):
            scan_images(path)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pictures(tmp_path, 3)
    pq.write_table(pa.table({"path": names, "label": [["x"], ["y", "x"], []]}), path)
    assert [file.labels for file in scan_images(path).files] == [(0,), (0, 1), ()]


def test_images_may_lie_elsewhere(tmp_path):
    names = pictures(tmp_path / "photos", 2)
    path = written(tmp_path, [["file", "label"], [names[0], "a"], [str(tmp_path / "photos" / names[1]), "b"]])
    scan = scan_images(path, images=tmp_path / "photos")
    assert [file.path for file in scan.files] == names
    assert scan.root == tmp_path / "photos"


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (("cat.0", "cat.1", "dog.7", "dog.10"), "cat"),
        (("big cat_12", "big cat_3", "dog-1", "dog_2"), "big cat"),
        (("class-name (3)", "class-name (10)", "b 1", "b 2"), "class-name"),
        (("고양이1", "고양이22", "개1", "개2"), "고양이"),
    ],
)
def test_labels_in_file_names(tmp_path, names, label):
    for name in names:
        save(tmp_path / f"{name}.png")
    scan = scan_images(tmp_path)
    assert scan.layout == "flat"
    assert scan.class_names[scan.files[0].label if names[0] < names[2] else scan.files[-1].label] == label
    assert set(scan.counts().values()) == {2}
    assert "file names" in scan.notes[0]


@pytest.mark.parametrize(
    "pattern", ["{n}_{label}_*.png", "{n}_{label}_{side}", r"^\d+_([a-z]+)_", r"(?P<label>cat|dog)"]
)
def test_patterns(tmp_path, pattern):
    for name in ("1_cat_left", "2_cat_right", "30_dog_left"):
        save(tmp_path / f"{name}.png")
    save(tmp_path / "other.png")
    scan = scan_images(tmp_path, pattern=pattern)
    assert scan.counts() == {"cat": 2, "dog": 1}
    assert [file.path for file in scan.broken] == ["other.png"]


def test_flat_parts_and_a_manifest_in_the_folder(tmp_path):
    for part in ("train", "test"):
        for name in ("a_1", "a_2", "b_1", "b_2"):
            save(tmp_path / "kaggle" / part / f"{name}.png")
    scan = scan_images(tmp_path / "kaggle")
    assert (scan.layout, scan.splits, scan.class_names) == ("flat", ("train", "test"), ("a", "b"))
    names = pictures(tmp_path / "plain", 2)
    written(tmp_path / "plain", [["file", "label"], [names[0], "x"], [names[1], "y"]])
    assert scan_images(tmp_path / "plain").layout == "manifest"
    written(tmp_path / "kaggle", [["file", "label"], ["train/a_1.png", "b"], ["train/b_1.png", "a"]])
    scan = scan_images(tmp_path / "kaggle")
    assert scan.layout == "flat"
    assert scan.notes[-1] == f"m.csv is not used: give {tmp_path / 'kaggle' / 'm.csv'} as data instead"


def test_an_image_in_several_class_folders(tmp_path):
    tree(tmp_path, {"beach": 2, "night": 2})
    both = (tmp_path / "beach" / "0.png").read_bytes()
    (tmp_path / "night" / "copy.png").write_bytes(both)
    scan = scan_images(tmp_path, task="multi-label")
    assert (scan.task, len(scan.files)) == ("multi-label", 4)
    assert scan.counts() == {"beach": 2, "night": 3}
    assert scan.files[0].labels == (0, 1)
    assert scan_images(tmp_path).task == "single-label"


def test_groups_by_pattern(tmp_path):
    for name in ("p1-a_1", "p1-b_2", "p2-a_3", "p2-b_4"):
        save(tmp_path / name.partition("-")[2][0] / f"{name}.png")
    scan = scan_images(tmp_path, group_by="{group}-*")
    assert [file.group for file in scan.files] == ["p1", "p2", "p1", "p2"]


def test_options_that_a_layout_has_not(tmp_path):
    tree(tmp_path, {"a": 1, "b": 1})
    with pytest.raises(ArgumentError, match="--label: expected a manifest as data"):
        scan_images(tmp_path, label="x")
    path = written(tmp_path, [["file", "label"], ["a/0.png", "a"], ["b/0.png", "b"]])
    with pytest.raises(ArgumentError, match="--pattern: expected a folder as data"):
        scan_images(path, pattern="{label}_{n}")


def patients(root: Path, columns: str, *rows: str) -> Path:
    """Write six pictures and a manifest of them; `rows` stand behind the file names."""
    lines = [f"{name},{row}" for name, row in zip(pictures(root), rows, strict=True)]
    (root / "m.csv").write_text("\n".join([f"file,{columns}", *lines]))
    return root / "m.csv"


def test_groups_of_a_manifest_by_pattern(tmp_path):
    path = patients(tmp_path, "label,patient", "a,p", "b,p", "a,q", "b,q", "a,r", "b,r")
    with pytest.raises(DataError, match=r"--group-by: expected paths that fit \{group\}_.*got .0\.png"):
        scan_images(path, group_by="{group}_*")
    scan = scan_images(path, group_by="{group}.png")
    assert [file.group for file in scan.files] == list("012345")
    assert "groups from paths as {group}.png; not used: patient" in scan.notes[0]


def test_columns_of_groups_are_never_learned(tmp_path):
    path = patients(tmp_path, "age,patient,subject", "1.5,1,1", "2.5,1,1", "3,2,1", "4,2,2", "5,3,2", "6,3,2")
    for group_by, group in ((None, "patient"), ("subject", "subject"), ("{group}.png", None)):
        scan = scan_images(path, group_by=group_by)
        assert scan.class_names == ("age",)
        assert ("groups from " + (group or "paths as {group}.png")) in scan.notes[0]
    assert scan_images(path, label="patient").class_names == ("1", "2", "3")
    assert {file.group for file in scan_images(path, label="patient").files} == {"1", "2"}  # by subject


def test_the_labels_are_no_groups(tmp_path):
    path = patients(tmp_path, "label,patient", "a,1", "b,1", "a,2", "b,2", "a,3", "b,3")
    with pytest.raises(DataError, match=r"--group-by: .*got 'label', which is to be learned.*--label"):
        scan_images(path, group_by="label")
    assert scan_images(path, group_by="label", label="patient").class_names == ("1", "2", "3")
    with pytest.raises(DataError, match="got 'patient', which is to be learned"):
        scan_images(path, group_by="patient", label="patient")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (",file,age", ("0", "1")),
        ("Unnamed: 0,file,age", ("0", "1")),
        ('"",file,age', ("7", "3")),
        ("Unnamed: 0.1,file,age", ("4", "4")),
        ("__index_level_0__,file,age", ("4", "1")),
    ],
)
def test_numbers_of_rows_are_not_learned(tmp_path, header, cells):
    pictures(tmp_path, 2)
    (tmp_path / "m.csv").write_text(f"{header}\n{cells[0]},0.png,1.5\n{cells[1]},1.png,2\n")
    assert scan_images(tmp_path / "m.csv").class_names == ("age",)


def test_a_decimal_comma(tmp_path):
    pictures(tmp_path, 3)
    path = tmp_path / "m.csv"
    path.write_text("file;target;weight\n0.png;0,5;1\n1.png;-1,25;,5\n2.png;3;2\n")
    scan = scan_images(path)
    assert [file.targets for file in scan.files] == [(0.5,), (-1.25,), (3.0,)]
    assert [file.weight for file in scan.files] == [1.0, 0.5, 2.0]
    path.write_text("file;labels\n0.png;1,2\n1.png;2,3\n2.png;3\n")  # a comma between labels stays one
    assert scan_images(path).class_names == ("1", "2", "3")


@pytest.mark.parametrize("cells", ['"0,5" "0,7"', '"1,000.5" "2,000.5"', "1.5 unknown", "7 n/a"])
def test_a_target_that_is_half_a_number_is_no_class(tmp_path, cells):
    pictures(tmp_path, 2)
    path = tmp_path / "m.csv"
    first, second = cells.split()
    path.write_text(f"file,target\n0.png,{first}\n1.png,{second}\n")
    with pytest.raises(DataError, match=r"line [23]: expected a number in the column target.*--task"):
        scan_images(path)
    assert scan_images(path, task="single-label").task == "single-label"


def test_missing_labels_are_no_classes(tmp_path):
    names = pictures(tmp_path, 4)
    found = [["daisy", None], [None], ["nan", "rose"], [2.0, float("nan")]]
    rows = [json.dumps({"file": name, "labels": labels}) for name, labels in zip(names, found, strict=True)]
    (tmp_path / "m.jsonl").write_text("\n".join(rows))
    scan = scan_images(tmp_path / "m.jsonl")
    assert scan.class_names == ("2", "daisy", "rose")
    assert [file.labels for file in scan.files] == [(1,), (), (2,), (0,)]
    cells = ["daisy|nan", "nan", "rose|<NA>", "daisy|rose"]
    path = written(tmp_path, [["file", "labels"], *map(list, zip(names, cells, strict=True))])
    assert [file.labels for file in scan_images(path).files] == [(0,), (), (1,), (0, 1)]

"""What is wrong with a manifest is said with its line, and nothing outside of its folder is opened."""

from __future__ import annotations

import os

import pytest
from drawn import save
from test_manifest import pictures, written

from neocog.data import scan_images
from neocog.exceptions import ArgumentError, DataError

BAD = {
    "empty file": ("", "an empty file"),
    "no rows": ("file,label\n", "no rows"),
    "no file column": ("a,b\n1,2\n", "the columns a, b"),
    "no label column": ("file,note\n0.png,hello\n", "a column of labels .label, class, category."),
    "open quote": ('file,label\n"0.png,a\n', "line 2"),
    "short row": ("file,label\n0.png\n", "line 2: expected 2 cells"),
    "twice the same column": ("file,label,label\n0.png,a,b\n", "'label' twice"),
    "leaves the folder": (
        "file,label\n0.png,a\n../x.png,b\n",
        r"line 3: expected files below .*'\.\./x\.png'",
    ),
    "leaves it inside": ("file,label\nin/../../x.png,b\n", "expected files below"),
    "absolute": ("file,label\n/etc/hostname,b\n", "expected files below"),
    "windows drive": ("file,label\nC:\\x.png,b\n", "expected files below"),
    "unknown part": ("file,label,split\n0.png,a,train\n1.png,b,hold\n", "line 3: .*got 'hold'"),
    "one class": ("file,label\n0.png,a\n1.png,a\n", "only 'a'"),
    "the other class is missing": (
        "file,label\n0.png,a\nx.png,b\ny.png,b\n",
        r"only 'a' \(not read: x.png: no such file \(line 3\), and 1 more\)",
    ),
    "a class of the test part only": (
        "file,label,split\n0.png,a,train\n1.png,b,train\n2.png,c,test\n",
        "also 'c'",
    ),
    "test part only": ("file,label,split\n0.png,a,test\n1.png,b,test\n", "test only"),
    "all missing": ("file,label\nx.png,a\ny.png,b\n", r"none \(2 rows; the first: x.png: no such file"),
    "NaN targets": ("file,y\n0.png,nan\n1.png,\n", "0.png: no label"),
    "0/1 and numbers": ("file,cat,dog,age\n0.png,1,0,2.5\n1.png,0,1,3.5\n", "both"),
    "zero bytes": ("file,label\n\0,a\n", "zero bytes"),
    "huge cell": (f"file,label\n0.png,{'a' * 150_000}\n", "larger one"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_refused(tmp_path, text, words):
    pictures(tmp_path / "data", 3)
    save(tmp_path / "x.png")
    (tmp_path / "data" / "m.csv").write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        scan_images(tmp_path / "data" / "m.csv")
    assert len(str(caught.value)) < 600


def test_other_bytes_are_named_by_line(tmp_path):
    (tmp_path / "m.csv").write_bytes(b"file,label\na.png,caf\xe9\n")
    with pytest.raises(DataError, match=r"line 2.*UTF-8"):
        scan_images(tmp_path / "m.csv")


def test_rows_that_are_left_out(tmp_path):
    names = pictures(tmp_path, 6)
    save(tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    rows = [
        ["file", "label"],
        *([name, "ab"[i % 2]] for i, name in enumerate(names)),
        [names[0], "a"],  # the same again
        [names[1], "a"],  # another label
        ["gone.png", "a"],
        [names[2], ""],
        ["", "a"],
        ["broken.png", "b"],
        ["http://example.org/x.png", "b"],
        ["long.png", "x" * 500],
    ]
    scan = scan_images(written(tmp_path, rows))
    reasons = {file.path: file.reason for file in scan.broken}
    assert reasons["gone.png"] == "no such file (line 10)"
    assert reasons["1.png"] == "two labels: b (line 3), a (line 9)"
    assert reasons["2.png"] == "no label (line 11)"
    assert reasons["line 12"] == "no file name"
    assert "address" in reasons["http://example.org/x.png"]
    assert "PNG" in reasons["broken.png"]
    assert [file.path for file in scan.files] == ["0.png", "2.png", "3.png", "4.png", "5.png"]
    assert any("1 row repeats" in note for note in scan.notes)


def test_one_image_in_two_parts_is_left_out(tmp_path):
    names = pictures(tmp_path, 5)
    rows = [[name, "ab"[i % 2], "train"] for i, name in enumerate(names)]
    path = written(tmp_path, [["file", "label", "split"], *rows, [names[0], "a", "test"]])
    scan = scan_images(path)
    assert "two parts: train (line 2), test (line 7)" in scan.broken[0].reason


def test_one_image_in_two_groups_is_left_out(tmp_path):
    names = pictures(tmp_path, 5)
    rows = [[name, "ab"[i % 2], "p"] for i, name in enumerate(names)]
    rows[3][2] = ""
    again = [[names[0], "a", "q"], [names[1], "b", ""], [names[3], "b", "q"]]
    scan = scan_images(written(tmp_path, [["file", "label", "patient"], *rows, *again]))
    assert [file.reason for file in scan.broken] == ["in two groups: p (line 2), q (line 7)"]
    assert [file.group for file in scan.files] == ["p", "p", "q", "p"]


def test_targets_that_are_no_numbers(tmp_path):
    pictures(tmp_path, 6)
    cells = ["1.5", "nan", "", "inf", "2", "1e40"]
    rows = [[f"{i}.png", cell] for i, cell in enumerate(cells)]
    scan = scan_images(written(tmp_path, [["file", "target"], *rows]))
    assert [file.targets for file in scan.files] == [(1.5,), (2.0,)]
    reasons = [file.reason for file in scan.broken]
    assert reasons == [
        "'nan' as 'target' (line 3)",
        "no value of 'target' (line 4)",
        "'inf' as 'target' (line 5)",
        "'1e40' as 'target' (line 7)",
    ]


def test_one_row_for_each_label(tmp_path):
    names = pictures(tmp_path, 2)
    path = written(tmp_path, [["file", "label"], [names[0], "a"], [names[0], "b"], [names[1], "b"]])
    assert scan_images(path, task="multi-label").files[0].labels == (0, 1)


def test_odd_names(tmp_path):
    names = ["=1+1.png", "two\nlines.png", " 'quoted'.png", '"double".png', "-x.png", "@y.png"]
    for name in names:
        save(tmp_path / name)
    rows = [[name, "ab"[i % 2]] for i, name in enumerate(names)]
    scan = scan_images(written(tmp_path, [["file", "label"], *rows]))
    assert len(scan.files) == 5  # a leading blank is stripped, as people's tables have them everywhere
    assert [file.reason for file in scan.broken] == ["no such file (line 5)"]


def test_links_that_lead_in_circles(tmp_path):
    save(tmp_path / "cat" / "0.png")
    save(tmp_path / "dog" / "0.png")
    os.symlink(tmp_path, tmp_path / "cat" / "again")
    os.symlink(tmp_path / "dog" / "self.png", tmp_path / "dog" / "self.png")
    scan = scan_images(tmp_path)
    assert scan.class_names == ("cat", "dog")
    assert [file.path for file in scan.broken][-1] == "dog/self.png"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("IMG_1", "IMG_2", "DSC_1", "DSC_2"), "cameras"),
        (("1", "2", "3"), "3 images directly in it"),
        (("cat_1_2", "cat_1_3", "dog_1_2", "dog_2_2"), "several numbers"),
        (("cat_1", "cat_2", "dog_1"), "no other image of its class 'dog'"),
        (("cat_1", "cat_2", "cat_3"), "only 'cat'"),
        (("cat_1", "cat_2", "dog_1", "dog_2", "readme"), "'readme.png' has no number"),
    ],
)
def test_file_names_that_can_be_read_in_no_or_several_ways(tmp_path, names, words):
    for name in names:
        save(tmp_path / f"{name}.png")
    with pytest.raises(DataError, match=words) as caught:
        scan_images(tmp_path)
    assert "--pattern" in str(caught.value)


@pytest.mark.parametrize("pattern", ["(", "{n}.png", "(a)(b)"])
def test_patterns_that_tell_no_label(tmp_path, pattern):
    save(tmp_path / "cat_1.png")
    with pytest.raises(ArgumentError, match="--pattern: expected a template"):
        scan_images(tmp_path, pattern=pattern)


def test_options_are_checked(tmp_path):
    names = pictures(tmp_path, 2)
    path = written(tmp_path, [["file", "label"], [names[0], "a"], [names[1], "b"]])
    with pytest.raises(DataError, match="Did you mean 'label'"):
        scan_images(path, label="lable")
    with pytest.raises(DataError, match="a column 'patient'"):
        scan_images(path, group_by="patient")
    with pytest.raises(ArgumentError, match="task"):
        scan_images(path, task="both")
    with pytest.raises(DataError, match="a manifest with numbers"):
        scan_images(tmp_path, task="regression")
    (tmp_path / "m.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a manifest \(\.csv"):
        scan_images(tmp_path / "m.xlsx")

"""Scanning folders and splitting them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from drawn import save, tree
from hypothesis import given
from hypothesis import strategies as st

from neocog.data import (
    ImageFile,
    image_dataset_from_directory,
    scan_folder,
    scan_images,
    stratified_split,
)
from neocog.data._folder import walk_files
from neocog.data._generator import ImageDataGenerator
from neocog.exceptions import ArgumentError, DataError


def test_one_folder_a_class(tmp_path):
    tree(tmp_path, {"dog": 2, "Zebra": 1, "cat 'big'": 3, "고양이": 1})
    save(tmp_path / "dog" / "deep" / "more" / "x.JPG")
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / "dog" / ".hidden.png").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("about")
    scan = scan_folder(tmp_path)
    assert scan.layout == "class-per-folder"
    assert scan.class_names == ("Zebra", "cat 'big'", "dog", "고양이")
    assert scan.counts() == {"Zebra": 1, "cat 'big'": 3, "dog": 3, "고양이": 1}
    assert (scan.skipped, scan.broken, scan.splits) == (1, (), ())
    assert scan.files[-2] == ImageFile(path="dog/deep/more/x.JPG", label=2)
    assert os.path.exists(scan.absolute(scan.files[0]))
    assert scan == scan_folder(str(tmp_path))


@pytest.mark.parametrize(
    "names", [("train", "validation", "test"), ("Training", "val", "testing"), ("train", "valid")]
)
def test_split_folders(tmp_path, names):
    for part, name in enumerate(names):
        tree(tmp_path / name, {"a": 3 - part, "b": 2})
    (tmp_path / "docs").mkdir()
    scan = scan_folder(tmp_path)
    assert scan.layout == "split-folders"
    assert scan.splits == ("train", "validation", "test")[: len(names)]
    assert scan.counts("train") == {"a": 3, "b": 2}
    assert scan.counts("validation") == {"a": 2, "b": 2}
    assert [file.split for file in scan.files[:5]] == ["train"] * 5


def test_classes_that_are_called_like_parts(tmp_path):
    tree(tmp_path, {"train": 2, "bus": 2})
    assert scan_folder(tmp_path).class_names == ("bus", "train")
    tree(tmp_path / "x", {"test": 2, "validation": 2})
    assert scan_folder(tmp_path / "x").layout == "class-per-folder"


def test_a_folder_beside_the_parts_is_left_out_and_told(tmp_path):
    for part in ("train", "test"):
        tree(tmp_path / part, {"daisy": 3, "roses": 2})
    save(tmp_path / "unlabeled" / "0.png")
    scan = scan_folder(tmp_path)
    assert (scan.splits, scan.class_names) == (("train", "test"), ("daisy", "roses"))
    assert scan.notes == ("the folder 'unlabeled' is neither train nor validation nor test: not used",)
    tree(tmp_path / "hold", {"daisy": 1, "roses": 1})
    assert len(scan_folder(tmp_path).notes) == 2


@pytest.mark.parametrize(
    "folders",
    [
        {"train/a": 2, "train/b": 2, "unlabeled": 2},
        {"train/a": 2, "train/b": 2, "hold/a": 2, "hold/b": 2},
        {"train/a": 2, "train/b": 2, "test": 2, "other": 2},
        {"train": 2, "test": 2, "other": 2},
    ],
)
def test_parts_that_may_be_classes_are_refused(tmp_path, folders):
    tree(tmp_path, folders)
    with pytest.raises(DataError, match=r"expected either parts or classes, got .*train.*beside"):
        scan_images(tmp_path)


def test_images_outside_of_class_folders_are_told(tmp_path):
    tree(tmp_path, {"cat": 2, "dog": 2})
    assert scan_folder(tmp_path).notes == ()
    for number in range(3):
        save(tmp_path / f"{number}.png")
    assert scan_folder(tmp_path).notes == ("3 images outside of class folders: not used",)
    tree(tmp_path / "x" / "train", {"a": 2, "b": 2})
    save(tmp_path / "x" / "train" / "0.png")
    assert scan_folder(tmp_path / "x").notes == ("1 image outside of class folders: not used",)


def test_decomposed_names_are_composed(tmp_path):
    tree(tmp_path, {unicodedata.normalize("NFD", "나비"): 1, "b": 1})
    scan = scan_folder(tmp_path)
    assert scan.class_names == ("b", unicodedata.normalize("NFC", "나비"))
    assert all(os.path.exists(scan.absolute(file)) for file in scan.files)


def test_broken_files_are_listed_with_their_reason(tmp_path):
    tree(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "a" / "empty.jpg").write_bytes(b"")
    (tmp_path / "b" / "text.png").write_text("hello")
    whole = (tmp_path / "b" / "0.png").read_bytes()
    (tmp_path / "b" / "cut.png").write_bytes(whole[: len(whole) - 30])
    header = scan_folder(tmp_path)
    assert [(b.path, b.reason) for b in header.broken] == [
        ("a/empty.jpg", "an empty file (0 bytes)"),
        ("b/text.png", "a text file"),
    ]
    decoded = scan_folder(tmp_path, check="decode")
    assert [b.path for b in decoded.broken] == ["a/empty.jpg", "b/cut.png", "b/text.png"]
    assert len(scan_folder(tmp_path, check="none").files) == 7
    with pytest.raises(ArgumentError, match="check"):
        scan_folder(tmp_path, check="twice")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
@pytest.mark.parametrize("check", ["header", "decode"])
def test_a_pipe_is_no_image_and_is_not_waited_for(tmp_path, check):
    tree(tmp_path, {"a": 2, "b": 2})
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (broken,) = scan_folder(tmp_path, check=check).broken
    assert broken.path == "a/pipe.jpg"
    assert broken.reason == "something that is no regular file"


def test_links_in_a_circle_are_followed_once(tmp_path):
    tree(tmp_path / "photos", {"a": 2, "b": 1})
    os.symlink(tmp_path / "photos", tmp_path / "photos" / "a" / "again", target_is_directory=True)
    tree(tmp_path / "elsewhere", {"c": 2})
    os.symlink(tmp_path / "elsewhere" / "c", tmp_path / "photos" / "c", target_is_directory=True)
    scan = scan_folder(tmp_path / "photos")
    assert scan.counts()["c"] == 2
    assert scan.counts()["a"] >= 2
    assert scan_folder(tmp_path / "photos", follow_links=False).counts() == {"a": 2, "b": 1, "c": 2}


def layout_faults(root: Path):
    (root / "empty").mkdir()
    (root / "file.zip").write_bytes(b"PK")
    save(root / "flat" / "1.png")
    save(root / "flat" / "2.png")
    (root / "texts").mkdir()
    (root / "texts" / "a.txt").write_text("a")
    tree(root / "one", {"cat": 2})
    tree(root / "wrapped" / "flowers", {"rose": 1, "tulip": 1})
    (root / "hollow" / "a").mkdir(parents=True)
    (root / "hollow" / "b").mkdir()
    save(root / "kaggle" / "train" / "cat.0.png")
    tree(root / "odd" / "train", {"a": 1, "b": 1})
    tree(root / "odd" / "test", {"a": 1, "c": 1})
    tree(root / "bad", {"a": 2, "b": 0})
    (root / "bad" / "b" / "x.png").write_bytes(b"")
    return {
        "none": "no such folder",
        "empty": "an empty folder",
        "file.zip": "got a file. Unpack it first",
        "flat": "2 images directly in it and no class folders. Move the images",
        "texts": "1 files, none of them an image",
        "one": "at least 2 classes.*got only 'cat'. Add a folder",
        "wrapped": "Did you mean .*flowers",
        "hollow": "no image in any folder",
        "kaggle": "train: expected.*1 images directly",
        "odd": "test: expected the classes of train .a, b., got also 'c'",
        "bad": "in class 'b', got broken files only. The first: b/x.png: an empty file",
    }


def test_every_wrong_layout_has_one_clear_message(tmp_path):
    for name, text in layout_faults(tmp_path).items():
        with pytest.raises(DataError, match=text) as caught:
            scan_folder(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"photos/cat/1\.jpg.*photos/train/cat/1\.jpg"):
        scan_folder(tmp_path / "flat")


def test_empty_class_folders_are_told(tmp_path):
    tree(tmp_path, {"a": 1, "b": 1, "c": 0})
    scan = scan_folder(tmp_path)
    assert scan.class_names == ("a", "b")
    assert scan.empty_folders == ("c",)
    assert [file.label for file in scan.files] == [0, 1]


@given(
    counts=st.lists(st.integers(3, 60), min_size=1, max_size=6),
    fractions=st.sampled_from(
        [(0.8, 0.2), (0.7, 0.15, 0.15), (0.98, 0.01, 0.01), (1 / 3, 1 / 3, 1 / 3), (1.0,)]
    ),
    seed=st.integers(0, 1000),
)
def test_a_split_holds_each_position_once_and_every_class_in_each_part(counts, fractions, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = stratified_split(labels, fractions, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for part, fraction in zip(parts, fractions, strict=True):
        for label, count in enumerate(counts):
            found = int((labels[part] == label).sum())
            assert found >= 1
            assert abs(found - fraction * count) <= max(len(fractions) - 1, 1)
    again = stratified_split(labels, fractions, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_the_split_is_fixed_for_ever():
    # Written down by hand when it was made: a change of this split would leak test images into training.
    train, test = stratified_split([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], (0.6, 0.4), seed=7)
    assert (train.tolist(), test.tolist()) == FIXED
    assert (
        stratified_split([0] * 50, (0.5, 0.5), 1)[0].tolist()
        != stratified_split([0] * 50, (0.5, 0.5), 2)[0].tolist()
    )


FIXED = ([1, 2, 4, 5, 6, 9], [0, 3, 7, 8])


def test_split_errors_name_class_and_count():
    with pytest.raises(DataError, match=r"class 'dog': expected at least 3 images.*got 2 images"):
        stratified_split([0, 0, 0, 1, 1], (0.6, 0.2, 0.2), class_names=("cat", "dog"))
    with pytest.raises(DataError, match=r"class '1'.*got 1 image"):
        stratified_split([0, 0, 1], (0.5, 0.5))
    for wrong in ((0.5, 0.6), (1.0, 0.0), (), (-0.5, 1.5)):
        with pytest.raises(ArgumentError, match=r"sum 1|each fraction"):
            stratified_split([0, 1], wrong)


@pytest.fixture
def closed(monkeypatch):
    """Close folders of these names, also for root, who may read everything."""
    real, names = os.scandir, {"closed", "test"}

    def scandir(path="."):
        if os.path.basename(os.fspath(path)) in names:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return "a folder that may not be read (permission denied)"


def test_folders_that_may_not_be_read_are_listed(tmp_path, closed):
    tree(tmp_path, {"cat": 2, "dog": 2, "closed": 2, "dog/closed": 2})
    scan = scan_images(tmp_path)
    assert [(file.path, file.reason) for file in scan.broken] == [("closed", closed), ("dog/closed", closed)]
    assert (scan.counts(), scan.empty_folders) == ({"cat": 2, "dog": 2}, ())


def test_a_part_that_may_not_be_read_is_listed(tmp_path, closed):
    tree(tmp_path, {"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/dog": 1})
    assert [(file.path, file.reason) for file in scan_images(tmp_path).broken] == [("test", closed)]


def test_flat_folders_list_what_may_not_be_read(tmp_path, closed):
    for name in ("cat.1.png", "cat.2.png", "dog.1.png", "dog.2.png", "closed/dog.3.png"):
        save(tmp_path / name)
    assert [(file.path, file.reason) for file in scan_images(tmp_path).broken] == [("closed", closed)]


def test_the_functions_of_keras_warn_of_folders_that_may_not_be_read(tmp_path, closed):
    tree(tmp_path, {"cat": 2, "dog": 2, "dog/closed": 2})
    with pytest.warns(UserWarning, match=r"dog.closed may not be read \(permission denied\)"):
        assert len(image_dataset_from_directory(tmp_path, verbose=False).file_paths) == 4
    with pytest.warns(UserWarning, match=r"dog.closed may not be read \(permission denied\)"):
        assert ImageDataGenerator().flow_from_directory(tmp_path).samples == 4
    with pytest.raises(DataError, match=r"dog.closed: expected a folder that may be read"):
        list(walk_files(tmp_path, follow_links=True))

"""Image files as batches, and `image_dataset_from_directory` against Keras's file lists."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest
import torch
from drawn import photo, save, tree
from keras.src.utils import dataset_utils

from neocog.data import ImageFolderSource, as_source, image_dataset_from_directory, load_image, scan_folder
from neocog.exceptions import ArgumentError, DataError
from neocog.transfer._samples import as_samples


@pytest.fixture
def folder(tmp_path):
    return tree(tmp_path / "photos", {"a": 7, "b": 6})


def source_of(folder, **arguments):
    scan = scan_folder(folder)
    files, labels = [scan.absolute(f) for f in scan.files], [f.label for f in scan.files]
    return ImageFolderSource(
        files, labels, **{"image_size": (8, 10), "batch_size": 4, "seed": 3, **arguments}
    )


def same(left, right):
    left, right = list(left), list(right)
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.y, other.y)


def test_batches_are_the_images_of_the_files(folder):
    source = source_of(folder, shuffle=False)
    batches = list(source.batches(0))
    assert [b.size for b in batches] == [4, 4, 4, 1]
    assert batches[0].x.dtype == torch.uint8
    assert batches[0].x.shape == (4, 8, 10, 3)
    assert batches[0].y.dtype == torch.int64
    images = torch.cat([b.x for b in batches]).numpy()
    assert all(
        np.array_equal(image, load_image(file)) for image, file in zip(images, source.files, strict=True)
    )
    assert torch.cat([b.y for b in batches]).tolist() == [0] * 7 + [1] * 6


@pytest.mark.parametrize("cache", [True, False])
def test_epochs_are_pure_also_from_the_middle_and_from_memory(folder, cache):
    source = source_of(folder, cache=cache)
    first, second = list(source.batches(0)), list(source.batches(1))
    assert not torch.equal(first[0].y, second[0].y) or not torch.equal(first[0].x, second[0].x)
    same(source.batches(0), first)
    same(source.batches(1, 2), second[2:])
    same(source_of(folder, cache=cache, workers=3).batches(1, 1), second[1:])
    same([source_of(folder, cache=cache).peek()], first[:1])
    assert threading.active_count() < 20


def test_batches_of_another_size_are_the_same_images_and_nothing_is_decoded_again(folder, monkeypatch):
    source = source_of(folder)
    list(source.batches(0))
    monkeypatch.setattr(source._shared.reader, "read", lambda *_, **__: pytest.fail("decoded again"))
    other = source.in_batches_of(5)
    assert (other.num_batches, source.num_batches) == (3, 4)
    assert [batch.size for batch in other.batches(1)] == [5, 5, 3]
    assert torch.equal(*(torch.cat([batch.x for batch in one.batches(1)]) for one in (source, other)))


@pytest.mark.parametrize("made", [copy.copy, lambda source: source.in_batches_of(5)])
def test_copies_from_before_anything_is_decoded_give_the_images_too(folder, made):
    source = source_of(folder)
    other = made(source)
    list(other.batches(0))
    same(source.batches(0), list(source_of(folder).batches(0)))


def test_a_data_set_of_which_features_were_taken_still_gives_its_images(folder):
    data = image_dataset_from_directory(folder, image_size=(8, 8), shuffle=False, verbose=False)
    before = [
        x.clone()
        for x, _ in image_dataset_from_directory(folder, image_size=(8, 8), shuffle=False, verbose=False)
    ]
    as_samples(data, 5, None).source.peek()
    list(as_samples(data, 5, None).batches())
    for (x, _), expected in zip(data, before, strict=True):
        assert torch.equal(x, expected)


def test_batches_that_are_made_elsewhere_keep_their_size(folder):
    for given in (as_source(iter([])), image_dataset_from_directory(folder, verbose=False)):
        with pytest.raises(DataError, match="batches of 5: expected arrays or image files"):
            given.in_batches_of(5)


def test_after_the_first_epoch_nothing_is_decoded(folder, monkeypatch):
    source = source_of(folder)
    first = list(source.batches(0))

    def refuse(*args, **kwargs):
        raise AssertionError("decoded again")

    monkeypatch.setattr("neocog.data._image_reader.decode", refuse)
    same(source.batches(0), first)
    monkeypatch.undo()
    monkeypatch.setattr("neocog.data._image_source.free_memory", lambda device: 100)
    small = source_of(folder)
    same(small.batches(0), first)
    assert small._shared.kept is None


def test_leaving_early_stops_the_threads(folder):
    before = threading.active_count()
    batches = source_of(folder, batch_size=1, workers=2).batches(0)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_broken_files_are_left_out_and_listed(folder):
    source = source_of(folder)
    (folder / "a" / "3.png").write_bytes(b"")
    whole = (folder / "b" / "1.png").read_bytes()
    (folder / "b" / "1.png").write_bytes(whole[:-25])
    for epoch in (0, 1):
        assert sum(b.size for b in source.batches(epoch)) == 11
    assert [path.rsplit("/", 2)[1:] for path, _ in source.broken] == [["a", "3.png"], ["b", "1.png"]]
    assert source.broken[0][1] == "an empty file (0 bytes)"


def test_strict_raises_and_all_broken_raises(folder):
    source, strict = source_of(folder), source_of(folder, strict=True)
    for file in source.files:
        open(file, "wb").close()
    with pytest.raises(DataError, match=r"\d\.png: expected an image file, got an empty file"):
        list(strict.batches(0))
    with pytest.raises(DataError, match=r"0\.png: an empty file.*Replace the broken files"):
        list(source.batches(0))


def test_label_modes(folder):
    labels = torch.tensor([0] * 7 + [1] * 6)
    binary = torch.cat([b.y for b in source_of(folder, label_mode="binary", shuffle=False).batches(0)])
    assert torch.equal(binary, labels[:, None].float())
    categorical = source_of(folder, label_mode="categorical", num_classes=3, shuffle=False)
    assert torch.equal(torch.cat([b.y for b in categorical.batches(0)]), torch.eye(3)[labels])
    assert source_of(folder, label_mode=None).peek().y is None
    files = source_of(folder).files
    assert ImageFolderSource(files, None, 8).peek().y is None
    for arguments, text in [
        ({"labels": [0, 1]}, r"one label a file \(13\)"),
        ({"labels": [-1] * 13}, "labels from 0"),
        ({"labels": [2] * 13, "label_mode": "binary"}, "2 classes"),
        ({"labels": [2] * 13, "label_mode": "categorical", "num_classes": 2}, "labels from 0 to 1"),
    ]:
        with pytest.raises(DataError, match=text):
            ImageFolderSource(files, **{"image_size": 8, **arguments})
    with pytest.raises(DataError, match="at least one image"):
        ImageFolderSource([])
    with pytest.raises(ArgumentError, match="label_mode"):
        ImageFolderSource(files, [0] * 13, label_mode="sparse")
    with pytest.raises(ArgumentError, match="both"):
        ImageFolderSource(files, None, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("subset", [None, "training", "validation", "both"])
def test_files_and_splits_are_keras(folder, shuffle, subset, capsys):
    save(folder / "a" / "sub" / "z.png", photo(8, 10))
    (folder / "a" / "x.webp").write_bytes(b"ignored by Keras")
    split = None if subset is None else 0.3
    ours = image_dataset_from_directory(
        folder, seed=11, shuffle=shuffle, validation_split=split, subset=subset
    )
    text = capsys.readouterr().out
    formats = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
    files, labels, names = dataset_utils.index_directory(
        str(folder), "inferred", formats, shuffle=shuffle, seed=11
    )
    assert "Found 14 files belonging to 2 classes." in text
    parts = ours if subset == "both" else [ours]
    for part, name in zip(parts, ("training", "validation") if subset == "both" else (subset,), strict=True):
        wanted, numbers = dataset_utils.get_training_or_validation_split(files, labels, split, name)
        assert part.file_paths == wanted
        assert part.class_names == names
        assert part.source.labels.tolist() == list(numbers)


def test_a_seed_beyond_numpys_is_refused(folder):
    with pytest.raises(ArgumentError, match="a seed up to 4294967295, got 8589934592"):
        image_dataset_from_directory(folder, seed=2**33, verbose=False)
    image_dataset_from_directory(folder, seed=2**32 - 1, verbose=False)


def test_the_data_set_iterates_as_keras_and_feeds_fit_as_uint8(folder):
    dataset = image_dataset_from_directory(folder, image_size=(8, 10), batch_size=5, seed=1, verbose=False)
    images, labels = next(iter(dataset))
    assert (len(dataset), images.dtype, labels.dtype) == (3, torch.float32, torch.int64)
    assert images.shape == (5, 8, 10, 3)
    assert images.max() > 1
    first, second = [torch.cat([y for _, y in dataset]) for _ in range(2)]
    assert first.tolist() != second.tolist()
    source = as_source(dataset)
    assert source is dataset
    assert source.rewindable
    assert source.peek().x.dtype == torch.uint8
    same(source.batches(3, 1), list(source.batches(3))[1:])


def test_map_take_cache_prefetch_and_single_images(folder):
    plain = image_dataset_from_directory(folder, image_size=8, batch_size=5, shuffle=False, verbose=False)
    mapped = plain.map(lambda x, y: (x / 255, y + 10)).cache().prefetch(2).take(2)
    images, labels = next(iter(mapped))
    assert images.max() <= 1
    assert labels.tolist() == [10] * 5
    assert (len(mapped), mapped.num_samples, len(list(mapped))) == (2, 10, 2)
    assert [b.x.dtype for b in mapped.batches(0)] == [torch.float32] * 2
    assert [b.size for b in mapped.batches(0, 1)] == [5]
    assert len(plain) == 3
    assert len(plain.take(-1)) == 3
    single = image_dataset_from_directory(folder, image_size=8, batch_size=None, labels=None, verbose=False)
    assert len(list(single)) == len(single) == 13
    assert next(iter(single)).shape == (8, 8, 3)
    with pytest.raises(DataError, match="Give a batch_size"):
        next(single.batches(0))


def test_labels_modes_names_and_formats(folder, capsys):
    kind = {"image_size": 8, "shuffle": False}
    quiet = {**kind, "verbose": False}
    listed = image_dataset_from_directory(folder, labels=[3] * 6 + [5] * 7, **kind)
    assert listed.class_names == ["3", "5"]
    bare = image_dataset_from_directory(folder, labels=None, **kind)
    assert bare.class_names is None
    assert "Found 13 files.\n" in capsys.readouterr().out
    assert next(iter(bare)).shape == (13, 8, 8, 3)
    turned = image_dataset_from_directory(folder, class_names=["b", "a"], **quiet)
    assert next(iter(turned))[1].tolist() == [0] * 6 + [1] * 7
    one = image_dataset_from_directory(folder, class_names=["b"], label_mode="categorical", **quiet)
    assert next(iter(one))[1].shape == (6, 1)
    first = image_dataset_from_directory(
        folder,
        color_mode="grayscale",
        data_format="channels_first",
        label_mode="binary",
        verbose=False,
        **kind,
    )
    images, labels = next(iter(first))
    assert images.shape == (13, 1, 8, 8)
    assert labels.shape == (13, 1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"labels": "guess"}, 'labels="inferred"'),
        ({"labels": [1, 2]}, "one label for each of the 13 files"),
        ({"labels": [0] * 13, "class_names": ["a"]}, "class_names with labels"),
        ({"label_mode": "one_hot"}, "label_mode"),
        ({"class_names": ["a", "z"]}, "class_names among"),
        ({"color_mode": "bgr"}, "color_mode"),
        ({"batch_size": 0}, "batch_size"),
        ({"image_size": (1, 2, 3)}, "image_size"),
        ({"validation_split": 0.5}, "together"),
        ({"subset": "training"}, "together"),
        ({"validation_split": 0.5, "subset": "test"}, "subset"),
        ({"validation_split": 0.5, "subset": "training"}, "Pass the same seed"),
        ({"validation_split": 1.5, "subset": "training", "seed": 1}, "validation_split"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "each side of the split"),
        ({"interpolation": "cubic"}, "interpolation"),
        ({"format": "csv"}, "format"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "both"),
    ],
)
def test_bad_arguments(folder, arguments, text):
    with pytest.raises((ArgumentError, DataError), match=text):
        image_dataset_from_directory(folder, **arguments)


def test_bad_folders(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        image_dataset_from_directory(tmp_path / "none")
    with pytest.raises(DataError, match="no folders in it"):
        image_dataset_from_directory(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match=r"images \(\.bmp"):
        image_dataset_from_directory(tmp_path)

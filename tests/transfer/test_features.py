"""Features in the order of the data, kept by everything that they depend on."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import torch
from PIL import Image
from small_network import drawn, small_base
from torch import nn

import neocog as keras
from neocog import transfer
from neocog.data import ImageFolderSource, image_dataset_from_directory
from neocog.exceptions import ArgumentError, ArgumentTypeError, GraphError
from neocog.transfer import _feature_store as store
from neocog.transfer._feature_key import weights_hash
from neocog.transfer._features import fitting_batch


def entries() -> list[str]:
    folder = store.store_folder()
    return sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []


def test_features_are_the_outputs_in_order(base) -> None:
    x, y = drawn(21)
    features, labels = transfer.extract_features(base, (x, y), batch_size=8)
    np.testing.assert_allclose(features, base.predict(x, verbose=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(labels, y)
    pooled, _ = transfer.extract_features(base, (x, y), pooling="avg")
    np.testing.assert_allclose(pooled, features.mean((1, 2)), rtol=1e-5)
    largest, nothing = transfer.extract_features(base, x, pooling="max", dtype="float16")
    assert (largest.dtype, nothing) == (np.float16, None)
    np.testing.assert_allclose(largest, features.max((1, 2)), rtol=1e-3)


def test_the_second_time_they_come_from_the_store(base, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn(6)
    first, _ = transfer.extract_features(base, (x, y))
    assert len(entries()) == 1
    monkeypatch.setattr(type(base), "__call__", lambda *args, **kwargs: pytest.fail("the model ran"))
    second, labels = transfer.extract_features(base, (x, y))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(labels, y)
    with pytest.raises(ValueError, match="read-only"):
        second[0] = 0


def test_everything_that_counts_changes_the_key(base) -> None:
    x, y = drawn(6)
    flip = keras.layers.RandomFlip("horizontal")

    def count(**options) -> int:
        transfer.extract_features(options.pop("base", base), options.pop("data", (x, y)), **options)
        return len(entries())

    assert count() == 1
    changed = x.copy()
    changed[3, 0, 0, 0] += 1
    assert count(data=(changed, y)) == 2
    assert count(data=(x, 1 - y)) == 3
    assert count(pooling="avg") == 4
    assert count(dtype="float16") == 5
    assert count(augment=flip) == 6
    assert count(augment=flip, passes=2) == 7
    assert count(augment=flip, seed=1) == 8
    assert count(augment=keras.layers.RandomFlip("vertical")) == 9
    other = small_base()
    other.get_layer("block3_conv").bias.assign(other.get_layer("block3_conv").bias + 1e-6)
    assert count(base=other) == 10
    assert count() == 10
    assert weights_hash(small_base()) == weights_hash(base) != weights_hash(other)


def test_augmented_passes_follow_one_another_and_repeat(base) -> None:
    x, y = drawn(5)
    state = np.random.get_state()[1].copy()
    flips = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.3, 0.3)]
    features, labels = transfer.extract_features(base, (x, y), augment=flips, passes=3, cache=False)
    again, _ = transfer.extract_features(base, (x, y), augment=flips, passes=3, cache=False)
    assert features.shape[0] == 15
    np.testing.assert_array_equal(labels, np.tile(y, 3))
    np.testing.assert_array_equal(features, again)
    assert not np.array_equal(features[:5], features[5:10])
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    with pytest.raises(ArgumentError, match="augment with passes"):
        transfer.extract_features(base, (x, y), passes=2)


def folder_of_images(path, count: int = 6):
    x, y = drawn(count)
    for number, (image, label) in enumerate(zip(x, y, strict=True)):
        (path / "ab"[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / "ab"[label] / f"{number}.png")
    return path


def test_folders_sources_and_data_sets_agree(base, tmp_path) -> None:
    path = folder_of_images(tmp_path / "photos")
    (path / "a" / "broken.png").write_bytes(b"no image")
    features, labels = transfer.extract_features(base, path)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    files = sorted((path / "a").glob("[0-9].png")) + sorted((path / "b").glob("*.png"))
    source = ImageFolderSource(files, [0, 0, 0, 1, 1, 1], (32, 32), batch_size=2, shuffle=True, seed=3)
    again, numbers = transfer.extract_features(base, source)
    np.testing.assert_array_equal(features, again)
    np.testing.assert_array_equal(labels, numbers)
    (path / "a" / "broken.png").unlink()
    data = image_dataset_from_directory(path, image_size=(32, 32), batch_size=2, shuffle=False)
    np.testing.assert_array_equal(transfer.extract_features(base, data)[0], features)
    before = len(entries())
    Image.fromarray(drawn(1, seed=9)[0][0]).save(path / "a" / "0.png")
    changed, _ = transfer.extract_features(base, path)
    assert len(entries()) == before + 1
    assert not np.array_equal(changed, features)


def test_a_file_that_breaks_later_is_left_out_with_its_label(base, tmp_path) -> None:
    path = folder_of_images(tmp_path / "photos", 8)
    files = sorted(path.rglob("*.png"))
    files[1].write_bytes(files[1].read_bytes()[:60])
    source = ImageFolderSource(files, [0, 0, 0, 0, 1, 1, 1, 1], (32, 32), shuffle=False)
    for _ in range(2):  # computed, and from the store
        features, labels = transfer.extract_features(base, source)
        assert (len(features), labels.tolist()) == (7, [0, 0, 0, 1, 1, 1, 1])


def test_gray_images_are_given_as_rgb(base) -> None:
    x = drawn(3)[0][..., :1]
    features, _ = transfer.extract_features(base, x)
    np.testing.assert_allclose(features, base.predict(np.repeat(x, 3, -1), verbose=0), rtol=1e-5, atol=1e-5)


def test_a_damaged_entry_is_computed_again(base) -> None:
    x, y = drawn(4)
    first, _ = transfer.extract_features(base, (x, y))
    kept = np.array(first)
    del first
    folder = store.store_folder() / entries()[0]
    for damage in (
        lambda: (folder / "output_0.bin").write_bytes(b"short"),
        lambda: (folder / "entry.json").write_text("{"),
        lambda: (folder / "entry.json").write_text('{"arrays": {"output_0": ["object", [4]]}}'),
        lambda: (folder / "labels.bin").unlink(),
    ):
        damage()
        np.testing.assert_array_equal(transfer.extract_features(base, (x, y))[0], kept)
    assert len(entries()) == 1


def test_a_full_disk_costs_nothing(base, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn(9)
    expected, _ = transfer.extract_features(base, (x, y), cache=False)
    opened = store.Writer._opened

    class Full:
        def __init__(self, file) -> None:
            self.file, self.left = file, 2

        def write(self, data) -> None:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.file.write(data)

        def __getattr__(self, name: str):
            return getattr(self.file, name)

    def limited(self, name: str):
        self._files[name] = Full(opened(self, name))
        return self._files[name]

    monkeypatch.setattr(store.Writer, "_opened", limited)
    features, labels = transfer.extract_features(base, (x, y), batch_size=2)
    np.testing.assert_allclose(features, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(labels, y)
    assert entries() == []


def test_an_interrupt_leaves_nothing_behind(base) -> None:
    x, y = drawn(9)

    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer.extract_features(base, (x, y), batch_size=2, progress=stop)
    assert entries() == []


def test_the_store_stays_within_its_bound(base) -> None:
    for seed in range(4):
        transfer.extract_features(base, drawn(3, seed=seed))
    transfer.extract_features(base, drawn(3, seed=0))  # used last
    kept = entries()
    size = sum(file.stat().st_size for file in (store.store_folder() / kept[0]).iterdir())
    store.prune(limit=2 * size + 100)
    assert 1 <= len(entries()) <= 2
    store.prune(limit=0, keep=entries()[0])
    assert len(entries()) == 1


def test_progress_and_batches() -> None:
    told: list[tuple[int, int | None]] = []
    transfer.extract_features(
        small_base(), drawn(5)[0], batch_size=2, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert [fitting_batch(size) for size in ((224, 224), (32, 32), (1024, 1024), None)] == [32, 256, 8, 32]


def test_data_without_a_fixed_order_and_code_of_the_users_own(base) -> None:
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    image = keras.Input((32, 32, 3))
    model = keras.Model(image, Own()(base(image)))
    features, _ = transfer.extract_features(model, drawn(3)[0])
    assert features.shape == (3, 4, 4, 16)
    assert entries() == []  # its configuration does not tell what it does
    batches = ((drawn(2, seed=seed)) for seed in range(2))
    features, labels = transfer.extract_features(base, batches)
    assert (len(features), len(labels)) == (4, 4)


def test_pipelines_keep_their_order(base, tmp_path) -> None:
    path = folder_of_images(tmp_path / "photos")
    data = image_dataset_from_directory(path, image_size=(32, 32), batch_size=2, shuffle=False)
    expected, labels = transfer.extract_features(base, data)
    for piped in (data.map(lambda x, y: (x, y)), data.prefetch(2), data.take(3)):
        features, numbers = transfer.extract_features(base, piped)
        np.testing.assert_allclose(features, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(numbers, labels)


def test_a_model_is_taken_whole_whatever_its_attributes_are_called(base) -> None:
    class Halved(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.model = base

        def call(self, inputs):
            return self.model(inputs) / 2

    x, _ = drawn(3)
    expected, _ = transfer.extract_features(base, x)
    features, _ = transfer.extract_features(Halved(), x)
    np.testing.assert_allclose(features, expected / 2, rtol=1e-5, atol=1e-6)
    with pytest.raises(GraphError, match="a model with a graph, got Halved"):
        transfer.add_head(Halved(), 2)


def test_torch_modules_give_features_in_inference_mode() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(32 * 32 * 3, 4))
    x = drawn(3)[0].astype("float32")
    features, _ = transfer.extract_features(module, x)
    assert all(part.training for part in module.modules())
    assert entries() == []
    with torch.no_grad():
        np.testing.assert_allclose(features, module.eval()(torch.tensor(x)), rtol=1e-5)
    with pytest.raises(ArgumentTypeError, match=r"a backbone, a model or a torch module, got str"):
        transfer.extract_features("mobilenet", x)


def test_sizes_of_batches_and_images_are_checked(base, tmp_path) -> None:
    for size in (0, -1, 2.5, "8"):
        with pytest.raises(
            (ArgumentError, ArgumentTypeError), match="batch_size to be a whole number of 1 or more"
        ):
            transfer.extract_features(base, drawn(3), batch_size=size)
    any_size = keras.Sequential([keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D()])
    path = folder_of_images(tmp_path / "photos")
    once, _ = transfer.extract_features(any_size, path, image_size=16)
    both, _ = transfer.extract_features(any_size, path, image_size=(16, 16))
    np.testing.assert_array_equal(once, both)
    for image_size in (0, (16, 16, 3), "16"):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="image_size"):
            transfer.extract_features(any_size, path, image_size=image_size)

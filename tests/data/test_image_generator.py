"""`ImageDataGenerator` against Keras's own: the same draws under a seed, the same pixels, the same files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from drawn import photo, tree
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy", reason="Keras's ImageDataGenerator, the oracle, needs SciPy")

from keras.src.legacy.preprocessing import image as theirs

import neocog
from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, ShapeError
from neocog.preprocessing import image as ours

CLOSE = 2e-3  # of pixels from 0 to 255, float32
pytestmark = pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")


@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    axes=st.sampled_from([(0, 1, 2), (1, 2, 0), (1, 0, 2), (2, 1, 0)]),
    theta=st.sampled_from([0, 90, 180]) | st.floats(-90, 90),
    shift=st.tuples(
        st.sampled_from([0, 1]) | st.floats(-20, 20), st.sampled_from([0, 2]) | st.floats(-20, 20)
    ),
    shear=st.just(0) | st.floats(-40, 40),
    zoom=st.tuples(st.just(1) | st.floats(0.3, 2), st.just(1) | st.floats(0.3, 2)),
    fill_mode=st.sampled_from(["nearest", "constant", "reflect", "wrap"]),
    order=st.sampled_from([0, 1]),
)
def test_warps_are_those_of_scipy(size, axes, theta, shift, shear, zoom, fill_mode, order):
    row, column, channel = axes
    shape = [0, 0, 0]
    shape[row], shape[column], shape[channel] = *size, 3
    x = (np.random.RandomState(0).rand(*shape) * 255).astype("float32")
    numbers = {"theta": theta, "tx": shift[0], "ty": shift[1], "shear": shear, "zx": zoom[0], "zy": zoom[1]}
    kind = {"row_axis": row, "col_axis": column, "channel_axis": channel, "cval": 7.0, "order": order}
    found = ours.apply_affine_transform(x, **numbers, **kind, fill_mode=fill_mode)
    right = theirs.apply_affine_transform(x, **numbers, **kind, fill_mode=fill_mode)
    assert found.dtype == right.dtype
    np.testing.assert_allclose(found, right, atol=CLOSE)


def test_the_comparison_notices_a_wrong_warp():
    x = photo(8, 9).astype("float32")
    kind = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    found = ours.apply_affine_transform(x, theta=30, **kind)
    right = theirs.apply_affine_transform(x, theta=31, **kind)
    assert np.abs(found - right).max() > 100 * CLOSE


SETTINGS = {
    "book": {
        "rescale": 1 / 255,
        "rotation_range": 40,
        "width_shift_range": 0.2,
        "height_shift_range": 0.2,
        "shear_range": 0.2,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "fill_mode": "nearest",
    },
    "shift-list": {
        "width_shift_range": [-2, 0, 3],
        "height_shift_range": 3,
        "fill_mode": "constant",
        "cval": 9,
        "vertical_flip": True,
    },
    "colours": {
        "brightness_range": (0.3, 1.6),
        "channel_shift_range": 30,
        "zoom_range": (0.5, 1.5),
        "fill_mode": "reflect",
    },
    "samplewise": {
        "samplewise_center": True,
        "samplewise_std_normalization": True,
        "rotation_range": 90,
        "fill_mode": "wrap",
    },
    "featurewise": {
        "featurewise_center": True,
        "featurewise_std_normalization": True,
        "height_shift_range": 2.5,
        "interpolation_order": 0,
    },
    "zca": {"featurewise_center": True, "zca_whitening": True, "preprocessing_function": lambda x: x / 2},
    "first": {
        "data_format": "channels_first",
        "rotation_range": 20,
        "horizontal_flip": True,
        "channel_shift_range": 3.0,
    },
    "float64": {"rotation_range": 20, "dtype": "float64"},
}


def pair(name):
    x = np.stack([photo(9, 12, seed=i) for i in range(10)]).astype("float32")
    x += np.random.RandomState(1).rand(*x.shape).astype("float32")
    x = x.transpose(0, 3, 1, 2) if "data_format" in SETTINGS[name] else x
    generators = ours.ImageDataGenerator(**SETTINGS[name]), theirs.ImageDataGenerator(**SETTINGS[name])
    for generator in generators:
        generator.fit(x, augment=True, rounds=2, seed=3)
    return x, *generators


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("seed", [5, None])
def test_flow_gives_the_batches_of_keras(name, seed):
    x, mine, right = pair(name)
    for attribute in ("mean", "std", "zca_whitening_matrix"):
        expected = getattr(right, attribute)
        if expected is not None:
            np.testing.assert_allclose(getattr(mine, attribute), expected, rtol=1e-3, atol=1e-4)
    runs = []
    for generator in (mine, right):
        np.random.seed(0)
        batches = generator.flow(x, np.arange(10), batch_size=4, seed=seed, sample_weight=np.arange(10.0))
        given_ = [next(batches) for _ in range(5)] + [batches[2]]
        batches.on_epoch_end()
        runs.append([*given_, batches[0]])
    for (a, b, c), (p, q, r) in zip(*runs, strict=True):
        assert a.dtype == p.dtype
        np.testing.assert_allclose(a, p, atol=CLOSE)
        np.testing.assert_array_equal(b, q)
        np.testing.assert_array_equal(c, r)


def test_random_transform_by_seed():
    x, mine, right = pair("book")
    assert mine.get_random_transform(x[0].shape, seed=3) == right.get_random_transform(x[0].shape, seed=3)
    np.testing.assert_allclose(
        mine.random_transform(x[0], seed=4), right.random_transform(x[0], seed=4), atol=CLOSE
    )
    for name, numbers in [
        ("random_rotation", (30,)),
        ("random_shift", (0.2, 0.3)),
        ("random_shear", (20,)),
        ("random_zoom", ((0.5, 1.5),)),
        ("random_channel_shift", (30,)),
    ]:
        kind = {} if name == "random_channel_shift" else {"row_axis": 0, "col_axis": 1}
        np.random.seed(2)
        found = getattr(ours, name)(x[0], *numbers, channel_axis=2, **kind)
        np.random.seed(2)
        right_ = getattr(theirs, name)(x[0], *numbers, channel_axis=2, **kind)
        np.testing.assert_allclose(found, right_, atol=CLOSE)
    np.random.seed(2)
    found = ours.random_brightness(x[0], (0.5, 1.5))
    np.random.seed(2)
    np.testing.assert_allclose(found, theirs.random_brightness(x[0], (0.5, 1.5)), atol=CLOSE)


@pytest.mark.parametrize("class_mode", ["binary", "categorical", "sparse", "input", None])
@pytest.mark.parametrize("subset", ["training", "validation", None])
def test_folders_as_keras_reads_them(tmp_path, capsys, class_mode, subset):
    root = tree(tmp_path / "p", {"b": 7, "a": 6}, size=(20, 14))
    (root / "a" / "notes.txt").write_text("none")
    tree(root / "a", {"deeper": 2})
    runs = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(rescale=1 / 255, rotation_range=20, validation_split=0.3)
        runs.append(
            generator.flow_from_directory(
                str(root), target_size=(12, 10), class_mode=class_mode, batch_size=4, seed=1, subset=subset
            )
        )
    mine, right = runs
    for attribute in ("filenames", "class_indices", "samples", "num_classes", "image_shape"):
        assert getattr(mine, attribute) == getattr(right, attribute)
    np.testing.assert_array_equal(mine.classes, right.classes)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Found {mine.samples} images belonging to 2 classes."
    assert len(mine) == len(right)
    for _ in range(3):
        found, expected = mine.next(), next(right)
        for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, expected)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, atol=CLOSE)
    mine.reset()
    assert mine.batch_index == 0
    with pytest.raises(ArgumentError, match="batch number"):
        mine[len(mine)]


@pytest.mark.parametrize(
    ("class_mode", "y_col"),
    [("binary", "class"), ("categorical", "tags"), ("sparse", "class"), ("raw", "v"), ("raw", ["v", "w"]),
     ("multi_output", ["v", "class"]), ("input", "class"), (None, "class")],
)  # fmt: skip
def test_tables_as_keras_reads_them(tmp_path, class_mode, y_col):
    pandas = pytest.importorskip("pandas")
    root = tree(tmp_path / "p", {"a": 4, "b": 5})
    files = [f"{name}/{i}.png" for name, count in (("a", 4), ("b", 5)) for i in range(count)]
    table = pandas.DataFrame({"filename": [*files, "none.png"]})
    table["class"] = [name[0] for name in files] + ["a"]
    table["tags"] = [["a", "b"] if i % 3 == 0 else name[0] for i, name in enumerate(files)] + ["a"]
    table["v"], table["w"] = np.arange(10), np.arange(10.0)
    runs = []
    for module in (ours, theirs):
        with pytest.warns(UserWarning, match="1 "):
            runs.append(
                module.ImageDataGenerator(horizontal_flip=True, validation_split=0.2).flow_from_dataframe(
                    table,
                    root,
                    y_col=y_col,
                    weight_col="w",
                    class_mode=class_mode,
                    target_size=(8, 8),
                    batch_size=4,
                    seed=2,
                    subset="training",
                )
            )
    mine, right = runs
    assert mine.filenames == right.filenames
    assert mine.samples == right.samples == 8
    found, expected = next(mine), next(right)
    if class_mode is None:
        return np.testing.assert_allclose(found, expected)
    for a, b in zip(found, expected, strict=True):
        for c, d in zip(a, b, strict=True) if isinstance(b, list) else [(a, b)]:
            np.testing.assert_array_equal(c, d)
    return None


def test_batches_are_written(tmp_path):
    x = np.stack([photo(8, 8, seed=i) for i in range(4)])
    batches = ours.ImageDataGenerator().flow(
        x, batch_size=4, save_to_dir=tmp_path, save_prefix="aug", save_format="jpeg", seed=0
    )
    next(batches)
    names = sorted(os.listdir(tmp_path))
    assert len(names) == 4
    assert names[0].startswith("aug_0_")
    assert names[0].endswith(".jpeg")
    assert ours.load_img(tmp_path / names[0]).size == (8, 8)


def test_bad_settings_are_refused(tmp_path):
    for wrong, text in [
        ({"zoom_range": (1, 2, 3)}, "zoom_range"),
        ({"brightness_range": 0.5}, "brightness_range"),
        ({"validation_split": 1.5}, "validation_split"),
        ({"fill_mode": "mirror"}, "fill_mode"),
        ({"data_format": "last"}, "data_format"),
        ({"interpolation_order": 3}, "interpolation_order"),
    ]:
        with pytest.raises(ArgumentError, match=text):
            ours.ImageDataGenerator(**wrong)
    generator = ours.ImageDataGenerator(validation_split=0.5)
    with pytest.raises(ShapeError, match="4 axes"):
        generator.flow(np.zeros((3, 4)))
    with pytest.raises(DataError, match="rows"):
        generator.flow(np.zeros((3, 4, 4, 1)), np.zeros(2))
    with pytest.raises(DataError, match="same classes"):
        generator.flow(np.zeros((4, 4, 4, 1)), [0, 0, 1, 1], subset="training")
    with pytest.raises(DataError, match="no such folder"):
        generator.flow_from_directory(tmp_path / "none")
    with pytest.raises(ArgumentError, match="class_mode"):
        generator.flow_from_directory(tmp_path, class_mode="several")
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"filename": ["a.png"], "class": [1]})
    with pytest.raises(ArgumentTypeError, match="strings"):
        generator.flow_from_dataframe(table, tmp_path, class_mode="binary")
    with pytest.raises(DataError, match="column"):
        generator.flow_from_dataframe(table, tmp_path, x_col="path")
    with pytest.warns(UserWarning, match="switches featurewise_center on"):
        ours.ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="fit"):
        ours.ImageDataGenerator(featurewise_center=True).standardize(np.zeros((2, 2, 1)))


def test_retired_methods_run_with_a_warning(tmp_path):
    root = tree(tmp_path / "p", {"a": 6, "b": 6})
    generator = ours.ImageDataGenerator(rescale=1 / 255)
    flow = generator.flow_from_directory(
        root, target_size=(8, 8), class_mode="binary", batch_size=4, shuffle=False
    )
    model = neocog.Sequential([layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    with pytest.warns(DeprecationWarning, match="write fit"):
        history = model.fit_generator(
            flow, steps_per_epoch=12 / 5, epochs=2, validation_data=flow, validation_steps=2, verbose=0,
            max_queue_size=10, workers=4, use_multiprocessing=False)  # fmt: skip
    assert len(history.history["val_accuracy"]) == 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit_generator(flow, samples_per_epoch=12, nb_epoch=1, verbose=0)
    told = [str(w.message) for w in caught if w.category is DeprecationWarning]
    assert any("samples_per_epoch" in text for text in told)
    assert any("nb_epoch" in text for text in told)
    with pytest.warns(DeprecationWarning, match="write evaluate"):
        results = model.evaluate_generator(flow, steps=3)
    assert results == pytest.approx(model.evaluate(flow, verbose=0))
    with pytest.warns(DeprecationWarning, match="write predict"):
        found = model.predict_generator(flow)
    np.testing.assert_array_equal(found, model.predict(flow, verbose=0))
    assert found.shape == (12, 1)
    with pytest.warns(DeprecationWarning, match="PyDataset"):
        model.fit(flow, workers=2, verbose=0)
    with pytest.warns(DeprecationWarning, match="write fit"), pytest.raises(ArgumentError, match="nb_steps"):
        model.fit_generator(flow, nb_steps=3)


DATA = Path(os.environ.get("NEOCOG_DATA", "/nowhere")) / "cats-vs-dogs" / "test"


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="cats-vs-dogs is not at hand (NEOCOG_DATA)")
def test_real_photographs_come_out_as_in_keras():
    batches = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(
            rescale=1 / 255, rotation_range=40, zoom_range=0.2, shear_range=0.2, horizontal_flip=True
        )
        flow = generator.flow_from_directory(
            str(DATA), target_size=(96, 96), class_mode="binary", batch_size=8, seed=1
        )
        batches.append(next(flow))
    np.testing.assert_allclose(batches[0][0], batches[1][0], atol=1e-5)
    np.testing.assert_array_equal(batches[0][1], batches[1][1])

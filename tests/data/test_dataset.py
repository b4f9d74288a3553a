"""`Dataset`: tf.data's documented results, order by seed, both paths alike, and what `fit` reads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from drawn import tree
from hypothesis import given
from hypothesis import strategies as st

import neocog
from neocog import layers
from neocog.core import set_random_seed
from neocog.data import AUTOTUNE, Dataset, TensorSpec, image_dataset_from_directory
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError


def numbers(dataset: Dataset) -> list:
    return [value.tolist() if hasattr(value, "tolist") else value for value in dataset]


def flat(dataset: Dataset) -> list[int]:
    return [number for value in dataset for number in value.reshape(-1).tolist()]


# The results that TensorFlow's documentation of tf.data.Dataset prints.
DOCUMENTED = {
    "batch": (lambda: Dataset.range(8).batch(3), [[0, 1, 2], [3, 4, 5], [6, 7]]),
    "batch-drop": (lambda: Dataset.range(8).batch(3, drop_remainder=True), [[0, 1, 2], [3, 4, 5]]),
    "concatenate": (lambda: Dataset.range(1, 4).concatenate(Dataset.range(4, 8)), [1, 2, 3, 4, 5, 6, 7]),
    "filter": (lambda: Dataset.from_tensor_slices([1, 2, 3]).filter(lambda x: x < 3), [1, 2]),
    "flat_map": (
        lambda: Dataset.from_tensor_slices([[1, 2, 3], [4, 5, 6]]).flat_map(Dataset.from_tensor_slices),
        [1, 2, 3, 4, 5, 6],
    ),
    "interleave": (
        lambda: Dataset.range(1, 6).interleave(
            lambda x: Dataset.from_tensors(x).repeat(6), cycle_length=2, block_length=4
        ),
        [1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5],
    ),
    "map": (lambda: Dataset.range(1, 6).map(lambda x: x + 1), [2, 3, 4, 5, 6]),
    "repeat": (lambda: Dataset.from_tensor_slices([1, 2, 3]).repeat(3), [1, 2, 3, 1, 2, 3, 1, 2, 3]),
    "shard": (lambda: Dataset.range(10).shard(num_shards=3, index=0), [0, 3, 6, 9]),
    "skip": (lambda: Dataset.range(10).skip(7), [7, 8, 9]),
    "take": (lambda: Dataset.range(10).take(3), [0, 1, 2]),
    "unbatch": (lambda: Dataset.from_generator(lambda: [[1, 2, 3], [1, 2], [1, 2, 3, 4]]).unbatch(),
                [1, 2, 3, 1, 2, 1, 2, 3, 4]),
    "padded_batch": (
        lambda: Dataset.range(1, 5).map(lambda x: torch.full((int(x),), int(x))).padded_batch(2),
        [[[1, 0], [2, 2]], [[3, 3, 3, 0], [4, 4, 4, 4]]],
    ),
    "padded_batch-5": (
        lambda: Dataset.range(1, 5)
        .map(lambda x: torch.full((int(x),), int(x)))
        .padded_batch(2, padded_shapes=(5,), padding_values=-1),
        [[[1, -1, -1, -1, -1], [2, 2, -1, -1, -1]], [[3, 3, 3, -1, -1], [4, 4, 4, 4, -1]]],
    ),
    "choose": (
        lambda: Dataset.choose_from_datasets(
            [Dataset.from_tensors(n).repeat() for n in (0, 10, 20)], Dataset.range(3).repeat(2)
        ),
        [0, 10, 20, 0, 10, 20],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_results(name):
    make, expected = DOCUMENTED[name]
    dataset = make()
    assert numbers(dataset) == expected
    assert numbers(dataset) == expected  # it can be read again


def test_windows_as_documented():
    assert [numbers(window) for window in Dataset.range(7).window(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [numbers(w) for w in Dataset.range(7).window(3, drop_remainder=True)] == [[0, 1, 2], [3, 4, 5]]
    shifted = Dataset.range(7).window(3, 2, 1, True)
    assert [numbers(window) for window in shifted] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    strided = Dataset.range(7).window(3, 1, 2, True)
    assert [numbers(window) for window in strided] == [[0, 2, 4], [1, 3, 5], [2, 4, 6]]
    assert len(shifted) == 3
    assert len(strided) == 3
    pairs = Dataset.from_tensor_slices(([1, 2, 3, 4], [5, 6, 7, 8])).window(2)
    assert [(numbers(a), numbers(b)) for a, b in pairs] == [([1, 2], [5, 6]), ([3, 4], [7, 8])]


def test_reduce_enumerate_zip_apply():
    assert int(Dataset.range(5).reduce(np.int64(0), lambda state, _: state + 1)) == 5
    assert int(Dataset.range(5).reduce(0, lambda state, x: state + x)) == 10
    assert [(int(i), int(x)) for i, x in Dataset.from_tensor_slices([1, 2, 3]).enumerate(start=5)] == [
        (5, 1), (6, 2), (7, 3)]  # fmt: skip
    both = Dataset.zip((Dataset.range(1, 4), (Dataset.range(4, 7), Dataset.range(7, 9).batch(1))))
    assert [(int(a), int(b), c.tolist()) for a, (b, c) in both] == [(1, 4, [7]), (2, 5, [8])]
    assert len(both) == 2
    assert numbers(Dataset.range(10).apply(lambda data: data.filter(lambda x: x < 3))) == [0, 1, 2]


@given(
    size=st.integers(1, 40),
    buffer=st.integers(1, 50),
    batch=st.integers(1, 9),
    skip=st.integers(0, 5),
    shard=st.integers(1, 3),
    repeat=st.integers(1, 3),
    start=st.integers(0, 4),
    drop=st.booleans(),
)
def test_arrays_take_the_same_way_as_elements(size, buffer, batch, skip, shard, repeat, start, drop):
    def finish(dataset: Dataset) -> Dataset:
        mixed = dataset.shuffle(buffer, seed=3).skip(skip).shard(shard, 0).repeat(repeat)
        return mixed.batch(batch, drop_remainder=drop).prefetch(2)

    fast = finish(Dataset.from_tensor_slices(torch.arange(size)))
    slow = finish(Dataset.range(size).map(lambda x: x))
    for epoch in range(2):
        expected = [b.x.tolist() for b in slow.batches(epoch)]
        assert [b.x.tolist() for b in fast.batches(epoch)] == expected
        assert [b.x.tolist() for b in fast.batches(epoch, start)] == expected[start:]
        assert [b.x.tolist() for b in slow.batches(epoch, start)] == expected[start:]
    assert len(fast) == len(slow) == len(expected)


def test_arrays_are_not_read_sample_by_sample(monkeypatch):
    from neocog.data._pipeline._roots import ArrayTable

    dataset = Dataset.from_tensor_slices((np.zeros((100, 3)), np.arange(100)))
    dataset = dataset.cache().shuffle(100, seed=1).repeat(2).batch(32).prefetch(AUTOTUNE)
    monkeypatch.setattr(ArrayTable, "row", None)  # calling it would fail
    assert [len(x) for x, _ in dataset] == [32] * 6 + [8]


def test_shuffle_by_seed():
    first = Dataset.range(50).shuffle(50, seed=7)
    again = Dataset.range(50).shuffle(50, seed=7)
    one, two = numbers(first), numbers(first)
    assert one != two
    assert sorted(one) == sorted(two) == list(range(50))
    assert numbers(again) == one
    assert numbers(again) == two
    assert [b.x.tolist() for b in first.batch(50).batches(1)] == [two]
    fixed = Dataset.range(50).shuffle(50, seed=7, reshuffle_each_iteration=False)
    assert numbers(fixed) == numbers(fixed)
    near = numbers(Dataset.range(50).shuffle(3, seed=1))
    assert all(place <= number + 50 and number - place <= 3 for place, number in enumerate(near))
    twice = numbers(Dataset.range(10).shuffle(10, seed=2).repeat(2))
    assert sorted(twice[:10]) == list(range(10))
    assert twice[:10] != twice[10:]
    set_random_seed(5)
    drawn = numbers(Dataset.range(20).shuffle(20))
    set_random_seed(5)
    assert numbers(Dataset.range(20).shuffle(20)) == drawn


def test_cardinality_and_length():
    assert Dataset.range(5).cardinality().numpy() == 5
    assert Dataset.range(5).repeat().cardinality() == -1
    assert Dataset.range(5).filter(lambda x: x > 1).cardinality() == -2
    assert Dataset.range(5).repeat().take(7).cardinality() == 7
    assert Dataset.from_tensor_slices(torch.zeros(10, 2)).batch(4).unbatch().cardinality() == 10
    assert bool(Dataset.range(0)) is True
    for endless in (Dataset.range(5).repeat(), Dataset.range(5).filter(bool)):
        with pytest.raises(TypeError, match="known length"):
            len(endless)


def test_element_spec():
    data = Dataset.from_tensor_slices({"a": np.zeros((6, 2), np.uint8), "b": np.zeros(6)})
    assert data.element_spec == {"a": TensorSpec((2,), torch.uint8), "b": TensorSpec((), torch.float32)}
    batches = data.shuffle(3).batch(4).map(lambda d: (d["a"].float(), d["b"]))
    assert batches.element_spec == (TensorSpec((None, 2), torch.float32), TensorSpec((None,), torch.float32))
    assert data.batch(4, drop_remainder=True).element_spec["b"].shape == (4,)


def test_text_answers_as_in_books():
    data = Dataset.from_tensor_slices((np.array(["a good film", "bad"]), [1, 0]))
    for text, label in data.take(1):
        assert text.numpy() == "a good film"
        assert isinstance(text, str)
        assert int(label) == 1
    for texts, _ in data.batch(2):
        assert texts.numpy()[1] == "bad"
        assert texts.shape == (2,)
        assert next(iter(texts)).numpy() == "a good film"
    assert list(data.as_numpy_iterator())[1] == ("bad", 0)


def test_generators_and_their_types():
    def squares(limit):
        for i in range(limit):
            yield i, float(i) ** 2

    signature = (TensorSpec((), "int32"), TensorSpec((), "float32"))
    data = Dataset.from_generator(squares, args=(3,), output_signature=signature)
    assert [(int(a), float(b)) for a, b in data] == [(0, 0.0), (1, 1.0), (2, 4.0)]
    assert data.element_spec == (TensorSpec((), torch.int32), TensorSpec((), torch.float32))
    assert not data.rewindable
    with pytest.raises(ArgumentTypeError, match="without calling it"):
        Dataset.from_generator(squares(3))


def test_cache_keeps_the_first_pass():
    calls = []
    data = Dataset.range(4).map(lambda x: calls.append(1) or x).cache().shuffle(4, seed=1)
    assert sorted(numbers(data)) == sorted(numbers(data)) == [0, 1, 2, 3]
    assert len(calls) == 4
    part = Dataset.range(4).map(lambda x: calls.append(1) or x).cache()
    assert numbers(part.take(2)) == [0, 1]
    assert numbers(part) == [0, 1, 2, 3]
    with pytest.warns(UserWarning, match="in memory"):
        Dataset.range(2).cache("file")


def test_functions_that_draw_repeat_under_a_seed():
    layer = layers.RandomFlip(seed=4)
    images = np.random.rand(40, 6, 6, 3).astype("float32")

    def run(function):
        set_random_seed(9)
        data = Dataset.from_tensor_slices(images).batch(4).map(function, num_parallel_calls=4).prefetch(2)
        assert not data.rewindable
        return torch.cat([x + torch.rand(1) for x in data])  # the consumer draws too

    noisy = lambda x: x + torch.rand(1)  # noqa: E731
    assert torch.equal(run(noisy), run(noisy))
    seeded = Dataset.from_tensor_slices(images).batch(4).map(lambda x: layer(x, training=True), 4)
    assert not seeded.rewindable
    assert Dataset.range(3).map(lambda x: x * 2, AUTOTUNE).rewindable


def test_parallel_map_keeps_order_and_ends_its_threads():
    def slow(x):
        time.sleep(0.001 * (int(x) % 3))
        return x * 2

    data = Dataset.range(30).map(slow, num_parallel_calls=4).prefetch(3)
    assert numbers(data) == list(range(0, 60, 2))
    iterator = iter(data)
    assert [int(next(iterator)) for _ in range(3)] == [0, 2, 4]
    iterator.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("neocog")]
    with pytest.raises(ZeroDivisionError):
        list(Dataset.range(5).map(lambda x: 1 // (3 - int(x)), num_parallel_calls=2).prefetch(1))


def test_sampling_follows_weights():
    parts = [Dataset.from_tensors(n).repeat() for n in (0, 1)]
    drawn = numbers(Dataset.sample_from_datasets(parts, weights=[0.2, 0.8], seed=1).take(1000))
    assert 150 < drawn.count(0) < 250
    ended = Dataset.sample_from_datasets([Dataset.range(3), Dataset.range(5)], seed=2)
    assert sorted(numbers(ended)) == [0, 0, 1, 1, 2, 2, 3, 4]


def test_files_are_listed(tmp_path):
    root = tree(tmp_path / "p", {"a": 2, "b": 1})
    found = Dataset.list_files(str(root / "*" / "*.png"), shuffle=False)
    assert [path[-7:] for path in found] == ["a/0.png", "a/1.png", "b/0.png"]
    with pytest.raises(DataError, match="match"):
        Dataset.list_files(str(root / "*.jpg"))


def test_bad_use_is_refused():
    with pytest.raises(DataError, match="one shape"):
        list(Dataset.from_generator(lambda: [[1], [1, 2]]).batch(2))
    with pytest.raises(DataError, match="rows"):
        Dataset.from_tensor_slices(3)
    with pytest.raises(DataError, match="one number of samples"):
        Dataset.from_tensor_slices((np.zeros(3), np.zeros(4)))
    with pytest.raises(ArgumentTypeError, match="a Dataset"):
        Dataset.range(3).concatenate([1])
    with pytest.raises(DataError, match="returns a Dataset"):
        list(Dataset.range(3).flat_map(lambda x: x))
    with pytest.raises(DataError, match="an element"):
        list(Dataset.range(3).map(lambda x: object()))
    with pytest.raises(ArgumentError, match="below 2"):
        Dataset.range(3).shard(2, 2)
    with pytest.raises(AttributeError, match="padded_batch"):
        Dataset.range(3).ragged_batch(2)
    model = neocog.Sequential([layers.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(DataError, match=r"\.batch\(32\)"):
        model.fit(Dataset.from_tensor_slices((np.zeros((4, 2)), np.zeros(4))), verbose=0)


def test_fit_evaluate_predict_and_adapt():
    x = np.random.rand(64, 3).astype("float32") * 9
    y = x @ np.array([1.0, -2.0, 0.5], np.float32)
    data = Dataset.from_tensor_slices((x, y)).shuffle(64, seed=1).batch(16).prefetch(AUTOTUNE)
    plain = Dataset.from_tensor_slices((x, y)).batch(16)
    norm = layers.Normalization()
    norm.adapt(plain.map(lambda features, _: features))
    np.testing.assert_allclose(norm.mean.ravel(), x.mean(0), rtol=1e-5)
    model = neocog.Sequential([norm, layers.Dense(1)])
    model.compile(optimizer=neocog.optimizers.Adam(0.1), loss="mse")
    history = model.fit(data, validation_data=plain, epochs=20, verbose=0).history
    assert history["val_loss"][-1] < 0.2 * history["val_loss"][0]
    assert model.evaluate(plain, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-4)
    np.testing.assert_allclose(model.predict(plain, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    endless = data.repeat()
    for run in (lambda: model.fit(endless, verbose=0), lambda: model.evaluate(endless, verbose=0)):
        with pytest.raises(ArgumentError, match="endless"):
            run()
    assert len(model.fit(endless, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2


def test_pipelines_and_arrays_train_alike():
    x, y = np.random.rand(48, 4).astype("float32"), np.random.rand(48, 1).astype("float32")

    def weights(give):
        set_random_seed(3)
        model = neocog.Sequential([layers.Dense(2, activation="relu"), layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        model(x[:1])  # arrays draw a seed for their order: build before
        give(model)
        return model.get_weights()

    from_arrays = weights(lambda m: m.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0))
    data = Dataset.from_tensor_slices((x, y)).batch(16)
    for one, other in zip(from_arrays, weights(lambda m: m.fit(data, epochs=2, verbose=0)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_image_folders_have_every_method(tmp_path):
    root = tree(tmp_path / "p", {"a": 6, "b": 7})
    kind = {"image_size": (8, 10), "verbose": False, "seed": 1}
    data = image_dataset_from_directory(root, batch_size=4, **kind)
    assert data.class_names == ["a", "b"]
    assert data.cardinality() == 4
    ready = data.cache().shuffle(10).prefetch(AUTOTUNE)
    assert ready.class_names == ["a", "b"]
    assert len(ready.file_paths) == 13
    assert next(iter(ready))[0].dtype == torch.float32
    assert next(ready.batches(0)).x.dtype == torch.uint8  # bytes until they are on the device
    assert next(ready.map(lambda x, y: (x / 255, y)).batches(0)).x.max() <= 1
    assert len(list(data.unbatch())) == 13
    assert data.unbatch().cardinality() == 13
    singles = image_dataset_from_directory(root, batch_size=None, **kind)
    batches = singles.shuffle(100, seed=2).batch(5)
    assert [len(x) for x, _ in batches] == [5, 5, 3]
    assert type(batches.stage).__name__ == "ImageStage"  # the source itself mixes and batches
    mapped = singles.map(lambda x, y: (x / 255, y), num_parallel_calls=2).cache().batch(13)
    (first, labels), (second, again) = next(iter(mapped)), next(iter(mapped))
    assert torch.equal(first, second)
    assert torch.equal(labels, again)
    assert sorted(labels.tolist())[5:8] == [0, 1, 1]

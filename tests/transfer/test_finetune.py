"""Head, top and advice: what trains, what stays, what is kept, on what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_network import drawn, small_base

import neocog as keras
from neocog import transfer
from neocog.core import set_random_seed
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, UnknownNameError
from neocog.transfer import Settings, Transfer

QUICK = Settings(head_epochs=6, epochs=3, batch=8, head_batch=8, rate=1e-3)


def job(settings: Settings = QUICK, base=None, classes: int = 2) -> Transfer:
    set_random_seed(0)
    model = transfer.add_head(base or small_base(), classes)
    return Transfer(model, "sparse_categorical_crossentropy", lambda: ["accuracy"], settings)


def state(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def moved(model, before) -> set[str]:
    names = {name for name, tensor in model.state_dict().items() if not tensor.equal(before[name])}
    return {name.rpartition(".")[0] for name in names}


def test_a_head_is_put_on_a_frozen_base(base) -> None:
    model = transfer.add_head(base, 3, task="sigmoid")
    assert [type(layer).__name__ for layer in model.layers[-3:]] == [
        "GlobalAveragePooling2D",
        "Dropout",
        "Dense",
    ]
    assert model.layers[-1].activation.__name__ == "sigmoid"
    assert [view.path.rpartition("/")[2] for view in model.trainable_weights] == ["kernel", "bias"]
    assert model.get_layer("block3_conv") is base.get_layer("block3_conv")
    linear = transfer.add_head(small_base(), 1, task="linear", dropout=0.0)
    assert linear.layers[-1].activation.__name__ == "linear"
    early = transfer.add_head(small_base(), 2, at="block2")
    assert early.get_layer("features").output.shape == (None, 8)
    pooled = small_base()
    flat = keras.Model(pooled.input, keras.layers.GlobalMaxPooling2D()(pooled.output))
    assert transfer.add_head(flat, 2).output_shape == (None, 2)
    own = transfer.add_head(small_base(), head=lambda x: keras.layers.Dense(5)(keras.layers.Dense(4)(x)))
    assert own.output_shape == (None, 5)
    with pytest.raises(ArgumentError, match="one of the two"):
        transfer.add_head(small_base())
    with pytest.raises(UnknownNameError, match="block2"):
        transfer.add_head(small_base(), 2, at="blok2")


def test_only_the_head_moves_on_features_and_only_the_top_after_it() -> None:
    work = job()
    work.extract(drawn(32), drawn(16, seed=1), deepest=1)
    before = state(work.model)
    first = work.fit_head()
    assert moved(work.model, before) == {"probabilities"}
    assert first.epochs[-1]["loss"] < first.epochs[0]["loss"]
    before = state(work.model)
    work.fit_top(1)
    # convolution and head; gamma, beta and the statistics of the normalisation stay
    assert moved(work.model, before) <= {"block3_conv", "probabilities"}
    assert [view.path.split("/")[-2] for view in work.model.trainable_weights][::2] == [
        "block3_conv",
        "probabilities",
    ]


def test_the_top_trains_on_kept_activations_as_on_images() -> None:
    """The same steps from the kept inputs, in half precision, and from the images."""
    results = []
    for images in (None, True):
        work = job(Settings(head_epochs=2, epochs=2, batch=8, head_batch=8, rate=1e-3))
        train, validation = drawn(24), drawn(8, seed=1)
        work.extract(train, validation, deepest=2)
        work.model.get_layer("head_dropout").rate = 0.0
        work.fit_head()
        work.fit_top(2, images=(train, validation) if images else None)
        results.append(work.model.predict(drawn(8, seed=2)[0], verbose=0))
    np.testing.assert_allclose(results[0], results[1], atol=2e-3)


def test_lower_blocks_train_at_lower_rates() -> None:
    work = job(Settings(layer_decay=0.5))
    work.extract(drawn(8), drawn(4), deepest=3)
    work._open(3)
    rates = work._factors(work.model, 3)
    by_layer = {path.split("/")[-2]: rate for path, rate in rates.items()}
    assert by_layer == {
        "block1_conv": 0.125,
        "block2_conv": 0.25,
        "block2_inner_conv": 0.25,
        "block3_conv": 0.5,
    }


def test_what_is_to_be_opened_is_named_counted_or_refused() -> None:
    work = job()
    assert [work.choose(wanted) for wanted in ("block3", "block2_inner_conv", 0, 3)] == [1, 2, 0, 3]
    with pytest.raises(ArgumentError, match="0 to 3 blocks"):
        work.choose(4)
    with pytest.raises(UnknownNameError, match="block1"):
        work.choose("blok1")
    with pytest.raises(ArgumentError, match="Call extract first"):
        work.fit_head()


def test_the_recipe_keeps_what_is_better_on_validation() -> None:
    train, validation = drawn(48), drawn(24, seed=1)
    set_random_seed(0)
    found = transfer.finetune(small_base(), train, validation, top=1, settings=QUICK)
    assert found.opened == ("block3",)
    assert found.top is not None
    losses = (found.head.best["val_loss"], found.top.best["val_loss"])
    assert found.kept == (losses[1] < losses[0])
    loss = keras.losses.SparseCategoricalCrossentropy()
    reached = float(loss(validation[1], found.model.predict(validation[0], verbose=0)))
    assert reached == pytest.approx(min(losses), abs=2e-3)


def test_worse_tops_are_undone() -> None:
    train, validation = drawn(24), drawn(12, seed=1)
    set_random_seed(0)
    found = transfer.finetune(
        small_base(), train, validation, top="block2", settings=QUICK, better=lambda new, old: False
    )
    set_random_seed(0)
    alone = transfer.finetune(small_base(), train, validation, top=None, settings=QUICK)
    assert (found.kept, alone.top, alone.opened) == (False, None, ())
    for mine, other in zip(found.model.get_weights(), alone.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_same_seed_gives_the_same_model_from_the_store_or_not() -> None:
    made = []
    for _ in range(2):
        set_random_seed(3)
        found = transfer.finetune(small_base(), drawn(24), drawn(12, seed=1), top=1, settings=QUICK)
        made.append((found.cached, found.model.get_weights()))
    assert [cached for cached, _ in made] == [False, True]
    for mine, other in zip(made[0][1], made[1][1], strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("task", ["sigmoid", "linear"])
def test_several_labels_and_numbers(task: str) -> None:
    x, y = drawn(24)
    targets = np.stack([y, 1 - y], 1).astype("float32")
    found = transfer.finetune(
        small_base(), (x, targets), (x[:8], targets[:8]), task=task, top=1, settings=QUICK
    )
    assert found.model.output_shape == (None, 2)
    assert np.isfinite(found.best["val_loss"])
    stream = keras.data.Dataset.from_tensor_slices((x, targets)).batch(8)
    with pytest.raises(ArgumentError, match="number of classes"):
        transfer.finetune(small_base(), stream, (x, targets), task=task)
    found = transfer.finetune(small_base(), stream, (x, targets), classes=2, task=task, top=1, settings=QUICK)
    assert np.isfinite(found.best["val_loss"])


def test_data_sets_of_folders_say_how_many_classes_there_are(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    for number in range(12):
        pixels = np.random.RandomState(number).randint(0, 255, (32, 32, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png")
    for label_mode in ("int", "categorical"):
        data = keras.utils.image_dataset_from_directory(
            tmp_path / "photos", image_size=(32, 32), shuffle=False, label_mode=label_mode, verbose=False
        )
        found = transfer.finetune(small_base(), data, data, top=1, settings=QUICK)
        assert found.model.output_shape == (None, 3)


@pytest.mark.parametrize("form", ["numbers", "one-hot"])
def test_what_comes_back_is_measured_with_the_loss_of_its_labels(form: str) -> None:
    train, validation = drawn(24), drawn(12, seed=1)
    if form == "one-hot":
        (x, y), (held, labels) = train, validation
        train, validation = (x, np.eye(2, dtype="float32")[y]), (held, np.eye(2, dtype="float32")[labels])
    set_random_seed(0)
    found = transfer.finetune(small_base(), train, validation, top=1, settings=QUICK)
    loss, accuracy = found.model.evaluate(*validation, verbose=0)
    assert loss == pytest.approx(found.best["val_loss"], abs=2e-3)
    assert accuracy == pytest.approx(found.best["val_accuracy"])
    found.model.fit(*train, epochs=1, verbose=0)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array(["cat", "dog"] * 8), r"labels that are numbers.*'cat'.*return_inverse"),
        (np.tile([1.0, 1.0, 0.0], (16, 1)), r'one class an image.*task="sigmoid"'),
        (np.linspace(0, 1, 16), r'one class an image.*fractions such as 0\.06667.*task="linear"'),
        (np.full(16, np.nan), "NaN or infinite"),
        (np.zeros((0,)), "got none"),
    ],
)
def test_labels_of_another_task_are_named_before_anything_runs(labels: Any, said: str) -> None:
    x, _ = drawn(16)
    with pytest.raises(DataError, match=said):
        transfer.finetune(small_base(), (x, labels), (x, labels), settings=QUICK)


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), ("auto", False), (1, True), (2, True)])
def test_progress_is_shown_where_it_is_asked_for(capsys: Any, verbose: Any, shown: bool) -> None:
    train, validation = drawn(16), drawn(8, seed=1)
    transfer.finetune(small_base(), train, validation, top=1, settings=QUICK, cache=False, verbose=verbose)
    assert ("Epoch 1/" in capsys.readouterr().out) == shown


@pytest.mark.parametrize("several", [False, True])
def test_augmented_images_run_through_the_whole_model(several: bool) -> None:
    flip = keras.layers.RandomFlip("horizontal")
    flip = [flip] if several else flip
    found = transfer.finetune(small_base(), drawn(16), drawn(8, seed=1), top=1, augment=flip, settings=QUICK)
    assert found.top is not None
    assert not any(isinstance(layer, keras.layers.RandomFlip) for layer in found.model.layers)


def test_advice_follows_amount_and_similarity() -> None:
    shares = {
        (samples, alike): transfer.advise(samples, 10, alike).share
        for samples in (500, 8_000, 100_000)
        for alike in (0.95, 0.3)
    }
    assert shares[500, 0.95] == 0
    assert shares[500, 0.95] < shares[500, 0.3] < shares[8_000, 0.3] < shares[100_000, 0.3] == 1
    assert shares[8_000, 0.95] < shares[100_000, 0.95]
    assert "head alone" in transfer.advise(100, 5, 0.9).words
    assert "not measured" in transfer.advise(100, 5).words
    assert transfer.advise(8_000, 10, 0.95).count(14) == 2
    with pytest.raises(ArgumentError):
        transfer.advise(0, 2)


def test_similarity_is_what_a_linear_head_gets_right_on_images_it_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    noise, y = rng.normal(size=(400, 64)), rng.integers(0, 4, 400)
    assert transfer.similarity(noise, y) < 0.2  # 64 features learn 320 rows partly by heart: not these
    told = noise.copy()
    told[:, :4] += 4 * np.eye(4)[y]
    assert transfer.similarity(told, y) > 0.9
    assert transfer.similarity(told[:, None, None], np.eye(4)[y]) > 0.85
    assert transfer.similarity(told, told[:, :1] * 2 + 1) > 0.9
    assert transfer.similarity(told[:5], y[:5]) == 0.0


def test_a_models_head_must_be_of_transfers_making(base) -> None:
    with pytest.raises(ArgumentError, match=r"transfer\.add_head"):
        Transfer(base, "mse", list, Settings())


def folders(path, names=("a", "b"), count: int = 8):
    for number, (image, label) in enumerate(zip(*drawn(count), strict=True)):
        (path / names[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / names[label] / f"{number}.png")
    return path


@pytest.mark.parametrize("augmented", [False, True])
def test_folders_say_how_many_classes_there_are(tmp_path, augmented: bool) -> None:
    train, validation = folders(tmp_path / "train", count=12), folders(tmp_path / "validation")
    augment = [keras.layers.RandomFlip("horizontal")] if augmented else ()
    found = transfer.finetune(
        small_base(), train, str(validation), top=1, settings=QUICK, cache=False, augment=augment
    )
    assert found.model.output_shape == (None, 2)
    assert found.head.best["val_loss"] > 0
    with pytest.raises(UnknownNameError, match="block9"):
        transfer.finetune(small_base(), train, validation, top="block9")
    with pytest.raises(DataError, match=r"same class folders.*b, c in one of them"):
        transfer.finetune(small_base(), train, folders(tmp_path / "other", ("a", "c")))
    with pytest.raises(ArgumentError, match="classes"):
        transfer.finetune(small_base(), train, validation, task="sigmoid")


def test_pipelines_say_how_many_classes_there_are(tmp_path) -> None:
    path = folders(tmp_path / "photos", count=12)
    data = keras.utils.image_dataset_from_directory(path, image_size=(32, 32), batch_size=4)
    piped = data.map(lambda x, y: (x, y))
    found = transfer.finetune(small_base(), piped, piped, top=1, settings=QUICK)
    assert found.model.output_shape == (None, 2)


def test_settings_of_another_kind() -> None:
    with pytest.raises(ArgumentTypeError, match=r"transfer\.Settings.*got 3"):
        transfer.finetune(small_base(), drawn(8), drawn(8), settings=3)

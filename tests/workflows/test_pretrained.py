"""`train` on a pretrained base: both figures, a whole model, errors that are told before the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import neocog as keras
from neocog import workflows
from neocog.core import set_random_seed
from neocog.exceptions import ArgumentError, ShapeError, UnknownNameError
from neocog.workflows import Event, Featured, PhaseDone, TrainConfig, evaluate, load_run, predict, train

pytestmark = pytest.mark.usefixtures("blank_pictures")

WIDTHS = 13


def weight_file(path: Path) -> Path:
    """Write a MobileNet of a quarter's width, drawn at random, in the names of the published one."""
    from safetensors.torch import save_file

    set_random_seed(5)
    model = keras.applications.MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 3), classes=1000)
    state = {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
    names = {"conv1": "features.0.conv", "conv1_bn": "features.0.bn", "conv_preds": "classifier"}
    for number in range(1, WIDTHS + 1):
        for kind in ("dw", "pw"):
            names[f"conv_{kind}_{number}"] = f"features.{number}.{kind}"
            names[f"conv_{kind}_{number}_bn"] = f"features.{number}.{kind}_bn"
    renamed = {}
    for name, tensor in state.items():
        layer, _, weight = name.rpartition(".")
        tensor = tensor.flatten(1) if layer == "conv_preds" and weight == "weight" else tensor
        renamed[f"{names[layer]}.{weight}"] = tensor.contiguous()
    save_file(renamed, path)
    return path


def photographs(folder: Path, counts: dict[str, int], gray: bool = False) -> Path:
    """Draw images of two classes that differ in brightness, in parts."""
    rng = np.random.default_rng(0)
    for part, count in counts.items():
        for label, level in (("dark", 60), ("light", 170)):
            (folder / part / label).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = rng.integers(level, level + 40, (40, 48) if gray else (40, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEOCOG_DATA", raising=False)
    return tmp_path / "home"


def config(tmp_path: Path, **options: Any) -> TrainConfig:
    asked = {
        "data": str(tmp_path / "photos"),
        "out": str(tmp_path / "run"),
        "model": "mobilenet",
        "weights": str(tmp_path / "mobilenet.safetensors"),
        "image_size": (32, 32),
        "finetune": "1",
        "epochs": 1,
        "batch_size": 8,
    }
    return TrainConfig(**{**asked, **options})


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    weight_file(tmp_path / "mobilenet.safetensors")
    photographs(tmp_path / "photos", {"train": 12, "validation": 6, "test": 8})
    return tmp_path


def test_both_figures_are_measured_reported_and_the_run_is_whole(ready: Path) -> None:
    told: list[Event] = []
    result = train(config(ready), told.append)
    found = result.transfer
    assert found is not None
    head, tuned = found["feature_extraction_alone"], found["fine_tuning"]
    assert set(head["validation"]) == {"loss", "accuracy"}
    assert 0 <= head["test"]["accuracy"] <= 1
    assert tuned["opened"] == ["block13"]
    assert tuned["test"]["count"] == 16
    kept = tuned if tuned["kept"] else head
    assert result.test.as_dict() == kept["test"]
    assert found["seconds"]["times_faster"] > 0
    assert [event.title for event in told if isinstance(event, PhaseDone)] == [
        "feature extraction alone",
        "fine-tuning of block13",
    ]
    features = next(event for event in told if isinstance(event, Featured))
    assert (features.images, features.cached) == (36, False)
    metrics = json.loads((result.folder / "metrics.json").read_text())
    assert metrics["transfer"] == json.loads(json.dumps(found))
    report = result.report.read_text()
    assert "What the pretrained network brought" in report
    assert "features alone, validation" in report
    assert "Advice: " in report


def test_the_run_is_evaluated_predicts_and_its_model_is_an_ordinary_file(ready: Path) -> None:
    result = train(config(ready))
    again = evaluate(result.folder)
    assert again.scores.accuracy == result.test.accuracy
    assert again.scores.loss == pytest.approx(result.test.loss, rel=1e-5)
    file = next((ready / "photos/test/light").glob("*.png"))
    chances = dict(predict(result.folder, [file]).predictions[0].probabilities)
    assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
    model = load_run(result.folder).model
    model.save(ready / "whole.keras")
    opened = keras.models.load_model(ready / "whole.keras")
    image = np.asarray(Image.open(file).resize((32, 32), Image.Resampling.BILINEAR), dtype=np.uint8)[None]
    np.testing.assert_allclose(
        opened.predict(image, verbose=0)[0], [chances["dark"], chances["light"]], atol=1e-5
    )


def test_features_alone_and_the_second_run_from_the_store(ready: Path) -> None:
    first = train(config(ready, finetune="none"))
    assert first.transfer is not None
    assert first.transfer["fine_tuning"] is None
    told: list[Event] = []
    second = train(config(ready, finetune="none", out=str(ready / "again")), told.append)
    assert next(event for event in told if isinstance(event, Featured)).cached
    assert second.test == first.test


def test_gray_photographs_are_given_as_rgb(tmp_path: Path) -> None:
    weight_file(tmp_path / "mobilenet.safetensors")
    photographs(tmp_path / "photos", {"train": 8, "validation": 4, "test": 4}, gray=True)
    result = train(config(tmp_path, finetune="none"))
    assert load_run(result.folder).data.color_mode == "rgb"


def test_augmentation_runs_the_whole_and_is_not_in_the_model(ready: Path) -> None:
    result = train(config(ready, augment="light"))
    layers = load_run(result.folder).model.layers
    assert not any(type(layer).__name__.startswith("Random") for layer in layers)


def test_from_scratch_is_the_default_with_a_hint_at_a_file(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ready / "mobilenet.safetensors"
    monkeypatch.setattr(workflows._train, "known_file", lambda name: found)
    told: list[Event] = []
    scratch = config(ready, model="resnet20", weights=None, finetune="auto", augment="light")
    result = train(scratch, told.append)
    assert result.transfer is None
    assert any("--weights auto" in getattr(event, "text", "") for event in told)
    model = load_run(result.folder).model
    assert len(model.trainable_weights) > 10


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"model": "mobilnet"}, UnknownNameError, "MobileNet"),
        ({"model": "cnn"}, ArgumentError, "a published architecture with --weights"),
        ({"weights": "nowhere.safetensors"}, ArgumentError, "no such file"),
        ({"weights": "auto", "model": "vgg19"}, ArgumentError, "a known weight file"),
        ({"model": "squeezenet1_0"}, ShapeError, "looks like"),
        ({"image_size": (16, 16)}, ArgumentError, "32×32"),
        ({"finetune": "block14"}, UnknownNameError, "block13"),
        ({"finetune": "99"}, ArgumentError, "at most 14 blocks"),
        ({"finetune": "-3"}, ArgumentError, "--finetune: expected .*a whole number of 0 or more.*got -3"),
        ({"finetune": "2.5"}, ArgumentError, "--finetune: expected .*a whole number of 0 or more.*got 2.5"),
        ({"weights": None, "finetune": "2"}, ArgumentError, "--weights with --finetune"),
        ({"color": "grayscale"}, ArgumentError, "color rgb"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(
    ready: Path, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        train(config(ready, **options))
    assert not (ready / "run").exists()


def test_several_labels(tmp_path: Path) -> None:
    weight_file(tmp_path / "mobilenet.safetensors")
    folder = photographs(tmp_path / "images", {"all": 16})
    rows = [
        f"{file.relative_to(folder).as_posix()},{'dark|small' if file.parent.name == 'dark' else 'small'}"
        for file in sorted(folder.rglob("*.png"))
    ]
    rows = [row.replace("small", "odd") if int(Path(row.split(",")[0]).stem) % 2 else row for row in rows]
    (folder / "labels.csv").write_text("\n".join(["file,labels", *rows]) + "\n")
    result = train(config(tmp_path, data=str(folder / "labels.csv"), finetune="none"))
    assert result.task == "multi-label"
    assert result.transfer is not None
    assert "macro_f1" in result.transfer["feature_extraction_alone"]["validation"]

"""Every layer and whole models, exchanged with real Keras in a process of its own: all formats, both ways."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import exchange_models as models
import numpy as np
import pytest

import neocog
from neocog.layers import LAYERS

SUFFIXES = (".keras", ".h5", ".weights.h5")
_TABLE = Path(__file__).parents[1] / "contracts" / "test_layers.py"


def _contract_cases() -> Any:
    spec = importlib.util.spec_from_file_location("layer_contracts", _TABLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CASES


SERIES = (5, 4)
CASES: dict[str, tuple[dict[str, Any], Any]] = {
    **_contract_cases(),
    "MultiHeadAttention": ({"num_heads": 2, "key_dim": 3}, [SERIES, SERIES]),
    "GroupQueryAttention": (
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        [SERIES, SERIES],
    ),
}
# Not alone in a model: inputs and models are in all rows, cells in those of recurrent layers.
PARTS = {"Functional", "Sequential", "InputLayer", "Layer", "Model", "Wrapper"}
PARTS |= {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"}
# Real Keras has no such layer, has it inside an application alone, or refuses files with it, as neocog does.
NOT_IN_KERAS = {"LocalResponseNormalization", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
NOT_IN_KERAS |= {"CustomScaleLayer", "PartialConv2D", "RBFOutput", "TrainableSubsampling"}
NOT_IN_KERAS |= {"Cutout", "RandomPCALighting", "RandomStretch"}
# In real Keras these compute with TensorFlow, which is not installed.
NEED_TENSORFLOW = {
    "TextVectorization", "StringLookup", "IntegerLookup", "CategoryEncoding", "Discretization", "Hashing",
    "HashedCrossing", "FeatureSpace", "MelSpectrogram", "STFTSpectrogram",
}  # fmt: skip
# Keras cannot write these layers: it does not know how to copy their value_range.
NOT_FROM_KERAS = {
    "RandomBrightness", "RandomColorDegeneration", "RandomPosterization", "RandomSaturation",
    "RandomSharpness", "Solarization",
}  # fmt: skip
# In a model of Keras it makes a graph with a cycle.
NOT_IN_MODELS = {"Equalization"}
# Keras opens no `.h5` of a subclassed model: its weights are not made yet.
NO_LEGACY = {"subclassed"}
# Outside training Keras leaves the images whole, whatever size they have; neocog crops their center.
COMPUTES_ELSE = {"RandomCrop"}
ROWS = sorted(set(LAYERS.names()) - PARTS - NOT_IN_KERAS - NEED_TENSORFLOW - COMPUTES_ELSE - NOT_IN_MODELS)

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "momentum": ("SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "amsgrad": ("Adam", {"learning_rate": 0.01, "amsgrad": True, "clipnorm": 0.5}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "use_ema": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True}),
    "nadam": ("Nadam", {"learning_rate": 0.01}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adamax": ("Adamax", {"learning_rate": 0.01}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "lion": ("Lion", {"learning_rate": 0.001}),
}


def build(name: str) -> Any:
    if name in models.WHOLE:
        return models.WHOLE[name][0](neocog)
    return models.layer_model(neocog, name, *CASES[name])


def job_for(which: str, **more: Any) -> dict[str, Any]:
    if which in models.WHOLE:
        return {"model": which, "shapes": models.WHOLE[which][1], "integers": models.WHOLE[which][2], **more}
    arguments, shapes = CASES[which]
    whole = which.endswith("Embedding")
    return {"model": which, "arguments": arguments, "shapes": shapes, "integers": whole, **more}


def predict(model: Any, name: str) -> list[np.ndarray]:
    job = job_for(name)
    return models.flat(model.predict(models.draw(job["shapes"], job["integers"]), verbose=0))


def write(folder: Path, name: str) -> list[dict[str, Any]]:
    """Write neocog's files of one model and return the jobs for Keras: open these, make its own."""
    model = build(name)
    models.settle(model)
    jobs = []
    for suffix in SUFFIXES:
        file = f"ours-{name}{suffix}"
        (model.save_weights if suffix == ".weights.h5" else model.save)(folder / file)
        jobs.append(job_for(name, do="open", name=f"opened-{name}{suffix}", file=file))
    np.savez(folder / f"ours-{name}.npz", *predict(model, name))
    return [*jobs, job_for(name, do="make", name=f"theirs-{name}", suffixes=SUFFIXES)]


def steps(model: Any, folder: Path) -> None:
    for _ in range(3):
        model.train_on_batch(np.load(folder / "x.npy"), np.load(folder / "y.npy"))


def write_trained(folder: Path, key: str) -> list[dict[str, Any]]:
    name, arguments = OPTIMIZERS[key]
    model = models.trainable(neocog)
    models.settle(model)
    model.compile(getattr(neocog.optimizers, name)(**arguments), "mse", metrics=["mae"])
    steps(model, folder)
    model.save(folder / f"trained-{key}.keras")
    steps(model, folder)
    np.savez(folder / f"trained-{key}.npz", *model.get_weights())
    return [
        {"do": "train", "name": f"continued-{key}", "file": f"trained-{key}.keras"},
        {"do": "start", "name": f"started-{key}", "optimizer": name, "arguments": arguments},
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Neocog's files, and what real Keras made of them: one process for all."""
    folder = tmp_path_factory.mktemp("exchange")
    models.classes(neocog)
    rng = np.random.default_rng(2)
    np.save(folder / "x.npy", rng.normal(size=(8, 4)).astype("float32"))
    np.save(folder / "y.npy", rng.normal(size=(8, 2)).astype("float32"))
    jobs, failures = [], {}
    for name in [*ROWS, *models.WHOLE]:
        try:
            jobs += write(folder, name)
        except Exception as error:  # the test of this name reports it
            failures[name] = repr(error)
    for key in OPTIMIZERS:
        jobs += write_trained(folder, key)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    (folder / "failures.json").write_text(json.dumps(failures))
    worker = Path(__file__).with_name("exchange_worker.py")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "torch",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(worker.parent),
    }
    done = subprocess.run(
        [sys.executable, str(worker), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def answer(folder: Path, name: str) -> list[np.ndarray]:
    error = json.loads((folder / "answers.json").read_text()).get(name, "was not asked")
    assert not error, f"Keras, {name}: {error}"
    return arrays(folder, name)


def arrays(folder: Path, name: str) -> list[np.ndarray]:
    with np.load(folder / f"{name}.npz") as found:
        return [found[key] for key in found.files]


def assert_same(got: list[np.ndarray], want: list[np.ndarray], tolerance: float = 1e-5) -> None:
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        scale = max(1.0, float(np.abs(other).max(initial=0.0)))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


def test_every_registered_layer_has_a_row() -> None:
    missing = set(ROWS) - set(CASES)
    assert not missing, f"no row in CASES, and no reason why not: {sorted(missing)}"


def test_the_checker_sees_a_difference() -> None:
    with pytest.raises(AssertionError):
        assert_same([np.ones(3)], [np.ones(3) + 1e-4])
    with pytest.raises(AssertionError):
        assert_same([np.ones(3)], [])


@pytest.mark.parametrize("name", [*ROWS, *models.WHOLE])
class TestExchange:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_keras_opens_ours(self, folder: Path, name: str, suffix: str) -> None:
        if name in NO_LEGACY and suffix == ".h5":
            pytest.skip("Keras cannot open its own either")
        failure = json.loads((folder / "failures.json").read_text()).get(name)
        assert failure is None, failure
        ours = arrays(folder, f"ours-{name}")
        assert_same(answer(folder, f"opened-{name}{suffix}"), ours, 1e-5)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_we_open_theirs(self, folder: Path, name: str, suffix: str) -> None:
        if name in NOT_FROM_KERAS or (name in NO_LEGACY and suffix == ".h5"):
            pytest.skip("Keras writes no such file that it could open itself")
        expected = answer(folder, f"theirs-{name}")
        file = folder / f"theirs-{name}{suffix}"
        if suffix == ".weights.h5":
            model = build(name)
            model.load_weights(file)
        else:
            model = neocog.models.load_model(file)
        assert_same(predict(model, name), expected, 1e-5)


@pytest.mark.parametrize("key", OPTIMIZERS)
class TestTrainingGoesOn:
    def test_in_keras(self, folder: Path, key: str) -> None:
        assert_same(answer(folder, f"continued-{key}"), arrays(folder, f"trained-{key}"))

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_here(self, folder: Path, key: str, suffix: str) -> None:
        expected = answer(folder, f"started-{key}")
        model = neocog.models.load_model(folder / f"started-{key}{suffix}")
        assert model.metrics_names[0] == "loss"
        steps(model, folder)
        assert_same(model.get_weights(), expected)

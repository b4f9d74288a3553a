"""Models to files and back: the same outputs, the same settings, nothing half-written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import neocog
from neocog.exceptions import ArgumentError, FileFormatError, StorageError, UnknownNameError
from neocog.files import give_assets
from neocog.layers import Conv2D, Dense, Flatten, Input, Layer
from neocog.models import Model, Sequential, load_model, model_from_json


def trained() -> tuple[Sequential, np.ndarray]:
    model = Sequential(
        [Input((6, 6, 1)), Conv2D(3, 3, activation="relu"), Flatten(), Dense(2, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).uniform(size=(8, 6, 6, 1)).astype("float32")
    model.fit(x, np.arange(8) % 2, verbose=0)
    return model, x


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.hdf5", "weights.001-0.5.weights.hdf5"])
def test_a_saved_model_predicts_and_trains_on(tmp_path: Path, name: str) -> None:
    model, x = trained()
    model.save(tmp_path / name)
    again = load_model(tmp_path / name)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    assert again.compiled
    again.fit(x, np.arange(8) % 2, verbose=0)
    assert not load_model(tmp_path / name, compile=False).compiled
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5", "w.hdf5", "w.safetensors"])
def test_weights_alone(tmp_path: Path, name: str) -> None:
    model, x = trained()
    model.save_weights(tmp_path / name)
    other, _ = trained()
    other.load_weights(tmp_path / name)
    np.testing.assert_allclose(other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    if name != "w.safetensors":
        with pytest.raises(FileFormatError, match="load_weights"):
            load_model(tmp_path / name)


def test_weights_of_a_model_file_can_be_loaded(tmp_path: Path) -> None:
    model, x = trained()
    model.save(tmp_path / "m.h5")
    other, _ = trained()
    other.load_weights(tmp_path / "m.h5")
    np.testing.assert_allclose(other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_a_large_configuration_is_kept_whole(tmp_path: Path) -> None:
    x = y = Input((2,))
    for number in range(300):
        y = Dense(2, name=f"a_layer_with_a_rather_long_name_{number}")(y)
    model = Model(x, y)
    model.save(tmp_path / "m.h5")
    assert len(load_model(tmp_path / "m.h5").layers) == 301


def test_json_round_trip() -> None:
    model, _ = trained()
    again = model_from_json(model.to_json())
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


def test_own_classes_come_from_the_caller(tmp_path: Path) -> None:
    class Double(Layer):
        def call(self, inputs: object) -> object:
            return inputs * 2  # type: ignore[operator]

    model = Sequential([Input((3,)), Double()])
    model.save(tmp_path / "m.keras")
    with pytest.raises(UnknownNameError, match="Double"):
        load_model(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={"Double": Double})
    assert float(again(np.ones((1, 3), "float32")).sum()) == 6


def test_bad_names_and_overwriting(tmp_path: Path) -> None:
    model, _ = trained()
    for name in ("m.pkl", "m.pt", "m", "m.safetensors"):
        with pytest.raises((ArgumentError, FileFormatError), match=r"\.keras"):
            model.save(tmp_path / name)
    model.save(tmp_path / "m.keras")
    with pytest.raises(StorageError, match="exists already"):
        model.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises((StorageError, FileFormatError)):
        load_model(tmp_path / "missing.keras")


def test_checkpoint_with_the_template_of_the_notes(tmp_path: Path) -> None:
    model, x = trained()
    y = np.arange(8) % 2
    with pytest.warns(DeprecationWarning, match="acc"):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
    for weights_only in (True, False):
        path = tmp_path / str(weights_only) / "weights.{epoch:03d}-{val_loss:.4f}-{acc:.4f}.weights.hdf5"
        with pytest.warns(DeprecationWarning, match="write .weights.h5" if weights_only else "write .keras"):
            checkpoint = neocog.callbacks.ModelCheckpoint(str(path), save_weights_only=weights_only)
        model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[checkpoint])
        names = sorted(p.name for p in path.parent.iterdir())
        assert [n.split("-")[0] for n in names] == ["weights.001", "weights.002"]
        model.load_weights(path.parent / names[0])


class Remembering(Layer):
    """Keeps words and bytes in files of its own, as in Keras's guide to custom saving."""

    def __init__(self, words: str = "", **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.words, self.raw = words, b""

    def call(self, x: object) -> object:
        return x

    def save_assets(self, folder: str) -> None:
        Path(folder, "words.txt").write_text(self.words)
        Path(folder, "inner").mkdir()
        Path(folder, "inner", "raw.bin").write_bytes(self.raw)

    def load_assets(self, folder: str) -> None:
        self.words = Path(folder, "words.txt").read_text()
        self.raw = Path(folder, "inner", "raw.bin").read_bytes()


@pytest.mark.parametrize("only_weights", [False, True])
def test_files_that_layers_write_themselves(tmp_path: Path, only_weights: bool) -> None:
    model = Sequential([Input((3,)), Remembering(), Remembering(), Dense(2)])
    first, second = model.layers[:2]
    first.words, first.raw, second.words = "grün und\nblau", b"\xff\x00", "another"
    path = tmp_path / "m.keras"
    model.save(path)
    again = model if only_weights else load_model(path, custom_objects={"Remembering": Remembering})
    if only_weights:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.startswith("assets/")]
        # The folders that Keras 3.15.1 looks in.
        assert names[:2] == [f"assets/layers/remembering/{name}" for name in ("inner/raw.bin", "words.txt")]
        assert names[2].startswith("assets/layers/remembering_1/")
        first.words = second.words = ""
        again.load_weights(path)
    assert [layer.words for layer in again.layers[:2]] == ["grün und\nblau", "another"]
    assert again.layers[0].raw == b"\xff\x00"


@pytest.mark.parametrize("step", ["/{outside}", "../../{outside}", "./words.txt", "inner//raw.bin"])
def test_files_of_layers_are_written_into_their_folder_alone(tmp_path: Path, step: str) -> None:
    outside = tmp_path / "outside" / "stolen"
    outside.parent.mkdir()
    name = step.format(outside=outside)
    layer = Remembering(name="kept")
    model = Sequential([Input((3,)), layer])
    path = tmp_path / "m.keras"
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(f"assets/layers/remembering/{name}"), b"x")
    with pytest.raises(FileFormatError, match="leads elsewhere"):
        load_model(path, custom_objects={"Remembering": Remembering})
    with pytest.raises(FileFormatError, match="leads elsewhere"):
        give_assets(model, {f"layers/remembering/{name}": b"x"})
    assert not list(outside.parent.iterdir())

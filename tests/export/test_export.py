"""Whole models as ONNX and as torch's programs: the same predictions to 1e-4, for batches of 1, 3 and 7."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, MissingExtraError, NotBuiltError, StorageError

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def convolutional() -> Any:
    return keras.Sequential([
        layers.Input((16, 16, 3)), layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip


def two_inputs() -> Any:
    photo, facts = layers.Input((8, 8, 1), name="photo"), layers.Input((4,), name="facts")
    joined = layers.Concatenate()([layers.Flatten()(layers.Conv2D(2, 3)(photo)), facts])
    return keras.Model(
        [photo, facts], [layers.Dense(2, name="kind")(joined), layers.Dense(1, name="age")(joined)]
    )


def shared() -> Any:
    one, two = layers.Input((6,)), layers.Input((6,))
    twin = layers.Dense(4, activation="tanh")
    return keras.Model([one, two], layers.Dot(axes=1)([twin(one), twin(two)]))


def named() -> Any:
    tensors = {"a": layers.Input((3,), name="a"), "b": layers.Input((3,), name="b")}
    return keras.Model(tensors, {"sum": layers.Add(name="sum")(list(tensors.values()))})


def nested() -> Any:
    inner = keras.Sequential(
        [layers.Input((5,)), layers.Dense(4, activation="gelu"), layers.LayerNormalization()]
    )
    start = layers.Input((5,))
    return keras.Model(start, layers.Add()([inner(start), layers.Dense(4)(start)]))


class Classifier(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = [layers.Dense(6, activation="relu"), layers.Dense(6, activation="swish")]
        self.head = layers.Dense(3)

    def call(self, inputs: Any, training: bool = False) -> Any:
        for block in self.blocks:
            inputs = block(inputs)
        return self.head(inputs)


def subclassed() -> Any:
    model = Classifier()
    model(np.ones((2, 4), "float32"))
    return model


def recurrent() -> Any:
    return keras.Sequential([layers.Input((7, 3)), layers.LSTM(4, return_sequences=True), layers.GRU(3)])


def from_integers() -> Any:
    return keras.Sequential([
        layers.Input((10,), dtype="int32"), layers.Embedding(20, 4), layers.Conv1D(3, 3, activation="relu"),
        layers.GlobalMaxPooling1D(), layers.Dense(2),
    ])  # fmt: skip


def free_sizes() -> Any:
    return keras.Sequential([
        layers.Input((None, None, 3)), layers.Conv2D(4, 3, padding="same"), layers.UpSampling2D(),
        layers.GlobalAveragePooling2D(), layers.Dense(2),
    ])  # fmt: skip


def separable() -> Any:
    return keras.Sequential([
        layers.Input((9, 9, 2)), layers.Rescaling(1 / 255), layers.SeparableConv2D(4, 3, padding="same"),
        layers.DepthwiseConv2D(3), layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        layers.AveragePooling2D(2), layers.GlobalAveragePooling2D(),
    ])  # fmt: skip


def attention() -> Any:
    start = layers.Input((6, 8))
    seen = layers.MultiHeadAttention(num_heads=2, key_dim=4)(start, start)
    return keras.Model(start, layers.LayerNormalization()(layers.Add()([start, seen])))


def mixed() -> Any:
    half = {"dtype": "mixed_bfloat16"}
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", **half),
            layers.BatchNormalization(**half),
            layers.MaxPooling2D(2, **half),
            layers.Flatten(**half),
            layers.Dense(6, activation="tanh", **half),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )


MODELS: list[Callable[[], Any]] = [
    *(convolutional, two_inputs, shared, named, nested, subclassed, recurrent, from_integers, free_sizes),
    *(separable, attention, mixed),
]


def data_for(model: Any, batch: int) -> Any:
    rng = np.random.default_rng(batch)
    if model.graph_nodes():
        arrays = {
            tensor.name: rng.integers(0, 20, (batch, *tensor.shape[1:])).astype("int32")
            if tensor.dtype == "int32"
            else rng.normal(
                size=[batch, *(11 if size is None else size for size in tensor.shape[1:])]
            ).astype("f4")
            for tensor in model.inputs
        }
        return arrays, (arrays if len(arrays) > 1 else next(iter(arrays.values())))
    value = rng.normal(size=(batch, 4)).astype("f4")
    return {"input": value}, value


def session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def outputs_of(model: Any, data: Any) -> list[Any]:
    found = model.predict(data, verbose=0)
    if isinstance(found, dict):
        return [found[key] for key in sorted(found)]
    return list(found) if isinstance(found, (list, tuple)) else [found]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_onnxruntime_predicts_the_same(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    model.export(tmp_path / "m.onnx")
    run = session(tmp_path / "m.onnx")
    assert {given.shape[0] for given in run.get_inputs()} == {"batch"}
    for batch in (1, 3, 7):
        named_data, data = data_for(model, batch)
        got = run.run(None, named_data)
        for one, other in zip(got, outputs_of(model, data), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)
    assert model.training is False


def test_names_and_shapes_are_those_of_keras(tmp_path: Path) -> None:
    two_inputs().export(tmp_path / "m.onnx", format="onnx")
    run = session(tmp_path / "m.onnx")
    assert [(given.name, given.shape) for given in run.get_inputs()] == [
        ("photo", ["batch", 8, 8, 1]),
        ("facts", ["batch", 4]),
    ]
    assert [(given.name, given.shape) for given in run.get_outputs()] == [
        ("kind", ["batch", 2]),
        ("age", ["batch", 1]),
    ]
    import onnx

    model = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(model)
    assert model.opset_import[0].version == 23
    assert model.producer_name == "neocog"
    assert str(Path(keras.__file__).parent).encode() not in (tmp_path / "m.onnx").read_bytes()


@pytest.mark.parametrize("make", [convolutional, two_inputs, recurrent], ids=lambda make: make.__name__)
def test_torch_programs_predict_the_same(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    model.export(tmp_path / "m.pt2")
    program = torch.export.load(tmp_path / "m.pt2").module()
    for batch in (1, 3, 7):
        named_data, data = data_for(model, batch)
        got = program(*(torch.from_numpy(value) for value in named_data.values()))
        for one, other in zip(got, outputs_of(model, data), strict=True):
            np.testing.assert_allclose(one.detach().numpy(), other, atol=1e-4)


def test_a_training_model_stays_as_it_was(tmp_path: Path) -> None:
    model = convolutional()
    model.train()
    before = model.get_weights()
    model.export(tmp_path / "m.pt2")
    assert model.training
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_texts_are_refused(tmp_path: Path) -> None:
    model = keras.Sequential([layers.Input((), dtype="string"), layers.TextVectorization(vocabulary=["a"])])
    with pytest.raises(ArgumentError, match="export the part of the model from the integers on"):
        model.export(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_says_why(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"expected format 'onnx' or 'torch', got 'tf_saved_model'"):
        convolutional().export(tmp_path / "saved")
    with pytest.raises(ArgumentError, match="OpenVINO opens ONNX files"):
        convolutional().export(tmp_path / "m", format="openvino")
    with pytest.raises(NotBuiltError, match="give input_signature"):
        Classifier().export(tmp_path / "m.onnx")
    with pytest.raises(ArgumentError, match=r'ExportArchive.*model\.export\("model\.onnx"\)'):
        keras.export.ExportArchive()

    class Deciding(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs * 2 if float(inputs.sum()) > 0 else inputs

    model = Deciding()
    model(np.ones((2, 3), "float32"))
    with pytest.raises(ArgumentError, match="keep decisions on values out"):
        model.export(tmp_path / "m.pt2")
    assert list(tmp_path.iterdir()) == []


def test_signatures_stand_for_inputs_not_seen(tmp_path: Path) -> None:
    model = Classifier()
    model.build((None, 4))
    model.export(tmp_path / "m.onnx", input_signature=[layers.InputSpec(shape=(None, 4), dtype="float32")])
    assert session(tmp_path / "m.onnx").get_inputs()[0].shape == ["batch", 4]


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'neocog\[onnx\]'"):
        convolutional().export(tmp_path / "m.onnx")


def test_nothing_is_left_of_a_failed_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        convolutional().export(tmp_path / "file" / "m.pt2")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

"""Attention layers against Keras: weights, outputs, scores, gradients, masks, configurations, files."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import copy
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from parity import assert_close, assert_same_as_keras, weight_gradient

import neocog
from neocog import layers
from neocog.exceptions import ArgumentError, FileFormatError, ShapeError

RNG = np.random.default_rng(3)
MULTI = {
    "plain": {"num_heads": 2, "key_dim": 3},
    "value_dim": {"num_heads": 2, "key_dim": 3, "value_dim": 5, "use_bias": False},
    "output_shape": {"num_heads": 3, "key_dim": 2, "output_shape": 7},
    "two outputs": {"num_heads": 1, "key_dim": 2, "output_shape": (2, 3)},
    "window": {"num_heads": 2, "key_dim": 3, "sliding_window": 2},
    "gate": {"num_heads": 2, "key_dim": 3, "use_gate": True},
    "dropout": {"num_heads": 2, "key_dim": 3, "dropout": 0.3},
    "regularized": {"num_heads": 2, "key_dim": 3, "kernel_regularizer": "l2", "bias_constraint": "non_neg"},
}
GROUPED = {
    "plain": {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    "one": {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 1, "use_bias": False},
    "window": {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 2, "sliding_window": 2},
    "gate": {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_gate": True},
    "dropout": {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "dropout": 0.3},
}
CALLS = {
    "none": {},
    "scores": {"return_attention_scores": True},
    "causal": {"use_causal_mask": True},
    "causal scores": {"use_causal_mask": True, "return_attention_scores": True},
    "query": {"query_mask": np.array([[1, 1, 0], [1, 0, 0]], bool)},
    "value": {"value_mask": np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 1]], bool)},
    "key": {"key_mask": np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 1]], bool), "use_causal_mask": True},
    "mask": {"attention_mask": np.array(RNG.random((2, 3, 5)) > 0.4)},
    "all": {
        "attention_mask": np.array(RNG.random((2, 3, 5)) > 0.3),
        "value_mask": np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 1]], bool),
        "use_causal_mask": True,
        "return_attention_scores": True,
    },
}


def x(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


def assert_same_attention(
    ours: Any, theirs: Any, inputs: list[Any], call: dict[str, Any], rtol: float = 2e-5
) -> None:
    """Fail where weights, outputs or gradients of two layers that take query, value and key differ."""
    ours_in = [torch.from_numpy(a.copy()).requires_grad_() for a in inputs]
    theirs_in = [torch.from_numpy(a.copy()).requires_grad_() for a in inputs]
    masks = {
        key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for key, value in call.items()
    }
    theirs(*theirs_in, **masks)
    if not ours.built:
        ours(*ours_in, **masks)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    values = [RNG.normal(size=w.shape).astype("float32") for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)
    if "query_mask" in masks and type(theirs) is keras.layers.MultiHeadAttention:
        theirs_in[0]._keras_mask = masks["query_mask"]  # type: ignore[attr-defined]
    got, want = ours(*ours_in, **masks), theirs(*theirs_in, **masks)
    got, want = (v if isinstance(v, tuple) else (v,) for v in (got, want))
    assert len(got) == len(want)
    for number, (a, b) in enumerate(zip(got, want, strict=True)):
        assert_close(f"output {number}", a, b, rtol)
    pull = torch.from_numpy(x(*want[0].shape))
    (got[0] * pull).sum().backward()
    (want[0] * pull).sum().backward()
    for a, b in zip(ours_in, theirs_in, strict=True):
        assert_close("gradient to an input", a.grad, b.grad, 1e-4)
    for view, weight in zip(ours.weights, theirs.weights, strict=True):
        if view.name == "bias" and "key" in view.path:
            continue  # nothing but rounding: a constant added to all keys shifts all scores alike
        assert_close(view.path, weight_gradient(view), weight.value.grad, 1e-4)


def assert_same_config(ours: Any, theirs: Any) -> None:
    got, want = (json.loads(json.dumps(one.get_config())) for one in (ours, theirs))
    want.pop("dtype")
    for key, value in want.items():
        assert got[key] == pytest.approx(value) if isinstance(value, float) else got.get(key) == value, key
    assert type(theirs).from_config(json.loads(json.dumps(ours.get_config()))).get_config().keys()
    assert (
        type(ours).from_config(json.loads(json.dumps(theirs.get_config()))).get_config() == ours.get_config()
    )


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("form", MULTI)
def test_multi_head_attention(form: str, call: str) -> None:
    ours = layers.MultiHeadAttention(**MULTI[form], name="m")
    theirs = keras.layers.MultiHeadAttention(**MULTI[form], name="m")
    assert_same_attention(ours, theirs, [x(2, 3, 4), x(2, 5, 6), x(2, 5, 3)], CALLS[call])
    if call == "none" and "kernel_regularizer" not in MULTI[form]:
        assert_same_config(ours, theirs)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("form", GROUPED)
def test_group_query_attention(form: str, call: str) -> None:
    ours = layers.GroupQueryAttention(**GROUPED[form], name="g")
    theirs = keras.layers.GroupQueryAttention(**GROUPED[form], name="g")
    assert_same_attention(ours, theirs, [x(2, 3, 4), x(2, 5, 4), x(2, 5, 4)], CALLS[call])
    if call == "none":
        assert_same_config(ours, theirs)


@pytest.mark.parametrize("axes", [None, 1, (2,), (1, 2), (-2,)])
def test_attention_over_several_axes(axes: Any) -> None:
    arguments = {"num_heads": 2, "key_dim": 3, "attention_axes": axes}
    ours, theirs = layers.MultiHeadAttention(**arguments), keras.layers.MultiHeadAttention(**arguments)
    shapes = [(2, 3, 4, 5), (2, 3, 4, 6)]
    assert_same_attention(ours, theirs, [x(*shape) for shape in shapes], {"return_attention_scores": True})


def test_checker_of_this_file_fails_on_another_layer() -> None:
    ours = layers.MultiHeadAttention(2, 3, sliding_window=1)
    theirs = keras.layers.MultiHeadAttention(2, 3)
    with pytest.raises(AssertionError):
        assert_same_attention(ours, theirs, [x(2, 3, 4), x(2, 5, 6)], {})


def test_dropout_of_scores_in_training() -> None:
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    query = torch.from_numpy(x(2, 3, 4))
    still = layer(query, query)
    assert torch.equal(still, layer(query, query))
    assert not torch.equal(layer(query, query, training=True), still)
    one, two = (layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1) for _ in range(2))
    one(query, query), two(query, query)
    two.set_weights(one.get_weights())
    assert torch.equal(one(query, query, training=True), two(query, query, training=True))


@pytest.mark.filterwarnings("ignore:__array__")
@pytest.mark.parametrize(
    ("cls", "arguments"), [("MultiHeadAttention", (2, 3)), ("GroupQueryAttention", (3, 4, 2))]
)
def test_in_a_model_and_its_files(cls: str, arguments: tuple[int, ...], tmp_path: Path) -> None:
    a, b = layers.Input((None, 4)), layers.Input((5, 4))
    y = getattr(layers, cls)(*arguments)(a, value=b)
    assert y.shape == (None, None, 4)
    y, _ = getattr(layers, cls)(*arguments)(y, b, return_attention_scores=True, use_causal_mask=True)
    model = neocog.Model([a, b], layers.Dense(1)(y))
    data = [x(6, 3, 4), x(6, 5, 4)]
    expected = model.predict(data, verbose=0)
    model.save(tmp_path / "m.keras")
    again = neocog.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(data, verbose=0), expected, rtol=1e-5)
    theirs = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(theirs.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)
    theirs.save(tmp_path / "k.keras")
    back = neocog.models.load_model(tmp_path / "k.keras")
    np.testing.assert_allclose(back.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)
    twin = copy.deepcopy(model)
    np.testing.assert_allclose(twin.predict(data, verbose=0), expected, rtol=1e-6)
    model.compile("sgd", "mse")
    model.fit(data, np.ones((6, 3, 1)), verbose=0)
    assert not np.allclose(model.predict(data, verbose=0), expected)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Attention", {}),
        ("Attention", {"use_scale": True}),
        ("Attention", {"score_mode": "concat"}),
        ("Attention", {"score_mode": "concat", "use_scale": True}),
        ("AdditiveAttention", {}),
        ("AdditiveAttention", {"use_scale": False}),
    ],
)
def test_attention_without_projections(name: str, arguments: dict[str, Any], training: bool) -> None:
    inputs = [x(2, 3, 4), x(2, 5, 4), x(2, 5, 4)]
    for given in (inputs[:2], inputs):
        ours = getattr(layers, name)(**arguments)
        theirs = getattr(keras.layers, name)(**arguments)
        assert_same_as_keras(ours, theirs, given, training=training)
    masks = [np.array([[1, 1, 0], [1, 0, 0]], bool), np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 1]], bool)]
    calls: list[dict[str, Any]] = [
        {"mask": [torch.from_numpy(mask) for mask in masks]},
        {"mask": [None, torch.from_numpy(masks[1])], "use_causal_mask": True},
        {"use_causal_mask": True, "return_attention_scores": True},
    ]
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    ours.build([a.shape for a in inputs])
    theirs.build([a.shape for a in inputs])
    values = [x(*weight.shape) for weight in theirs.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    tensors = [torch.from_numpy(a) for a in inputs]
    for call in calls:
        got, want = ours(tensors, **call), theirs(tensors, **call)
        for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (got, want)), strict=True):
            assert_close(str(call), a, b)


@pytest.mark.filterwarnings("ignore:Exception encountered", "ignore:.*does not support masking")
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}),
        ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}),
        ("Attention", {}),
        ("AdditiveAttention", {}),
    ],
)
def test_masks_that_embeddings_pass_on(cls: str, arguments: dict[str, Any]) -> None:
    def build(library: Any) -> Any:
        query, value = library.Input((5,), dtype="int32"), library.Input((7,), dtype="int32")
        embed = library.layers.Embedding(10, 6, mask_zero=True)
        layer, parts = getattr(library.layers, cls)(**arguments), [embed(query), embed(value)]
        mixed = layer(*parts) if "Query" in cls or "Multi" in cls else layer(parts)
        return library.Model([query, value], library.layers.GlobalAveragePooling1D()(mixed))

    ours, theirs = build(neocog), build(keras)
    values = [x(*weight.shape) for weight in theirs.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    words = [torch.from_numpy(RNG.integers(0, 4, (3, length))) for length in (5, 7)]
    words[0][:, 0] = words[1][:, 0] = 1
    assert_close("outputs", ours(words), theirs(words))


def test_attention_scores_of_symbolic_tensors() -> None:
    query, value = layers.Input((3, 4)), layers.Input((None, 4))
    outputs, scores = layers.Attention()([query, value], return_attention_scores=True)
    assert outputs.shape == (None, 3, 4)
    assert scores.shape == (None, 3, None)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: layers.MultiHeadAttention(0, 2), "num_heads"),
        (lambda: layers.MultiHeadAttention(2, "wide"), "key_dim"),
        (lambda: layers.MultiHeadAttention(2, 2, sliding_window=0), "sliding_window"),
        (lambda: layers.MultiHeadAttention(2, 2, attention_axes="all"), "attention_axes"),
        (lambda: layers.MultiHeadAttention(2, 2, dropout=0.1, flash_attention=True), "dropout=0"),
        (lambda: layers.GroupQueryAttention(2, 4, 3), "divide"),
        (lambda: layers.GroupQueryAttention(2, 4, 2)(torch.ones(2, 3), torch.ones(2, 3)), "3 axes"),
        (lambda: layers.Attention(score_mode="sum"), "score_mode"),
        (lambda: layers.Attention()(torch.ones(2, 3, 4)), r"\[query, value\]"),
        (lambda: layers.Attention()([torch.ones(2, 3, 4)] * 2, mask=torch.ones(2, 3)), "query_mask"),
        (lambda: layers.TFSMLayer("model", call_endpoint="serving_default"), r"SavedModel.*load_model"),
        (lambda: layers.JaxLayer(call_fn=None), "neocog.ops"),
        (lambda: layers.FlaxLayer(None), "nn.Module"),
        (lambda: layers.TFSMLayer.from_config({"filepath": "/etc"}), "SavedModel"),
        (lambda: layers.deserialize({"class_name": "TFSMLayer", "config": {}}), "TFSMLayer"),
    ],
)
def test_refuses(call: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        call()


def test_key_and_value_must_match() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    with pytest.raises(ShapeError, match="key"):
        layer(torch.ones(2, 3, 4), torch.ones(2, 5, 4), torch.ones(2, 6, 4))
    flash = layers.MultiHeadAttention(2, 3, flash_attention=True)
    with pytest.raises(ArgumentError, match="return_attention_scores"):
        flash(torch.ones(2, 3, 4), torch.ones(2, 3, 4), return_attention_scores=True)
    assert flash(torch.ones(2, 3, 4), torch.ones(2, 3, 4)).shape == (2, 3, 4)


@pytest.mark.parametrize("tie", [True, False])
def test_reversible_embedding(tie: bool) -> None:
    arguments = {"input_dim": 7, "output_dim": 4, "tie_weights": tie, "logit_soft_cap": 0.5}
    ours, theirs = layers.ReversibleEmbedding(**arguments), keras.layers.ReversibleEmbedding(**arguments)
    numbers = torch.tensor([[0, 3, 6], [1, 1, 2]])
    ours(numbers), theirs(numbers)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    values = [RNG.normal(size=w.shape).astype("float32") for w in theirs.weights]
    ours.set_weights(values), theirs.set_weights(values)
    assert_close("vectors", ours(numbers), theirs(numbers))
    vectors = torch.from_numpy(x(2, 3, 4))
    assert_close("scores", ours(vectors, reverse=True), theirs(vectors, reverse=True))
    assert ours(layers.Input((None, 4)), reverse=True).shape == (None, None, 7)
    assert ours.compute_output_shape((2, 4), reverse=True) == (2, 7)
    assert (
        layers.ReversibleEmbedding.from_config(theirs.get_config()).get_config().keys()
        == ours.get_config().keys()
    )


def test_torch_module_wrapper(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5))
    layer = layers.TorchModuleWrapper(module, name="wrapped")
    data = torch.from_numpy(x(8, 4))
    assert torch.equal(layer(data), layer(data))
    assert not torch.equal(layer(data, training=True), layer(data))
    model = neocog.Sequential([layers.Input((4,)), layer, layers.Dense(1)])
    assert model.output_shape == (None, 1) if hasattr(model, "output_shape") else True
    model.compile("sgd", "mse")
    before = module[0].weight.detach().clone()
    model.fit(data, torch.ones(8, 1), verbose=0)
    assert not torch.equal(before, module[0].weight)
    model.save_weights(tmp_path / "w.weights.h5")
    expected = model.predict(data, verbose=0)
    for view in model.weights:
        view.assign(np.zeros(view.shape))
    model.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-6)
    with pytest.raises(ArgumentError, match="pickle"):
        model.save(tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()
    packed = {"module": "gASVCg=="}
    with pytest.raises(FileFormatError, match="pickle"):
        layers.TorchModuleWrapper.from_config(packed)
    with pytest.raises(FileFormatError, match="TorchModuleWrapper"):
        layers.deserialize({"class_name": "TorchModuleWrapper", "config": packed})
    with pytest.raises(TypeError, match="torch module"):
        layers.TorchModuleWrapper(3)
    with pytest.raises(ValueError, match="lazy"):
        layers.TorchModuleWrapper(torch.nn.LazyLinear(3))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling(rank: int, kind: str, data_format: str) -> None:
    name = f"Adaptive{kind}Pooling{rank}D"
    sizes = (7, 5, 6)[:rank]
    inputs = x(2, *sizes, 3) if data_format == "channels_last" else x(2, 3, *sizes)
    for size in (3, (4, 2, 6)[:rank]):
        arguments = {"output_size": size, "data_format": data_format}
        assert_same_as_keras(
            getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments), inputs
        )
    with pytest.raises(ValueError, match="output_size"):
        getattr(layers, name)((1, 2, 3, 4))

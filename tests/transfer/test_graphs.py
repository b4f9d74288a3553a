"""Blocks, cuts and folding: the same numbers through other graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_network import drawn

import neocog as keras
from neocog import transfer
from neocog.exceptions import ArgumentError, GraphError, UnknownNameError
from neocog.transfer._graphs import inlined


def test_blocks_are_found_from_graph_and_names(base) -> None:
    found = transfer.blocks(base)
    assert [block.name for block in found] == ["block1", "block2", "block3"]
    inside = {layer.name for layer in found[1].layers}
    assert {"block2_conv", "block2_inner_bn", "block2_add"} <= inside
    assert sum(block.parameters for block in found) == base.count_params()


@pytest.mark.parametrize(
    ("name", "count", "last"),
    [
        ("MobileNet", 14, "block13"),
        ("MobileNetV2", 19, "Conv_1"),
        ("ResNet50", 17, "conv5_block3"),
        ("VGG16", 5, "block5"),
        ("Xception", 14, "block14"),
        ("InceptionV3", 15, "mixed9"),
    ],
)
def test_blocks_of_published_networks(name: str, count: int, last: str) -> None:
    with torch.device("meta"):
        model = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(96, 96, 3))
    found = transfer.blocks(model)
    assert (len(found), found[-1].name) == (count, last)


def test_every_boundary_cuts_into_two_parts_that_give_the_same(base) -> None:
    x = drawn(4)[0].astype("float32")
    expected = base.predict(x, verbose=0)
    places = transfer.boundaries(base)
    inner = [i for i, node in enumerate(base.graph_nodes()) if "inner" in getattr(node.operation, "name", "")]
    assert not set(inner) & set(places)  # two tensors cross inside the residual block
    for place in places[:-1]:
        lower, upper = transfer.split_at(base, place)
        found = upper.predict(lower.predict(x, verbose=0), verbose=0)
        # Normalization is folded into kernels where no cut separates them: equal but for rounding.
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert transfer.split_at(base, places[-1])[1] is None
    with pytest.raises(ArgumentError, match="split"):
        transfer.split_at(base, inner[0])


def test_nested_models_are_taken_apart(base) -> None:
    outer = keras.Sequential([keras.Input((32, 32, 3)), base, keras.layers.GlobalAveragePooling2D()])
    flat = inlined(outer)
    assert "block2_add" in {getattr(node.operation, "name", "") for node in flat.graph_nodes()}
    x = drawn(3)[0]
    np.testing.assert_array_equal(flat.predict(x, verbose=0), outer.predict(x, verbose=0))


def test_folded_normalisation_gives_the_same_numbers(base) -> None:
    folded = transfer.fold_batch_norm(base)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    x = drawn(8)[0]
    before = base.predict(x, verbose=0)
    np.testing.assert_allclose(folded.predict(x, verbose=0), before, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(base.predict(x, verbose=0), before)  # the given model is as it was
    base.get_layer("block1_bn").set_weights([w * 1.5 for w in base.get_layer("block1_bn").get_weights()])
    assert np.abs(folded.predict(x, verbose=0) - base.predict(x, verbose=0)).max() > 1e-2


@pytest.mark.parametrize(
    "kind", ["depthwise", "dense", "conv1d", "no gamma", "activation", "shared", "two readers"]
)
def test_folding_where_it_is_exact_and_nowhere_else(kind: str) -> None:
    layers = keras.layers
    shape = {"dense": (6,), "conv1d": (9, 3)}.get(kind, (8, 8, 3))
    x = image = keras.Input(shape)
    norm = layers.BatchNormalization(scale=kind != "no gamma", moving_variance_initializer="ones")
    if kind == "dense":
        y = layers.Dense(4)(x)
    elif kind == "conv1d":
        y = layers.Conv1D(4, 3)(x)
    elif kind == "depthwise":
        y = layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    else:
        conv = layers.Conv2D(3, 3, padding="same", activation="relu" if kind == "activation" else None)
        y = conv(conv(x)) if kind == "shared" else conv(x)
    out = norm(y)
    out = layers.add([out, y]) if kind == "two readers" else out
    model = keras.Model(image, out)
    norm.set_weights([np.linspace(0.5, 1.5, w.shape[0]).astype("float32") for w in norm.weights])
    folded = transfer.fold_batch_norm(model)
    gone = not any(isinstance(layer, layers.BatchNormalization) for layer in folded.layers)
    assert gone == (kind not in ("activation", "shared", "two readers"))
    data = np.random.default_rng(0).random((5, *shape))
    np.testing.assert_allclose(
        folded.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-5, atol=1e-5
    )


def test_names_and_graphs_that_are_not_there(base) -> None:
    with pytest.raises(UnknownNameError, match="block3"):
        transfer.find_block(base, "blok3")

    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(GraphError, match="a model with a graph"):
        transfer.blocks(Own())

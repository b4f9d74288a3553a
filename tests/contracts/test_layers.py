"""What every registered layer keeps to: covered the moment it is registered, one without a row here fails."""

from __future__ import annotations

import copy
import gc
import inspect
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog
from neocog import files, layers
from neocog.layers import LAYERS, Layer
from neocog.layers.augment._alone import AugmentingLayer
from neocog.models import Functional, Model, Sequential

IMAGE, VOLUME, SERIES, VECTOR = (8, 8, 3), (6, 6, 6, 2), (10, 4), (6,)
TWO = [VECTOR, VECTOR]
WORDS = (4,)
# What the layers read that read something else than floats.
READS = {"Embedding": "int64", "CategoryEncoding": "int64", "IntegerLookup": "int64"}
READS |= dict.fromkeys(("HashedCrossing", "Hashing", "StringLookup", "TextVectorization"), "string")

# Arguments and input shape (without the batch) for each class; several shapes for layers that join inputs.
CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "Activation": ({"activation": "relu"}, VECTOR),
    "ActivityRegularization": ({"l2": 0.1}, VECTOR),
    "AdaptiveAveragePooling1D": ({"output_size": 3}, SERIES),
    "AdaptiveAveragePooling2D": ({"output_size": 3}, IMAGE),
    "AdaptiveAveragePooling3D": ({"output_size": (2, 3, 1)}, VOLUME),
    "AdaptiveMaxPooling1D": ({"output_size": 3}, SERIES),
    "AdaptiveMaxPooling2D": ({"output_size": (3, 5)}, IMAGE),
    "AdaptiveMaxPooling3D": ({"output_size": 2}, VOLUME),
    "Add": ({}, TWO),
    "AdditiveAttention": ({}, [SERIES, SERIES]),
    "AlphaDropout": ({"rate": 0.2}, VECTOR),
    "Attention": ({"use_scale": True}, [SERIES, SERIES]),
    "AugMix": ({}, IMAGE),
    "AutoContrast": ({}, IMAGE),
    "Average": ({}, TWO),
    "AveragePooling1D": ({"pool_size": 2}, SERIES),
    "AveragePooling2D": ({"pool_size": 2}, IMAGE),
    "AveragePooling3D": ({"pool_size": 2}, VOLUME),
    "BatchNormalization": ({}, IMAGE),
    "Bidirectional": ({"layer": "LSTM"}, SERIES),
    "CategoryEncoding": ({"num_tokens": 9}, WORDS),
    "CenterCrop": ({"height": 4, "width": 5}, IMAGE),
    "Concatenate": ({}, TWO),
    "ContrastLimitedAdaptiveHistogramEqualization": ({"tile_grid_size": (2, 2)}, IMAGE),
    "Conv1D": ({"filters": 4, "kernel_size": 3}, SERIES),
    "Conv1DTranspose": ({"filters": 4, "kernel_size": 3, "strides": 2}, SERIES),
    "Conv2D": ({"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "Conv2DTranspose": ({"filters": 4, "kernel_size": 3, "strides": 2}, IMAGE),
    "Conv3D": ({"filters": 4, "kernel_size": 3}, VOLUME),
    "Conv3DTranspose": ({"filters": 2, "kernel_size": 2, "strides": 2}, VOLUME),
    "ConvLSTM1D": ({"filters": 3, "kernel_size": 3, "padding": "same"}, (4, 5, 2)),
    "ConvLSTM2D": ({"filters": 3, "kernel_size": 2, "return_sequences": True}, (3, 5, 4, 2)),
    "ConvLSTM3D": ({"filters": 2, "kernel_size": 2, "strides": 2}, (2, 4, 5, 4, 2)),
    "Cropping1D": ({"cropping": 2}, SERIES),
    "Cropping2D": ({"cropping": ((1, 2), (0, 3))}, IMAGE),
    "Cropping3D": ({"cropping": 1}, VOLUME),
    "CutMix": ({}, IMAGE),
    "Cutout": ({}, IMAGE),
    "Dense": ({"units": 3}, VECTOR),
    "DepthwiseConv1D": ({"kernel_size": 3, "depth_multiplier": 2}, SERIES),
    "DepthwiseConv2D": ({"kernel_size": 3, "depth_multiplier": 2}, IMAGE),
    "Discretization": ({"bin_boundaries": [0.3, 0.6], "output_mode": "one_hot"}, VECTOR),
    "Dot": ({"axes": 1}, TWO),
    "Dropout": ({"rate": 0.3}, VECTOR),
    "ELU": ({}, VECTOR),
    "EinsumDense": ({"equation": "ab,bc->ac", "output_shape": 3}, VECTOR),
    "Embedding": ({"input_dim": 9, "output_dim": 4}, VECTOR),
    "Equalization": ({}, IMAGE),
    "Flatten": ({}, IMAGE),
    "GRU": ({"units": 3, "return_sequences": True}, SERIES),
    "GaussianDropout": ({"rate": 0.2}, VECTOR),
    "GaussianNoise": ({"stddev": 0.2}, VECTOR),
    "GlobalAveragePooling1D": ({}, SERIES),
    "GlobalAveragePooling2D": ({}, IMAGE),
    "GlobalAveragePooling3D": ({}, VOLUME),
    "GlobalMaxPooling1D": ({}, SERIES),
    "GlobalMaxPooling2D": ({}, IMAGE),
    "GlobalMaxPooling3D": ({}, VOLUME),
    "GroupNormalization": ({"groups": 3}, IMAGE),
    "HashedCrossing": ({"num_bins": 5, "output_mode": "one_hot"}, [(1,), (1,)]),
    "Hashing": ({"num_bins": 5, "output_mode": "count"}, WORDS),
    "Identity": ({}, VECTOR),
    "IntegerLookup": ({"vocabulary": [3, 5, 7], "output_mode": "multi_hot"}, WORDS),
    "LSTM": ({"units": 3}, SERIES),
    "Lambda": ({"function": "relu"}, VECTOR),
    "LayerNormalization": ({}, IMAGE),
    "LeakyReLU": ({}, VECTOR),
    "LocalResponseNormalization": ({"depth_radius": 1}, IMAGE),
    "Masking": ({}, SERIES),
    "MaxPooling1D": ({"pool_size": 2}, SERIES),
    "MaxPooling2D": ({"pool_size": 2}, IMAGE),
    "MaxPooling3D": ({"pool_size": 2}, VOLUME),
    "Maximum": ({}, TWO),
    "Minimum": ({}, TWO),
    "MixUp": ({}, IMAGE),
    "Multiply": ({}, TWO),
    "Normalization": ({"mean": 0.5, "variance": 2.0}, VECTOR),
    "PReLU": ({}, VECTOR),
    "PartialConv2D": ({"connections": [[0, 2], [1], [0, 1, 2]], "kernel_size": 3}, IMAGE),
    "Permute": ({"dims": (2, 1)}, SERIES),
    "Pipeline": ({"layers": "augmentations"}, IMAGE),
    "RBFOutput": ({"units": 3}, VECTOR),
    "RMSNormalization": ({}, VECTOR),
    "RNN": ({"cell": "cells"}, SERIES),
    "RandAugment": ({}, IMAGE),
    "RandomBrightness": ({"factor": 0.2}, IMAGE),
    "RandomColorDegeneration": ({"factor": 0.3}, IMAGE),
    "RandomColorJitter": ({"brightness_factor": 0.2, "hue_factor": 0.1}, IMAGE),
    "RandomContrast": ({"factor": 0.2}, IMAGE),
    "RandomCrop": ({"height": 5, "width": 6}, IMAGE),
    "RandomElasticTransform": ({}, IMAGE),
    "RandomErasing": ({}, IMAGE),
    "RandomFlip": ({}, IMAGE),
    "RandomGaussianBlur": ({}, IMAGE),
    "RandomGrayscale": ({}, IMAGE),
    "RandomHue": ({"factor": 0.2}, IMAGE),
    "RandomInvert": ({}, IMAGE),
    "RandomPCALighting": ({}, IMAGE),
    "RandomPerspective": ({"scale": 0.3}, IMAGE),
    "RandomPosterization": ({"factor": 4}, IMAGE),
    "RandomRotation": ({"factor": 0.1}, IMAGE),
    "RandomSaturation": ({"factor": 0.4}, IMAGE),
    "RandomSharpness": ({"factor": 0.4}, IMAGE),
    "RandomShear": ({"x_factor": 0.2}, IMAGE),
    "RandomStretch": ({}, IMAGE),
    "RandomTranslation": ({"height_factor": 0.1, "width_factor": 0.2}, IMAGE),
    "RandomZoom": ({"height_factor": 0.2}, IMAGE),
    "ReLU": ({"max_value": 2.0}, VECTOR),
    "ReversibleEmbedding": ({"input_dim": 9, "output_dim": 4}, VECTOR),
    "RepeatVector": ({"n": 3}, VECTOR),
    "Rescaling": ({"scale": 1 / 255}, IMAGE),
    "Reshape": ({"target_shape": (4, -1)}, IMAGE),
    "Resizing": ({"height": 5, "width": 7}, IMAGE),
    "SeparableConv1D": ({"filters": 4, "kernel_size": 3}, SERIES),
    "SeparableConv2D": ({"filters": 4, "kernel_size": 3}, IMAGE),
    "SimpleRNN": ({"units": 3, "go_backwards": True}, SERIES),
    "Softmax": ({}, VECTOR),
    "Solarization": ({}, IMAGE),
    "SpatialDropout1D": ({"rate": 0.3}, SERIES),
    "SpatialDropout2D": ({"rate": 0.3}, IMAGE),
    "SpatialDropout3D": ({"rate": 0.3}, VOLUME),
    "SpectralNormalization": ({"layer": "Dense"}, VECTOR),
    "StringLookup": ({"vocabulary": ["a", "c"], "output_mode": "count"}, WORDS),
    "Subtract": ({}, TWO),
    "TextVectorization": ({"vocabulary": ["a", "c"], "output_mode": "multi_hot", "split": None}, WORDS),
    "TimeDistributed": ({"layer": "Dense"}, SERIES),
    "TrainableSubsampling": ({"activation": "tanh"}, IMAGE),
    "UnitNormalization": ({}, VECTOR),
    "UpSampling1D": ({"size": 2}, SERIES),
    "UpSampling2D": ({"size": (2, 3)}, IMAGE),
    "UpSampling3D": ({"size": 2}, VOLUME),
    "ZeroPadding1D": ({"padding": (1, 2)}, SERIES),
    "ZeroPadding2D": ({"padding": ((1, 0), (2, 3))}, IMAGE),
    "ZeroPadding3D": ({"padding": 1}, VOLUME),
}
NO_CASE = {"Functional", "Sequential", "InputLayer", "Layer", "Model"}
# Several inputs, a module, or refused altogether: tests/layers/test_attention.py has them.
NO_CASE |= {"MultiHeadAttention", "GroupQueryAttention", "TorchModuleWrapper"}
NO_CASE |= {"TFSMLayer", "JaxLayer", "FlaxLayer"}
NO_CASE |= {"CustomScaleLayer"}  # of one architecture: tests/applications has it
# They have states beside the inputs, or no computation of their own: tests/layers/test_recurrent.py has them.
NO_CASE |= {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells", "Wrapper"}
NAMES = [name for name in LAYERS.names() if name not in NO_CASE]


def make(which: str, **extra: Any) -> Any:
    arguments = dict(CASES[which][0])
    if arguments.get("function") == "relu":
        arguments["function"] = neocog.activations.relu
    if arguments.get("layer") == "Dense":
        arguments["layer"] = layers.Dense(3)
    if arguments.get("layer") == "LSTM":
        arguments["layer"] = layers.LSTM(3)
    if arguments.get("cell") == "cells":
        arguments["cell"] = [layers.LSTMCell(4), layers.GRUCell(3)]
    if arguments.get("layers") == "augmentations":
        arguments["layers"] = [layers.AutoContrast(), layers.RandomFlip()]
    layer = LAYERS.resolve(which)(**arguments, **extra)
    # Alone, augmentations augment; here they are what they are in a model.
    return layer.eval() if isinstance(layer, (AugmentingLayer, layers.Pipeline)) else layer


def inputs_for(name: str, batch: int = 2, dtype: torch.dtype = torch.float32) -> Any:
    generator = torch.Generator().manual_seed(5)
    shapes = CASES[name][1]

    def draw(shape: tuple[int, ...]) -> Any:
        numbers = torch.randint(0, 9, (batch, *shape), generator=generator)
        if READS.get(name) == "string":
            return np.array(list("abcdefghi"))[numbers.numpy()]
        if name.endswith("Embedding") or name in READS:
            return numbers
        return torch.rand((batch, *shape), generator=generator, dtype=torch.float32).to(dtype)

    return [draw(shape) for shape in shapes] if isinstance(shapes, list) else draw(shapes)


def symbolic_for(name: str) -> Any:
    shapes = CASES[name][1]
    dtype = READS.get(name)
    if isinstance(shapes, list):
        return [layers.Input(shape, dtype=dtype) for shape in shapes]
    return layers.Input(shapes, dtype=dtype)


def test_every_registered_layer_has_a_row() -> None:
    assert set(NAMES) == set(CASES) & set(LAYERS.names())
    assert set(NAMES) <= set(CASES)


def test_every_layer_is_public() -> None:
    for name in NAMES:
        assert getattr(layers, name) is LAYERS.resolve(name)


@pytest.mark.parametrize("name", NAMES)
class TestLayer:
    def test_docstring_has_a_sentence_and_every_argument(self, name: str) -> None:
        cls = LAYERS.resolve(name)
        text = inspect.getdoc(cls) or ""
        assert text
        init = cls.__dict__.get("__init__")  # inherited arguments stand in the base's docstring
        names = inspect.signature(init).parameters if init is not None else ()
        own = [p for p in names if p not in ("self", "kwargs", "args")]
        missing = [argument for argument in own if argument not in text]
        assert not missing, f"{name}: not in the docstring: {missing}"

    def test_config_round_trip(self, name: str) -> None:
        layer = make(name, name="mine")
        again = type(layer).from_config(layer.get_config())
        assert _plain(again.get_config()) == _plain(layer.get_config())
        assert again.name == "mine"

    def test_symbolic_shape_and_type_are_the_real_ones(self, name: str) -> None:
        layer = make(name)
        symbolic = layer(symbolic_for(name))
        real = layer(inputs_for(name))
        assert symbolic.shape == (None, *real.shape[1:])
        assert symbolic.dtype == str(real.dtype).removeprefix("torch.")

    def test_inference_is_repeatable_and_finite(self, name: str) -> None:
        layer, x = make(name), inputs_for(name)
        first = layer(x, training=False)
        assert torch.isfinite(first).all()
        assert torch.equal(first, layer(x, training=False))

    def test_bfloat16_autocast(self, name: str) -> None:
        layer, x = make(name), inputs_for(name)
        expected = layer(x, training=False)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = layer(x, training=False)
        assert got.shape == expected.shape
        if got.is_floating_point():
            torch.testing.assert_close(got.float(), expected.float(), rtol=0.05, atol=0.05)

    def test_float64_after_double(self, name: str) -> None:
        layer = make(name)
        layer(inputs_for(name))
        layer.double()
        assert layer(inputs_for(name, dtype=torch.float64)).dtype in (torch.float64, torch.float32)
        assert all(p.dtype == torch.float64 for p in layer.parameters())

    @pytest.mark.filterwarnings("ignore:.*its input has a mask")  # Flatten knows none, and says so
    def test_trains_in_a_model(self, name: str) -> None:
        x = symbolic_for(name)
        y = layers.Flatten()(make(name)(x))
        model = Model(x, layers.Dense(1)(y))
        model.compile("sgd", "mse")
        before = model.get_weights()
        history = model.fit(inputs_for(name, 4), torch.ones(4, 1), batch_size=2, epochs=1, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
        assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))

    def test_safetensors_and_weight_arrays_restore_it(self, name: str, tmp_path: Path) -> None:
        layer, x = make(name), inputs_for(name)
        expected = layer(x)
        files.save_state(layer, tmp_path / "w.safetensors")
        other = make(name)
        other(x)
        files.load_state(other, tmp_path / "w.safetensors")
        torch.testing.assert_close(other(x), expected)
        third = make(name)
        third(x)
        third.set_weights(layer.get_weights())
        torch.testing.assert_close(third(x), expected)

    def test_deepcopy_is_independent(self, name: str) -> None:
        layer, x = make(name), inputs_for(name)
        layer(symbolic_for(name))
        expected = layer(x)
        twin = copy.deepcopy(layer)
        torch.testing.assert_close(twin(x), expected)
        for a, b in zip(layer.parameters(), twin.parameters(), strict=True):
            assert a is not b

    def test_keeps_no_inputs_and_outputs(self, name: str) -> None:
        layer, x = make(name, activity_regularizer=None), inputs_for(name)
        layer(x)
        with torch.no_grad():
            result = layer(x)
        leaf = x[0] if isinstance(x, list) else x
        gone = weakref.ref(leaf)
        same = result is leaf
        del x, result, leaf
        gc.collect()
        if name != "ActivityRegularization" and not same:
            assert gone() is None

    def test_channels_first_gives_the_same(self, name: str) -> None:
        if "data_format" not in inspect.signature(LAYERS.resolve(name).__init__).parameters:
            pytest.skip("has no data_format")
        x = inputs_for(name)
        last, first = make(name), make(name, data_format="channels_first")
        axis = 2 if name.startswith("ConvLSTM") else 1
        moved = x.movedim(-1, axis)
        if name == "Flatten":
            torch.testing.assert_close(first(moved), last(x))
            return
        expected = last(x, training=False)
        first(moved, training=False)
        first.set_weights(last.get_weights())
        got = first(moved, training=False)
        if name.startswith("ConvLSTM"):
            axis -= x.dim() - got.dim()  # the steps are gone
        elif got.dim() < x.dim():
            axis = -1
        got = got.movedim(axis, -1)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(TypeError):
            make(name, no_such_argument=1)


def _plain(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _plain(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [_plain(value) for value in config]
    return config


def test_models_are_layers_too() -> None:
    assert LAYERS.resolve("Sequential") is Sequential
    assert LAYERS.resolve("Functional") is Functional
    assert issubclass(Model, Layer)

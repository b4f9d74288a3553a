"""Sequential, functional and subclassed models: structure, weights, copies, plain torch use."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import neocog as keras
from neocog.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    GraphError,
    NotBuiltError,
    ShapeError,
    UnknownNameError,
)
from neocog.layers import Conv2D, Dense, Dropout, Flatten, Input, Layer, MaxPooling2D
from neocog.models import Functional, Model, Sequential


def small() -> Sequential:
    return Sequential([Input((4,)), Dense(3, activation="relu", name="hidden"), Dense(2, name="head")])


def test_sequential_builds_from_input_shape_input_or_data() -> None:
    first = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
    deferred = Sequential([Dense(3), Dense(2)])
    assert first.built
    assert first.output_shape == (None, 2)
    assert not deferred.built
    with pytest.raises(NotBuiltError, match="input_shape"):
        deferred.layers[0].count_params()
    assert deferred(np.zeros((7, 4))).shape == (7, 2)
    assert deferred(np.zeros((3, 4))).shape == (3, 2)
    built = Sequential([Dense(3), Dense(2)])
    built.build((None, 4))
    assert [w.shape for w in built.weights] == [(4, 3), (3,), (3, 2), (2,)]


def test_add_and_pop_keep_shapes_and_weights() -> None:
    model = small()
    kernel = model.get_layer("hidden").get_weights()[0]
    model.pop()
    assert model.output_shape == (None, 3)
    model.add(Dense(5))
    assert model.output_shape == (None, 5)
    np.testing.assert_array_equal(model.get_layer("hidden").get_weights()[0], kernel)
    while model.layers:
        model.pop()
    with pytest.raises(ArgumentError, match="no layer to pop"):
        model.pop()


def test_sequential_refuses_what_is_no_layer() -> None:
    with pytest.raises(ArgumentTypeError, match="Dense\\(10\\), not Dense"):
        Sequential([Dense])
    with pytest.raises(GraphError, match="two called 'a'"):
        Sequential([Dense(1, name="a"), Dense(1, name="a")])


def test_state_dict_names_do_not_depend_on_the_session() -> None:
    Dense(1), Dense(1)
    first = Sequential([Input((4,)), Dense(3), Dense(2), Dense(1, name="head")])
    names = ["dense.weight", "dense.bias", "dense_1.weight", "dense_1.bias", "head.weight", "head.bias"]
    assert list(first.state_dict()) == names


@pytest.mark.parametrize("made_before", [0, 2])
def test_state_dict_fits_the_model_made_from_its_configuration(made_before: int) -> None:
    for _ in range(made_before):
        Dense(1)
    x = Input((4,))
    # The outer layer is constructed first: automatic names stand the other way round than the layers.
    model = Model(x, Dense(4)(Sequential([Dense(4)])(Dense(4)(x))))
    again = Model.from_config(model.get_config())
    assert list(again.state_dict()) == list(model.state_dict())
    again.load_state_dict(model.state_dict())
    data = torch.randn(3, 4)
    torch.testing.assert_close(again(data), model(data))


def test_functional_with_several_inputs_outputs_and_a_shared_layer() -> None:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    joined = keras.layers.concatenate([shared(a), shared(b)])
    model = Model([a, b], [Dense(1, name="one")(joined), Dense(2, name="two")(joined)])
    assert isinstance(model, Functional)
    assert [w.path.split("/", 1)[1] for w in model.weights] == [
        "shared/kernel", "shared/bias", "one/kernel", "one/bias", "two/kernel", "two/bias"]  # fmt: skip
    x, y = torch.randn(5, 4), torch.randn(5, 4)
    one, two = model([x, y])
    again_one, _ = model({"b": y, "a": x})
    torch.testing.assert_close(one, again_one)
    assert two.shape == (5, 2)
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["one", "two"]


def test_nested_models_and_sub_models_share_their_weights() -> None:
    base = Sequential([Input((8, 8, 1)), Conv2D(4, 3, name="conv"), MaxPooling2D(), Flatten()], name="base")
    x = Input((8, 8, 1))
    model = Model(x, Dense(2)(base(x)))
    features = Model(base.inputs, base.get_layer("conv").output)
    images = torch.rand(2, 8, 8, 1)
    torch.testing.assert_close(features(images), base.get_layer("conv")(images))
    assert model.get_layer("base") is base
    assert len(model.weights) == 4
    deep = Model(model.inputs, model.get_layer("base").output) if False else Model(base.inputs, base.outputs)
    torch.testing.assert_close(deep(images), base(images))


def test_the_outputs_of_all_layers_make_a_model() -> None:
    model = Functional(inputs := Input((4,), name="given"), Dense(2)(Dense(3)(inputs)))
    everything = Model(model.input, [layer.output for layer in model.layers])
    x = np.ones((2, 4), "float32")
    found = everything.predict(x, verbose=0)
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[-1], model.predict(x, verbose=0))
    assert model.get_layer("given").output is model.input


def test_dict_inputs_and_outputs() -> None:
    inputs = {"left": Input((2,)), "right": Input((3,))}
    out = {"sum": Dense(1)(inputs["left"]), "other": Dense(1)(inputs["right"])}
    model = Model(inputs, out)
    result = model({"right": torch.ones(4, 3), "left": torch.ones(4, 2)})
    assert set(result) == {"sum", "other"}
    with pytest.raises(ShapeError, match="inputs named"):
        model({"left": torch.ones(4, 2)})


def test_unknown_spatial_sizes_work_end_to_end() -> None:
    x = Input((None, None, 3))
    y = Conv2D(4, 3, padding="same", strides=2)(x)
    model = Model(x, Dense(2)(keras.layers.GlobalAveragePooling2D()(y)))
    assert y.shape == (None, None, None, 4)
    for size in ((17, 23), (32, 8)):
        assert model(torch.rand(2, *size, 3)).shape == (2, 2)


def test_subclassed_model_with_layers_in_a_list() -> None:
    class Net(Model):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.hidden = [Dense(5, activation="relu") for _ in range(n)]
            self.head = Dense(1)

        def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
            for layer in self.hidden:
                inputs = layer(inputs)
            return self.head(inputs)

    model = Net(3)
    assert model(np.zeros((2, 4), "float32")).shape == (2, 1)
    assert len(model.layers) == 4
    assert len(model.trainable_weights) == 8
    built = Net(1)
    built.build((None, 4))
    assert built.count_params() == 4 * 5 + 5 + 6


def test_modes_follow_keras_and_torch() -> None:
    model = Sequential([Input((50,)), Dropout(0.5)])
    ones = torch.ones(2, 50)
    assert torch.equal(model(ones), ones)
    assert not torch.equal(model(ones, training=True), ones)
    model.train()
    assert not torch.equal(model(ones), ones)
    assert torch.equal(model(ones, training=False), ones)
    assert model.training
    assert model.layers[0].training


def test_a_torch_module_inside_follows_the_mode() -> None:
    model = Sequential([Input((50,)), nn.Dropout(0.5), nn.Linear(50, 2)])
    x = torch.ones(2, 50)
    assert torch.equal(model(x), model(x))
    assert not torch.equal(model(x, training=True), model(x, training=True))


def test_freezing_reaches_everything_inside() -> None:
    base = Sequential([Input((4,)), Dense(3), nn.Linear(3, 3)])
    base.trainable = False
    x = Input((4,))
    model = Model(x, Dense(1)(base(x)))
    assert len(model.trainable_weights) == 2
    assert len(model.non_trainable_weights) == 4
    base.trainable = True
    assert len(model.trainable_weights) == 6


def test_set_weights_changes_all_or_nothing() -> None:
    model = small()
    before = model.get_weights()
    bad = [w + 1 for w in before]
    bad[3] = np.zeros(7)
    with pytest.raises(ShapeError, match="head/bias"):
        model.set_weights(bad)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ShapeError, match="expected 4 weight arrays"):
        model.set_weights(before[:-1])


@pytest.mark.parametrize("kind", ["sequential", "functional", "deep"])
def test_deepcopy_has_weights_of_its_own(kind: str) -> None:
    if kind == "sequential":
        model: Model = small()
    else:
        x = y = Input((4,))
        for _ in range(400 if kind == "deep" else 2):
            y = keras.layers.Activation("tanh")(y)
        model = Model(x, Dense(2)(y))
    twin = copy.deepcopy(model)
    data = torch.randn(3, 4)
    torch.testing.assert_close(model(data), twin(data))
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert not torch.equal(model(data), twin(data))


def test_get_layer_offers_the_nearest_names() -> None:
    with pytest.raises(UnknownNameError, match="'head'"):
        small().get_layer("haed")
    with pytest.raises(ArgumentError, match="below 2"):
        small().get_layer(index=9)


def test_wrong_shapes_name_the_input() -> None:
    with pytest.raises(ShapeError, match=r"expected data of shape \(None, 4\), got \(2, 5\)"):
        small()(torch.zeros(2, 5))
    images = Sequential([Input((8, 8, 1)), Flatten(), Dense(1)])
    with pytest.raises(ShapeError, match=r"batch axis is missing: x\[None\]"):
        images(torch.zeros(8, 8, 1))
    # Keras adds the channel axis of size 1 by itself.
    assert images(torch.zeros(2, 8, 8)).shape == (2, 1)


def test_config_round_trip_rebuilds_the_same_network() -> None:
    x = Input((6, 6, 2))
    conv = Conv2D(2, 3, padding="same", name="conv")
    y = keras.layers.add([conv(x), conv(conv(x))]) * 2.0
    y = torch.relu(y)[:, 1:5]
    model = Model(x, Dense(2, activation="softmax")(Flatten()(y)), name="shared")
    twin = Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    data = torch.rand(2, 6, 6, 2)
    torch.testing.assert_close(model(data), twin(data))
    stack = small()
    again = Sequential.from_config(stack.get_config())
    again.set_weights(stack.get_weights())
    torch.testing.assert_close(stack(data[:, 0, 0, :1].expand(2, 4)), again(data[:, 0, 0, :1].expand(2, 4)))


def test_summary_counts_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    small().summary(show_trainable=True)
    text = capsys.readouterr().out
    assert "hidden (Dense)" in text
    assert "Total params: 23" in text
    lines: list[str] = []
    a = Input((4,))
    b = Dense(4)(a)
    Model(a, keras.layers.add([a, b])).summary(print_fn=lines.append, line_length=100)
    assert "Connected to" in lines[0]
    widths = {len(line) for line in lines[0].splitlines() if line.startswith(("│", "┌", "└"))}
    assert len(widths) == 1
    assert "Not built yet" in "".join(_summary(Sequential([Dense(1)])))


def _summary(model: Model) -> list[str]:
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    return lines


def test_plain_torch_loop_trains_a_neocog_model() -> None:
    model = Sequential([Input((2,)), Dense(8, activation="tanh"), Dense(1)])
    x = torch.randn(64, 2)
    y = (x[:, :1] * x[:, 1:]).sign()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    model.train()
    losses = []
    for _ in range(150):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_own_layer_in_ten_lines() -> None:
    class Scale(Layer):
        def build(self, input_shape: tuple[int | None, ...]) -> None:
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

        def call(self, inputs: torch.Tensor) -> torch.Tensor:
            self.add_loss(inputs.abs().mean())
            return inputs * self.factor

    model = Sequential([Input((3,)), Scale()])
    model(torch.ones(2, 3))
    model(torch.ones(2, 3))
    assert len(model.losses) == 1
    assert model.get_config()["layers"][1]["class_name"] == "Scale"


@pytest.mark.parametrize("length", [40, 60, 100])
def test_the_summary_of_names_in_hangul_keeps_its_columns(length: int) -> None:
    from rich.cells import cell_len

    inputs = keras.Input((4,), name="입력")
    name = "아주_긴_이름의_층_" * 4
    outputs = keras.layers.add([Dense(3, name=name)(inputs), Dense(3, name="둘째")(inputs)])
    lines: list[str] = []
    Model(inputs, outputs).summary(print_fn=lines.append, line_length=length)
    table = [line for text in lines for line in text.split("\n") if line[:1] in "┌│├└"]
    assert len(table) > 6
    assert {cell_len(line) for line in table} == {cell_len(table[0])}
    told = "".join(line.split("│")[1].strip() for line in table if line.startswith("│"))
    assert name in told  # nothing is lost where a name is broken

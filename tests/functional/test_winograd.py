"""Winograd's filtering against torch's convolution in float64: outputs, gradients, and when it is left."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch

import neocog as keras
from neocog.functional import _winograd, conv, conv_relu
from neocog.functional._padding import ConvPadding, Window
from neocog.functional._winograd import winograd

pytestmark = pytest.mark.usefixtures("on_intel")
WINDOW = Window((3, 3), (1, 1), (1, 1))
CASES = [
    # batch, channels, filters, size, padding, bias
    (12, 128, 130, (18, 18), (1, 1), True),
    (16, 136, 128, (17, 15), (1, 1), False),
    (7, 64, 256, (25, 40), (0, 0), True),
    (7, 128, 129, (21, 22), (2, 0), True),
    (1, 128, 128, (70, 131), (1, 1), True),
    (9, 128, 128, (19, 20), (2, 2), False),
]


def made(case: Any, dtype: torch.dtype = torch.float32) -> tuple[Any, ...]:
    batch, channels, filters, size, padding, biased = case
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, channels, *size, generator=generator).relu().to(dtype)
    weight = (torch.randn(filters, channels, 3, 3, generator=generator) / (9 * channels) ** 0.5).to(dtype)
    bias = torch.randn(filters, generator=generator).to(dtype) if biased else None
    x, weight = (value.contiguous(memory_format=torch.channels_last) for value in (x, weight))
    return x, weight, bias, WINDOW, ConvPadding(padding)


def exact(x: torch.Tensor, weight: torch.Tensor, bias: Any, window: Window, padding: Any) -> torch.Tensor:
    bias = None if bias is None else bias.double()
    return torch.conv2d(x.double(), weight.double(), bias, padding=padding.kernel)


def error(got: torch.Tensor, wanted: torch.Tensor) -> float:
    """Root mean square of the errors, of the values' standard deviation."""
    return float((got.double() - wanted).square().mean().sqrt() / wanted.std())


def test_the_matrices_multiply_polynomials_exactly() -> None:
    """The identity of the filtering, on whole numbers and fractions: no rounding takes part."""
    of_inputs, of_weights, to_outputs = (
        [[Fraction(value).limit_denominator(60) for value in row] for row in matrix]
        for matrix in (_winograd._OF_INPUTS, _winograd._OF_WEIGHTS, _winograd._TO_OUTPUTS)
    )
    for place in range(6):
        for tap in range(3):
            values = [
                of_inputs[point][place] * of_weights[point][tap] for point in range(6)
            ]  # of an input that is 1 at one place, and weights that are 1 at one tap
            outputs = [sum(a * b for a, b in zip(row, values, strict=True)) for row in to_outputs]
            assert outputs == [Fraction(int(place == output + tap)) for output in range(4)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_are_those_of_torch(case: Any) -> None:
    operands = made(case)
    with torch.inference_mode():
        got = winograd(*operands)
    assert got is not None
    wanted = exact(*operands)
    assert got.shape == wanted.shape
    assert got.is_contiguous(memory_format=torch.channels_last)
    assert error(got, wanted) < 4e-6
    assert float((got - wanted).abs().max() / wanted.std()) < 6e-5


@pytest.mark.parametrize("limit", [1, 3_000, 40_000])
@pytest.mark.parametrize("case", [CASES[0], CASES[4]], ids=str)
def test_parts_of_images_and_of_batches_give_the_same(
    case: Any, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    operands = made(case)
    whole = winograd(*operands)
    monkeypatch.setattr(_winograd, "_VALUES_AT_ONCE", limit)
    found = winograd(*operands)
    assert whole is not None
    assert found is not None
    assert torch.allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize(
    ("batch", "tall", "broad", "limit"), [(5, 3, 4, 20), (2, 100, 7, 50), (1, 1, 900, 10)]
)
def test_each_tile_is_in_one_part(batch: int, tall: int, broad: int, limit: int) -> None:
    seen = torch.zeros(batch, tall, dtype=torch.int64)
    for part in _winograd._parts(batch, tall, broad, limit):
        seen[part.images, part.row : part.row + part.rows] += 1
        images = len(range(batch)[part.images])
        assert images * part.rows * broad <= max(2 * limit, broad)
    assert (seen == 1).all()


def test_inputs_in_any_layout_of_memory() -> None:
    x, weight, bias, window, padding = made(CASES[0])
    wanted = winograd(x, weight, bias, window, padding)
    assert wanted is not None
    wide = torch.zeros(12, 128, 20, 40)
    wide[:, :, 1:19, 2:38:2] = x
    for other in (x.contiguous(), wide[:, :, 1:19, 2:38:2]):
        got = winograd(other, weight.contiguous(), bias, window, padding)
        assert got is not None
        assert torch.equal(got, wanted)


def test_what_is_done_to_outputs_while_they_are_near() -> None:
    x, weight, bias, window, padding = made(CASES[1])
    with torch.inference_mode():
        plain = winograd(x, weight, bias, window, padding)
        assert plain is not None
        assert torch.equal(conv_relu(x, weight, bias, window, padding), plain.relu())
        assert torch.equal(conv_relu(x, weight, bias, window, padding, ceiling=0.5), plain.clamp(0, 0.5))


def learned(function: Any, operands: Any, create_graph: bool = False) -> list[Any]:
    leaves = [value.detach().clone().requires_grad_() for value in operands if value is not None]
    outputs = function(*leaves, *([None] if len(leaves) == 2 else []))
    push = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(2)).to(outputs.dtype)
    return [outputs, *torch.autograd.grad(outputs, leaves, push, create_graph=create_graph)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_are_those_of_torch(case: Any) -> None:
    x, weight, bias, window, padding = made(case)

    def ours(x: Any, weight: Any, bias: Any) -> Any:
        outputs = winograd(x, weight, bias, window, padding)
        assert outputs is not None
        assert "Winograd" in type(outputs.grad_fn).__name__
        return outputs

    got = learned(ours, (x, weight, bias))
    doubles = [None if value is None else value.double() for value in (x, weight, bias)]
    wanted = learned(lambda *leaves: exact(*leaves, window, padding), doubles)
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == torch.float32
        assert error(a.detach(), b.detach()) < 5e-6


def test_gradients_of_gradients() -> None:
    x, weight, bias, window, padding = made(CASES[0])

    def penalty(function: Any, operands: Any) -> Any:
        leaves = [value.detach().clone().requires_grad_() for value in operands]
        outputs = function(*leaves)
        (first,) = torch.autograd.grad(outputs.square().sum(), leaves[:1], create_graph=True)
        return torch.autograd.grad(first.square().sum(), leaves[1:])

    got = penalty(lambda *leaves: winograd(*leaves, window, padding), (x, weight, bias))
    doubles = [value.double() for value in (x, weight, bias)]
    wanted = penalty(lambda *leaves: exact(*leaves, window, padding), doubles)
    for a, b in zip(got, wanted, strict=True):
        assert error(a, b) < 2e-5


def test_frozen_operands_get_no_gradient() -> None:
    x, weight, bias, window, padding = made(CASES[0])
    for index in range(3):
        leaves = [value.clone() for value in (x, weight, bias)]
        leaves[index].requires_grad_()
        outputs = winograd(*leaves, window, padding)
        assert outputs is not None
        outputs.sum().backward()
        assert [leaf.grad is not None for leaf in leaves] == [place == index for place in range(3)]


def test_the_same_bits_each_time() -> None:
    operands = made(CASES[3])
    first, second = winograd(*operands), winograd(*operands)
    assert first is not None
    assert second is not None
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("window", "padding", "groups"),
    [
        (Window((3, 3), (2, 2), (1, 1)), (1, 1), 1),
        (Window((3, 3), (1, 1), (2, 2)), (2, 2), 1),
        (WINDOW, (3, 3), 1),
        (WINDOW, (1, 1), 2),
    ],
    ids=["strides", "dilation", "padding", "groups"],
)
def test_other_convolutions_are_left(window: Window, padding: Any, groups: int) -> None:
    x, weight, bias, *_ = made(CASES[0])
    assert winograd(x, weight[:, : 128 // groups], bias, window, ConvPadding(padding), groups) is None


@pytest.mark.parametrize(
    "case",
    [
        (12, 63, 512, (18, 18), (1, 1), True),
        (12, 64, 127, (18, 18), (1, 1), True),
        (1, 128, 128, (24, 24), (1, 1), True),
        (64, 128, 128, (5, 5), (1, 1), True),
        (0, 128, 128, (18, 18), (1, 1), True),
        (64, 128, 128, (2, 2), (0, 0), True),
    ],
    ids=["few channels", "few filters", "few tiles", "half-empty tiles", "no rows", "no outputs"],
)
def test_where_it_does_not_pay_it_is_left(case: Any) -> None:
    assert winograd(*made(case)) is None


@pytest.mark.parametrize("channels", [64, 127, 256])
def test_inputs_of_another_number_of_channels_are_refused(channels: int) -> None:
    _, weight, bias, window, padding = made(CASES[0])
    wrong = torch.zeros(12, channels, 18, 18)
    assert winograd(wrong, weight, bias, window, padding) is None
    for function in (conv, conv_relu):
        with torch.inference_mode(), pytest.raises(RuntimeError, match="channels"):
            function(wrong, weight, bias, window, padding)


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch's own words when its switch is turned
def test_other_types_and_products_that_round_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert winograd(*made(CASES[0], torch.float64)) is None
    assert winograd(*made(CASES[0], torch.bfloat16)) is None
    operands = made(CASES[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert winograd(*operands) is None
    with torch.backends.mkldnn.flags(enabled=False):
        assert winograd(*operands) is None
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    assert winograd(*operands) is None


def test_records_hold_the_convolution_itself() -> None:
    x, weight, bias, window, padding = made(CASES[0])

    class Layer(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return conv(x, weight, bias, window, padding)

    program = torch.export.export(Layer(), (x,))
    assert any("conv2d" in str(node.target) for node in program.graph.nodes)
    assert not any("bmm" in str(node.target) for node in program.graph.nodes)


def test_networks_predict_and_learn_what_torch_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network with and without it, and that it took part at all."""
    calls = []
    whole = _winograd._convolved

    def counted(*operands: Any) -> torch.Tensor:
        calls.append(operands[0].shape)
        return whole(*operands)

    x = torch.randn(16, 32, 32, 3, generator=torch.Generator().manual_seed(3)).numpy()
    y = torch.arange(16).remainder(4).numpy()

    def network() -> Any:
        keras.utils.set_random_seed(4)
        model = keras.Sequential([keras.Input((32, 32, 3))])
        for filters in (64, 128, 128):
            model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
            model.add(keras.layers.MaxPooling2D(2) if filters == 64 else keras.layers.BatchNormalization())
        model.add(keras.layers.GlobalAveragePooling2D())
        model.add(keras.layers.Dense(4, activation="softmax"))
        model.compile("sgd", "sparse_categorical_crossentropy", precision="float32")
        return model

    def trained(model: Any) -> tuple[Any, list[float]]:
        history = model.fit(x, y, batch_size=16, epochs=3, verbose=0).history["loss"]
        return model.predict(x, verbose=0), history

    monkeypatch.setattr(_winograd, "_convolved", counted)
    with_it = trained(network())
    assert len(calls) >= 3 * 2 + 1
    monkeypatch.setattr(_winograd, "_pays", lambda *sizes: False)
    without = trained(network())
    assert abs(with_it[0] - without[0]).max() < 1e-4
    assert with_it[1] == pytest.approx(without[1], rel=1e-5)

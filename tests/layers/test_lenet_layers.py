"""The layers of LeNet-5 against torch's convolution and pooling, the paper's counts, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from neocog import layers, losses
from neocog.layers._rbf_output import digit_codes

TABLE = [[0, 2], [1], [0, 1, 2]]


def dense_kernel(layer: Any, channels: int) -> torch.Tensor:
    kernel, used = torch.zeros(len(layer.connections), channels, *layer.kernel_size), 0
    for row, seen in enumerate(layer.connections):
        for channel in seen:
            kernel[row, channel] = layer.weight.detach()[used]
            used += 1
    assert used == len(layer.weight)
    return kernel


def assert_same_convolution(layer: Any, x: torch.Tensor, kernel: torch.Tensor, **options: Any) -> None:
    want = F.conv2d(x.permute(0, 3, 1, 2), kernel, layer.bias, **options).permute(0, 2, 3, 1)
    torch.testing.assert_close(layer(x), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("padding", "strides", "around"), [("valid", 1, 0), ("same", 1, 1), ("valid", 2, 0)])
def test_partial_convolution_is_one_with_zeros(padding: str, strides: int, around: int) -> None:
    layer = layers.PartialConv2D(TABLE, 3, strides, padding, bias_initializer="random_normal")
    x = torch.randn(2, 7, 9, 3, generator=torch.Generator().manual_seed(0))
    layer(x)
    kernel = dense_kernel(layer, 3)
    assert_same_convolution(layer, x, kernel, stride=strides, padding=around)
    kernel[1, 0] += 0.1
    with pytest.raises(AssertionError):
        assert_same_convolution(layer, x, kernel, stride=strides, padding=around)


def test_only_connected_kernels_are_weights_and_learn() -> None:
    layer = layers.PartialConv2D(TABLE, 5)
    layer(torch.ones(1, 6, 6, 3)).sum().backward()
    assert [tuple(weight.shape) for weight in layer.weights] == [(5, 5, 6), (3,)]
    assert (layer.weight.grad != 0).all()


@pytest.mark.parametrize(
    ("connections", "text"),
    [
        ([], "connections"),
        ([[]], "connections"),
        ([[0, 0]], "different"),
        ([[-1]], "from 0"),
        (3, "connections"),
    ],
)
def test_connections_that_are_none(connections: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        layers.PartialConv2D(connections, 3)


def test_too_few_channels() -> None:
    with pytest.raises(ValueError, match="3 channels or more"):
        layers.PartialConv2D(TABLE, 3)(torch.ones(1, 5, 5, 2))


def test_subsampling_adds_multiplies_and_shifts() -> None:
    layer = layers.TrainableSubsampling(2, activation="scaled_tanh")
    x = torch.randn(2, 5, 6, 3, generator=torch.Generator().manual_seed(0))
    start = 1.7159 * torch.tanh(2 / 3 * F.avg_pool2d(x.permute(0, 3, 1, 2), 2)).permute(0, 2, 3, 1)
    torch.testing.assert_close(layer(x), start)
    layer.set_weights([np.array([1.0, -2.0, 0.5]), np.array([0.0, 0.1, -0.3])])
    sums = x[:, :4].reshape(2, 2, 2, 3, 2, 3).sum((2, 4))
    want = 1.7159 * torch.tanh(
        2 / 3 * (sums * torch.tensor([1.0, -2.0, 0.5]) + torch.tensor([0.0, 0.1, -0.3]))
    )
    torch.testing.assert_close(layer(x), want)
    assert [weight.name for weight in layer.weights] == ["coefficient", "bias"]


def test_distances_and_the_loss_of_the_paper() -> None:
    layer = layers.RBFOutput(10)
    x = torch.randn(4, 84, generator=torch.Generator().manual_seed(0))
    penalty = torch.cdist(x, torch.from_numpy(digit_codes()).float()) ** 2
    torch.testing.assert_close(-layer(x), penalty, rtol=1e-4, atol=1e-4)
    labels = torch.tensor([3, 1, 4, 1])
    paper = (penalty[torch.arange(4), labels] + torch.logsumexp(-penalty, 1)).mean()
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, layer(x))
    torch.testing.assert_close(loss, paper, rtol=1e-4, atol=1e-4)
    assert not layer.trainable_weights


def test_codes() -> None:
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    differences = [int((codes[i] != codes[j]).sum()) for i in range(10) for j in range(i)]
    assert min(differences) >= 4
    layer = layers.RBFOutput(10)
    layer(torch.from_numpy(codes).float())
    assert layer(torch.from_numpy(codes).float()).argmax(1).tolist() == list(range(10))
    many = [layers.RBFOutput(47) for _ in range(2)]
    values = [layer(torch.ones(1, 84)).detach() for layer in many]
    assert torch.equal(*values)
    assert len(np.unique(many[0].get_weights()[0], axis=0)) == 47
    trained = layers.RBFOutput(2, codes=[[1, -1], [-1, 1]], codes_trainable=True)
    trained(torch.ones(1, 2))
    assert len(trained.trainable_weights) == 1


@pytest.mark.parametrize(
    ("units", "codes", "text"),
    [(11, "digits", r"\(11, 84\)"), (2, [[1.0, 1.0]], r"\(2, 84\)"), (2, "letters", "letters")],
)
def test_codes_that_do_not_fit(units: int, codes: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        layers.RBFOutput(units, codes)(torch.ones(1, 84))

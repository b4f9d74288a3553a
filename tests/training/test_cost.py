"""What a model costs, beside torch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import neocog as keras
from neocog.training._cost import counted_forward

layers = keras.layers


def attention() -> keras.Model:
    inputs = layers.Input((6, 4))
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.GRU(3)(attended)))


def convolutions() -> keras.Model:
    first = (layers.Input((12, 12, 3)), layers.ZeroPadding2D(), layers.SeparableConv2D(4, 3), layers.ReLU(6))
    last = (layers.Conv2DTranspose(2, 3), layers.Flatten(), layers.Dense(2))
    return keras.Sequential([*first, layers.BatchNormalization(), *last])


@pytest.mark.parametrize(("make", "shape"), [(attention, (6, 4)), (convolutions, (12, 12, 3))])
def test_operations_are_counted_as_torch_counts_them(make, shape) -> None:
    model, x = make(), torch.rand(4, *shape)
    _, found = counted_forward(model, x)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(x, training=False)
    assert found == counter.get_total_flops() / 4 > 0

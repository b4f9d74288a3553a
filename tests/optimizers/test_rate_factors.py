"""Shares of the learning rate: exact for each rule, kept in states and files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import optimizers
from neocog.exceptions import ArgumentError, ArgumentTypeError

RULES = {
    "sgd": lambda rate: optimizers.SGD(rate, momentum=0.9),
    "nesterov": lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "adam": lambda rate: optimizers.Adam(rate),
    "adamw": lambda rate: optimizers.AdamW(rate, weight_decay=0.1),
    "rmsprop": lambda rate: optimizers.RMSprop(rate),
    "adagrad": lambda rate: optimizers.Adagrad(rate),
}


def pair() -> list[tuple[str, torch.nn.Parameter]]:
    values = torch.linspace(-1, 1, 12).reshape(3, 4)
    return [
        ("low/kernel", torch.nn.Parameter(values.clone())),
        ("high/kernel", torch.nn.Parameter(values.clone())),
    ]


def steps(optimizer, named, count: int = 5) -> list[torch.Tensor]:
    optimizer.build(named)
    for step in range(count):
        for _, parameter in named:
            parameter.grad = torch.sin(torch.arange(12.0).reshape(3, 4) + step)
        optimizer.step()
    return [parameter.detach() for _, parameter in named]


@pytest.mark.parametrize("rule", RULES)
def test_a_share_equals_an_optimizer_with_that_rate(rule: str) -> None:
    whole = RULES[rule](0.02)
    whole.set_rate_factors({"low": 0.25})
    low, high = steps(whole, pair())
    torch.testing.assert_close(low, steps(RULES[rule](0.005), pair())[0], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(high, steps(RULES[rule](0.02), pair())[0], rtol=1e-6, atol=1e-7)
    assert not torch.allclose(low, high)


def test_the_longest_beginning_of_a_part_of_the_path_counts() -> None:
    optimizer = optimizers.SGD(1.0)
    optimizer.set_rate_factors({"block": 0.5, "block2_": 0.25, "ock": 0.0})
    named = [
        (path, torch.nn.Parameter(torch.ones(1)))
        for path in ("net/block1_conv/kernel", "block2_conv/bias", "rock")
    ]
    optimizer.build(named)
    optimizer.apply([torch.ones(1)] * 3, [parameter for _, parameter in named])
    assert [round(parameter.item(), 3) for _, parameter in named] == [0.5, 0.75, 0.0]


def test_a_factor_of_zero_holds_and_shares_go_with_schedules() -> None:
    rate = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = optimizers.SGD(rate)
    optimizer.set_rate_factors({"low": 0.0})
    low, high = steps(optimizer, pair(), 2)
    assert torch.equal(low, pair()[0][1])
    assert not torch.equal(high, pair()[1][1])


def test_shares_are_kept_in_configurations_states_and_files(tmp_path) -> None:
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, name="low"), keras.layers.Dense(1, name="high")]
    )
    optimizer = optimizers.AdamW(0.01)
    optimizer.set_rate_factors({"low/": 0.1})
    model.compile(optimizer, "mse")
    model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.optimizer.rate_factors == {"low/": 0.1}
    x, y = np.random.default_rng(0).random((8, 3)), np.zeros(8)
    for one in (model, again):
        one.fit(x, y, epochs=2, shuffle=False, verbose=0)
    for mine, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    fresh = optimizers.AdamW(0.01)
    fresh.build(model.trainable_weights)
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.rate_factors == {"low/": 0.1}


def test_real_keras_opens_a_file_with_shares(tmp_path) -> None:
    import keras as real

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="low")])
    optimizer = optimizers.SGD(0.01)
    optimizer.set_rate_factors({"low/": 0.1})
    model.compile(optimizer, "mse")
    model.save(tmp_path / "model.keras")
    opened = real.models.load_model(tmp_path / "model.keras")
    assert type(opened.optimizer).__name__ == "SGD"


def test_bad_shares_are_refused() -> None:
    optimizer = optimizers.SGD()
    with pytest.raises(ArgumentError, match="0"):
        optimizer.set_rate_factors({"low": -1.0})
    with pytest.raises(ArgumentTypeError, match="dict"):
        optimizer.set_rate_factors([("low", 1.0)])

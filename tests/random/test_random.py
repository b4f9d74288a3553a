"""Random numbers: moments, bounds, types, and that seeds repeat."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch

from neocog import random
from neocog.core import set_random_seed
from neocog.graph import Input

COUNT = 40_000
LOGITS = torch.log(torch.tensor([[0.1, 0.2, 0.7]]))

# Function: call with a seed, expected mean, variance, bounds.
CASES: dict[str, tuple[Callable[[Any], torch.Tensor], float, float, tuple[float, float]]] = {
    "normal": (lambda seed: random.normal((COUNT,), 1.0, 2.0, seed=seed), 1.0, 4.0, (-20, 20)),
    "uniform": (lambda seed: random.uniform((COUNT,), -1.0, 3.0, seed=seed), 1.0, 16 / 12, (-1, 3)),
    "truncated_normal": (
        lambda seed: random.truncated_normal((COUNT,), 1.0, 2.0, seed=seed),
        1.0,
        4 * 0.7737,
        (-3, 5),
    ),
    "randint": (lambda seed: random.randint((COUNT,), 2, 7, seed=seed), 4.0, 2.0, (2, 6)),
    "gamma": (lambda seed: random.gamma((COUNT,), 3.0, seed=seed), 3.0, 3.0, (0, 99)),
    "beta": (lambda seed: random.beta((COUNT,), 2.0, 3.0, seed=seed), 0.4, 0.04, (0, 1)),
    "binomial": (lambda seed: random.binomial((COUNT,), 10, 0.3, seed=seed), 3.0, 2.1, (0, 10)),
    "categorical": (lambda seed: random.categorical(LOGITS, COUNT, seed=seed), 1.6, 0.44, (0, 2)),
    "dropout": (lambda seed: random.dropout(torch.ones(COUNT), 0.25, seed=seed), 1.0, 1 / 3, (0, 1.34)),
    "shuffle": (lambda seed: random.shuffle(torch.linspace(0, 1, COUNT), seed=seed), 0.5, 1 / 12, (0, 1)),
}


def test_each_function_has_a_row_and_keras_name() -> None:
    assert set(random.__all__) == {*CASES, "SeedGenerator"}
    assert {name for name in dir(keras.random) if not name.startswith("_")} == set(random.__all__)


@pytest.mark.parametrize("name", CASES)
def test_moments_and_bounds(name: str) -> None:
    draw, mean, variance, (low, high) = CASES[name]
    values = draw(7).double().flatten()
    assert float(values.mean()) == pytest.approx(mean, abs=5 * (variance / COUNT) ** 0.5 + 1e-6)
    assert float(values.var()) == pytest.approx(variance, rel=0.06)
    assert low <= float(values.min())
    assert float(values.max()) <= high


@pytest.mark.parametrize("name", CASES)
def test_seeds(name: str) -> None:
    draw = CASES[name][0]
    state = torch.random.get_rng_state()
    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))
    source, again = random.SeedGenerator(3), random.SeedGenerator(3)
    first, second = draw(source), draw(source)
    assert not torch.equal(first, second)
    assert torch.equal(draw(again), first)
    assert torch.equal(draw(copy.deepcopy(again)), second)
    assert torch.equal(draw(pickle.loads(pickle.dumps(again))), second)  # noqa: S301
    assert torch.equal(torch.random.get_rng_state(), state)  # the global one is not touched
    set_random_seed(5)
    one = draw(None)
    assert not torch.equal(one, draw(None))
    set_random_seed(5)
    assert torch.equal(one, draw(None))


def test_seed_generator_state() -> None:
    source = random.SeedGenerator(11, name="s")
    assert source.next().tolist() == [11, 0]
    assert source.next().tolist() == [11, 1]
    assert source.get_config() == {"seed": 11, "name": "s"}
    kept = source.state_dict()
    expected = random.normal((2,), seed=source)
    source.load_state_dict(kept)
    assert torch.equal(random.normal((2,), seed=source), expected)
    source.state = [11, 0]
    assert torch.equal(random.normal((2,), seed=source), random.normal((2,), seed=random.SeedGenerator(11)))
    set_random_seed(1)
    free = random.SeedGenerator()
    set_random_seed(1)
    assert random.SeedGenerator().seed == free.seed
    assert random.SeedGenerator.from_config(source.get_config()).seed == 11


def test_types_and_shapes() -> None:
    assert random.normal((2, 3), dtype="bfloat16").dtype == torch.bfloat16
    assert random.uniform((), dtype="float64").shape == ()
    assert random.randint((2,), 0, 3, dtype="uint8").dtype == torch.uint8
    assert random.categorical(LOGITS[0], 4).shape == (4,)
    assert random.gamma((2, 3), np.array([1.0, 2.0, 3.0])).shape == (2, 3)
    kept = random.dropout(torch.ones(50, 4), 0.5, noise_shape=(None, 1), seed=1)
    assert bool((kept == kept[:, :1]).all())
    order = random.shuffle(torch.arange(12).reshape(3, 4), axis=1, seed=2)
    assert bool((order.sort(1).values == torch.arange(12).reshape(3, 4)).all())
    assert random.dropout(Input((5,)), 0.5).shape == (None, 5)
    assert random.categorical(Input((5,)), 3).shape == (None, 3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: random.normal((2,), dtype="int32"), "float dtype"),
        (lambda: random.randint((2,), 0, 2, dtype="float32"), "integer dtype"),
        (lambda: random.normal((2,), seed=1.5), "whole number"),
        (lambda: random.dropout(torch.ones(2), 1.5), "rate"),
        (lambda: random.SeedGenerator("x"), "whole number"),
    ],
    ids=range(5),
)
def test_errors(call: Callable[[], Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        call()

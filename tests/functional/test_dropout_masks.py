"""What dropout keeps: shares, independence, layout, the generator's rights."""

from __future__ import annotations

import math

import pytest
import torch

from neocog.functional import keep_mask


def drawn(rate: float, count: int = 200_000, seed: int = 1) -> torch.Tensor:
    return keep_mask(torch.empty(count), rate, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rate", [0.5, 0.25, 1 / 2**16, 0.1, 0.3, 0.9999, 1e-5])
def test_the_share_that_is_dropped_is_the_rate(rate: float) -> None:
    count = 2_000_000
    mask = drawn(rate, count)
    assert mask.dtype == torch.bool
    spread = math.sqrt(count * rate * (1 - rate))
    assert abs(int((~mask).sum()) - count * rate) < 5 * spread + 1


@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_values_are_dropped_independently(rate: float) -> None:
    dropped = (~drawn(rate, 400_000)).double() - rate
    for distance in (1, 2, 3, 4, 7):
        together = float((dropped[:-distance] * dropped[distance:]).mean()) / (rate * (1 - rate))
        assert abs(together) < 5 / math.sqrt(400_000)


@pytest.mark.parametrize(("rate", "kept"), [(0.0, True), (1.0, False), (1 - 1e-12, False)])
def test_the_ends_of_the_scale(rate: float, kept: bool) -> None:
    assert bool((drawn(rate, 1001) == kept).all())


def test_draws_come_from_the_generator() -> None:
    assert bool((drawn(0.5, seed=3) == drawn(0.5, seed=3)).all())
    assert not bool((drawn(0.5, seed=3) == drawn(0.5, seed=4)).all())
    torch.manual_seed(5)
    first = keep_mask(torch.empty(100), 0.5)
    torch.manual_seed(5)
    assert bool((keep_mask(torch.empty(100), 0.5) == first).all())


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3, 5, 7)])
def test_shape_and_layout_are_kept(shape: tuple[int, ...]) -> None:
    like = torch.empty(shape)
    if like.dim() == 4:
        like = like.contiguous(memory_format=torch.channels_last)
    mask = keep_mask(like, 0.5)
    assert mask.shape == like.shape
    assert mask.stride() == like.stride()

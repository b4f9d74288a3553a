"""Maximum pooling without gradients: the same bits as torch's kernel, which also keeps places."""

from __future__ import annotations

import pytest
import torch

from neocog.functional import _pool, max_pool
from neocog.functional._padding import make_window, pool_padding

# (sizes, pool, strides, padding)
CASES = [
    ((8, 8), (2, 2), (2, 2), "valid"),
    ((9, 7), (2, 2), (2, 2), "valid"),
    ((9, 7), (2, 2), (2, 2), "same"),
    ((8, 6), (2, 2), (2, 2), "same"),
    ((9, 8), (2, 2), (1, 1), "valid"),
    ((9, 8), (2, 2), (1, 1), "same"),
    ((9, 8), (2, 1), (3, 2), "valid"),
    ((9, 8), (1, 3), (1, 1), "valid"),
    ((9, 8), (1, 1), (2, 2), "valid"),
    ((9, 8), (3, 3), (2, 2), "valid"),
    ((10,), (2,), (2,), "valid"),
    ((11,), (4,), (3,), "same"),
    ((4, 5, 6), (1, 2, 2), (2, 2, 2), "valid"),
]


def _pooled(sizes: tuple[int, ...], *rest: object, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    window = make_window(rest[0], rest[1], (1,) * len(sizes), rest[2])  # type: ignore[arg-type]
    inner = (1, *sizes) if len(sizes) == 1 else sizes
    torch.manual_seed(0)
    x = torch.randn(3, 5, *inner).to(dtype)
    x[0, 0].flatten()[1] = float("nan")
    x[1] = x[1].round()  # ties
    if x.dim() == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    padding = pool_padding(window, inner)
    before = x.clone()
    with torch.no_grad():
        got = max_pool(x, window, padding)
    wanted = max_pool(x.requires_grad_(), window, padding).detach()
    assert torch.equal(x.detach().nan_to_num(), before.nan_to_num())
    return x.detach(), got, wanted


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_same_bits(case: tuple[object, ...], dtype: torch.dtype) -> None:
    x, got, wanted = _pooled(*case, dtype=dtype)  # type: ignore[arg-type]
    assert got.dtype == dtype
    assert got.shape == wanted.shape
    torch.testing.assert_close(got, wanted, rtol=0, atol=0, equal_nan=True)
    got.fill_(7)
    assert not (x == 7).any()  # a rectifier may write over it


def test_when(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    largest = _pool._largest
    monkeypatch.setattr(_pool, "_largest", lambda *rest: calls.append(1) or largest(*rest))
    window = make_window((2, 2), (2, 2), (1, 1), "valid")
    x, padding = torch.randn(1, 2, 4, 4), pool_padding(window, (4, 4))
    max_pool(x, window, padding)
    with torch.inference_mode():
        max_pool(x, window, padding)
    assert len(calls) == 2
    max_pool(x.clone().requires_grad_(), window, padding)
    torch.vmap(lambda one: max_pool(one, window, padding))(x[None])
    assert len(calls) == 2

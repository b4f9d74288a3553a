"""Padding arithmetic, pooling and local response normalisation against definitions written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from neocog import functional as F

sizes = st.integers(1, 40)
small = st.integers(1, 7)


@given(sizes, small, small, small)
def test_same_padding_gives_every_stride_a_window(size: int, kernel: int, stride: int, dilation: int) -> None:
    before, after = F.same_padding(size, kernel, stride, dilation)
    windows = F.output_length(size, kernel, stride, dilation, "same")
    assert windows == -(-size // stride)
    assert after - before in (0, 1)
    padded = F.output_length(size + before + after, kernel, stride, dilation, "valid")
    assert padded == windows
    shorter = F.output_length(size + before + after - 1, kernel, stride, dilation, "valid")
    assert (before, after) == (0, 0) or shorter < windows  # and no more than needed


@given(sizes, small, small, small)
def test_valid_windows_lie_inside(size: int, kernel: int, stride: int, dilation: int) -> None:
    span = F.extent(kernel, dilation)
    starts = [start for start in range(0, size, stride) if start + span <= size]
    assert max(F.output_length(size, kernel, stride, dilation, "valid"), 0) == len(starts)
    assert F.output_length(None, kernel, stride, dilation, "valid") is None


@given(
    st.tuples(sizes, sizes),
    st.tuples(small, small),
    st.tuples(small, small),
    st.sampled_from(["valid", "same"]),
)
def test_plans_give_the_planned_length(shape: Any, kernel: Any, strides: Any, padding: str) -> None:
    window = F.make_window(kernel, strides, (1, 1), padding)
    lengths = tuple(
        F.output_length(n, k, s, 1, padding) for n, k, s in zip(shape, kernel, strides, strict=True)
    )
    if min(lengths) < 1:
        assert any(n < least for n, least in zip(shape, F.smallest_input(window), strict=True))
        return
    x, kernel_ones = torch.rand(1, 1, *shape), torch.ones(1, 1, *kernel)
    plan = F.conv_padding(window, shape)
    assert F.conv(x, kernel_ones, None, window, plan).shape[2:] == lengths
    fixed = F.fixed_conv_padding(window)
    assert fixed is None or fixed == plan
    pool = F.pool_padding(window, shape)
    assert F.max_pool(x, window, pool).shape[2:] == lengths
    assert F.average_pool(x, window, F.average_padding(window, shape)).shape[2:] == lengths


@given(small, small, small, st.integers(1, 9), st.sampled_from(["valid", "same"]), st.booleans())
def test_transposed_length_is_that_of_the_result(
    kernel: int, stride: int, dilation: int, size: int, padding: str, extra: bool
) -> None:
    more = stride - 1 if extra else None
    window = F.make_window((kernel,), (stride,), (dilation if stride == 1 else 1,), padding)
    length = F.transposed_length(size, kernel, stride, window.dilation[-1], padding, more)
    if length < 1:
        return
    plan = F.transposed_padding(window, (None, more))
    got = F.conv_transpose(torch.rand(1, 2, 1, size), torch.rand(2, 3, kernel), None, window, plan)
    assert got.shape == (1, 3, 1, length)
    if padding == "same" and more is None:
        assert length == size * stride


def test_one_channel_with_strides_on_the_last_axis_only() -> None:
    """oneDNN 3.12 fails here, so the layer turns the image."""
    rng = np.random.default_rng(0)
    for kernel, stride, filters in [((3, 4), 2, 8), ((2, 5), 3, 1), ((3, 3), 3, 2), ((1, 4), 4, 8)]:
        window = F.make_window(kernel, (1, stride), (1, 1), "valid")
        plan = F.conv_padding(window, (5, 5))
        image = torch.from_numpy(rng.normal(size=(2, 5, 5, 1))).permute(0, 3, 1, 2)
        weight = torch.from_numpy(rng.normal(size=(filters, 1, *kernel)))
        want = F.conv(image, weight, None, window, plan)
        memory = torch.channels_last
        got = F.conv(image.float(), weight.float().contiguous(memory_format=memory), None, window, plan)
        torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-5)

        big, cuts = torch.from_numpy(rng.normal(size=(2, 3, 1, 3))).permute(0, 3, 1, 2), (None, None)
        weight = torch.from_numpy(rng.normal(size=(3, 1, *kernel)))
        plan_t = F.transposed_padding(window, cuts)
        grads = []
        for dtype in (torch.float64, torch.float32):
            x = big.to(dtype).detach().requires_grad_()
            y = F.conv_transpose(x, weight.to(dtype), None, window, plan_t)
            (y * torch.arange(y.numel(), dtype=dtype).reshape(y.shape)).sum().backward()
            grads.append(x.grad.double())
        torch.testing.assert_close(grads[1], grads[0], rtol=1e-4, atol=1e-3)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(1, 12),
    st.integers(0, 6),
    st.floats(0.5, 2),
    st.floats(0, 2),
    st.sampled_from([0.5, 0.75, 1.0]),
)
def test_local_response_normalization(
    shape: list[int], channels: int, radius: int, bias: float, alpha: float, beta: float
) -> None:
    x = np.random.default_rng(1).normal(size=(*shape, channels))
    want = np.empty_like(x)
    for c in range(channels):
        near = x[..., max(0, c - radius) : c + radius + 1]
        want[..., c] = x[..., c] / (bias + alpha * (near**2).sum(-1)) ** beta
    got = F.local_response_normalization(torch.from_numpy(x), radius, bias, alpha, beta)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9)
    wrong = F.local_response_normalization(torch.from_numpy(x), radius, bias, alpha + 1, beta)
    assert not np.allclose(wrong.numpy(), want)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))
def test_lanczos_is_pillows(height: int, width: int, rows: int, columns: int) -> None:
    image = np.random.default_rng(2).normal(size=(height, width)).astype("float32")
    new = (height * rows, width * columns)
    want = np.asarray(Image.fromarray(image).resize(new[::-1], Image.Resampling.LANCZOS))
    got = F.lanczos(torch.from_numpy(image)[None, None], *new, 3)[0, 0].numpy()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_lanczos_of_five_lobes() -> None:
    x = torch.linspace(0, 1, 12, dtype=torch.float64).reshape(1, 1, 1, 12)
    got = F.lanczos(x, 1, 24, 5)[0, 0, 0]
    centres, places = (np.arange(24) + 0.5) / 2, np.arange(12) + 0.5
    for centre, value in zip(centres, got.tolist(), strict=True):
        t = places - centre
        weights = np.where(np.abs(t) <= 5, np.sinc(t) * np.sinc(t / 5), 0)
        assert value == pytest.approx(float(weights @ x.flatten().numpy() / weights.sum()))


@given(st.lists(st.integers(0, 3), min_size=3, max_size=5), st.data())
def test_repeat_is_numpys(shape: list[int], data: st.DataObject) -> None:
    x = np.arange(np.prod(shape)).reshape(shape)
    factors = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=len(shape) - 1))
    want = x
    for axis, factor in enumerate(factors, start=1):
        want = np.repeat(want, factor, axis)
    np.testing.assert_array_equal(F.repeat(torch.from_numpy(x), factors, 1).numpy(), want)

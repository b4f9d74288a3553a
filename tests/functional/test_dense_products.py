"""Products of dense layers by oneDNN: the numbers of torch's own, and where they are taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from neocog.functional import _dense_products, dense_product, shares_by_units

needs_op = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this torch has no such product"
)


@pytest.fixture(params=["AuthenticAMD", "GenuineIntel"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(_dense_products, "processor_vendor", lambda: request.param)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    _dense_products._known.cache_clear()
    yield request.param
    _dense_products._known.cache_clear()


@needs_op
@pytest.mark.parametrize("rows", [1, 2, 33])
@pytest.mark.parametrize(("units", "features"), [(1, 1), (5, 300), (300, 5), (257, 129)])
def test_the_numbers_of_a_layer(rows: int, units: int, features: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x, kernel = (torch.randn(size, features, generator=generator) for size in (rows, units))
    bias, gradient = torch.randn(units, generator=generator), torch.randn(rows, units, generator=generator)
    for a, b, more in ((x, kernel, bias), (x, kernel, None), (gradient, kernel.t(), None),
                       (gradient.t(), x.t(), None)):  # fmt: skip
        wanted = a.double() @ b.double().t() + (0 if more is None else more.double())
        found = dense_product(a, b, more, by_units=True)
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-4)
        assert found.is_contiguous()
        assert torch.equal(found, dense_product(a, b, more, by_units=True))


@needs_op
def test_views_of_other_memory() -> None:
    whole = torch.randn(20, 30)
    pairs = [
        (whole[:, ::2], whole[::2, ::2]),
        (whole[3:9], whole[1:4]),
        (whole[:1].expand(4, 30), whole[:2]),
        (whole[:, :1], whole[:, 1:2]),
        (whole[:, 2:7], whole.t()[4:9].t()),
    ]
    for a, b in pairs:
        torch.testing.assert_close(dense_product(a, b, None, by_units=True), a @ b.t(), rtol=1e-5, atol=1e-5)


@needs_op
def test_large_kernels_in_float32_on_processors_that_were_measured(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = torch.zeros(512, 784)
    assert shares_by_units(large) == (vendor == "AuthenticAMD")
    for other in (torch.zeros(64, 64), large.double(), large.bfloat16()):
        assert not shares_by_units(other)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert not shares_by_units(large)


def test_a_torch_without_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dense_products, "processor_vendor", lambda: "AuthenticAMD")

    def refused(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("not on this processor")

    monkeypatch.setattr(_dense_products, "dense_product", refused)
    _dense_products._known.cache_clear()
    assert not _dense_products._known()
    _dense_products._known.cache_clear()

"""A processor of a kind, whatever this machine has: the ways of convolutions depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from neocog.functional import _conv_products, _conv_ways

Made = Callable[[str], None]


@pytest.fixture
def processor_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """A function that lets convolutions go as on a processor by a vendor."""
    caches = (_conv_ways.conv_ways, _conv_products._most_places)

    def take(vendor: str) -> None:
        monkeypatch.setattr(_conv_ways, "processor_vendor", lambda: vendor)
        for function in caches:
            function.cache_clear()

    yield take
    for function in caches:
        function.cache_clear()


@pytest.fixture
def on_intel(processor_by: Made) -> None:
    """The processors on which most convolutions take another way."""
    processor_by("GenuineIntel")

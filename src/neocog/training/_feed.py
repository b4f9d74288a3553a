"""How batches get to a GPU: the data lie there, or come from pinned memory while it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from neocog.core import tree_flatten, tree_map
from neocog.data import Batch, MappedSource, Source, prefetch

_AHEAD = 2  # batches that may wait in pinned memory


class PinnedSource(MappedSource):
    """The batches of another source in pinned memory, from which a GPU copies without the host waiting.

    Where batches are a pure function of their number, a thread reads and pins them ahead.

    Args:
        source: its batches lie in main memory.
        pin: pins one tensor.
    """

    def __init__(
        self, source: Source, pin: Callable[[torch.Tensor], torch.Tensor] = torch.Tensor.pin_memory
    ) -> None:
        super().__init__(source, self._pinned)
        self.pin = pin

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch`, from `start` on, pinned."""
        found = super().batches(epoch, start)
        return prefetch(found, depth=_AHEAD) if self.rewindable else found

    def peek(self) -> Batch | None:
        """Return the first batch as the source below gives it."""
        return self.source.peek()

    def to(self, device: torch.device | str) -> Source:
        """Move the source below; pinned memory is of use to a GPU alone."""
        moved = self.source.to(device)
        return self if moved is self.source else PinnedSource(moved, self.pin)

    def _pinned(self, batch: Batch) -> Batch:
        x, y, weight = (
            None if tree is None else tree_map(self._pinned_leaf, tree)
            for tree in (batch.x, batch.y, batch.sample_weight)
        )
        return replace(batch, x=x, y=y, sample_weight=weight)

    def _pinned_leaf(self, leaf: object) -> object:
        fits = isinstance(leaf, torch.Tensor) and leaf.device.type == "cpu" and leaf.layout is torch.strided
        return self.pin(leaf) if fits else leaf  # type: ignore[arg-type]


def fed(source: Source, device: torch.device, first: Batch) -> tuple[Source, str]:
    """Return the source as the training reads it, and what the plan says of it.

    Small sets go to the GPU once, in the type that they have (images of uint8 stay so), and batches are
    picked there; the CPU picks them where they are.

    Args:
        source: as given to `fit`.
        device: where the model trains.
        first: its first batch.
    """
    placed = source.to(device)
    if device.type != "cuda":
        return placed, ""
    if _lies_on(first, device):
        return placed, "data on the device"
    if placed is not source:
        held = placed.peek()
        if held is not None and _lies_on(held, device):
            return placed, "data on the device"
    return PinnedSource(placed), "pinned prefetch"


def _lies_on(batch: Batch, device: torch.device) -> bool:
    leaves = [leaf for leaf in tree_flatten(batch.x) if isinstance(leaf, torch.Tensor)]
    return bool(leaves) and all(leaf.device.type == device.type for leaf in leaves)

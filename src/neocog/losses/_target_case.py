"""One loss meeting one output, for the checks of targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from neocog.exceptions import DataError, NeocogError, message

TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Case:
    """One loss meeting one output: what the checks look at."""

    where: str
    name: str
    from_logits: bool
    ignore_class: int | None
    axis: int
    activation: str | None
    targets: torch.Tensor
    outputs: torch.Tensor

    def refuse(
        self, expected: str, got: object, do: str = "", kind: type[NeocogError] = DataError
    ) -> NeocogError:
        return kind(message(self.where, expected=expected, got=got, do=do))

    @property
    def classes(self) -> int:
        return self.outputs.shape[self.axis]

    @property
    def looks_like_class_numbers(self) -> bool:
        """Whether the targets are whole numbers without an axis of classes."""
        shape = self.targets.shape[1:]
        narrow = self.targets.dim() < self.outputs.dim() or (len(shape) > 0 and shape[-1] == 1)
        return narrow and whole(self.targets)


def value_range(values: torch.Tensor) -> tuple[float, float]:
    low, high = torch.aminmax(values.to(torch.uint8) if values.dtype == torch.bool else values)
    return low.item(), high.item()


def number(value: float) -> str:
    return f"{value:g}" if value != int(value) or abs(value) > 1e15 else str(int(value))


def whole(values: torch.Tensor) -> bool:
    return not values.is_floating_point() or bool(torch.all(values == torch.round(values)))

"""Parameters of one device and type, with their slots, as the lists that torch's kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

FUSED_DEVICES = ("cpu", "cuda")
FUSED_TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

# A step count at which beta ** step is 0 for every beta below 1: the kernels' own bias correction is then 1.
FAR_STEP = 1e30


@dataclass(slots=True)
class Batch:
    """What one update works on: parameters that have gradients, and all beside them, in the same order.

    Attributes:
        indices: positions of the variables in the optimizer.
        params: the parameters.
        grads: their gradients; never written to.
        slots: lists of slots by name.
        decayed: those of `params` that weight decay applies to.
        fused: whether torch's fused kernels may be used.
        far_step: the step count that switches the kernels' bias correction off.
        factor: of the learning rate.
    """

    indices: Sequence[int]
    params: list[torch.Tensor]
    grads: list[torch.Tensor]
    slots: dict[str, list[torch.Tensor]]
    decayed: list[torch.Tensor]
    fused: bool = False
    far_step: torch.Tensor | None = None
    factor: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether scalars are kept in float64."""
        return self.params[0].dtype is torch.float64

    def far_steps(self) -> list[torch.Tensor]:
        """One step count a parameter."""
        return [self.far_step] * len(self.params)  # type: ignore[list-item]


@dataclass(slots=True)
class Group:
    """Variables of one device, type and share of the learning rate, and the lists prepared for them."""

    indices: list[int]
    params: list[torch.Tensor]
    slots: dict[str, list[torch.Tensor]]
    decays: list[bool]
    fused: bool
    whole: bool
    factor: float = 1.0
    device: torch.device = field(init=False)
    dtype: torch.dtype = field(init=False)
    strides: list[tuple[int, ...]] = field(init=False)
    decayed: list[torch.Tensor] = field(init=False)
    far_step: torch.Tensor | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.device = self.params[0].device
        self.dtype = self.params[0].dtype
        self.strides = [param.stride() for param in self.params]
        pairs = zip(self.params, self.decays, strict=True)
        self.decayed = self.params if all(self.decays) else [param for param, decays in pairs if decays]
        if self.fused:
            self.far_step = torch.tensor(FAR_STEP, dtype=torch.float32, device=self.device)

    def moved(self) -> bool:
        """Whether the parameters went to another device, type or memory format since they were grouped."""
        first = self.params[0]
        if first.device != self.device or first.dtype is not self.dtype:
            return True
        return [param.stride() for param in self.params] != self.strides

    def batch(self, grads: Sequence[torch.Tensor | None]) -> Batch | None:
        """Return what has gradients; None where nothing has."""
        chosen = grads if self.whole else [grads[index] for index in self.indices]
        present = [grad for grad in chosen if grad is not None]
        if len(present) == len(self.params):
            return Batch(
                self.indices,
                self.params,
                self._fit(present, self.params, self.strides),
                self.slots,
                self.decayed,
                self.fused,
                self.far_step,
                self.factor,
            )
        if not present:
            return None
        keep = [position for position, grad in enumerate(chosen) if grad is not None]
        params = [self.params[k] for k in keep]
        return Batch(
            [self.indices[k] for k in keep],
            params,
            self._fit(present, params, [self.strides[k] for k in keep]),
            {name: [slots[k] for k in keep] for name, slots in self.slots.items()},
            [self.params[k] for k in keep if self.decays[k]],
            self.fused,
            self.far_step,
            self.factor,
        )

    def _fit(
        self, grads: list[torch.Tensor], params: list[torch.Tensor], strides: list[tuple[int, ...]]
    ) -> list[torch.Tensor]:
        # Fused CPU kernels walk over memory: a gradient laid out otherwise would go to the wrong weights.
        try:
            if [grad.stride() for grad in grads] == strides:
                return grads
        except RuntimeError:  # sparse gradients have no strides
            pass
        return [_like(grad, param) for grad, param in zip(grads, params, strict=True)]


def _like(grad: torch.Tensor, param: torch.Tensor) -> torch.Tensor:
    if grad.layout is not torch.strided:
        grad = grad.to_dense()
    if grad.stride() == param.stride():
        return grad
    return torch.empty_like(param).copy_(grad)


def can_fuse(param: torch.Tensor) -> bool:
    """Return whether torch's fused kernels take this parameter: right device and type, no gaps in memory."""
    return (
        param.device.type in FUSED_DEVICES
        and param.dtype in FUSED_TYPES
        and param.layout is torch.strided
        and is_dense(param)
    )


def is_dense(tensor: torch.Tensor) -> bool:
    """Return whether the elements fill one stretch of memory, in whatever order of axes."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size == 1:
            continue
        if stride != expected:
            return False
        expected *= size
    return True


def like_parameter(slot: torch.Tensor, param: torch.Tensor) -> torch.Tensor:
    """Return `slot` with the device, type and strides of `param`; itself where it has them."""
    if slot.device == param.device and slot.dtype is param.dtype and slot.stride() == param.stride():
        return slot
    return torch.empty_like(param, requires_grad=False).copy_(slot)

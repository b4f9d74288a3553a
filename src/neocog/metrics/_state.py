"""The small tensors that a metric keeps between updates."""

from __future__ import annotations

from typing import Any

import torch


class Variable(torch.Tensor):
    """A tensor with Keras's `assign`, `assign_add` and `assign_sub`; all else is plain torch.

    Arithmetic on it gives plain tensors. It moves from the CPU to the device of the first tensor it meets.

    Example:
        >>> total = Variable(torch.zeros(()))
        >>> _ = total.assign_add(2.5)
        >>> float(total + 1)
        3.5
    """

    # No dispatch through Python: an in-place add costs what it costs on a plain tensor.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    aggregation = "sum"  # how the values of several processes become one

    @staticmethod
    def __new__(cls, data: torch.Tensor) -> Variable:
        return torch.Tensor._make_subclass(cls, data, False)

    @property
    def value(self) -> torch.Tensor:
        """The current value as a plain tensor that shares this memory."""
        return self.detach()

    def assign(self, value: Any) -> Variable:
        """Replace the value; a number fills every element."""
        self.copy_(self._aligned(value))
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the value in place."""
        self.add_(self._aligned(value))
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value in place."""
        self.sub_(self._aligned(value))
        return self

    def place(self, device: torch.device) -> None:
        """Move the memory to `device`; references to this variable stay valid."""
        if self.device != device:
            narrow = device.type == "mps" and self.dtype is torch.float64  # Apple's GPUs have no float64
            with torch.inference_mode(False), torch.no_grad():
                self.data = self.data.to(device, torch.float32 if narrow else self.dtype)

    def _aligned(self, value: Any) -> torch.Tensor:
        if not isinstance(value, torch.Tensor):
            return torch.as_tensor(value, dtype=self.dtype, device=self.device)
        tensor: torch.Tensor = value.detach()
        if tensor.device != self.device:
            if self.device.type == "cpu":
                self.place(tensor.device)
            else:
                tensor = tensor.to(self.device)
        return tensor

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copy = type(self)(self.detach().clone())
        memo[id(self)] = copy
        return copy


def reads_for_nothing(tensor: torch.Tensor) -> bool:
    """Return whether a number can be read from a tensor without waiting: on the CPU, where nothing traces."""
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()

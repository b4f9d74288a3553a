"""A model's forward pass through `torch.compile`, for the batches that it was compiled for."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import torch

from neocog.core import tree_flatten
from neocog.graph import module_call

_COMPILERS = ("torch._dynamo", "torch._inductor", "torch._functorch", "triton")


class CompiledForward:
    """Compiles at the first batch; others of another size, such as a smaller last one, run eagerly.

    Compiling takes seconds to minutes; once more for one batch an epoch would cost more than it saves. Where
    the compiler fails the model runs eagerly, with one word.

    Args:
        model: built.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.failed: str | None = None
        self._run: Any = torch.compile(partial(module_call, model), dynamic=False)
        self._size: int | None = None

    def __call__(self, x: Any) -> Any:
        """Compute the outputs."""
        size = _samples(x)
        if self._size is None:
            self._size = size
        if self.failed is not None or size != self._size:
            return module_call(self.model, x)
        try:
            return self._run(x)
        except Exception as error:
            if not type(error).__module__.startswith(_COMPILERS):
                raise
            self._give_up(error)
            return module_call(self.model, x)

    def _give_up(self, error: Exception) -> None:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        self.failed = lines[0][:120] if lines else type(error).__name__
        text = f"{self.model.label}: torch.compile failed ({self.failed}); the model runs eagerly."
        warnings.warn(text, UserWarning, stacklevel=2)


def _samples(x: Any) -> int | None:
    first = next((leaf for leaf in tree_flatten(x) if isinstance(leaf, torch.Tensor) and leaf.ndim), None)
    return None if first is None else int(first.shape[0])

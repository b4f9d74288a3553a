"""What a CUDA graph does, on the CPU: operations are recorded with their tensors and numbers, and repeated.

A repetition runs every operation again on the same memory: no Python in between, numbers as they were,
results where they lay. Whatever a training step does in Python beside starting operations is left out, as on
a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from neocog.training._graphs import metric_tensors


class _Tape(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")
        result = func(*args, **(kwargs or {}))
        outputs = [leaf for leaf in tree_flatten(result)[0] if isinstance(leaf, torch.Tensor)]
        self.operations.append((func, args, kwargs or {}, outputs))
        return result

    def repeat(self) -> None:
        with torch.no_grad():
            for func, args, kwargs, outputs in self.operations:
                again = func(*args, **kwargs)
                found = [leaf for leaf in tree_flatten(again)[0] if isinstance(leaf, torch.Tensor)]
                for held, value in zip(outputs, found, strict=True):
                    if held.data_ptr() != value.data_ptr():
                        held.copy_(value)


class TapeRecorder:
    """Records on the CPU. Recording must not change anything, so what the recorded run changed is put back.

    Args:
        model: whose parameters, buffers, metrics and optimizer a step changes.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.apart_steps = self.records = self.repeats = 0

    def apart(self, step: Callable[[], Any]) -> Any:
        self.apart_steps += 1
        return step()

    def record(self, step: Callable[[], Any]) -> Callable[[], None]:
        self.records += 1
        held = [*self.model.parameters(), *self.model.buffers()]
        held += metric_tensors(self.model)
        held += [slot for slots in self.model.optimizer._table.slots.values() for slot in slots]
        before = [tensor.detach().clone() for tensor in held]
        random = torch.get_rng_state()
        tape = _Tape()
        try:
            with tape:
                step()
        finally:
            torch.set_rng_state(random)
            with torch.no_grad():
                for tensor, value in zip(held, before, strict=True):
                    tensor.copy_(value)

        def repeat() -> None:
            self.repeats += 1
            tape.repeat()

        return repeat

"""Which operations of a step wait for the host, or the host for them: a CUDA graph cannot hold them."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from neocog.core import tree_flatten


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the first operation that a record cannot hold: one whose result Python or memory waits for.

    Args:
        device: of the model.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.found: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self.found is None and self._waits(func, args, kwargs, result):
            self.found = f"{func._schema.name.removeprefix('aten::')} waits for the host"
        return result

    def _waits(self, func: Any, args: Any, kwargs: Any, result: Any) -> bool:
        if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            return True
        if kwargs.get("generator") is not None:
            return True  # a source of its own, started by the host
        kinds = {leaf.device.type for leaf in tree_flatten([*args, result]) if isinstance(leaf, torch.Tensor)}
        copies = func._schema.name in ("aten::copy_", "aten::_to_copy") and len(kinds) > 1
        drawn = torch.Tag.nondeterministic_seeded in func.tags and bool(kinds - {self.device.type})
        return copies or drawn

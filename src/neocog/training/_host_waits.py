"""Which operations of a step wait for the host, or the host for them: a CUDA graph cannot hold them."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from neocog.core import tree_flatten

_FROM_HOST = (torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor)


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the first operation that a record cannot hold: one whose result Python or memory waits for.

    Args:
        device: of the model.
        compiled: whether a compiler made the forward pass: it would begin anew under a second mode.
    """

    def __init__(self, device: torch.device, compiled: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.found: str | None = None
        self._calls = None if compiled else _Calls(self)

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        if self._calls is not None:
            self._calls.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *details: Any) -> None:
        if self._calls is not None:
            self._calls.__exit__(*details)  # type: ignore[no-untyped-call]
        super().__exit__(*details)  # type: ignore[no-untyped-call]

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


class _Calls(TorchFunctionMode):
    """Sees what a dispatch mode is not shown: tensors made of Python's numbers right on the device."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in _FROM_HOST and self.watch.found is None:
            here = result.device.type == self.watch.device.type != "cpu"
            source = args[-1] if func is torch.Tensor.new_tensor else args[0] if args else None
            if here and not isinstance(source, torch.Tensor):
                self.watch.found = f"{func.__name__} waits for the host"
        return result

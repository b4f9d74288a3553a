"""How a layer's `call` runs where it is not run plainly.

Mixed precision: a layer whose policy asks for it computes under autocast, on float32 weights. The user's own
code on an accelerator: new tensors go there.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from neocog.core import DTypePolicy, torch_dtype, tree_flatten, tree_map
from neocog.graph import with_mask_of

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


class _Inside(threading.local):
    """Whether the present thread is inside a layer with a mixed policy."""

    mixed = False


INSIDE = _Inside()


@contextmanager
def types_mixed() -> Iterator[None]:
    """Let layers inside the block look at the types of what they get: some before them compute in others."""
    before, INSIDE.mixed = INSIDE.mixed, True
    try:
        yield
    finally:
        INSIDE.mixed = before


def call_with_care(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a layer's `call` in the precision of its policy, and the user's own code where its inputs are.

    A mixed policy enters autocast; a float32 layer inside a mixed model leaves it.
    """
    tensors = [leaf for leaf in tree_flatten((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    device = tensors[0].device.type if tensors else "cpu"
    if device == "meta":
        return layer.call(*args, **kwargs)
    if layer._mixed_policy is None and not INSIDE.mixed:
        if device == "cpu":
            return layer.call(*args, **kwargs)
        with tensors[0].device:  # `keras.random.normal(shape)` in a layer goes where its inputs are
            return layer.call(*args, **kwargs)
    compute = torch_dtype(layer.compute_dtype)
    policy = layer._mixed_policy
    if policy is not None and not computes_in(policy, device):
        warnings.warn(
            f"{layer.label}: mixed_float16 computes in float32 on the CPU; mixed_bfloat16 is for CPUs.",
            UserWarning,
            stacklevel=2,
        )
        policy, compute = None, torch.float32
    if layer.autocast:
        args, kwargs = tree_map(_to(compute), args), tree_map(_to(compute), kwargs)
    before, INSIDE.mixed = INSIDE.mixed, policy is not None
    try:
        with _cast(device, compute if policy else None):
            return layer.call(*args, **kwargs)
    finally:
        INSIDE.mixed = before


def computes_in(policy: DTypePolicy, device: str) -> bool:
    """Return whether products on a device are computed in the type of a mixed policy."""
    return device != "meta" and (device != "cpu" or policy.compute_dtype != "float16")


def in_policy(policy: DTypePolicy, x: torch.Tensor) -> AbstractContextManager[Any]:
    """Return the context in which products with `x` are computed in the type of a mixed policy."""
    return _cast(x.device.type, torch_dtype(policy.compute_dtype))


def _cast(device: str, compute: torch.dtype | None) -> AbstractContextManager[Any]:
    """Autocast to a type, or none; nothing to do where it is so already."""
    on = torch.is_autocast_enabled(device)
    if on == (compute is not None) and (compute is None or torch.get_autocast_dtype(device) is compute):
        return nullcontext()
    return torch.autocast(device, dtype=compute, enabled=compute is not None)


def _to(dtype: torch.dtype) -> Any:
    def convert(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and leaf.dtype != dtype:
            return with_mask_of(leaf, leaf.to(dtype))
        return leaf

    return convert

"""Masks on their way through layers: given to calls that take one, handed on to the outputs."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from neocog.core import tree_flatten, tree_map
from neocog.graph import SymbolicTensor, TensorSpec, mask_of, set_mask
from neocog.graph._inference import infer_specs

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def call_arguments(call: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the arguments of a class's `call`, without `self`."""
    return tuple(inspect.signature(call).parameters)[1:]


def note_own_masks(cls: type[Layer]) -> None:
    """Note on a class that defines `compute_mask` what that means for masks."""
    cls.changes_masks = True
    cls.supports_masking = cls.__dict__.get("supports_masking", True)
    cls.makes_masks = cls.__dict__.get("makes_masks", not cls.__module__.startswith("neocog."))


def call_with_masks(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer on tensors: masks that they carry are given to it, and its outputs carry theirs.

    An explicit `mask=` wins over the mask that the input carries.
    """
    first = args[0] if args else next(iter(kwargs.values()), None)
    arguments = {**dict(zip(layer._call_arguments, args, strict=False)), **kwargs}
    kwargs.update(_implied(layer, arguments))
    previous = _given(kwargs.get("mask"), first, mask_of)
    outputs = layer._compute(args, kwargs)
    _hand_on(layer, first, previous, outputs)
    return outputs


def _implied(layer: Layer, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mask arguments that the tensors' own masks fill in, as Keras does.

    One tensor (or one list of them) among the arguments fills `mask`; where there are several, the argument
    `query` fills `query_mask`, and so on: then no `mask` is implied.
    """
    takes = layer._call_arguments
    tensors = {name: value for name, value in arguments.items() if _is_tensors(value)}
    if len(tensors) == 1:
        pairs = [("mask", value) for value in tensors.values() if "mask" in takes]
    else:
        pairs = [(f"{name}_mask", value) for name, value in tensors.items() if f"{name}_mask" in takes]
    found = {name: tree_map(mask_of, value) for name, value in pairs if arguments.get(name) is None}
    return {name: masks for name, masks in found.items() if _any(masks)}


def _is_tensors(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return True
    leaves = tree_flatten(value) if isinstance(value, (list, tuple, dict)) else []
    return bool(leaves) and all(isinstance(leaf, torch.Tensor) for leaf in leaves)


def _any(masks: Any) -> bool:
    return any(mask is not None for mask in tree_flatten(masks))


def _given(mask: Any, first: Any, own: Callable[[Any], Any]) -> Any:
    """Return the masks of the first argument: the explicit ones, else those that its tensors carry."""
    masks = mask if mask is not None else tree_map(own, first)
    return masks if _any(masks) else None


def _hand_on(layer: Layer, first: Any, previous: Any, outputs: Any) -> None:
    tensors = [leaf for leaf in tree_flatten(outputs) if isinstance(leaf, torch.Tensor)]
    if not layer.supports_masking:
        _warn_of_loss(layer, previous)
        return
    if all(mask_of(tensor) is not None for tensor in tensors):
        return  # set in `call`
    masks = layer.compute_mask(first, previous) if previous is not None or layer.makes_masks else None
    for tensor, mask in zip(tree_flatten(outputs), tree_flatten(masks), strict=False):
        if mask_of(tensor) is None:
            set_mask(tensor, mask)


def _warn_of_loss(layer: Layer, previous: Any) -> None:
    if previous is None or "mask" in layer._call_arguments or layer._warned_of_masks:
        return
    object.__setattr__(layer, "_warned_of_masks", True)
    warnings.warn(
        f"{layer.label}: its input has a mask, which this layer ignores and does not hand on: the layers "
        "after it see all time steps.",
        UserWarning,
        stacklevel=5,
    )


def note_masks(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
    """Note on the symbolic outputs of a layer which masks they will carry."""
    first = args[0] if args else next(iter(kwargs.values()), None)
    explicit = tree_map(_as_spec, kwargs.get("mask"))
    previous = _given(explicit, first, lambda leaf: getattr(leaf, "mask", None))
    if previous is None and not layer.makes_masks:
        return
    if not layer.supports_masking:
        _warn_of_loss(layer, previous)
        return
    masks = previous
    if layer.changes_masks:
        masks = infer_specs(layer.compute_mask, (first, previous), {})
    for tensor, mask in zip(tree_flatten(outputs), tree_flatten(masks), strict=False):
        if isinstance(tensor, SymbolicTensor) and tensor.mask is None and mask is not None:
            tensor.mask = TensorSpec(mask.shape, mask.dtype)


def _as_spec(leaf: Any) -> Any:
    return leaf if isinstance(leaf, SymbolicTensor) or not hasattr(leaf, "shape") else TensorSpec(leaf.shape)

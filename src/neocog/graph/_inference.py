"""Output shapes of anything callable, found by running it on tensors without values (torch's meta device).

A size that is unknown is tried with two different numbers: where the results differ, the result's size is
unknown too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog.core import TEXT, dtype_name, is_text, keeping_states, spend, torch_dtype, tree_flatten, tree_map
from neocog.exceptions import GraphError, NeocogError
from neocog.graph._masks import mask_of, set_mask
from neocog.graph._spec import TensorSpec

# Stand-ins for unknown sizes: large enough for deep pooling, with many divisors. Meta tensors cost no memory.
_META_SIZES = (384, 576)
# When the function must see values, small real tensors are used; the batch may differ from the other sizes.
_REAL_SIZES = (64, 96)


def infer_specs(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the specs of the outputs, nested as `function` nests them, of a call with specs among its
    arguments.

    Raises:
        GraphError: the function fails on tensors of these shapes; the text carries its own error.
    """
    given = _specs((args, kwargs))
    # Texts of two lengths are tried as well: what layers make of them may have a size that depends on it.
    unknown = any(spec.dtype == TEXT or None in spec.shape for spec in given)
    try:
        runs = [_run(function, args, kwargs, size, "meta") for size in _META_SIZES[: 2 if unknown else 1]]
    except NeocogError:
        raise
    except Exception:
        try:
            runs = [_run(function, args, kwargs, size, "cpu") for size in _REAL_SIZES[: 2 if unknown else 1]]
        except NeocogError:
            raise
        except Exception as error:
            shapes = ", ".join(str(tensor.shape) for tensor in _specs((args, kwargs)))
            raise GraphError(
                f"{_label(function)}: could not be called on symbolic inputs of shape {shapes}: {error} "
                "Define `compute_output_shape` on the layer, or put the code into a Layer."
            ) from error
    return _merge(runs[0], runs[-1])


def _run(function: Callable[..., Any], args: Any, kwargs: Any, size: int, device: str) -> Any:
    def stand_in(leaf: Any) -> Any:
        if isinstance(leaf, TensorSpec):
            shape = [size if n is None else n for n in leaf.shape]
            if leaf.dtype == TEXT:
                return np.full(shape, "a " * (size // 32))
            if device != "meta":
                spend(_label(function), shape, 4, keep=False)
            values = torch.zeros(shape, dtype=torch_dtype(leaf.dtype), device=device)
            return values if leaf.mask is None else set_mask(values, stand_in(leaf.mask).logical_not())
        if isinstance(leaf, torch.Tensor) and device == "meta":
            return leaf.to("meta")
        return leaf

    call_args, call_kwargs = tree_map(stand_in, tuple(args)), tree_map(stand_in, kwargs)
    with torch.no_grad(), torch.random.fork_rng(devices=[]), torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(function, nn.Module):
            return _run_module(function, call_args, call_kwargs, device)
        return function(*call_args, **call_kwargs)


def _run_module(module: nn.Module, args: Any, kwargs: Any, device: str) -> Any:
    # functional_call swaps in copies, so running statistics and the like are not touched.
    state = {
        name: _stand_in_of(tensor, device)
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]
    }
    with keeping_states(module):
        return torch.func.functional_call(module, state, args, kwargs)


def _stand_in_of(tensor: torch.Tensor, device: str) -> torch.Tensor:
    """Return a copy of a weight; one with verbs of its own (`assign`) keeps them."""
    copied = tensor.detach().to(device) if device == "meta" else tensor.detach().clone()
    kind = type(tensor)
    return copied if kind in (torch.Tensor, nn.Parameter) else copied.as_subclass(kind)


def _merge(first: Any, second: Any) -> Any:
    if isinstance(first, torch.Tensor):
        if not isinstance(second, torch.Tensor) or first.ndim != second.ndim:
            raise GraphError(
                "the number of axes of a result depends on an unknown size; give the size in Input."
            )
        shape = [a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)]
        spec = TensorSpec(shape, dtype=dtype_name(first.dtype))
        if mask_of(first) is not None and mask_of(second) is not None:
            spec.mask = _merge(mask_of(first), mask_of(second))
        return spec
    if is_text(first):
        sizes = [a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)]
        return TensorSpec(sizes, TEXT)
    if isinstance(first, dict):
        return {key: _merge(first[key], second[key]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(_merge(a, b) for a, b in zip(first, second, strict=True)))
    if isinstance(first, (list, tuple)):
        return type(first)(_merge(a, b) for a, b in zip(first, second, strict=True))
    return first


def _specs(tree: Any) -> list[TensorSpec]:
    return [leaf for leaf in tree_flatten(tree) if isinstance(leaf, TensorSpec)]


def _label(function: Callable[..., Any]) -> str:
    if isinstance(function, nn.Module):
        name = getattr(function, "name", None)
        return f'{type(function).__name__} "{name}"' if isinstance(name, str) else type(function).__name__
    return getattr(function, "__name__", str(function))

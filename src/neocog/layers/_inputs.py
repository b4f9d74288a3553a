"""What a layer is called with, as tensors of the type that it computes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neocog.core import is_text, to_tensor, torch_dtype
from neocog.functional import autocasts
from neocog.graph import with_mask_of
from neocog.layers._text_inputs import refuse_text
from neocog.layers._weights import WeightView

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def as_input(layer: Layer, leaf: Any) -> Any:
    """Return an argument of a call as a tensor where it is an array; floats take a layer's type of floats."""
    if isinstance(leaf, WeightView):
        return leaf.tensor()
    if not isinstance(leaf, torch.Tensor):
        if not (isinstance(leaf, np.ndarray) or hasattr(leaf, "__array__")):
            return leaf
        if is_text(leaf):
            refuse_text(layer, leaf)
            return leaf
        floats = layer.autocast and getattr(getattr(leaf, "dtype", None), "kind", "") == "f"
        floats = floats and torch_dtype(layer._dtype).is_floating_point
        made = to_tensor(leaf, layer._dtype if floats else None)
        weight = next(layer.parameters(), None)
        if weight is None or weight.device.type == "meta":
            return made
        return made.to(weight.device)  # an array has no place of its own: it goes where the model is
    kind = torch_dtype(layer._dtype)
    wrong = leaf.is_floating_point() and layer.autocast and leaf.dtype != kind and kind.is_floating_point
    return with_mask_of(leaf, leaf.to(kind)) if wrong and not autocasts(leaf) else leaf

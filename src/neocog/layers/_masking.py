"""The layer that marks time steps to be left out."""

from __future__ import annotations

from typing import Any

import torch

from neocog.graph import set_mask
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._inputs import as_input
from neocog.layers._registry import LAYERS


@LAYERS.register("masking")
class Masking(ElementwiseLayer):
    """Mask the time steps whose values all equal `mask_value`: the layers after it leave them out.

    The values of masked steps become 0. Layers that support masks hand them on; recurrent layers skip the
    masked steps, losses and metrics don't count them.

    Args:
        mask_value: the value that marks a step.

    Shapes:
        (batch, steps, features), unchanged; the mask is (batch, steps), False where a step is left out.

    Example:
        >>> layer = Masking(mask_value=9.0)
        >>> layer.compute_mask(torch.tensor([[[9.0, 9.0], [9.0, 1.0]]]))
        tensor([[False,  True]])
    """

    makes_masks = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Set the masked steps to 0 and let the outputs carry the mask."""
        kept = self.compute_mask(inputs)
        return set_mask(torch.where(kept.unsqueeze(-1), inputs, torch.zeros_like(inputs)), kept)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return True for each step that has a value other than `mask_value`."""
        return torch.any(torch.ne(as_input(self, inputs), self.mask_value), -1)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the inputs."""
        return input_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "mask_value": self.mask_value}

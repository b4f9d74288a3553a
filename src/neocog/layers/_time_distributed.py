"""One layer on every time step."""

from __future__ import annotations

from typing import Any

import torch

from neocog.exceptions import ShapeError, message
from neocog.graph import module_call
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._wrapper import Wrapper


@LAYERS.register("time_distributed")
class TimeDistributed(Wrapper):
    """Call the same layer on every time step of sequences, such as a Conv2D on each image of a film.

    Steps are taken as further samples, in one call, unless a layer inside looks at several samples at once
    (BatchNormalization) or is not neocog's own; then it is called step after step.

    Args:
        layer: the layer, or a model.

    Shapes:
        (batch, steps, …) to (batch, steps, …).

    Example:
        >>> from neocog.layers._conv import Conv2D
        >>> TimeDistributed(Conv2D(4, 3))(torch.ones(2, 5, 8, 8, 3)).shape
        torch.Size([2, 5, 6, 6, 4])
    """

    supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer for one time step."""
        if not self.layer.built:
            self.layer.build(self._step_shape(input_shape))

    def _step_shape(self, shape: Any) -> Any:
        if not isinstance(shape, (list, tuple)) or len(shape) < 3:
            expected = "inputs with at least 3 axes, (batch, steps, …)"
            raise ShapeError(message(self.label, expected=expected, got=shape))
        return (shape[0], *shape[2:])

    def call(self, inputs: torch.Tensor, training: bool | None = None, mask: Any = None) -> torch.Tensor:
        """Call the layer on every step; a mask (batch, steps, …) is given to it where it takes one."""
        self._check_mask(inputs, mask)
        known = {"training": training} if self.layer._takes_training else {}
        mask = mask if "mask" in self.layer._call_arguments else None
        if not _sample_by_sample(self.layer):
            masks = [None] * inputs.shape[1] if mask is None else mask.unbind(1)
            steps = zip(inputs.unbind(1), masks, strict=True)
            return torch.stack([self._step(x, one, known) for x, one in steps], 1)
        batch, steps_count = inputs.shape[:2]
        flat = None if mask is None else mask.reshape(-1, *mask.shape[2:])
        outputs: torch.Tensor = self._step(inputs.reshape(-1, *inputs.shape[2:]), flat, known)
        return outputs.reshape(batch, steps_count, *outputs.shape[1:])

    def _step(self, inputs: torch.Tensor, mask: Any, known: dict[str, Any]) -> Any:
        given = known if mask is None else {**known, "mask": mask}
        return module_call(self.layer, inputs, **given)

    def _check_mask(self, inputs: torch.Tensor, mask: Any) -> None:
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            expected = f"a mask that begins with (batch, steps) = {tuple(inputs.shape[:2])}"
            raise ShapeError(message(self.label, expected=expected, got=tuple(mask.shape)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the layer's output with the steps on axis 1."""
        inner = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (inner[0], input_shape[1], *inner[1:])

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the layer's outputs."""
        return str(self.layer.compute_output_dtype(input_dtype))


def _sample_by_sample(layer: Layer) -> bool:
    """Whether a layer computes each sample's outputs from that sample alone, as nearly all of ours do."""
    for module in layer.modules():
        own = not isinstance(module, Layer) or type(module).__module__.startswith("neocog.")
        if not own or type(module).__name__ == "BatchNormalization" or getattr(module, "stateful", False):
            return False
    return True

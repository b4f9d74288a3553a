"""What a layer expects of its input, and the error when something else comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neocog.exceptions import ShapeError, message


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """Expected rank and sizes of one input.

    Args:
        ndim: exact number of axes, the batch included.
        min_ndim: least number of axes.
        max_ndim: greatest number of axes.
        axes: axis to size, for the sizes that are fixed.
        shape: the whole shape, None for free sizes.
        dtype: accepted for Keras's sake.

    Example:
        >>> InputSpec(ndim=4, axes={-1: 3}).mismatch((None, 28, 28, 1))
        '3 features on axis -1'
    """

    ndim: int | None = None
    min_ndim: int | None = None
    max_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict)
    shape: tuple[int | None, ...] | None = None
    dtype: Any = None

    def mismatch(self, shape: tuple[int | None, ...]) -> str | None:
        """Return what was expected where `shape` does not fit, else None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return f"{self.ndim} axes (batch first)"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"at least {self.min_ndim} axes (batch first)"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"at most {self.max_ndim} axes (batch first)"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] is not None and shape[axis] != size:
                return f"{size} features on axis {axis}"
        if self.shape is not None:
            fits = len(self.shape) == rank and all(
                a is None or b is None or a == b for a, b in zip(self.shape, shape, strict=True)
            )
            if not fits:
                return f"shape {self.shape}"
        return None


def check_input(where: str, spec: Any, shapes: Any, built_on: Any) -> None:
    """Raise ShapeError where the first input's shape does not fit the layer's `input_spec`."""
    specs = spec if isinstance(spec, (list, tuple)) else [spec]
    many = isinstance(shapes, list)
    for one_spec, shape in zip(specs, shapes if many else [shapes], strict=False):
        if not isinstance(one_spec, InputSpec) or not isinstance(shape, tuple):
            continue
        expected = one_spec.mismatch(shape)
        if expected is None:
            continue
        known = f" (it was built on {built_on})" if built_on is not None else ""
        raise ShapeError(
            message(where, expected=f"inputs with {expected}{known}", got=shape, do=_advice(one_spec, shape))
        )


def _advice(spec: InputSpec, shape: tuple[int | None, ...]) -> str:
    if spec.ndim is not None and len(shape) == spec.ndim - 1:
        return "Is the channel axis or the batch axis missing? x[..., None] or x[None] adds it."
    if spec.ndim is not None and len(shape) > spec.ndim:
        return "Flatten or pool before it, or take away the axis that is too many."
    return "Rebuild the model for this size, or check input_shape and the layers before it."

"""A shape with unknown sizes and a type."""

from __future__ import annotations

from collections.abc import Sequence

from neocog.core import value_type

Shape = tuple[int | None, ...]


class TensorSpec:
    """Shape and type of a tensor.

    Args:
        shape: sizes with the batch first; None is a size that is known only with the data.
        dtype: type of the values, as a string; `"string"` itself for text.

    Attributes:
        mask: shape and type of the mask that the tensor carries (which time steps count), or None.
    """

    __slots__ = ("dtype", "mask", "shape")

    def __init__(self, shape: Sequence[int | None], dtype: str = "float32") -> None:
        self.shape: Shape = tuple(None if size is None else int(size) for size in shape)
        self.dtype = value_type(dtype)
        self.mask: TensorSpec | None = None

    @property
    def ndim(self) -> int:
        """Number of axes, the batch included."""
        return len(self.shape)

    @property
    def rank(self) -> int:
        """Number of axes, the batch included (Keras's other name for it)."""
        return len(self.shape)

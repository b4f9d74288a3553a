"""Weights as Keras sees them: names, Keras's layouts, `assign`, over torch's own parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog.core import to_tensor
from neocog.exceptions import ShapeError, message
from neocog.layers._variable import Variable

__all__ = ["Variable", "WeightSpec", "WeightView"]


@dataclass(slots=True, eq=False)
class WeightSpec:
    """What a layer knows of one of its weights beside the values.

    Attributes:
        name: Keras's name (`"kernel"`).
        attribute: name of the parameter or buffer on the layer (`"weight"`); None until it is known.
        tensor: the tensor, while `attribute` is None.
        axes: permutation from torch's layout to Keras's, or None where they are the same.
        reshape: shape in Keras's layout where a permutation is not enough; applied after it.
        regularizer: adds to the loss; sees Keras's layout.
        constraint: applied after each update; sees Keras's layout.
    """

    name: str
    attribute: str | None = None
    tensor: torch.Tensor | None = None
    axes: tuple[int, ...] | None = None
    reshape: tuple[int, ...] | None = None
    trainable: bool = True
    regularizer: Callable[[torch.Tensor], torch.Tensor] | None = None
    constraint: Callable[[torch.Tensor], torch.Tensor] | None = None


class WeightView:
    """One weight in Keras's layout, over the torch tensor that holds it.

    `value` is the tensor itself, in torch's layout, with its `.grad`; everything else speaks Keras's layout.
    """

    __slots__ = ("module", "path", "spec")

    def __init__(self, module: nn.Module, spec: WeightSpec, path: str) -> None:
        self.module = module
        self.spec = spec
        self.path = path

    @property
    def name(self) -> str:
        """Keras's name of the weight."""
        return self.spec.name

    @property
    def value(self) -> torch.Tensor:
        """The parameter or buffer itself."""
        if self.spec.attribute is None:
            return self.spec.tensor  # type: ignore[return-value]
        return getattr(self.module, self.spec.attribute)  # type: ignore[no-any-return]

    @property
    def trainable(self) -> bool:
        """Whether gradients are taken for it."""
        return self.value.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.value.requires_grad_(bool(value))

    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
        return self.value.dtype

    def tensor(self) -> torch.Tensor:
        """The values in Keras's layout, a view that takes part in autograd."""
        view = self.value
        if self.spec.axes is not None:
            view = view.permute(self.spec.axes)
        if self.spec.reshape is not None:
            view = view.reshape(self.spec.reshape)
        return view

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in Keras's layout."""
        return tuple(self.tensor().shape)

    def numpy(self) -> Any:
        """Return a copy of the values, in Keras's layout, as a NumPy array."""
        values = self.tensor().detach().cpu()
        if values.dtype == torch.bfloat16:
            values = values.float()
        return values.contiguous().numpy().copy()

    def assign(self, value: Any) -> WeightView:
        """Overwrite the values, given in Keras's layout.

        Raises:
            ShapeError: the shape is not that of the weight.
        """
        new = value.tensor() if isinstance(value, WeightView) else to_tensor(value)
        if tuple(new.shape) != self.shape:
            raise ShapeError(
                message(
                    f'weight "{self.path}"', expected=f"values of shape {self.shape}", got=tuple(new.shape)
                )
            )
        with torch.no_grad():
            own = self.value
            new = new.detach().to(own.device, own.dtype)
            if self.spec.axes is not None:
                inverse = np.argsort(self.spec.axes).tolist()
                full = [own.shape[axis] for axis in self.spec.axes]
                new = new.reshape(full).permute(inverse)
            own.copy_(new.reshape(own.shape))
        return self

    def assign_add(self, value: Any) -> WeightView:
        """Add to the values, given in Keras's layout."""
        return self.assign(self.tensor().detach() + to_tensor(value, device=self.value.device))

    def assign_sub(self, value: Any) -> WeightView:
        """Subtract from the values, given in Keras's layout."""
        return self.assign(self.tensor().detach() - to_tensor(value, device=self.value.device))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def unwrap(item: Any) -> Any:
            return item.tensor() if isinstance(item, WeightView) else item

        return func(*map(unwrap, args), **{key: unwrap(item) for key, item in (kwargs or {}).items()})

    def __repr__(self) -> str:
        return f"<Weight path={self.path} shape={self.shape} dtype={self.dtype}>"

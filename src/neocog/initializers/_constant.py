"""Initializers without chance: constants, the identity, and the Fourier kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch

from neocog.core import check_one_of, dtype_name, optional_import, to_tensor, torch_dtype
from neocog.exceptions import ShapeError, message
from neocog.initializers._initializer import INITIALIZERS, Initializer


@INITIALIZERS.register("zeros", "zero")
class Zeros(Initializer):
    """All values 0.

    Example:
        >>> Zeros()((2,))
        tensor([0., 0.])
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return a tensor of zeros."""
        return torch.zeros(tuple(shape), dtype=torch_dtype(dtype), device="cpu")


@INITIALIZERS.register("ones", "one")
class Ones(Initializer):
    """All values 1.

    Example:
        >>> Ones()((2,))
        tensor([1., 1.])
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return a tensor of ones."""
        return torch.ones(tuple(shape), dtype=torch_dtype(dtype), device="cpu")


@INITIALIZERS.register("constant")
class Constant(Initializer):
    """All values `value`, or an array spread over the shape.

    Args:
        value: a number, or an array that broadcasts to the shape; default 0.

    Raises:
        ShapeError: the array does not fit the shape.

    Example:
        >>> Constant(3)((2,))
        tensor([3., 3.])
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return a tensor of the value."""
        kind = torch_dtype(dtype)
        if isinstance(self.value, (bool, int, float)):
            return torch.full(tuple(shape), self.value, dtype=kind, device="cpu")
        values = _exact(self.value).to(kind)
        try:
            return values.broadcast_to(tuple(shape)).clone(memory_format=torch.contiguous_format)
        except RuntimeError as error:
            raise _misfit(values, shape) from error

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; arrays as nested lists with their type."""
        if self.value is None or isinstance(self.value, (bool, int, float)):
            return {"value": self.value}
        values = _exact(self.value)
        kind = "__tensor__" if isinstance(self.value, torch.Tensor) else "__numpy__"
        config = {"value": values.tolist(), "dtype": dtype_name(values.dtype)}
        return {"value": {"class_name": kind, "config": config}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the initializer that `get_config` described."""
        value = config.get("value", 0.0)
        if not isinstance(value, dict):
            return cls(value)
        inner = value["config"]
        tensor = torch.tensor(inner["value"], dtype=torch_dtype(inner["dtype"]))
        return cls(tensor if value["class_name"] == "__tensor__" else tensor.numpy())


def _exact(value: Any) -> torch.Tensor:
    # to_tensor would round float64 arrays to the default float before the weight's own type is known.
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    array = np.asarray(value)
    return to_tensor(array, dtype=array.dtype.name if array.dtype.kind == "f" else None)


def _misfit(values: torch.Tensor, shape: Sequence[int]) -> ShapeError:
    return ShapeError(
        message(
            "Constant", expected=f"an array for a weight of shape {tuple(shape)}", got=tuple(values.shape)
        )
    )


class ArrayInitializer(Constant):
    """An array as it is: what `get` makes of one. The weight must have exactly its shape.

    Args:
        value: array or tensor.

    Raises:
        ShapeError: the weight has another shape.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return the array as a tensor."""
        values = _exact(self.value)
        if tuple(values.shape) != tuple(shape):
            raise _misfit(values, shape)
        return values.to(torch_dtype(dtype), copy=True)


INITIALIZERS.register()(ArrayInitializer)


@INITIALIZERS.register("identity", "IdentityInitializer")
class Identity(Initializer):
    """`gain` times the identity matrix, cut or padded with zeros where the shape is not square.

    Args:
        gain: factor; default 1.

    Raises:
        ShapeError: the shape does not have 2 axes.

    Example:
        >>> Identity()((2, 3))
        tensor([[1., 0., 0.],
                [0., 1., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return the matrix."""
        if len(shape) != 2:
            raise ShapeError(message("Identity", expected="a shape with 2 axes", got=tuple(shape)))
        return self.gain * torch.eye(*shape, dtype=torch_dtype(dtype), device="cpu")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain}


@INITIALIZERS.register("stft", "STFTInitializer")
class STFT(Initializer):
    """The kernel of a short-time Fourier transform: cos or sin of -2π · time · frequency, times a window.

    Args:
        side: `"real"` (cosines) or `"imag"` (sines); default `"real"`.
        window: name of a window in `scipy.signal`, an array of the frame's length, or None; default `"hann"`.
        scaling: `"density"` (over the window's norm), `"spectrum"` (by its sum) or None; default density.
        periodic: whether the window is symmetric (False) or periodic, in Keras's spelling; default False.

    Shapes:
        shape: (frame_length, 1, fft_length // 2 + 1).

    Raises:
        ArgumentError: an argument has another value.
        ShapeError: the window does not have the frame's length.

    Example:
        >>> STFT(window=None)((2, 1, 2)).squeeze(1).round()
        tensor([[ 1.,  1.],
                [ 1., -1.]])
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side: str = check_one_of("STFT", "side", side, ("real", "imag"))
        self.scaling = check_one_of("STFT", "scaling", scaling, (None, "density", "spectrum"))
        self.window = window
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return the kernel."""
        if len(shape) != 3:
            raise ShapeError(message("STFT", expected="a shape (frame, 1, frequencies)", got=tuple(shape)))
        frame, _, frequencies = shape
        # float64 inside: the angles grow with the product of both axes.
        time = torch.arange(frame, dtype=torch.float64, device="cpu").reshape(-1, 1, 1)
        rate = torch.arange(frequencies, dtype=torch.float64, device="cpu") / ((frequencies - 1) * 2)
        angles = -2.0 * math.pi * time * rate
        kernel = torch.cos(angles) if self.side == "real" else torch.sin(angles)
        if self.window is not None:
            window = self._window(frame)
            kernel = kernel * (window / self._scale(window)).reshape(-1, 1, 1)
        return kernel.to(torch_dtype(dtype))

    def _window(self, frame: int) -> torch.Tensor:
        window = self.window
        if isinstance(window, str):
            signal: Any = optional_import("scipy.signal", extra="audio", what="STFT")
            window = signal.get_window(window, frame, self.periodic)
        values = _exact(window).to(torch.float64)
        if tuple(values.shape) != (frame,):
            raise ShapeError(
                message("STFT", expected=f"a window of shape ({frame},)", got=tuple(values.shape))
            )
        return values

    def _scale(self, window: torch.Tensor) -> Any:
        if self.scaling == "density":
            return torch.linalg.vector_norm(window)
        return torch.sum(torch.abs(window)) if self.scaling == "spectrum" else 1.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        named = self.window is None or isinstance(self.window, str)
        return {
            "side": self.side,
            "window": self.window if named else _exact(self.window).tolist(),
            "scaling": self.scaling,
            "periodic": self.periodic,
        }

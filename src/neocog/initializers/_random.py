"""Initializers by chance: normal, uniform, scaled by the fans, orthogonal.

Without a seed the numbers come from torch's global generator. With one, an initializer gives the same values
whenever it is called, as in Keras.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import check_number, check_one_of, make_generator, torch_dtype
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.initializers._initializer import INITIALIZERS, Initializer, compute_fans

# Standard deviation of a standard normal distribution truncated at ±2.
_TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """Base of the initializers that draw numbers.

    Args:
        seed: a whole number for the same values at each call; default None, torch's global generator.
    """

    def __init__(self, seed: int | None = None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer, type(None))):
            expected = "seed to be a whole number or None"
            raise ArgumentError(message(type(self).__name__, expected=expected, got=repr(seed)))
        self.seed = None if seed is None else int(seed)

    def _normal(self, shape: Sequence[int], mean: float, stddev: float, dtype: Any) -> torch.Tensor:
        values = _drawn(shape, dtype).normal_(generator=make_generator(self.seed))
        return values.mul_(stddev).add_(mean).to(torch_dtype(dtype))

    def _truncated(self, shape: Sequence[int], mean: float, stddev: float, dtype: Any) -> torch.Tensor:
        values = _drawn(shape, dtype)
        torch.nn.init.trunc_normal_(values, 0.0, 1.0, -2.0, 2.0, generator=make_generator(self.seed))
        return values.mul_(stddev).add_(mean).to(torch_dtype(dtype))

    def _uniform(self, shape: Sequence[int], low: float, high: float, dtype: Any) -> torch.Tensor:
        values = _drawn(shape, dtype).uniform_(generator=make_generator(self.seed))
        return values.mul_(high - low).add_(low).to(torch_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self.seed}


def _drawn(shape: Sequence[int], dtype: Any) -> torch.Tensor:
    # Half precision has too few distinct values to draw from: draw in float32, round at the end.
    kind = torch.float64 if torch_dtype(dtype) == torch.float64 else torch.float32
    return torch.empty(tuple(shape), dtype=kind, device="cpu")


@INITIALIZERS.register("random_normal", "normal")
class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: default 0.
        stddev: standard deviation; default 0.05.
        seed: a whole number for the same values at each call; default None.

    Example:
        >>> RandomNormal(seed=1)((2, 3)).shape
        torch.Size([2, 3])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return drawn values."""
        return self._normal(shape, self.mean, self.stddev, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


@INITIALIZERS.register("truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal distribution without the values further than two `stddev` from the mean.

    Args:
        mean: default 0.
        stddev: standard deviation before truncation; default 0.05.
        seed: a whole number for the same values at each call; default None.

    Example:
        >>> bool(TruncatedNormal(stddev=1.0)((100,)).abs().max() <= 2)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return drawn values."""
        return self._truncated(shape, self.mean, self.stddev, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


@INITIALIZERS.register("random_uniform", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform distribution between `minval` and `maxval`.

    Args:
        minval: lower bound; default -0.05.
        maxval: upper bound; default 0.05.
        seed: a whole number for the same values at each call; default None.

    Example:
        >>> bool(RandomUniform()((100,)).abs().max() <= 0.05)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return drawn values."""
        return self._uniform(shape, self.minval, self.maxval, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


@INITIALIZERS.register("variance_scaling")
class VarianceScaling(RandomInitializer):
    """Mean 0 and variance scale / n, with n the inputs, the outputs or their mean.

    Args:
        scale: positive factor; default 1.
        mode: n is `"fan_in"`, `"fan_out"` or `"fan_avg"`; default `"fan_in"`.
        distribution: `"truncated_normal"` (the default), `"untruncated_normal"` or `"uniform"`.
        seed: a whole number for the same values at each call; default None.
        input_axes: axes of the inputs where the shape is not Keras's; default None.
        output_axes: axes of the outputs; both must be given to count.

    Raises:
        ArgumentError: an argument has another value.

    Example:
        >>> bool(VarianceScaling(3.0, distribution="uniform")((9, 100)).abs().max() <= 1)
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        where = type(self).__name__
        self.scale = check_number(where, "scale", scale)
        if scale <= 0:
            raise ArgumentError(message(where, expected="scale above 0", got=repr(scale)))
        self.mode: str = check_one_of(where, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        options = ("truncated_normal", "untruncated_normal", "uniform", "normal")
        chosen: str = check_one_of(where, "distribution", distribution, options)
        self.distribution = "truncated_normal" if chosen == "normal" else chosen
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return drawn values."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "truncated_normal":
            return self._truncated(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, 0.0, stddev, dtype)
        limit = math.sqrt(3.0) * stddev
        return self._uniform(shape, -limit, limit, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **self._fan_config(),
        }

    def _fan_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


@INITIALIZERS.register("orthogonal", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix (the Q of a normal matrix), reshaped; all axes but the last are its rows.

    Args:
        gain: factor; default 1.
        seed: a whole number for the same values at each call; default None.

    Raises:
        ShapeError: the shape has fewer than 2 axes.

    Example:
        >>> q = Orthogonal()((3, 3))
        >>> torch.allclose(q @ q.T, torch.eye(3), atol=1e-5)
        True

    Reference:
        Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Networks, 2014.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return drawn values."""
        if len(shape) < 2:
            raise ShapeError(message("Orthogonal", expected="a shape with 2 axes or more", got=tuple(shape)))
        rows, columns = math.prod(shape[:-1]), shape[-1]
        kind = dtype if torch_dtype(dtype) == torch.float64 else "float32"
        drawn = self._normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, kind)
        q, r = torch.linalg.qr(drawn)
        q = q * torch.sign(torch.diagonal(r))  # uniform over all orthogonal matrices
        if rows < columns:
            q = q.t()
        scaled: torch.Tensor = q.reshape(tuple(shape)) * self.gain
        return scaled.to(torch_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain, "seed": self.seed}

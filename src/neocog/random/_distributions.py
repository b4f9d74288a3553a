"""Random numbers from distributions.

A whole number as `seed` gives the same numbers at each call, a `SeedGenerator` the next ones of its sequence,
None those of torch's global generator, which `set_random_seed` seeds.
"""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import standardize_dtype, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.random._drawing import float_dtype, generator_of, place, sizes_of

# Half precision has too few values to draw from: draw in float32, round at the end.
_HALF = (torch.float16, torch.bfloat16)


def _drawn(shape: Any, dtype: torch.dtype) -> torch.Tensor:
    return torch.empty(sizes_of(shape), dtype=torch.float32 if dtype in _HALF else dtype, device=place())


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return numbers from the normal distribution.

    Args:
        shape: shape of the result.
        mean: its mean.
        stddev: its standard deviation.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> normal((2, 3), seed=1).shape
        torch.Size([2, 3])
    """
    kind = float_dtype("random.normal", dtype)
    values = _drawn(shape, kind)
    values.normal_(generator=generator_of("random.normal", seed, values.device))
    return (values * stddev + mean).to(kind)


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return numbers from the uniform distribution on [minval, maxval).

    Args:
        shape: shape of the result.
        minval: least value.
        maxval: bound, itself not drawn.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> bool((uniform((5,), 2, 3, seed=1) >= 2).all())
        True
    """
    kind = float_dtype("random.uniform", dtype)
    values = _drawn(shape, kind)
    values.uniform_(generator=generator_of("random.uniform", seed, values.device))
    return (values * (maxval - minval) + minval).to(kind)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return numbers from the normal distribution, none further than two standard deviations from the mean.

    Args:
        shape: shape of the result.
        mean: its mean.
        stddev: standard deviation before the cut.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> bool((truncated_normal((100,), seed=1).abs() <= 2).all())
        True
    """
    kind = float_dtype("random.truncated_normal", dtype)
    values = _drawn(shape, kind)
    generator = generator_of("random.truncated_normal", seed, values.device)
    torch.nn.init.trunc_normal_(values, 0.0, 1.0, -2.0, 2.0, generator=generator)
    return (values * stddev + mean).to(kind)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> torch.Tensor:
    """Return whole numbers from [minval, maxval), each as likely as the others.

    Args:
        shape: shape of the result.
        minval: least number.
        maxval: bound, itself not drawn.
        dtype: integer type of the result.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> randint((3,), 5, 6)
        tensor([5, 5, 5], dtype=torch.int32)
    """
    kind = torch_dtype(standardize_dtype(dtype))
    if kind.is_floating_point or kind.is_complex or kind is torch.bool:
        raise ArgumentError(message("random.randint", expected="an integer dtype", got=repr(dtype)))
    generator = generator_of("random.randint", seed, place())
    return torch.randint(
        int(minval), int(maxval), sizes_of(shape), generator=generator, dtype=kind, device=place()
    )


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Return numbers from the gamma distribution with rate 1.

    Args:
        shape: shape of the result.
        alpha: its shape parameter, broadcast to `shape`.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> bool((gamma((5,), 2.0, seed=1) > 0).all())
        True
    """
    kind = float_dtype("random.gamma", dtype)
    concentration = _parameter(alpha, shape, kind)
    generator = generator_of("random.gamma", seed, concentration.device)
    drawn: torch.Tensor = torch._standard_gamma(concentration, generator=generator)
    return drawn.to(kind)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> torch.Tensor:
    """Return numbers from the beta distribution, between 0 and 1.

    Args:
        shape: shape of the result.
        alpha: first shape parameter, broadcast to `shape`.
        beta: second one, likewise.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> bool((beta((5,), 2.0, 3.0, seed=1) < 1).all())
        True
    """
    kind = float_dtype("random.beta", dtype)
    pair = torch.stack([_parameter(alpha, shape, kind), _parameter(beta, shape, kind)])
    first, second = torch._standard_gamma(pair, generator=generator_of("random.beta", seed, pair.device))
    share: torch.Tensor = first / (first + second)
    return share.to(kind)


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> torch.Tensor:
    """Return how often something with a probability happens in a number of trials.

    Args:
        shape: shape of the result.
        counts: numbers of trials, broadcast to `shape`.
        probabilities: probabilities, likewise.
        dtype: float type of the result; None for `floatx()`.
        seed: a whole number, a `SeedGenerator`, or None.

    Example:
        >>> binomial((2,), 5, 1.0, seed=1)
        tensor([5., 5.])
    """
    kind = float_dtype("random.binomial", dtype)
    trials, chance = _parameter(counts, shape, kind), _parameter(probabilities, shape, kind)
    generator = generator_of("random.binomial", seed, trials.device)
    return torch.binomial(trials, chance, generator=generator).to(kind)


def _parameter(value: Any, shape: Any, kind: torch.dtype) -> torch.Tensor:
    wanted = torch.float32 if kind in _HALF else kind
    tensor: torch.Tensor = torch.as_tensor(value, dtype=wanted, device=getattr(value, "device", place()))
    return tensor.expand(sizes_of(shape)).contiguous()

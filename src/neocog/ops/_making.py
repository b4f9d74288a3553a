"""New tensors: constants, ranges, windows, triangles."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.graph import TensorSpec
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import plain, sizes_of


@op("keras.src.ops.numpy>Array")
def array(x: Any, dtype: Any = None) -> torch.Tensor:
    """Return `x` (array, number, nested list, tensor) as a tensor.

    Example:
        >>> array([1, 2, 3]).dtype
        torch.int32
    """
    return as_tensor(x, dtype)


@op()
def zeros(shape: Any, dtype: Any = None) -> torch.Tensor:
    """Return zeros; None as `dtype` is the default float.

    Example:
        >>> zeros((2, 3)).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return torch.zeros(sizes_of(shape), dtype=torch_dtype(dtype))


@op()
def ones(shape: Any, dtype: Any = None) -> torch.Tensor:
    """Return ones; None as `dtype` is the default float."""
    return torch.ones(sizes_of(shape), dtype=torch_dtype(dtype))


@op()
def empty(shape: Any, dtype: Any = None) -> torch.Tensor:
    """Return a tensor with whatever its memory holds; None as `dtype` is the default float."""
    return torch.empty(sizes_of(shape), dtype=torch_dtype(dtype))


@op("keras.src.ops.numpy>Full", call="fill_value")
def full(shape: Any, fill_value: Any, dtype: Any = None) -> torch.Tensor:
    """Return `fill_value` (a number, or what broadcasts) in a shape; `dtype` None is the default float."""
    return torch.broadcast_to(as_tensor(fill_value, torch_dtype(dtype)), sizes_of(shape)).clone()


@op("keras.src.ops.numpy>ZerosLike")
def zeros_like(x: Any, dtype: Any = None) -> torch.Tensor:
    """Return zeros of the shape of `x`; None as `dtype` is that of `x`."""
    return torch.zeros_like(as_tensor(x), dtype=_or_none(dtype), requires_grad=False)


@op("keras.src.ops.numpy>OnesLike")
def ones_like(x: Any, dtype: Any = None) -> torch.Tensor:
    """Return ones of the shape of `x`; None as `dtype` is that of `x`."""
    return torch.ones_like(as_tensor(x), dtype=_or_none(dtype), requires_grad=False)


@op("keras.src.ops.numpy>EmptyLike")
def empty_like(x: Any, dtype: Any = None) -> torch.Tensor:
    """Return a tensor of the shape of `x` with whatever its memory holds; None as `dtype` is that of `x`."""
    return torch.empty_like(as_tensor(x), dtype=_or_none(dtype), requires_grad=False)


@op("keras.src.ops.numpy>FullLike", call="x fill_value")
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> torch.Tensor:
    """Return `fill_value` in the shape of `x`; None as `dtype` is that of `x`."""
    x, value = together(x, fill_value)
    return torch.broadcast_to(value.to(_or_none(dtype) or x.dtype), x.shape).clone()


def _or_none(dtype: Any) -> torch.dtype | None:
    return None if dtype is None else torch_dtype(dtype)


@op()
def eye(N: Any, M: Any = None, k: int | None = 0, dtype: Any = None) -> torch.Tensor:
    """Return an `N` by `M` matrix (None: square) of zeros with ones on its `k`-th diagonal."""
    for name, count in (("N", N), ("M", M)):
        if isinstance(count, float) or (isinstance(count, torch.Tensor) and count.is_floating_point()):
            raise ArgumentTypeError(message("ops.eye", expected=f"an integer {name}", got=count))
    rows, columns = int(N), int(N if M is None else M)
    across = torch.arange(columns) - torch.arange(rows).unsqueeze(-1)
    return (across == (k or 0)).to(torch_dtype(dtype))


@op()
def identity(n: int, dtype: Any = None) -> torch.Tensor:
    """Return the identity matrix of size `n`."""
    return torch.eye(n).to(torch_dtype(dtype))


@op()
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> torch.Tensor:
    """Return an `N` by `M` matrix with ones at and below its `k`-th diagonal, zeros above."""
    return torch.tril(torch.ones((N, M or N), dtype=torch_dtype(dtype)), diagonal=k)


@op("keras.src.ops.numpy>Tril")
def tril(x: Any, k: int = 0) -> torch.Tensor:
    """Return `x` with zeros above its `k`-th diagonal."""
    return torch.tril(as_tensor(x), diagonal=k)


@op("keras.src.ops.numpy>Triu")
def triu(x: Any, k: int = 0) -> torch.Tensor:
    """Return `x` with zeros below its `k`-th diagonal."""
    return torch.triu(as_tensor(x), diagonal=k)


def _diag_specs(x: Any, k: int = 0) -> TensorSpec | None:
    return TensorSpec((None,), x.dtype) if len(x.shape) == 2 and None in x.shape else None


@op("keras.src.ops.numpy>Diag", specs=_diag_specs)
def diag(x: Any, k: int = 0) -> torch.Tensor:
    """Return a matrix with the row `x` on its `k`-th diagonal, or the `k`-th diagonal of the matrix `x`."""
    return torch.diag(as_tensor(x), diagonal=k)


@op("keras.src.ops.numpy>Diagflat")
def diagflat(x: Any, k: int = 0) -> torch.Tensor:
    """Return a matrix with the numbers of `x` on its `k`-th diagonal."""
    return torch.diagflat(as_tensor(x), offset=k)


@op("keras.src.ops.numpy>Vander")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> torch.Tensor:
    """Return the powers of the row `x` as columns, from N - 1 down to 0 (up with `increasing`)."""
    x = as_tensor(x)
    if x.ndim != 1:
        raise ArgumentError(message("ops.vander", expected="a row", got=f"shape {tuple(x.shape)}"))
    if N is not None and N < 0:
        raise ArgumentError(message("ops.vander", expected="N of 0 or more", got=N))
    return torch.vander(x, N=N, increasing=increasing).to(torch_dtype(result_type(x.dtype)))


@op("keras.src.ops.numpy>Arange", call="start stop step")
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> torch.Tensor:
    """Return the numbers from `start` to before `stop` by `step`; with one number, from 0 to before it.

    Example:
        >>> arange(1, 6, 2).tolist()
        [1, 3, 5]
    """
    given = [value for value in (start, stop, step) if value is not None]
    if dtype is None:
        dtype = result_type(*(getattr(value, "dtype", type(value)) for value in given))
    first, last = (0, start) if stop is None else (start, stop)
    pace = 1 if step is None else plain(step)
    return torch.arange(plain(first), plain(last), step=pace, dtype=torch_dtype(dtype))


@op("keras.src.ops.numpy>Linspace", call="start stop")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers evenly spaced from `start` to `stop`.

    Args:
        start: first number, or a tensor of them.
        stop: last number, or a tensor of them.
        num: how many.
        endpoint: whether `stop` is the last one; else it would be the next one.
        retstep: whether to return the distance, too.
        dtype: type; None is a float.
        axis: where the new axis lies, if `start` and `stop` are tensors.
    """
    wanted = _range_type(start, stop, dtype)
    first, last = _ends(start, stop, wanted)
    points = _evenly(first, last, num, endpoint, axis).to(wanted)
    if not retstep:
        return points
    gaps = num - 1 if endpoint else num
    return points, (last - first) / gaps if gaps > 0 else torch.tensor(torch.nan)


@op("keras.src.ops.numpy>Logspace", call="start stop")
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> torch.Tensor:
    """Return `num` numbers from `base`^`start` to `base`^`stop` whose logarithms are evenly spaced."""
    wanted = _range_type(start, stop, dtype)
    exponents = _evenly(*_ends(start, stop, wanted), num, endpoint, axis)
    return torch.pow(base, exponents).to(wanted)


@op("keras.src.ops.numpy>Geomspace", call="start stop")
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> torch.Tensor:
    """Return `num` numbers from `start` to `stop`, each the same multiple of the one before."""
    wanted = _range_type(start, stop, dtype)
    first, last = _ends(start, stop, wanted)
    exponents = _evenly(torch.log10(first.abs()), torch.log10(last.abs()), num, endpoint, axis)
    signs = torch.sign(first).unsqueeze(axis) if first.ndim else torch.sign(first)
    return (torch.pow(10.0, exponents) * signs).to(wanted)


def _range_type(start: Any, stop: Any, dtype: Any) -> torch.dtype:
    if dtype is not None:
        return torch_dtype(dtype)
    kinds = (getattr(value, "dtype", type(value)) for value in (start, stop))
    return torch_dtype(result_type(*(float if kind in (list, tuple) else kind for kind in kinds), float))


def _ends(start: Any, stop: Any, wanted: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both ends as tensors of one shape, precise enough to compute with."""
    compute = torch.float64 if wanted in (torch.float64, torch.int64) else torch.float32
    first, last = together(start, stop)
    shape = (first + last).shape
    return first.to(compute).expand(shape), last.to(compute).expand(shape)


def _evenly(first: torch.Tensor, last: torch.Tensor, num: int, endpoint: bool, axis: int) -> torch.Tensor:
    if num < 0:
        raise ArgumentError(message("ops.linspace", expected="num of 0 or more", got=num))
    gaps = max(num - 1 if endpoint else num, 1)
    steps = torch.arange(num, dtype=first.dtype, device=first.device) / gaps
    steps = steps.reshape([-1, *[1] * first.ndim])
    return torch.moveaxis(torch.lerp(first.unsqueeze(0), last.unsqueeze(0), steps), 0, axis)


def _window(name: str, x: Any, **settings: float) -> torch.Tensor:
    count = plain(x)
    if not isinstance(count, (int, float)):
        raise ArgumentTypeError(message(f"ops.{name}", expected="a number of points", got=type(x).__name__))
    make = getattr(torch.signal.windows, {"hanning": "hann"}.get(name, name))
    return make(int(count), dtype=torch_dtype(floatx()), **settings)  # type: ignore[no-any-return]


def bartlett(x: Any) -> torch.Tensor:
    """Return the triangular window of `x` points."""
    return _window("bartlett", x)


def blackman(x: Any) -> torch.Tensor:
    """Return Blackman's window of `x` points."""
    return _window("blackman", x)


def hamming(x: Any) -> torch.Tensor:
    """Return Hamming's window of `x` points."""
    return _window("hamming", x)


def hanning(x: Any) -> torch.Tensor:
    """Return Hann's window of `x` points."""
    return _window("hanning", x)


def kaiser(x: Any, beta: float) -> torch.Tensor:
    """Return Kaiser's window of `x` points; `beta` says how narrow it is."""
    return _window("kaiser", x, beta=float(plain(beta)))

"""Products and sums over pairs of axes, and what is made of neighbours."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import floats, one_axis, promoted, sum_type, wide_floats


@op("keras.src.ops.numpy>Matmul", call="x1 x2")
def matmul(x1: Any, x2: Any) -> torch.Tensor:
    """Return the matrix product over the last two axes, the others broadcast.

    Example:
        >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
        [[11.0]]
    """
    x1, x2 = together(x1, x2)
    if x1.dtype is torch.int8 and x2.dtype is torch.int8:
        return torch.matmul(x1.to(torch.int32), x2.to(torch.int32))
    result = torch_dtype(result_type(x1.dtype, x2.dtype))
    compute = _product_type(result, x1.device)
    return torch.matmul(x1.to(compute), x2.to(compute)).to(result)


def _product_type(result: torch.dtype, device: torch.device) -> torch.dtype:
    """Return the type to multiply in: torch multiplies no booleans, and integers on the CPU alone."""
    if result is torch.bool or (device.type != "cpu" and not (result.is_floating_point or result.is_complex)):
        return torch_dtype(floatx())
    return result


def _multiplied(product: Any, x1: Any, x2: Any, *args: Any) -> torch.Tensor:
    """Return a product of two tensors computed in floats, in the type that they have in common."""
    x1, x2 = together(x1, x2)
    result = torch_dtype(result_type(x1.dtype, x2.dtype))
    exact = torch.float64 if result is torch.int32 else torch_dtype(result_type(result, float))
    return product(x1.to(exact), x2.to(exact), *args).to(result)  # type: ignore[no-any-return]


@op("keras.src.ops.numpy>Dot", call="x1 x2")
def dot(x1: Any, x2: Any) -> torch.Tensor:
    """Return the sums of products over the last axis of `x1` and the last but one (or only one) of `x2`."""
    x1, x2 = together(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return _multiplied(torch.multiply, x1, x2)
    if x2.ndim <= 2:
        return _multiplied(torch.matmul, x1, x2)
    return _multiplied(torch.tensordot, x1, x2, ([-1], [-2]))


@op("keras.src.ops.numpy>Vdot", call="x1 x2")
def vdot(x1: Any, x2: Any) -> torch.Tensor:
    """Return the sum of the products of two tensors' numbers, the first ones conjugated."""
    x1, x2 = together(x1, x2)
    return _multiplied(torch.vdot, x1.reshape(-1), x2.reshape(-1))


@op("keras.src.ops.numpy>Inner", call="x1 x2")
def inner(x1: Any, x2: Any) -> torch.Tensor:
    """Return the sums of products over the last axis of both."""
    return _multiplied(torch.inner, x1, x2)


@op("keras.src.ops.numpy>Outer", call="x1 x2")
def outer(x1: Any, x2: Any) -> torch.Tensor:
    """Return the products of each number of `x1` (a row each) with each number of `x2`."""
    x1, x2 = together(x1, x2)
    return torch.outer(x1.flatten(), x2.flatten())


@op("keras.src.ops.numpy>Tensordot", call="x1 x2")
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> torch.Tensor:
    """Return the sum of products over pairs of axes.

    Args:
        x1: left tensor.
        x2: right tensor.
        axes: the axes of each, `(of_x1, of_x2)`; a number takes so many last ones of x1 and first ones of x2.
    """
    if not isinstance(axes, int):
        axes = tuple(list(entry) if isinstance(entry, (list, tuple)) else [entry] for entry in axes)
    return _multiplied(torch.tensordot, x1, x2, axes)


@op("keras.src.ops.numpy>Einsum", call="operands")
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> torch.Tensor:
    """Return the sum of products that `subscripts` describes.

    Args:
        subscripts: a letter for each axis of each operand, and those of the result: `"bij,bjk->bik"`.
        operands: tensors.
        kwargs: taken for Keras's sake and not used.

    Example:
        >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
        [3.0, 7.0]
    """
    tensors = together(*operands)
    dtype = torch_dtype(result_type(*(tensor.dtype for tensor in tensors)))
    wide = any(tensor.dtype in (torch.float64, torch.int64) for tensor in tensors)
    if len({tensor.dtype for tensor in tensors}) == 1:
        dtype = torch.int32 if tensors[0].dtype is torch.int8 else tensors[0].dtype
    compute = torch.float64 if wide and dtype.is_floating_point else _product_type(dtype, tensors[0].device)
    return torch.einsum(subscripts, *(tensor.to(compute) for tensor in tensors)).to(dtype)


@op("keras.src.ops.numpy>Kron", call="x1 x2")
def kron(x1: Any, x2: Any) -> torch.Tensor:
    """Return Kronecker's product: a copy of `x2` times it for each number of `x1`."""
    return torch.kron(*together(x1, x2))


@op("keras.src.ops.numpy>Cross", call="x1 x2")
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> torch.Tensor:
    """Return the cross products of vectors with 3 entries.

    Args:
        x1: left vectors.
        x2: right vectors.
        axisa: axis of the vectors in x1.
        axisb: axis of the vectors in x2.
        axisc: axis of the vectors in the result.
        axis: all three, if given.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = together(x1, x2)
    x1, x2 = promoted(x1, x2)
    found = torch.linalg.cross(torch.moveaxis(x1, axisa, -1), torch.moveaxis(x2, axisb, -1), dim=-1)
    return torch.moveaxis(found, -1, axisc)


@op("keras.src.ops.numpy>Trace")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> torch.Tensor:
    """Return the sums of a diagonal of the matrices along two axes."""
    x = as_tensor(x)
    return torch.sum(torch.diagonal(x, offset, axis1, axis2), dim=-1, dtype=sum_type(x.dtype))


@op("keras.src.ops.numpy>Diff", call="a")
def diff(a: Any, n: int = 1, axis: int = -1) -> torch.Tensor:
    """Return the differences of neighbours along `axis`, taken `n` times."""
    return torch.diff(as_tensor(a), n=n, dim=axis)


@op("keras.src.ops.numpy>Trapezoid", call="y")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> torch.Tensor:
    """Return the integral along `axis` by the trapezoid rule, at the places `x` or `dx` apart."""
    y = as_tensor(y)
    y = floats(y) if y.dtype is torch.bool else y
    if x is None:
        return torch.trapezoid(y, dx=float(dx), dim=axis)
    y, x = together(y, x)
    if x.ndim == 1:
        axis = one_axis(axis, y.ndim)
        x = x.reshape([-1 if place == axis else 1 for place in range(y.ndim)])
    return torch.trapezoid(y, x=x, dim=axis)


@op("keras.src.ops.numpy>Corrcoef")
def corrcoef(x: Any) -> torch.Tensor:
    """Return the correlation coefficients between the rows of `x`."""
    return torch.corrcoef(wide_floats(x))


@op("keras.src.ops.numpy>Correlate", call="x1 x2")
def correlate(x1: Any, x2: Any, mode: str = "valid") -> torch.Tensor:
    """Return the sums of products of two rows for each shift of the second against the first.

    Args:
        x1: a row.
        x2: a row.
        mode: the shifts with whole overlap ("valid"), with any ("full"), or as many as `x1` is long ("same").
    """
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(message("ops.correlate", expected='"valid", "same" or "full"', got=repr(mode)))
    x1, x2 = together(x1, x2)
    dtype = result_type(x1.dtype, x2.dtype)
    whole = {x1.dtype, x2.dtype} & {torch.int64} and not dtype.startswith(("float", "bfloat"))
    compute = (
        torch.float64
        if whole
        else torch_dtype(result_type(dtype, "bfloat16" if dtype == "bfloat16" else float))
    )
    x1, x2 = x1.to(compute), x2.to(compute)
    sums = torch.nn.functional.conv1d(x1[None, None], x2[None, None], padding=len(x2) - 1)[0, 0]
    if mode == "full":
        return sums
    kept = len(x1) if mode == "same" else max(len(x1), len(x2)) - min(len(x1), len(x2)) + 1
    first = (len(sums) - kept) // 2
    return sums[first : first + kept]


@op("keras.src.ops.math>CDist", call="x y")
def cdist(x: Any, y: Any) -> torch.Tensor:
    """Return the distances between each row of `x` and each row of `y`, leading axes broadcast."""
    x, y = together(x, y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        got = f"shapes {tuple(x.shape)} and {tuple(y.shape)}"
        raise ArgumentError(message("ops.cdist", expected="matrices with rows of one length", got=got))
    apart = x.unsqueeze(-2) - y.unsqueeze(-3)
    return torch.sqrt(torch.sum(apart * apart, dim=-1))

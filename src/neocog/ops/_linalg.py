"""Linear algebra on the last two axes."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, op, together


def _matrix(where: str, x: Any, *, square: bool = True) -> torch.Tensor:
    x = as_tensor(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        expected = "square matrices in the last two axes" if square else "matrices in the last two axes"
        raise ArgumentError(message(f"ops.{where}", expected=expected, got=f"shape {tuple(x.shape)}"))
    return x  # type: ignore[no-any-return]


def _system(where: str, a: Any, b: Any) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = together(a, b)
    a = _matrix(where, a)
    rows = b.shape[-2:-1] if b.ndim == a.ndim else b.shape[-1:]
    if b.ndim in (a.ndim, a.ndim - 1) and rows != a.shape[-2:-1]:
        got = f"shapes {tuple(a.shape)} and {tuple(b.shape)}"
        raise ArgumentError(message(f"ops.{where}", expected="as many rows in `b` as in `a`", got=got))
    return a, b


@op("keras.src.ops.linalg>Cholesky")
def cholesky(x: Any, upper: bool = False) -> torch.Tensor:
    """Return the triangular L with x = L L^T (with `upper`, its transpose) of positive definite matrices."""
    x = _matrix("cholesky", x)
    try:
        return torch.linalg.cholesky(x, upper=upper)  # type: ignore[no-any-return]
    except RuntimeError as error:  # torch's LinAlgError is one
        got = "others"
        raise ArgumentError(
            message("ops.cholesky", expected="positive definite matrices", got=got)
        ) from error


@op("keras.src.ops.linalg>CholeskyInverse")
def cholesky_inverse(x: Any, upper: bool = False) -> torch.Tensor:
    """Return the inverse of L L^T for a triangular L (with `upper`, of L^T L)."""
    return torch.cholesky_inverse(_matrix("cholesky_inverse", x), upper=upper)


@op("keras.src.ops.linalg>Det")
def det(x: Any) -> torch.Tensor:
    """Return the determinants.

    Example:
        >>> round(det([[1.0, 2.0], [3.0, 4.0]]).item(), 4)
        -2.0
    """
    return torch.linalg.det(_matrix("det", x))  # type: ignore[no-any-return]


@op("keras.src.ops.math>Logdet")
def logdet(x: Any) -> torch.Tensor:
    """Return the logarithms of the determinants; NaN where these are negative."""
    return torch.logdet(_matrix("logdet", x))


@op("keras.src.ops.numpy>Slogdet")
def slogdet(x: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the signs of the determinants and the logarithms of their absolute values."""
    sign, logarithm = torch.linalg.slogdet(_matrix("slogdet", x))
    return sign, logarithm


@op("keras.src.ops.linalg>Eig")
def eig(x: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (complex) eigenvalues, and the eigenvectors as columns."""
    values, vectors = torch.linalg.eig(_matrix("eig", x))
    return values, vectors


@op("keras.src.ops.linalg>Eigh")
def eigh(x: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the eigenvalues of symmetric matrices in rising order, and the eigenvectors as columns."""
    values, vectors = torch.linalg.eigh(_matrix("eigh", x))
    return values, vectors


@op("keras.src.ops.linalg>Inv")
def inv(x: Any) -> torch.Tensor:
    """Return the inverse matrices."""
    return torch.linalg.inv(_matrix("inv", x))  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>Pinv")
def pinv(x: Any, rcond: float | None = None) -> torch.Tensor:
    """Return the pseudo-inverses; singular values below `rcond` times the largest count as 0."""
    return torch.linalg.pinv(_matrix("pinv", x, square=False), rtol=rcond)  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>MatrixRank")
def matrix_rank(x: Any, tol: float | None = None) -> torch.Tensor:
    """Return how many singular values are above `tol`."""
    return torch.linalg.matrix_rank(as_tensor(x), atol=tol).to(torch.int32)  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>LuFactor")
def lu_factor(x: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both triangular factors in one matrix, and the row (from 0) that each row was swapped with."""
    factors, pivots = torch.linalg.lu_factor(_matrix("lu_factor", x, square=False))
    return factors, pivots - 1


@op("keras.src.ops.linalg>Norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the norms of the vectors or matrices along `axis`.

    Args:
        x: numbers.
        ord: a number, infinity, "fro" or "nuc"; None is the root of the sum of squares.
        axis: one axis for vectors, two for matrices; None for the whole tensor.
        keepdims: whether to keep the axes with size 1.
    """
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise ArgumentError(message("ops.norm", expected='a number, "fro" or "nuc" as ord', got=repr(ord)))
    x = as_tensor(x)
    dtype = floatx() if x.dtype is torch.int64 else result_type(x.dtype, float)
    axis = tuple(axis) if isinstance(axis, list) else axis
    return torch.linalg.norm(x.to(torch_dtype(dtype)), ord=ord, dim=axis, keepdim=keepdims)  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>Qr")
def qr(x: Any, mode: str = "reduced") -> tuple[torch.Tensor, torch.Tensor]:
    """Return the orthogonal Q and the upper triangular R with x = Q R ("complete": Q square)."""
    if mode not in ("reduced", "complete"):
        raise ArgumentError(message("ops.qr", expected='mode "reduced" or "complete"', got=repr(mode)))
    q, r = torch.linalg.qr(_matrix("qr", x, square=False), mode=mode)
    return q, r


@op("keras.src.ops.linalg>Solve", call="a b")
def solve(a: Any, b: Any) -> torch.Tensor:
    """Return the x with a x = b; `b` holds vectors or matrices."""
    return torch.linalg.solve(*_system("solve", a, b))  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>SolveTriangular", call="a b")
def solve_triangular(a: Any, b: Any, lower: bool = False) -> torch.Tensor:
    """Return the x with a x = b for upper (with `lower`, lower) triangular `a`; `b` as in `solve`."""
    a, b = _system("solve_triangular", a, b)
    if b.ndim == a.ndim - 1:
        return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)  # type: ignore[no-any-return]
    return torch.linalg.solve_triangular(a, b, upper=not lower)  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>Lstsq", call="a b")
def lstsq(a: Any, b: Any, rcond: float | None = None) -> torch.Tensor:
    """Return the x with the least |a x - b|; singular values below `rcond` times the largest count as 0."""
    a, b = together(a, b)
    if b.ndim == 1:
        return _least_squares(a, b.unsqueeze(-1), rcond).squeeze(-1)
    return _least_squares(a, b, rcond)


def _least_squares(a: torch.Tensor, b: torch.Tensor, rcond: float | None) -> torch.Tensor:
    if rcond is None:
        return torch.linalg.lstsq(a, b).solution  # type: ignore[no-any-return]
    if a.device.type == "cpu":
        return torch.linalg.lstsq(a, b, rcond=rcond, driver="gelsd").solution  # type: ignore[no-any-return]
    return torch.linalg.pinv(a, rtol=rcond) @ b  # type: ignore[no-any-return]


@op("keras.src.ops.linalg>SVD")
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return U, the singular values S in falling order and V^H with x = U S V^H, or S alone.

    Args:
        x: matrices.
        full_matrices: whether U and V are square.
        compute_uv: whether to return U and V.
    """
    x = _matrix("svd", x, square=False)
    if not compute_uv:
        return torch.linalg.svdvals(x)
    left, values, right = torch.linalg.svd(x, full_matrices=full_matrices)
    return left, values, right


@op("keras.src.ops.linalg>JVP", call="fun primals tangents")
def jvp(fun: Any, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Return a function's values at `primals` and its derivative there in the direction `tangents`.

    Args:
        fun: function of tensors.
        primals: its arguments.
        tangents: a direction for each argument.
        has_aux: whether `fun` returns a second value, which is passed on.
    """
    points = tuple(as_tensor(value) for value in primals)
    directions = tuple(as_tensor(value, point.dtype) for value, point in zip(tangents, points, strict=True))
    with warnings.catch_warnings():  # torch's first call compiles its rules in a way that it calls old
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.func.jvp(fun, points, directions, has_aux=has_aux)

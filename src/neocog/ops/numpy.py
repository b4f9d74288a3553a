"""The operations that NumPy has, too (Keras's `ops.numpy`)."""

# fmt: off
# isort: off

from neocog.ops._arithmetic import (
    add, divide, divide_no_nan, floor_divide, fmax, fmin, fmod, gcd, heaviside, lcm, ldexp, logaddexp,
    logaddexp2, maximum, minimum, mod, multiply, nextafter, power, subtract, true_divide,
)
from neocog.ops._elementwise import (
    abs, absolute, cbrt, ceil, clip, conj, conjugate, exp, exp2, expm1, fabs, floor, i0, imag, log, log10,
    log1p, log2, nan_to_num, negative, real, reciprocal, round, sign, signbit, sqrt, square, trunc,
)
from neocog.ops._indexing import (
    diagonal, get_item, nonzero, select, take, take_along_axis, unravel_index, where,
)
from neocog.ops._joining import (
    append, array_split, concatenate, dsplit, dstack, hsplit, hstack, meshgrid, split, stack, vsplit, vstack,
)
from neocog.ops._linalg import slogdet
from neocog.ops._logic import (
    allclose, bitwise_and, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift,
    bitwise_xor, equal, greater, greater_equal, isclose, isfinite, isin, isinf, isnan, isneginf, isposinf,
    isreal, left_shift, less, less_equal, logical_and, logical_not, logical_or, logical_xor, not_equal,
    right_shift,
)
from neocog.ops._making import (
    arange, array, bartlett, blackman, diag, diagflat, empty, empty_like, eye, full, full_like, geomspace,
    hamming, hanning, identity, kaiser, linspace, logspace, ones, ones_like, tri, tril, triu, vander, zeros,
    zeros_like,
)
from neocog.ops._nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from neocog.ops._products import (
    corrcoef, correlate, cross, diff, dot, einsum, inner, kron, matmul, outer, tensordot, trace, trapezoid,
    vdot,
)
from neocog.ops._quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from neocog.ops._reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, cumprod, cumsum, max, mean, min, prod, ptp,
    std, sum, var,
)
from neocog.ops._shapes import (
    broadcast_to, copy, expand_dims, flip, fliplr, flipud, moveaxis, ndim, pad, ravel, repeat, reshape, roll,
    rot90, size, squeeze, swapaxes, tile, transpose, view,
)
from neocog.ops._sorting import (
    argpartition, argsort, bincount, digitize, histogram, searchsorted, sort, unique,
)
from neocog.ops._trigonometry import (
    angle, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cos, cosh, deg2rad, hypot, rad2deg,
    sin, sinc, sinh, tan, tanh,
)
from neocog.ops._vectorize import vectorize

__all__ = [
    "abs", "absolute", "add", "all", "allclose", "amax", "amin", "angle", "any", "append", "arange", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition",
    "argsort", "array", "array_split", "average", "bartlett", "bincount", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman",
    "broadcast_to", "cbrt", "ceil", "clip", "concatenate", "conj", "conjugate", "copy", "corrcoef",
    "correlate", "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum", "deg2rad", "diag", "diagflat",
    "diagonal", "diff", "digitize", "divide", "divide_no_nan", "dot", "dsplit", "dstack", "einsum", "empty",
    "empty_like", "equal", "exp", "exp2", "expand_dims", "expm1", "eye", "fabs", "flip", "fliplr", "flipud",
    "floor", "floor_divide", "fmax", "fmin", "fmod", "full", "full_like", "gcd", "geomspace", "get_item",
    "greater", "greater_equal", "hamming", "hanning", "heaviside", "histogram", "hsplit", "hstack", "hypot",
    "i0", "identity", "imag", "inner", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "kaiser", "kron", "lcm", "ldexp", "left_shift", "less", "less_equal", "linspace",
    "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logspace", "matmul", "max", "maximum", "mean", "median", "meshgrid", "min", "minimum",
    "mod", "moveaxis", "multiply", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum",
    "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum",
    "nanvar", "ndim", "negative", "nextafter", "nonzero", "not_equal", "ones", "ones_like", "outer", "pad",
    "percentile", "power", "prod", "ptp", "quantile", "rad2deg", "ravel", "real", "reciprocal", "repeat",
    "reshape", "right_shift", "roll", "rot90", "round", "searchsorted", "select", "sign", "signbit", "sin",
    "sinc", "sinh", "size", "slogdet", "sort", "split", "sqrt", "square", "squeeze", "stack", "std",
    "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "unique", "unravel_index",
    "vander", "var", "vdot", "vectorize", "view", "vsplit", "vstack", "where", "zeros", "zeros_like",
]

"""Keras's `ops`: functions of tensors that also join a graph."""

# One name a line would make some 700 lines.
# fmt: off
# isort: off

from neocog.ops import image, linalg, nn, numpy
from neocog.ops._activations import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_swish, hard_tanh, leaky_relu,
    log_sigmoid, log_softmax, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
    sparse_plus, sparse_sigmoid, sparsemax, squareplus, swish, tanh_shrink, threshold,
)
from neocog.ops._arithmetic import (
    add, divide, divide_no_nan, floor_divide, fmax, fmin, fmod, gcd, heaviside, lcm, ldexp, logaddexp,
    logaddexp2, maximum, minimum, mod, multiply, nextafter, power, subtract, true_divide,
)
from neocog.ops._attention import dot_product_attention
from neocog.ops._blocks import depth_to_space, fold, polar, space_to_depth, unfold
from neocog.ops._control import (
    associative_scan, cond, fori_loop, map, scan, switch, vectorized_map, while_loop,
)
from neocog.ops._conv import conv, conv_transpose, depthwise_conv, separable_conv
from neocog.ops._core import (
    cast, convert_to_numpy, convert_to_tensor, custom_gradient, device, dtype, is_keras_tensor, is_tensor,
    saturate_cast, shape, stop_gradient,
)
from neocog.ops._crossentropy import (
    binary_crossentropy, categorical_crossentropy, ctc_loss, psnr, sparse_categorical_crossentropy,
)
from neocog.ops._ctc_decode import ctc_decode
from neocog.ops._elementwise import (
    abs, absolute, cbrt, ceil, clip, conj, conjugate, erf, erfc, erfinv, exp, exp2, expm1, fabs, floor, i0,
    imag, log, log10, log1p, log2, nan_to_num, negative, real, reciprocal, round, rsqrt, sign, signbit, sqrt,
    square, trunc,
)
from neocog.ops._encoding import multi_hot, one_hot
from neocog.ops._fourier import (
    extract_sequences, fft, fft2, ifft2, irfft, istft, rfft, stft, view_as_complex, view_as_real,
)
from neocog.ops._indexing import (
    diagonal, get_item, nonzero, select, take, take_along_axis, unravel_index, where,
)
from neocog.ops._joining import (
    append, array_split, concatenate, dsplit, dstack, hsplit, hstack, meshgrid, split, stack, vsplit, vstack,
)
from neocog.ops._linalg import (
    cholesky, cholesky_inverse, det, eig, eigh, inv, jvp, logdet, lstsq, lu_factor, matrix_rank, norm, pinv,
    qr, slogdet, solve, solve_triangular, svd,
)
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
from neocog.ops._norms import batch_normalization, layer_normalization, moments, normalize, rms_normalization
from neocog.ops._op import OPERATIONS, Operation, op
from neocog.ops._operator_table import operation_call, operation_of
from neocog.ops._pool import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from neocog.ops._products import (
    cdist, corrcoef, correlate, cross, diff, dot, einsum, inner, kron, matmul, outer, tensordot, trace,
    trapezoid, vdot,
)
from neocog.ops._quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from neocog.ops._rearrange import rearrange
from neocog.ops._reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, cumprod, cumsum, logsumexp, max, mean, min,
    prod, ptp, std, sum, var,
)
from neocog.ops._segments import segment_max, segment_min, segment_prod, segment_sum
from neocog.ops._shapes import (
    broadcast_to, copy, expand_dims, flip, fliplr, flipud, moveaxis, ndim, pad, ravel, repeat, reshape, roll,
    rot90, size, squeeze, swapaxes, tile, transpose, view,
)
from neocog.ops._slices import scatter, scatter_update, slice, slice_update, unstack
from neocog.ops._sorting import (
    argpartition, argsort, bincount, digitize, histogram, in_top_k, searchsorted, sort, top_k, unique,
)
from neocog.ops._trigonometry import (
    angle, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cos, cosh, deg2rad, hypot, rad2deg,
    sin, sinc, sinh, tan, tanh,
)
from neocog.ops._vectorize import vectorize

__all__ = [
    "OPERATIONS", "Operation", "abs", "absolute", "adaptive_average_pool", "adaptive_max_pool", "add", "all",
    "allclose", "amax", "amin", "angle", "any", "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "array", "array_split",
    "associative_scan", "average", "average_pool", "bartlett", "batch_normalization", "binary_crossentropy",
    "bincount", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "blackman", "broadcast_to", "cast", "categorical_crossentropy",
    "cbrt", "cdist", "ceil", "celu", "cholesky", "cholesky_inverse", "clip", "concatenate", "cond", "conj",
    "conjugate", "conv", "conv_transpose", "convert_to_numpy", "convert_to_tensor", "copy", "corrcoef",
    "correlate", "cos", "cosh", "count_nonzero", "cross", "ctc_decode", "ctc_loss", "cumprod", "cumsum",
    "custom_gradient", "deg2rad", "depth_to_space", "depthwise_conv", "det", "device", "diag", "diagflat",
    "diagonal", "diff", "digitize", "divide", "divide_no_nan", "dot", "dot_product_attention", "dsplit",
    "dstack", "dtype", "eig", "eigh", "einsum", "elu", "empty", "empty_like", "equal", "erf", "erfc",
    "erfinv", "exp", "exp2", "expand_dims", "expm1", "extract_sequences", "eye", "fabs", "fft", "fft2",
    "flip", "fliplr", "flipud", "floor", "floor_divide", "fmax", "fmin", "fmod", "fold", "fori_loop", "full",
    "full_like", "gcd", "gelu", "geomspace", "get_item", "glu", "greater", "greater_equal", "hamming",
    "hanning", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "heaviside",
    "histogram", "hsplit", "hstack", "hypot", "i0", "identity", "ifft2", "imag", "image", "in_top_k", "inner",
    "inv", "irfft", "is_keras_tensor", "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "istft", "jvp", "kaiser", "kron", "layer_normalization", "lcm", "ldexp",
    "leaky_relu", "left_shift", "less", "less_equal", "linalg", "linspace", "log", "log1p", "log2", "log10",
    "log_sigmoid", "log_softmax", "logaddexp", "logaddexp2", "logdet", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "logsumexp", "lstsq", "lu_factor", "map", "matmul",
    "matrix_rank", "max", "max_pool", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mod",
    "moments", "moveaxis", "multi_hot", "multiply", "nan_to_num", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile",
    "nanstd", "nansum", "nanvar", "ndim", "negative", "nextafter", "nn", "nonzero", "norm", "normalize",
    "not_equal", "numpy", "one_hot", "ones", "ones_like", "op", "operation_call", "operation_of", "outer",
    "pad", "percentile", "pinv", "polar", "power", "prod", "psnr", "ptp", "qr", "quantile", "rad2deg",
    "ravel", "real", "rearrange", "reciprocal", "relu", "relu6", "repeat", "reshape", "rfft", "right_shift",
    "rms_normalization", "roll", "rot90", "round", "rsqrt", "saturate_cast", "scan", "scatter",
    "scatter_update", "searchsorted", "segment_max", "segment_min", "segment_prod", "segment_sum", "select",
    "selu", "separable_conv", "shape", "sigmoid", "sign", "signbit", "silu", "sin", "sinc", "sinh", "size",
    "slice", "slice_update", "slogdet", "soft_shrink", "softmax", "softplus", "softsign", "solve",
    "solve_triangular", "sort", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "split", "sqrt", "square", "squareplus", "squeeze", "stack", "std", "stft",
    "stop_gradient", "subtract", "sum", "svd", "swapaxes", "swish", "switch", "take", "take_along_axis",
    "tan", "tanh", "tanh_shrink", "tensordot", "threshold", "tile", "top_k", "trace", "transpose",
    "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "unfold", "unique", "unravel_index",
    "unstack", "vander", "var", "vdot", "vectorize", "vectorized_map", "view", "view_as_complex",
    "view_as_real", "vsplit", "vstack", "where", "while_loop", "zeros", "zeros_like",
]

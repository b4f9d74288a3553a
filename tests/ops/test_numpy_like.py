"""The NumPy-like operations beside real Keras: values, types, shapes, symbolic shapes, gradients."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import torch
from beside_keras import flat, same
from hypothesis import given
from numpy_like_arrays import HOLES, IMAGE, SQUARE, F, G
from numpy_like_cases import CASES

from neocog import ops
from neocog.core import dtype_name
from neocog.graph import SymbolicTensor
from neocog.ops import OPERATIONS

KERAS_MODULES = tuple(f"keras.src.ops.{name}" for name in ("numpy", "linalg", "math"))
KERAS_NAMES = sorted(
    name for name in dir(keras.ops) if getattr(getattr(keras.ops, name), "__module__", None) in KERAS_MODULES
)
OWN_NAMES = sorted(set(CASES) | {"jvp", "vectorize"})

# Where Keras on torch differs from NumPy and from its other backends, neocog follows NumPy (tested below).
ASIDE = {"count_nonzero-2", "pad-1", "pad-2"}
# What has no symbolic result in Keras, or none of one shape.
NOT_SYMBOLIC = {
    "bartlett",
    "blackman",
    "hamming",
    "hanning",
    "kaiser",  # the number of points is no tensor
    "arange",
    "linspace",
    "logspace",
    "geomspace",
    "full",
    "ndim",
    "size",
    "eig",  # Keras says real, the values are complex
    "slogdet",  # Keras says one sign for a whole batch
    "corrcoef",  # Keras says the shape of the argument
    "nonzero",  # Keras says a row an axis, the result is one tensor
}
# Rows that make no sense with an unknown first size, or where Keras's rule is not what it computes.
KNOWN_ONLY = {"cross-1", "logdet-1", "matmul-2", "repeat-2"}
KERAS_ERRS = {"rot90-1", "vstack-1", "where-4"}


def cases(name: str, aside: set[str] = frozenset()) -> Iterator[tuple[str, Any, Any]]:
    for place, (args, kwargs) in enumerate(CASES[name]):
        if f"{name}-{place}" not in aside:
            yield f"{name}-{place}", args, kwargs


def by_keras(name: str, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(keras.ops, name)(*args, **kwargs)


def parameters(function: Any) -> list[Any]:
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


def test_every_function_of_keras_is_there_has_its_signature_and_a_row() -> None:
    assert set(OWN_NAMES) == set(KERAS_NAMES), "add a row to numpy_like_cases"
    for name in KERAS_NAMES:
        assert name in ops.__all__
        assert parameters(getattr(ops, name)) == parameters(getattr(keras.ops, name)), name


@pytest.mark.parametrize("name", sorted(CASES))
def test_values_types_and_shapes_are_those_of_keras(name: str) -> None:
    for row, args, kwargs in cases(name, ASIDE):
        got = getattr(ops, name)(*args, **kwargs)
        want = by_keras(name, *args, **kwargs)
        half = any(torch.as_tensor(leaf).dtype == torch.float16 for leaf in flat(want))
        same(row, got, want, values=not name.startswith("empty"), rtol=2e-3 if half else 2e-5)


@pytest.mark.parametrize("wrong", [F + np.float32(0.01), F.astype("float64"), F[:1], (F, F)])
def test_the_checker_fails(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        same("wrong", torch.as_tensor(F), wrong if isinstance(wrong, tuple) else torch.as_tensor(wrong))


def symbolic(tree: Any, make: Any, batch: int | None) -> Any:
    """Replace arrays by symbolic tensors; those whose first size is `batch` do not know it."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(symbolic(item, make, batch) for item in tree)
    if isinstance(tree, np.ndarray) and tree.ndim:
        first = None if batch == len(tree) else len(tree)
        return make((first, *tree.shape[1:]), dtype=str(tree.dtype))
    return tree


def symbolic_call(function: Any, name: str, args: Any, kwargs: Any, make: Any, unknown: bool) -> Any:
    bound = inspect.signature(getattr(keras.ops, name)).bind(*args, **kwargs).arguments
    called = getattr(ops, name).operation.call
    arrays = [leaf for leaf in flat([*args, *kwargs.values()]) if isinstance(leaf, np.ndarray) and leaf.ndim]
    batch = len(arrays[0]) if unknown and arrays else None
    for parameter, value in bound.items():
        if parameter in called:
            bound[parameter] = symbolic(value, make, batch)
    operands = bound.pop("operands", ()) or (bound.pop("x") if name == "meshgrid" else ())
    lead = [bound.pop("subscripts")] if name == "einsum" else []
    return function(*lead, *operands, **bound)


@pytest.mark.parametrize("name", sorted(set(CASES) - NOT_SYMBOLIC))
def test_symbolic_shapes_are_those_of_keras(name: str) -> None:
    if not hasattr(getattr(ops, name), "operation"):
        return
    for row, args, kwargs in cases(name, ASIDE | KERAS_ERRS):
        for unknown in (False,) if row in KNOWN_ONLY else (True, False):
            try:
                want = symbolic_call(getattr(keras.ops, name), name, args, kwargs, keras.KerasTensor, unknown)
            except Exception:  # Keras cannot say
                continue
            if not any(isinstance(leaf, keras.KerasTensor) for leaf in flat(want)):
                continue
            got = symbolic_call(getattr(ops, name), name, args, kwargs, SymbolicTensor, unknown)
            assert [leaf.shape for leaf in flat(got)] == [tuple(leaf.shape) for leaf in flat(want)], row


@pytest.mark.parametrize("name", sorted(set(CASES) - NOT_SYMBOLIC))
def test_symbolic_types_are_those_of_the_results(name: str) -> None:
    if not hasattr(getattr(ops, name), "operation"):
        return
    for row, args, kwargs in cases(name):
        got = symbolic_call(getattr(ops, name), name, args, kwargs, SymbolicTensor, False)
        if any(isinstance(leaf, SymbolicTensor) for leaf in flat(got)):
            real = flat(getattr(ops, name)(*args, **kwargs))
            assert [leaf.dtype for leaf in flat(got)] == [dtype_name(leaf.dtype) for leaf in real], row


def test_registered_classes_are_those_of_keras() -> None:
    for key in (key for key in OPERATIONS.names() if key.startswith(KERAS_MODULES)):
        operation = OPERATIONS.resolve(key)()
        theirs = getattr(getattr(keras.src.ops, operation.module.rpartition(".")[2]), operation.class_name)
        called = [
            name for name in inspect.signature(theirs.call).parameters if name not in ("self", "kwargs")
        ]
        assert set(called) <= set(operation.call), key
        if key.endswith(">Isclose"):
            continue  # its tolerances are passed in the call, though the class keeps defaults
        given = inspect.signature(operation.function).parameters
        config = {name for name in given if name not in operation.call and name != "kwargs"}
        assert config == set(inspect.signature(theirs.__init__).parameters) - {"self", "name"}, key


def test_every_class_of_keras_is_registered() -> None:
    for module in (keras.src.ops.numpy, keras.src.ops.linalg, keras.src.ops.math):
        for name, entry in vars(module).items():
            if inspect.isclass(entry) and entry.__module__ == module.__name__ and name != "SegmentReduction":
                assert f"{module.__name__}>{name}" in OPERATIONS, name


GRADIENTS = {
    "add": (F, G),
    "average": (F,),
    "cbrt": (F,),
    "clip": (F, -1.0, 1.0),
    "concatenate": ([F, G],),
    "cumsum": (F,),
    "det": (SQUARE,),
    "divide_no_nan": (F, G),
    "einsum": ("ij,kj->ik", F, G),
    "erf": (F,),
    "exp": (F,),
    "expand_dims": (F, 1),
    "inv": (SQUARE,),
    "logaddexp": (F, G),
    "logsumexp": (F, 1),
    "matmul": (F, G.T.copy()),
    "max": (F, 1),
    "maximum": (F, G),
    "mean": (F, 0),
    "median": (F, 1),
    "multiply": (F, G),
    "nanmean": (HOLES,),
    "norm": (F,),
    "pad": (IMAGE, 1),
    "power": (np.abs(F), 3),
    "prod": (F, 1),
    "quantile": (F, 0.3),
    "repeat": (F, 2, 1),
    "reshape": (F, (2, 6)),
    "roll": (F, 1),
    "segment_sum": (F, np.array([0, 1, 0]), 2),
    "sort": (F,),
    "std": (F, 1),
    "stack": ([F, G],),
    "sum": (F, 1),
    "take": (F, [0, 2], 1),
    "tanh": (F,),
    "tile": (F, 2),
    "transpose": (F,),
    "tril": (F,),
    "var": (F, 0),
    "where": (F > 0, F, G),
}


@pytest.mark.parametrize("name", sorted(GRADIENTS))
def test_gradients_are_those_of_keras(name: str) -> None:
    def gradients(function: Any) -> list[torch.Tensor]:
        def leaf(array: Any) -> Any:
            if isinstance(array, list) and isinstance(array[0], np.ndarray):
                return [leaf(item) for item in array]
            if isinstance(array, np.ndarray) and array.dtype == np.float32:
                leaves.append(torch.tensor(array, requires_grad=True))
                return leaves[-1]
            return array

        leaves: list[torch.Tensor] = []
        result = function(*(leaf(array) for array in GRADIENTS[name]))
        places = torch.arange(result.numel()).reshape(result.shape) + 1.0
        return list(torch.autograd.grad((result * places).sum(), leaves))

    theirs = keras.ops.pad if name == "pad" else getattr(keras.ops, name)
    if name == "pad":  # Keras pads the last axis alone
        theirs = lambda x, width: keras.ops.pad(x, ((width, width),) * 4)  # noqa: E731
    same(name, gradients(getattr(ops, name)), gradients(theirs), rtol=1e-4)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    kind=st.sampled_from(["float32", "int32", "bool", "float16", "int64", "uint8"]),
    name=st.sampled_from(["sum", "mean", "max", "min", "std", "var", "all", "any", "prod", "amax", "median"]),
    data=st.data(),
)
def test_drawn_reductions(shape: list[int], kind: str, name: str, data: st.DataObject) -> None:
    x = np.random.default_rng(len(shape)).uniform(0, 3, shape).astype(kind)
    axes = data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=len(shape)))
    axis = sorted({axis % len(shape) for axis in axes})
    keepdims = data.draw(st.booleans())
    if kind == "bool" and name in ("max", "min", "amax"):
        return
    want = by_keras(name, x, axis=tuple(axis), keepdims=keepdims)
    same(name, getattr(ops, name)(x, axis=axis, keepdims=keepdims), want, rtol=5e-3)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), min_size=1, max_size=4),
    kinds=st.tuples(
        *[st.sampled_from(["float32", "float16", "int32", "uint8", "bfloat16", "int64", "float64"])] * 2
    ),
    name=st.sampled_from(
        ["add", "multiply", "maximum", "less", "divide", "power", "floor_divide", "subtract"]
    ),
)
def test_drawn_pairs(sizes: list[tuple[int, bool, bool]], kinds: tuple[str, str], name: str) -> None:
    left = torch.ones([1 if one else size for size, one, _ in sizes]).to(getattr(torch, kinds[0])) * 3
    right = torch.ones([1 if one else size for size, _, one in sizes]).to(getattr(torch, kinds[1])) * 2
    got, want = getattr(ops, name)(left, right), by_keras(name, left, right)
    assert got.dtype == want.dtype
    same(name, got.float(), want.float())

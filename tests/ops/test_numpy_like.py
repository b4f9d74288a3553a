"""The NumPy-like operations beside real Keras: values, types, shapes, symbolic shapes, gradients."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import inspect
import warnings
from typing import Any

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from numpy_like_cases import CASES, HOLES, IMAGE, ROW, SQUARE, F, G, I, call

import neocog
from neocog import ops
from neocog.graph import SymbolicTensor
from neocog.ops import OPERATIONS

KERAS_MODULES = tuple(f"keras.src.ops.{name}" for name in ("numpy", "linalg", "math"))
KERAS_NAMES = sorted(
    name
    for name in dir(keras.ops)
    if getattr(getattr(keras.ops, name), "__module__", None) in KERAS_MODULES
)
OWN_NAMES = sorted(set(CASES) | {"jvp", "vectorize"})

# Where Keras on torch differs from NumPy and from its other backends, neocog follows NumPy (tested below).
ASIDE = {"count_nonzero-0", "count_nonzero-1", "count_nonzero-2", "pad-1", "pad-2"}
# What has no symbolic result in Keras, or none of one shape.
NOT_SYMBOLIC = {
    "bartlett", "blackman", "hamming", "hanning", "kaiser",  # the number of points is no tensor
    "arange", "linspace", "logspace", "geomspace", "full", "ndim", "size",
    "eig",  # Keras says real, the values are complex
    "slogdet",  # Keras says one sign for a whole batch
    "nonzero",  # Keras says a row an axis, the result is one tensor
}  # fmt: skip
# Rows that make no sense with an unknown first size, or where Keras's rule is not what it computes.
KNOWN_ONLY = {"corrcoef-0", "corrcoef-1", "corrcoef-2", "cross-1", "logdet-1", "matmul-2", "repeat-2"}
KERAS_ERRS = {"rot90-1", "vstack-1", "where-4"}


def flat(result: Any) -> list[Any]:
    if isinstance(result, (list, tuple)):
        return [leaf for item in result for leaf in flat(item)]
    return [result]


def same(got: Any, want: Any, *, values: bool = True, rtol: float = 1e-5) -> None:
    """Check that results have the same number of tensors, shapes, types and (nearly) values."""
    got, want = flat(got), flat(want)
    assert len(got) == len(want)
    for mine, theirs in zip(got, want, strict=True):
        mine, theirs = torch.as_tensor(mine), torch.as_tensor(theirs)
        assert (tuple(mine.shape), mine.dtype) == (tuple(theirs.shape), theirs.dtype)
        if values:
            np.testing.assert_allclose(
                mine.detach().resolve_conj().numpy(), theirs.resolve_conj().numpy(), rtol=rtol, atol=1e-5
            )


def rows(aside: set[str]) -> list[Any]:
    return [
        pytest.param(name, args, kwargs, id=f"{name}-{place}")
        for name, cases in CASES.items()
        for place, (args, kwargs) in enumerate(cases)
        if f"{name}-{place}" not in aside
    ]


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_every_function_of_keras_is_there_has_its_signature_and_a_row(name: str) -> None:
    assert name in OWN_NAMES, "add a row to numpy_like_cases"
    mine = inspect.signature(getattr(ops, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.ops, name)).parameters.values()
    assert [(p.name, p.default, p.kind) for p in mine] == [(p.name, p.default, p.kind) for p in theirs]
    assert name in ops.__all__


def test_no_row_is_left_over() -> None:
    assert set(OWN_NAMES) == set(KERAS_NAMES)


@pytest.mark.parametrize(("name", "args", "kwargs"), rows(ASIDE))
def test_values_types_and_shapes_are_those_of_keras(name: str, args: Any, kwargs: Any) -> None:
    got = getattr(ops, name)(*args, **kwargs)
    want = getattr(keras.ops, name)(*args, **kwargs)
    half = any(tensor.dtype == torch.float16 for tensor in flat(want) if isinstance(tensor, torch.Tensor))
    same(got, want, values=not name.startswith("empty"), rtol=2e-3 if half else 2e-5)


@pytest.mark.parametrize("wrong", [F + np.float32(0.01), F.astype("float64"), F[:1], (F, F)])
def test_the_checker_fails(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        same(torch.as_tensor(F), wrong if isinstance(wrong, tuple) else torch.as_tensor(wrong))


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


@pytest.mark.parametrize(("name", "args", "kwargs"), rows(ASIDE | KERAS_ERRS))
def test_symbolic_shapes_are_those_of_keras(
    name: str, args: Any, kwargs: Any, request: pytest.FixtureRequest
) -> None:
    operation = getattr(getattr(ops, name), "operation", None)
    if name in NOT_SYMBOLIC or operation is None:
        return
    known_only = request.node.callspec.id in KNOWN_ONLY
    for unknown in (False,) if known_only else (True, False):
        try:
            want = symbolic_call(getattr(keras.ops, name), name, args, kwargs, keras.KerasTensor, unknown)
        except Exception:  # Keras cannot say
            continue
        if not any(isinstance(leaf, keras.KerasTensor) for leaf in flat(want)):
            continue
        got = symbolic_call(getattr(ops, name), name, args, kwargs, SymbolicTensor, unknown)
        assert [leaf.shape for leaf in flat(got)] == [tuple(leaf.shape) for leaf in flat(want)], unknown


@pytest.mark.parametrize("key", [key for key in OPERATIONS.names() if key.startswith(KERAS_MODULES)])
def test_registered_classes_are_those_of_keras(key: str) -> None:
    operation = OPERATIONS.resolve(key)()
    module = {"numpy": keras.src.ops.numpy, "linalg": keras.src.ops.linalg, "math": keras.src.ops.math}
    theirs = getattr(module[operation.module.rpartition(".")[2]], operation.class_name)
    called = [name for name in inspect.signature(theirs.call).parameters if name not in ("self", "kwargs")]
    assert [name for name in called if name in operation.call] == called
    if "rtol" not in called:
        given = inspect.signature(operation.function).parameters
        config = [name for name in given if name not in operation.call and name != "kwargs"]
        assert set(config) == set(inspect.signature(theirs.__init__).parameters) - {"self", "name"}


def test_every_class_of_keras_is_registered() -> None:
    for module in (keras.src.ops.numpy, keras.src.ops.linalg, keras.src.ops.math):
        for name, entry in vars(module).items():
            if inspect.isclass(entry) and entry.__module__ == module.__name__ and name != "SegmentReduction":
                assert f"{module.__name__}>{name}" in OPERATIONS, name

"""Operations that call functions: branches, loops, scans, maps."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import torch

from neocog.core import tree_flatten, tree_map, tree_pack
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.ops._op import as_tensor, op


@op("keras.src.ops.core>Cond", call="pred true_fn false_fn")
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return `true_fn()` where `pred` holds, else `false_fn()`.

    Args:
        pred: one truth value.
        true_fn: function without arguments.
        false_fn: function without arguments, with a result of the same form.

    Example:
        >>> cond(torch.tensor(True), lambda: 1, lambda: 2)
        1
    """
    if isinstance(pred, torch.Tensor) and pred.is_meta:
        return true_fn()  # the form of the result: both branches have the same
    return true_fn() if pred else false_fn()


@op("keras.src.ops.core>Switch", call="index branches operands")
def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """Return `branches[index](*operands)`; an index outside takes the nearest branch.

    Args:
        index: a whole number.
        branches: functions of the operands.
        operands: what the chosen function is called with.

    Example:
        >>> switch(1, [lambda x: x, lambda x: -x], 3)
        -3
    """
    if isinstance(index, torch.Tensor) and index.is_meta:
        return branches[0](*operands)
    return branches[max(0, min(int(index), len(branches) - 1))](*operands)


@op("keras.src.ops.core>WhileLoop", call="loop_vars")
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Args:
        cond: function of the variables that returns one truth value.
        body: function of the variables that returns their new values.
        loop_vars: one value, or a tuple or list of them.
        maximum_iterations: most repetitions; None for no bound.

    Example:
        >>> while_loop(lambda i: i < 10, lambda i: i + 3, 0)
        tensor(12, dtype=torch.int32)
    """
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(tree_map(as_tensor, item) for item in (loop_vars if several else (loop_vars,)))
    if any(isinstance(leaf, torch.Tensor) and leaf.is_meta for leaf in tree_flatten(values)):
        return values if several else values[0]
    done = 0
    while (maximum_iterations is None or done < maximum_iterations) and cond(*values):
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
        done += 1
    return values if several else values[0]


@op("keras.src.ops.core>ForiLoop", call="init_val")
def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Return what `value = body_fun(i, value)` gives for i from `lower` to `upper - 1`.

    Args:
        lower: first number.
        upper: the number after the last.
        body_fun: function of the number and the value.
        init_val: the first value.

    Example:
        >>> fori_loop(0, 4, lambda i, value: value + i, 0)
        6
    """
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


@op("keras.src.ops.core>Map", call="f xs")
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Return `f` of each entry along the first axis, stacked.

    Args:
        f: function of one entry; its result may be nested.
        xs: tensor, or nested tensors of the same length.

    Example:
        >>> map(lambda x: x * 2, torch.tensor([1, 2]))
        tensor([2, 4])
    """
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


@op("keras.src.ops.core>VectorizedMap", call="elements")
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Return `function` of each entry along the first axis, all computed at once.

    Args:
        function: function of one entry, of tensor operations alone.
        elements: tensor, or nested tensors of the same length.

    Example:
        >>> vectorized_map(lambda x: x * 2, torch.tensor([1, 2]))
        tensor([2, 4])
    """
    return torch.vmap(function)(tree_map(as_tensor, elements))


@op("keras.src.ops.core>Scan", call="f init xs")
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carry a value through the entries of `xs`: `carry, y = f(carry, x)`; return the last carry and all `y`.

    Args:
        f: function of the carry and one entry; returns the new carry and a result (None for none).
        init: the first carry; may be nested.
        xs: tensor, or nested tensors of the same length; None with `length`.
        length: number of steps; default the length of `xs`.
        reverse: whether to go from the last entry to the first.
        unroll: accepted for Keras's sake.

    Raises:
        ArgumentError: neither `xs` nor `length` is given.

    Example:
        >>> total, sums = scan(lambda carry, x: (carry + x, carry + x), 0, torch.tensor([1, 2, 3]))
        >>> total, sums
        (tensor(6), tensor([1, 3, 6]))
    """
    if not callable(f):
        raise ArgumentTypeError(message("ops.scan", expected="f to be a function", got=repr(f)))
    if xs is None and length is None:
        raise ArgumentError(message("ops.scan", expected="xs or length", got="neither"))
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ArgumentError(message("ops.scan", expected="unroll to be True, False or 1 or more", got=unroll))
    entries = None if xs is None else tree_map(as_tensor, xs)
    steps = int(length) if length is not None else len(tree_flatten(entries)[0])
    carry = tree_map(as_tensor, init)
    results = []
    for step in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(carry, None if entries is None else tree_map(itemgetter(step), entries))
        results.append(tree_map(torch.zeros_like, carry) if y is None else y)
    if reverse:
        results.reverse()
    if not results:
        return carry, None
    columns = zip(*(tree_flatten(result) for result in results), strict=True)
    return carry, tree_pack(results[0], [torch.stack([as_tensor(y) for y in each]) for each in columns])


@op("keras.src.ops.core>AssociativeScan", call="f elems")
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Return all running results of an associative function along an axis: x₀, f(x₀, x₁), f(f(x₀, x₁), x₂), …

    Args:
        f: associative function of two (nested) tensors, entry by entry.
        elems: tensor, or nested tensors of the same size along `axis`.
        reverse: whether to go from the last entry to the first.
        axis: the axis.

    Raises:
        ShapeError: the sizes along `axis` differ.

    Example:
        >>> associative_scan(lambda a, b: a + b, torch.tensor([1, 2, 3]))
        tensor([1, 3, 6])
    """
    if not callable(f):
        raise ArgumentTypeError(message("ops.associative_scan", expected="f to be a function", got=repr(f)))
    leaves = [as_tensor(leaf).movedim(axis, 0) for leaf in tree_flatten(elems)]
    sizes = {len(leaf) for leaf in leaves}
    if len(sizes) != 1:
        where = "ops.associative_scan"
        raise ShapeError(message(where, expected=f"one size along axis {axis}", got=sorted(sizes)))
    leaves = [leaf.flip(0) for leaf in leaves] if reverse else leaves

    def join(first: list[torch.Tensor], second: list[torch.Tensor]) -> list[torch.Tensor]:
        return tree_flatten(f(tree_pack(elems, first), tree_pack(elems, second)))

    step = 1
    while step < len(leaves[0]):  # after each pass, entry i holds the last 2·step entries up to i
        joined = join([leaf[:-step] for leaf in leaves], [leaf[step:] for leaf in leaves])
        leaves = [torch.cat([leaf[:step], new]) for leaf, new in zip(leaves, joined, strict=True)]
        step *= 2
    leaves = [leaf.flip(0) for leaf in leaves] if reverse else leaves
    return tree_pack(elems, [leaf.movedim(0, axis) for leaf in leaves])

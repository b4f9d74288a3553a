"""Nested structures as Keras's `tree` has them: mappings by sorted key, lists, tuples and named tuples."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from neocog.exceptions import ArgumentError, ArgumentTypeError, message


class MAP_TO_NONE:
    """What a function returns to `traverse` so that None stands in the result."""


def is_nested(structure: Any) -> bool:
    """Return whether `structure` is a mapping, list or tuple.

    Example:
        >>> is_nested([1]), is_nested("ab")
        (True, False)
    """
    return isinstance(structure, (Mapping, list, tuple))


def flatten(structure: Any) -> list[Any]:
    """Return the leaves, left to right; dicts by sorted key.

    Example:
        >>> flatten({"b": [1, 2], "a": 3})
        [3, 1, 2]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return (path, leaf) pairs; a path holds the keys and numbers that lead to the leaf.

    Example:
        >>> flatten_with_path({"a": [5]})
        [(('a', 0), 5)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, item in _items(structure) for path, leaf in flatten_with_path(item)]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Return the same structure with `func` of the leaves that stand at the same place.

    Args:
        func: function of as many leaves as there are structures.
        *structures: structures of one form.
        none_is_leaf: False leaves None as it is.

    Raises:
        ArgumentError: the structures differ.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    _require_function(func)
    if not structures:
        raise ArgumentError(message("tree.map_structure", expected="at least one structure", got="none"))
    first, rest = structures[0], structures[1:]
    for other in rest:
        assert_same_structure(first, other)
    columns = zip(*(flatten(structure) for structure in structures), strict=True)
    results: list[Any] = []
    for leaves in columns:
        if not none_is_leaf and leaves[0] is None:
            if any(leaf is not None for leaf in leaves):
                expected = "None at the same places of all structures"
                raise ArgumentError(message("tree.map_structure", expected=expected, got=leaves))
            results.append(None)
        else:
            results.append(func(*leaves))
    return pack_sequence_as(first, results)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Return `shallow_structure` with `func` of what stands at its leaves in the other structures.

    Args:
        shallow_structure: the form of the result.
        func: function of as many parts as there are structures.
        *structures: structures that have this form at their top.

    Raises:
        ArgumentError: a structure has not this form.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    _require_function(func)
    parts = [list(_parts(shallow_structure, structure)) for structure in structures]
    return pack_sequence_as(shallow_structure, [func(*items) for items in zip(*parts, strict=True)])


def _parts(shallow: Any, structure: Any) -> Iterator[Any]:
    if not is_nested(shallow):
        yield structure
        return
    if not is_nested(structure) or [key for key, _ in _items(shallow)] != [
        key for key, _ in _items(structure)
    ]:
        where, expected = "tree.map_structure_up_to", f"a structure that begins as {shallow!r}"
        raise ArgumentError(message(where, expected=expected, got=repr(structure)))
    for (_, inner), (_, item) in zip(_items(shallow), _items(structure), strict=True):
        yield from _parts(inner, item)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Return the form of `structure` filled with leaves in the order of `flatten`.

    Args:
        structure: the form.
        flat_sequence: the leaves.

    Raises:
        ArgumentError: there are too few or too many leaves.

    Example:
        >>> pack_sequence_as({"a": 0, "b": [0]}, [1, 2])
        {'a': 1, 'b': [2]}
    """
    leaves, needed = list(flat_sequence), len(flatten(structure))
    if len(leaves) != needed:
        expected = f"{needed} leaves for {structure!r}"
        raise ArgumentError(message("tree.pack_sequence_as", expected=expected, got=len(leaves)))
    rest = iter(leaves)

    def fill(node: Any) -> Any:
        return _like(node, [fill(item) for _, item in _items(node)]) if is_nested(node) else next(rest)

    return fill(structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Return the structure with parts replaced by what `func` returns for them; None keeps a part.

    Args:
        func: called on every part, the whole first, or, with `top_down=False`, the leaves first.
            `MAP_TO_NONE` puts None.
        structure: the structure.
        top_down: order; a part replaced from the top is not looked into.

    Example:
        >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], top_down=False)
        (1, (2,))
    """
    _require_function(func)
    if top_down:
        result = func(structure)
        if result is not None:
            return _none_of(result)
        if not is_nested(structure):
            return structure
        return _like(structure, [traverse(func, item) for _, item in _items(structure)])
    if is_nested(structure):
        structure = _like(structure, [traverse(func, item, top_down=False) for _, item in _items(structure)])
    result = func(structure)
    return structure if result is None else _none_of(result)


def lists_to_tuples(structure: Any) -> Any:
    """Return the structure with tuples in place of lists.

    Example:
        >>> lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Return the structure with `func` of each shape: lists and tuples of whole numbers and None are shapes.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3)})
        {'a': 2}
    """
    _require_function(func)

    def of_shape(part: Any) -> Any:
        is_shape = isinstance(part, (list, tuple)) and all(
            isinstance(size, (int, type(None))) for size in part
        )
        if is_nested(part) and not is_shape:
            return None
        result = func(part)
        return MAP_TO_NONE if result is None else result

    return traverse(of_shape, structure)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise where two structures differ in form.

    Args:
        a: first structure.
        b: second structure.
        check_types: accepted for Keras's sake.

    Raises:
        ArgumentError: they differ.
    """
    mappings = isinstance(a, Mapping) and isinstance(b, Mapping)
    same = is_nested(a) == is_nested(b) and (not is_nested(a) or mappings or type(a) is type(b))
    if same and is_nested(a):
        same = _keys(a) == _keys(b)
    if not same:
        where = "tree.assert_same_structure"
        raise ArgumentError(message(where, expected=f"the form of {a!r}", got=repr(b)))
    if is_nested(a):
        for (_, first), (_, second) in zip(_items(a), _items(b), strict=True):
            assert_same_structure(first, second)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise where the paths to the leaves of two structures differ.

    Args:
        a: first structure.
        b: second structure.

    Raises:
        ArgumentError: they differ.
    """
    first, second = ({path for path, _ in flatten_with_path(tree)} for tree in (a, b))
    if first != second:
        expected = f"the same paths; missing {sorted(map(str, first - second))}"
        raise ArgumentError(
            message("tree.assert_same_paths", expected=expected, got=sorted(map(str, second - first)))
        )


def _items(node: Any) -> list[tuple[Any, Any]]:
    """Return (key, item) pairs of one level; ordered dicts keep their order, others are sorted."""
    if isinstance(node, OrderedDict):
        return list(node.items())
    if isinstance(node, Mapping):
        return [(key, node[key]) for key in sorted(node)]
    return list(enumerate(node))


def _keys(node: Any) -> list[Any]:
    return [key for key, _ in _items(node)]


def _like(node: Any, items: list[Any]) -> Any:
    """Return the kind of `node` with other items, which are in the order of `_items`."""
    if isinstance(node, Mapping):
        filled = dict(zip(_keys(node), items, strict=True))
        ordered = {key: filled[key] for key in node}
        if isinstance(node, defaultdict):
            return defaultdict(node.default_factory, ordered)
        return type(node)(ordered)  # type: ignore[call-arg]
    return type(node)(*items) if hasattr(node, "_fields") else type(node)(items)


def _none_of(result: Any) -> Any:
    return None if result is MAP_TO_NONE else result


def _require_function(func: Any) -> None:
    if not callable(func):
        raise ArgumentTypeError(message("tree", expected="func to be a function", got=repr(func)))

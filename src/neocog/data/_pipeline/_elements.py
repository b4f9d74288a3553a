"""Elements of a pipeline: nested tuples and dicts of torch tensors, with text as NumPy."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import numpy as np
import torch

from neocog.core import to_tensor, to_text, tree_flatten, tree_map
from neocog.data._leaves import is_array, is_frame, is_numbers
from neocog.exceptions import DataError, message


class Text(np.str_):  # type: ignore[misc]
    """One string of a pipeline: a Python string that also answers `.numpy()`."""

    def numpy(self) -> Text:
        """Return the string itself."""
        return self


class TextArray(np.ndarray[Any, np.dtype[Any]]):
    """A batch of strings: a NumPy array that also answers `.numpy()`, as tensors do."""

    def numpy(self) -> TextArray:
        """Return the array itself."""
        return self

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Text(item) if isinstance(item, str) else item

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def to_element(value: Any, where: str = "Dataset") -> Any:
    """Return a value as an element: arrays and numbers become tensors, lists of arrays become tuples.

    Raises:
        DataError: for an object that is none of these.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: to_element(item, where) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [to_element(item, where) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list) and not is_numbers(value):
        return tuple(to_element(item, where) for item in value)
    return _to_leaf(value, where)


def _to_leaf(value: Any, where: str) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, (Text, TextArray)) or hasattr(value, "element_spec"):  # a data set, from `window`
        return value
    if isinstance(value, (str, bytes)):
        return Text(value if isinstance(value, str) else value.decode("utf-8", "surrogateescape"))
    if not (is_array(value) or isinstance(value, (numbers.Number, np.generic, list))):
        do = "Return tensors, arrays, numbers, strings, or tuples and dicts of them."
        raise DataError(message(where, expected="an element", got=f"a {type(value).__name__}", do=do))
    try:
        array = np.asarray(value.to_numpy() if is_frame(value) else value)
    except ValueError as error:
        do = "Pad the rows, or use padded_batch."
        raise DataError(message(where, expected="rows of one length", got="others", do=do)) from error
    if array.dtype.kind in "OUS":
        return _to_text(array, where)
    return to_tensor(array if array.flags.writeable else array.copy())


def _to_text(array: np.ndarray[Any, Any], where: str) -> Any:
    texts = to_text(array, where)
    return Text(texts.item()) if texts.ndim == 0 else texts.view(TextArray)


def stack(items: list[Any], where: str = "batch") -> Any:
    """Return elements of one form as one element with a new first axis.

    Raises:
        DataError: shapes that differ, or what cannot be stacked.
    """
    first = items[0]
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: stack([item[key] for item in items], f"{where}: {key!r}") for key in first}
    if isinstance(first, tuple):
        parts = [stack([item[i] for item in items], where) for i in range(len(first))]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, torch.Tensor):
        shapes = {tuple(item.shape) for item in items}
        if len(shapes) > 1:
            listed, do = " and ".join(map(str, sorted(shapes)[:2])), "Resize them, or use padded_batch."
            raise DataError(message(where, expected="elements of one shape", got=listed, do=do))
        return torch.stack(items)
    if isinstance(first, (str, np.ndarray)):
        return np.stack([np.asarray(item, dtype=object) for item in items]).view(TextArray)
    got = f"a {type(first).__name__}"
    raise DataError(message(where, expected="tensors, numbers or strings", got=got, do="Use flat_map first."))


def map_leaves(function: Callable[[Any], Any], element: Any) -> Any:
    """Return the element with `function` applied to each leaf; None stays None."""
    return tree_map(lambda leaf: None if leaf is None else function(leaf), element)


def leaves_of(element: Any) -> list[Any]:
    """Return the leaves of an element that are there."""
    return [leaf for leaf in tree_flatten(element) if leaf is not None]


def select(leaf: Any, index: torch.Tensor) -> Any:
    """Return the rows of one leaf that `index` (N,) names, as a copy."""
    if isinstance(leaf, torch.Tensor):
        return leaf.index_select(0, index)
    return leaf[index.cpu().numpy()]


def rows_of(element: Any) -> Iterator[Any]:
    """Give the rows of an element: what `unbatch` gives.

    Raises:
        DataError: a leaf without a first axis.
    """
    leaves = leaves_of(element)
    if any(isinstance(leaf, str) or getattr(leaf, "ndim", 0) == 0 for leaf in leaves):
        do = "Give batches, or leave unbatch out."
        raise DataError(message("unbatch", expected="elements with a first axis", got="single values", do=do))
    for i in range(min((len(leaf) for leaf in leaves), default=0)):
        yield map_leaves(itemgetter(i), element)


def to_numpy(element: Any) -> Any:
    """Return an element with NumPy in the place of tensors."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor):
            array = (leaf.float() if leaf.dtype == torch.bfloat16 else leaf).detach().cpu().numpy()
            return array[()]
        return np.asarray(leaf) if isinstance(leaf, TextArray) else leaf

    return map_leaves(one, element)

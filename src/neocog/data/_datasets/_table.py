"""One row a data set: what it is called, how it is loaded, what its classes are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neocog.data._datasets import _cats_vs_dogs as _cats
from neocog.data._datasets import _cifar10, _digits, _mnist
from neocog.data._datasets import _fashion_mnist as _fashion
from neocog.exceptions import UnknownNameError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """A data set: its name, its classes, and the function that loads it.

    Attributes:
        name: as the command line takes it.
        class_names: in the order of the labels.
        load: returns ((x_train, y_train), (x_test, y_test)); None for photographs in folders.
        path: returns the folder of photographs; None for arrays.
    """

    name: str
    class_names: tuple[str, ...]
    load: Callable[[], Any] | None = None
    path: Callable[[], Any] | None = None


_INFOS = (
    DatasetInfo(name="digits", class_names=_digits.CLASS_NAMES, load=_digits.load_data),
    DatasetInfo(name="mnist", class_names=_mnist.CLASS_NAMES, load=_mnist.load_data),
    DatasetInfo(name="fashion_mnist", class_names=_fashion.CLASS_NAMES, load=_fashion.load_data),
    DatasetInfo(name="cifar10", class_names=_cifar10.CLASS_NAMES, load=_cifar10.load_data),
    DatasetInfo(name="cats_vs_dogs", class_names=_cats.CLASS_NAMES, path=_cats.path),
)
DATASETS: dict[str, DatasetInfo] = {info.name: info for info in _INFOS}


def dataset(name: str) -> DatasetInfo:
    """Return the data set of that name; `-` counts as `_`.

    Raises:
        UnknownNameError: offering the nearest names.
    """
    key = name.lower().replace("-", "_")
    if key not in DATASETS:
        close = nearest(key, DATASETS)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownNameError(f"data set: expected one of {', '.join(DATASETS)}, got {name!r}.{hint}")
    return DATASETS[key]

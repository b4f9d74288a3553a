"""Walking an HDF5 file from a stranger: nothing outside the file is touched, nothing huge is read.

Every step of a path goes through a plain (hard) link; a data set must lie in the file itself, in a common
number type, with common filters. Shapes are compared with the model before anything is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from neocog.exceptions import FileFormatError, NeocogError, message

_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_MAX_CHUNKS = 100_000
_MAX_MEMBERS = 20_000
_MAX_LOOKS = 4_000  # below half a second
_SMALL = 2**24  # below this, packing more tightly than `_MAX_RATIO` does no harm
_MAX_RATIO = 100  # weights shrink to nine tenths, zeros to a thousandth
_DAMAGED = "The file is damaged, or was changed on purpose: get it again from its source."
_UNSAFE = "A weight file needs none of that: do not use this one."


@contextmanager
def damage_reported(where: str) -> Iterator[None]:
    """Turn whatever h5py raises on a damaged file into a FileFormatError."""
    try:
        yield
    except (NeocogError, MemoryError, Warning):
        raise
    except (
        Exception
    ) as error:  # h5py has no base class: OSError, RuntimeError, KeyError, TypeError, SystemError …
        text = str(error).split("\n")[0][:200]
        raise FileFormatError(
            message(
                where,
                expected="an undamaged HDF5 file",
                got=f"an error of the HDF5 library ({text})",
                do=_DAMAGED,
            )
        ) from error


def child(where: str, group: Any, name: str) -> Any | None:
    """Return the member of a group that a plain link leads to, or None where there is none.

    Raises:
        FileFormatError: the link is soft, external or user-defined.
    """
    import h5py

    encoded = name.encode()
    links = group.id.links
    if not links.exists(encoded):
        return None
    kind = links.get_info(encoded).type
    if kind != h5py.h5l.TYPE_HARD:
        text = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "an external link"}.get(
            kind, "a user-defined link"
        )
        raise FileFormatError(
            message(f'{where}, "{group.name}/{name}"', expected="groups and data sets", got=text, do=_UNSAFE)
        )
    return group[name]


def subgroup(where: str, group: Any, path: str) -> Any | None:
    """Return the group at a path, or None where a step is missing; every step is checked by `child`."""
    import h5py

    current = group
    for step in path.split("/") if path else []:
        current = child(where, current, step)
        if current is None:
            return None
        if not isinstance(current, h5py.Group):
            raise FileFormatError(
                message(f'{where}, "{path}"', expected="a group", got=type(current).__name__, do=_DAMAGED)
            )
    return current


def member_names(where: str, group: Any) -> list[str]:
    """Return the names in a group; their number is bounded."""
    count = len(group)
    if count > _MAX_MEMBERS:
        raise FileFormatError(
            message(
                f'{where}, "{group.name}"', expected=f"at most {_MAX_MEMBERS} members", got=count, do=_UNSAFE
            )
        )
    return list(group)


class Search:
    """Looks for data sets in groups that the model does not know, a bounded number of members in all."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._looks = 0
        self._seen: set[int] = set()

    def holds_data(self, item: Any) -> bool:
        """Return whether `item` is a data set or a group with one somewhere inside."""
        import h5py

        waiting = [item]
        while waiting:
            current = waiting.pop()
            if isinstance(current, h5py.Dataset):
                return True
            self._look_once(current)
            for name in member_names(self._where, current) if isinstance(current, h5py.Group) else []:
                self._looks += 1
                if self._looks > _MAX_LOOKS:
                    raise FileFormatError(
                        message(self._where, expected="groups of weights", got="a maze of links", do=_UNSAFE)
                    )
                waiting.append(child(self._where, current, name))
        return False

    def _look_once(self, group: Any) -> None:
        """Refuse a group that two links lead to: no writer of weights makes one, and it has no end."""
        import h5py

        address = h5py.h5o.get_info(group.id).addr if isinstance(group, h5py.Group) else None
        if address in self._seen:
            raise FileFormatError(
                message(self._where, expected="groups of weights", got="a maze of links", do=_UNSAFE)
            )
        if address is not None:
            self._seen.add(address)


def checked_dataset(where: str, group: Any, name: str) -> Any | None:
    """Return the data set called `name`, or None; it lies in the file itself and holds plain numbers.

    Raises:
        FileFormatError: external or virtual storage, unknown filters, odd types, more declared than stored.
    """
    import h5py

    dataset = child(where, group, name)
    if dataset is None:
        return None
    place = f'{where}, "{group.name}/{name}"'
    if not isinstance(dataset, h5py.Dataset):
        raise FileFormatError(message(place, expected="a data set", got=type(dataset).__name__, do=_DAMAGED))
    kind = dataset.id.get_type().get_class()
    if kind not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.OPAQUE):
        raise FileFormatError(message(place, expected="numbers", got=f"HDF5 type class {kind}", do=_UNSAFE))
    is_bfloat16 = dataset.dtype == np.dtype("V2")
    if dataset.dtype.itemsize > 8 or not (is_bfloat16 or dataset.dtype.kind in "fiub"):
        raise FileFormatError(message(place, expected="numbers", got=f"type {dataset.dtype}", do=_UNSAFE))
    if dataset.shape is None:
        raise FileFormatError(message(place, expected="numbers", got="an empty data space", do=_DAMAGED))
    _check_storage(place, dataset)
    return dataset


def _check_storage(place: str, dataset: Any) -> None:
    import h5py

    layout = dataset.id.get_create_plist()
    got = None
    if layout.get_layout() == h5py.h5d.VIRTUAL:
        got = "a virtual data set, which reads other files"
    elif layout.get_external_count():
        got = "a data set in an external file"
    filters = [layout.get_filter(index)[0] for index in range(layout.get_nfilters())]
    unknown = [number for number in filters if number not in _FILTERS]
    if unknown:
        got = f"data packed with HDF5 filter {unknown[0]}"
    if got is not None:
        raise FileFormatError(message(place, expected="values in the file itself", got=got, do=_UNSAFE))
    declared = math.prod(dataset.shape) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if layout.get_layout() != h5py.h5d.CHUNKED:
        if stored < declared:
            raise FileFormatError(
                message(place, expected=f"{declared} bytes of values", got=f"{stored} stored", do=_DAMAGED)
            )
        return
    chunk = dataset.chunks
    chunks = math.prod(math.ceil(size / part) for size, part in zip(dataset.shape, chunk, strict=True))
    chunk_bytes = math.prod(chunk) * dataset.dtype.itemsize
    if chunks > _MAX_CHUNKS or chunk_bytes > max(2**20, 4 * declared) or (declared and not stored):
        got = f"{chunks} of {chunk_bytes} bytes, {stored} bytes stored"
        raise FileFormatError(message(place, expected="chunks that fit the values", got=got, do=_UNSAFE))
    if declared > max(_SMALL, _MAX_RATIO * stored):
        got = f"{stored:,} bytes that would grow to {declared:,}"
        raise FileFormatError(message(place, expected="values in proportion", got=got, do=_UNSAFE))


def read_values(dataset: Any) -> Any:
    """Return the values as an array in the machine's byte order; Keras's opaque bfloat16 becomes float32."""
    values = dataset[()]
    array: np.ndarray[Any, Any] = np.asarray(values)
    if array.dtype == np.dtype("V2"):
        bits = np.ascontiguousarray(array).view(np.uint16).reshape(array.shape).astype(np.uint32) << 16
        return bits.view(np.float32)
    return np.asarray(array, dtype=array.dtype.newbyteorder("="))

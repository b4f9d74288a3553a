"""`.keras` files: a zip of `metadata.json`, `config.json` and `model.weights.h5`, unpacked, in this order.

Reading gives the configuration as plain values and the weights as bytes. Which classes the configuration may
name is the caller's business; nothing here makes an object from it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from neocog._version import __version__
from neocog.core import atomic_path
from neocog.exceptions import FileFormatError, StorageError, message
from neocog.files._config_json import MAX_BYTES, decode_config, encode_config
from neocog.files._refuse import Format, check_signature, expect_format
from neocog.files._zip_guard import open_zip, read_member

KERAS_VERSION = "3.15.1"  # the Keras whose layout is written

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_ASSETS = "assets/"
_MAX_METADATA = 2**20
_MAX_WEIGHTS = 2**36
_MAX_ASSETS = 2**28


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasArchive:
    """What a `.keras` file holds.

    Attributes:
        config: the model's configuration, as Keras writes it.
        weights: the bytes of `model.weights.h5`, for `load_weights_h5`.
        metadata: which version wrote it, and when.
        assets: what layers keep beside (vocabularies), by path: `"layers/…/vocabulary.txt"`.
    """

    config: dict[str, Any]
    weights: bytes
    metadata: dict[str, Any]
    assets: dict[str, bytes] = field(default_factory=dict)


def write_keras_archive(
    path: str | os.PathLike[str],
    config: Mapping[str, Any],
    weights: bytes,
    metadata: Mapping[str, Any] | None = None,
    assets: Mapping[str, bytes] | None = None,
) -> None:
    """Write a `.keras` file, whole or not at all.

    Args:
        path: where to; replaced if it exists.
        config: the model's configuration: module, class_name, config, ….
        weights: what `weights_h5_bytes` gave.
        metadata: values to keep beside; versions and date are added.
        assets: what layers keep beside, by path.

    Raises:
        ArgumentTypeError: the configuration holds values that have no plain form.
        StorageError: full or read-only disk, missing permission; what was there stays.
    """
    now = datetime.now(UTC)
    notes = {
        "keras_version": KERAS_VERSION,
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
        "neocog_version": __version__,
        **(metadata or {}),
    }
    members: list[tuple[str, bytes]] = [
        (_METADATA, encode_config(notes, _METADATA).encode()),
        (_CONFIG, encode_config(config, _CONFIG).encode()),
        (_WEIGHTS, weights),
        *((f"{_ASSETS}{name}", data) for name, data in (assets or {}).items()),
    ]
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=now.timetuple()[:6])
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)


def read_keras_archive(source: str | os.PathLike[str] | bytes, where: str | None = None) -> KerasArchive:
    """Return what a `.keras` file holds; only members that are known are read, and in memory.

    Args:
        source: path, or the bytes of a file.
        where: how error texts name it; the path by default.

    Raises:
        FileFormatError: other members, links out, bombs, wrong checksums, or it is no `.keras` file at all.
        StorageError: it cannot be read.
    """
    if isinstance(source, bytes):
        where = where or "model file"
        check_signature(where, source[:512], Format.KERAS)
        return _read(where, io.BytesIO(source))
    where = where or str(source)
    expect_format(source, Format.KERAS)
    try:
        with open(Path(source), "rb") as file:
            return _read(where, file)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"{where}: could not be read ({error}). Check that the file may be read."
        ) from error


def _read(where: str, file: BinaryIO) -> KerasArchive:
    with open_zip(where, file) as archive:
        _check_members(where, set(archive.namelist()))
        metadata = decode_config(
            read_member(where, archive, _METADATA, _MAX_METADATA), f"{where}, {_METADATA}"
        )
        config = decode_config(read_member(where, archive, _CONFIG, MAX_BYTES), f"{where}, {_CONFIG}")
        for name, value in ((_METADATA, metadata), (_CONFIG, config)):
            if not isinstance(value, dict):
                raise FileFormatError(
                    message(
                        f"{where}, {name}",
                        expected="a JSON object",
                        got=type(value).__name__,
                        do="It is damaged.",
                    )
                )
        weights = read_member(where, archive, _WEIGHTS, _MAX_WEIGHTS)
        assets = _read_assets(where, archive)
    return KerasArchive(config=config, weights=weights, metadata=metadata, assets=assets)


def _read_assets(where: str, archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the files beside, in memory."""
    found: dict[str, bytes] = {}
    left = _MAX_ASSETS
    for name in archive.namelist():
        if not name.startswith(_ASSETS) or name.endswith("/"):
            continue
        found[name.removeprefix(_ASSETS)] = read_member(where, archive, name, left)
        left -= len(found[name.removeprefix(_ASSETS)])
    return found


def _check_members(where: str, names: set[str]) -> None:
    known = {_METADATA, _CONFIG, _WEIGHTS}
    missing = sorted(known - names)
    if missing:
        npz = "model.weights.npz" in names
        do = "Save it again with weights_format='h5'." if npz else "It is damaged, or not from Keras 3."
        raise FileFormatError(
            message(where, expected=f"the member {missing[0]}", got=sorted(names)[:6], do=do)
        )
    others = sorted(name for name in names - known if not name.startswith("assets/"))
    if others:
        raise FileFormatError(
            message(
                where, expected=f"no members but {sorted(known)}", got=others[:6], do="Do not use this file."
            )
        )

"""The shares of a sharded model in files: torch's distributed checkpoint, as safetensors, and no pickle.

Each process writes its own shares. Torch's usual writer keeps what belongs where in a pickled `.metadata`;
the writer for safetensors keeps it as JSON in the header of each file, so that nothing in a file can run.
Another number of processes reads the same files: torch cuts the shares anew. Which files belong to a
snapshot, and their checksums, stand in the snapshot itself, which is written last.
"""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neocog.exceptions import ArgumentError, FileFormatError, StorageError, message
from neocog.files import file_digest
from neocog.training._sharded import Sharded
from neocog.training._world import World, from_everywhere, same_everywhere

_FOLDER = re.compile(r"shards-(\d{1,18})-[0-9a-f]{8}")
_FILE = re.compile(r"[A-Za-z0-9._-]{1,200}\.safetensors")


def write_shares(folder: Path, steps: int, sharded: Sharded, world: World) -> dict[str, Any]:
    """Write all shares into a new folder beside the snapshots; return what the snapshot must say of them.

    All processes call it together.

    Raises:
        StorageError: some process could not write.
    """
    checkpoint = _engine()
    name = same_everywhere(f"shards-{steps:012d}-{os.urandom(4).hex()}", world)
    tensors, fault = sharded.tensors(), None
    try:
        (folder / name).mkdir(parents=True, exist_ok=True)
        writer = checkpoint.HuggingFaceStorageWriter(str(folder / name), save_distributed=True)
        with _quiet():
            checkpoint.save(tensors, storage_writer=writer)
        own = sorted((folder / name).glob(f"shard-{world.rank + 1:05d}-*.safetensors"))
        files = {path.name: [path.stat().st_size, file_digest(path)] for path in own}
    except Exception as error:  # torch wraps what went wrong in any process in types of its own
        files, fault = {}, f"{type(error).__name__}: {error}"
    everywhere = from_everywhere((files, fault), world)
    faults = [text for _, text in everywhere if text is not None]
    if faults:
        raise StorageError(message(str(folder / name), expected="to write", got=faults[0][:300]))
    return {
        "folder": name,
        "files": {file: facts for files_there, _ in everywhere for file, facts in files_there.items()},
        "tensors": {key: list(value.shape) for key, value in tensors.items()},
    }


def check_shares(folder: Path, shares: Mapping[str, Any]) -> None:
    """Raise FileFormatError where a file that a snapshot counts on is missing, cut off or damaged."""
    place = _place(folder, shares)
    found = {path.name for path in place.glob("*.safetensors")} if place.is_dir() else set()
    for name, (size, digest) in shares["files"].items():
        path = place / name
        if _FILE.fullmatch(name) is None or name not in found:
            raise FileFormatError(message(str(path), expected="a share of the snapshot", got="no such file"))
        if path.stat().st_size != size or file_digest(path) != digest:
            raise FileFormatError(message(str(path), expected="an undamaged share", got="other content"))
    if found != set(shares["files"]):
        raise FileFormatError(message(str(place), expected="the snapshot's files alone", got=sorted(found)))


def read_shares(folder: Path, shares: Mapping[str, Any], sharded: Sharded) -> None:
    """Read this process's shares of weights and optimizer; all processes call it together.

    Raises:
        ArgumentError: the snapshot is of another network or optimizer.
    """
    checkpoint = _engine()
    tensors = sharded.tensors()
    own, kept = {key: list(value.shape) for key, value in tensors.items()}, dict(shares["tensors"])
    if own != kept:
        first = next(key for key in [*own, *kept] if own.get(key) != kept.get(key))
        raise ArgumentError(
            message(
                "fit(snapshots=…)",
                expected=f"the network of the snapshot ({first}: {kept.get(first, 'none')})",
                got=f"{first}: {own.get(first, 'none')}",
                do="Build the same model, or choose another folder to train anew.",
            )
        )
    reader = checkpoint.HuggingFaceStorageReader(str(_place(folder, shares)))
    with _quiet():
        checkpoint.load(tensors, storage_reader=reader)


def remove_shares(folder: str | os.PathLike[str], keep: Collection[int] = ()) -> None:
    """Remove the shares of snapshots that are no longer there.

    Args:
        folder: of the snapshots.
        keep: step counts of those that stay.
    """
    for entry in Path(folder).glob("shards-*"):
        found = _FOLDER.fullmatch(entry.name)
        if found is not None and int(found[1]) not in keep and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)


def _place(folder: Path, shares: Mapping[str, Any]) -> Path:
    name = str(shares["folder"])
    if _FOLDER.fullmatch(name) is None:
        raise FileFormatError(message(str(folder), expected="a folder of shares", got=repr(name)))
    return folder / name


def _engine() -> Any:
    """Return torch's distributed checkpoint: a heavy module, which few runs need."""
    from torch.distributed import checkpoint

    return checkpoint


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what torch's own modules say of themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

"""What a file is, by its first bytes; and clear refusals of what neocog does not open, pickles before all.

A pickle runs code when it is opened. neocog opens none, in whatever wrapping: not `torch.save` files, not
joblib, not NumPy's object arrays, and no TensorFlow SavedModel. The refusal says how to get the weights
out as data.
"""

from __future__ import annotations

import os
import re
import stat
from enum import Enum
from pathlib import Path

from neocog.exceptions import FileFormatError, StorageError, message


class Format(Enum):
    """The formats that neocog reads: what each is called, and the suffixes that stand for it."""

    KERAS = "a .keras file"
    HDF5 = "an HDF5 file"
    SAFETENSORS = "a safetensors file"


_SUFFIXES: dict[str, Format] = {
    ".keras": Format.KERAS,
    ".h5": Format.HDF5,
    ".hdf5": Format.HDF5,
    ".safetensors": Format.SAFETENSORS,
}

_AS_DATA = (
    "Write the weights as .safetensors or .weights.h5 in the program that made the file, and load those."
)
_TORCH_ADVICE = (
    "Such a file is a pickle, which can run code when opened. In a program that trusts it: "
    "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'model.safetensors')."
)
_KERAS_ADVICE = "Open it in the TensorFlow that wrote it and call model.save('model.keras')."

# What is not opened: how error texts call it, and what to do instead.
_REFUSED: dict[str, tuple[str, str]] = {
    "pickle": ("a pickle, which can run code when opened", _AS_DATA),
    "torch": ("a torch.save file", _TORCH_ADVICE),
    "savedmodel": ("a TensorFlow SavedModel", _KERAS_ADVICE),
    "checkpoint": ("a TensorFlow checkpoint", "In TensorFlow, call save_weights('model.weights.h5')."),
    "npz": ("a NumPy archive", "Set the arrays with set_weights, or write them as .safetensors."),
    "npy": ("a NumPy array", "Set it with set_weights, or write it as .safetensors."),
    "gzip": ("a compressed file", "Unpack it first; compressed pickles (joblib) are not opened either."),
    "tar": ("a tar archive", "Unpack it first; torch.save's old archives are not opened either."),
    "onnx": ("an ONNX model", "neocog writes ONNX but does not read it."),
}  # fmt: skip

_REFUSED_SUFFIXES: dict[str, str] = {
    ".pkl": "pickle", ".pickle": "pickle", ".joblib": "pickle", ".dill": "pickle",
    ".pt": "torch", ".pth": "torch", ".bin": "torch",
    ".pb": "savedmodel", ".index": "checkpoint", ".ckpt": "checkpoint",
    ".npz": "npz", ".npy": "npy", ".onnx": "onnx",
}  # fmt: skip

_HDF5 = b"\x89HDF\r\n\x1a\n"
_OLD_PICKLE = re.compile(rb"(\(lp\d|\(dp\d|c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n|\]q\x00|\}q\x00)")


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that a path's suffix stands for.

    Raises:
        FileFormatError: no format of neocog's has this suffix; the message lists those that have.

    Example:
        >>> format_of("best.weights.h5").name
        'HDF5'
    """
    suffix = Path(path).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    refused = _REFUSED.get(_REFUSED_SUFFIXES.get(suffix, ""))
    advice = (
        f"{suffix} stands for {refused[0]}. {refused[1]}" if refused else "Give the file one of these names."
    )
    raise FileFormatError(
        message(
            str(path), expected=f"a name that ends in {', '.join(_SUFFIXES)}", got=repr(suffix), do=advice
        )
    )


def expect_format(path: str | os.PathLike[str], wanted: Format) -> None:
    """Check that a path names a regular file whose first bytes are those of the wanted format.

    Raises:
        StorageError: there is no such file, or it cannot be read.
        FileFormatError: it is something else; the message says what, and what to do.
    """
    where = str(path)
    found = kind_of_path(Path(path))
    if found == wanted.name:
        return
    other = Format.__members__.get(found)
    if other is not None:
        do = f"Give it a name that ends in {_suffix_of(other)}, or check that it is the file you meant."
        raise FileFormatError(message(where, expected=wanted.value, got=other.value, do=do))
    text, do = _REFUSED.get(found, (found, "The file is damaged, or not what its name says."))
    raise FileFormatError(message(where, expected=wanted.value, got=text, do=do))


def check_torch_file(path: str | os.PathLike[str]) -> None:
    """Check that a path names a regular file that may be one of `torch.save`, by its first bytes.

    Raises:
        StorageError: there is no such file, or it cannot be read.
        FileFormatError: it is something else: a folder, device or pipe, or another format.
    """
    kind = kind_of_path(Path(path))
    if kind not in ("torch", "pickle", "KERAS"):  # a zip; which, torch tells
        text, do = _REFUSED.get(kind, (kind, "The file is damaged, or not what its name says."))
        raise FileFormatError(message(str(path), expected="a torch.save file", got=text, do=do))


def check_signature(where: str, head: bytes, wanted: Format) -> None:
    """Check the first bytes of data in memory; `expect_format` for a path."""
    found = _kind_of_bytes(head)
    if found != wanted.name:
        text, do = _REFUSED.get(found, (found, "The file is damaged."))
        raise FileFormatError(message(where, expected=wanted.value, got=text, do=do))


def _suffix_of(wanted: Format) -> str:
    return next(suffix for suffix, known in _SUFFIXES.items() if known is wanted)


def kind_of_path(path: Path) -> str:
    """Return what a regular file is by its first bytes: a name of `Format`, of what is refused, or a text.

    Raises:
        StorageError: there is no such file, or it cannot be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return "savedmodel" if (path / "saved_model.pb").exists() else "a folder"
        if not stat.S_ISREG(status.st_mode):
            return "a device or pipe, not a regular file"
        with open(path, "rb") as file:
            head = file.read(512)
            file.seek(max(0, status.st_size - 4096))
            tail = file.read(4096)
    except FileNotFoundError as error:
        raise StorageError(f"{path}: there is no such file. Check the path.") from error
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"{path}: could not be read ({text}). Check that the file may be read.") from error
    kind = _kind_of_bytes(head)
    if kind == "KERAS":
        return _kind_of_zip(head, tail)
    return kind


def _kind_of_zip(head: bytes, tail: bytes) -> str:
    """Tell Keras's archives from torch's and NumPy's by the names in a zip's first header and directory."""
    names = head + tail
    if b"/data.pkl" in names or b"/.format_version" in names:
        return "torch"
    return "npz" if b".npy" in names and b"config.json" not in names else "KERAS"


def _kind_of_bytes(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head.startswith(_HDF5):
        return "HDF5"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "KERAS"
    if head[0] == 0x80 and head[1:2] and 1 <= head[1] <= 8:
        return "torch" if b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19" in head[:32] else "pickle"
    for start, kind in (
        (b"\x93NUMPY", "npy"),
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "gzip"),
        (b"\xfd7zXZ", "gzip"),
    ):
        if head.startswith(start):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= 100_000_000:
        return "SAFETENSORS"
    return "pickle" if _OLD_PICKLE.match(head) else "something unknown"

"""Files that layers keep in a model file beside configuration and weights: vocabularies, and a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from neocog.exceptions import FileFormatError, message
from neocog.files._groups import weight_groups


def collect_assets(module: nn.Module) -> dict[str, bytes]:
    """Return what layers keep beside their weights, by path in the file.

    neocog's layers give texts (`save_own_assets`); a layer of the user's writes files into a folder, which
    is gone afterwards (`save_assets`, as in Keras).
    """
    found: dict[str, bytes] = {}
    for group in weight_groups(module):
        own = getattr(group.module, "save_own_assets", None)
        if own is not None:
            kept = {name: text.encode() for name, text in own().items()}
        else:
            kept = _written(group.module)
        found.update({f"{group.path}/{name}" if group.path else name: data for name, data in kept.items()})
    return found


def give_assets(module: nn.Module, assets: Mapping[str, bytes], where: str = "model file") -> None:
    """Give each layer (`load_own_assets`, `load_assets`) what lies under its path.

    Args:
        module: the model.
        assets: what `collect_assets` returned.
        where: how error texts name the file.

    Raises:
        FileFormatError: a text is none, or the names do not fit a folder.
    """
    for group in weight_groups(module):
        start = f"{group.path}/" if group.path else ""
        kept = {key.removeprefix(start): data for key, data in assets.items() if key.startswith(start)}
        load = getattr(group.module, "load_own_assets", None)
        if load is not None:
            load({key: _text(data, f"{where}, {start}{key}") for key, data in kept.items() if "/" not in key})
        elif kept and callable(getattr(group.module, "load_assets", None)):
            _unpack_for(group.module, kept, where)


def _written(layer: nn.Module) -> dict[str, bytes]:
    """Return the files that a layer of the user's writes into a folder."""
    save = getattr(layer, "save_assets", None)
    if not callable(save):
        return {}
    with TemporaryDirectory() as folder:
        save(folder)
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _unpack_for(layer: nn.Module, kept: Mapping[str, bytes], where: str) -> None:
    """Let a layer of the user's read its files from a folder."""
    with TemporaryDirectory() as folder:
        try:
            for name, data in kept.items():
                if any(step in ("", ".", "..") for step in name.split("/")):  # "/x" joined to a folder is /x
                    got = f"the name {name[:80]!r}, which leads elsewhere"
                    do = "Do not use this file."
                    raise FileFormatError(message(where, expected="plain names of assets", got=got, do=do))
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        except OSError as error:
            raise FileFormatError(
                message(where, expected="assets that a folder can hold", got=str(error), do="It is damaged.")
            ) from error
        layer.load_assets(folder)  # type: ignore[operator]


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FileFormatError(message(where, expected="UTF-8", got="other bytes")) from error

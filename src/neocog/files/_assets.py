"""Texts that layers keep in a model file beside configuration and weights: vocabularies. Never on disk."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from neocog.files._groups import weight_groups


def collect_assets(module: nn.Module) -> dict[str, str]:
    """Return the texts of all layers that have some (`save_own_assets`), by path in the file."""
    found: dict[str, str] = {}
    for group in weight_groups(module):
        save = getattr(group.module, "save_own_assets", None)
        for name, text in (save() if save is not None else {}).items():
            found[f"{group.path}/{name}" if group.path else name] = text
    return found


def give_assets(module: nn.Module, assets: Mapping[str, str]) -> None:
    """Give each layer (`load_own_assets`) the texts that lie under its path."""
    for group in weight_groups(module):
        load = getattr(group.module, "load_own_assets", None)
        if load is None:
            continue
        start = f"{group.path}/" if group.path else ""
        own = {key.removeprefix(start): text for key, text in assets.items() if key.startswith(start)}
        load({key: text for key, text in own.items() if "/" not in key})

"""DenseNet: torchvision's names (timm's are the same) onto Keras's layers, which compute the same."""

from __future__ import annotations

import re

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, by_rules, count, outputs

_DEPTHS: dict[tuple[int, ...], str] = {(6, 12, 24, 16): "121", (6, 12, 32, 32): "169", (6, 12, 48, 32): "201"}
_BLOCK = by_rules(
    (r"features\.conv0", "conv1_conv"),
    (r"features\.norm0", "conv1_bn"),
    (r"features\.norm5", "bn"),
    (r"classifier", "predictions"),
)


def _rename(layer: str) -> str | None:
    # Older files have `norm.1` and `conv.1`: torch could have dots inside names then.
    if match := re.fullmatch(r"features\.denseblock(\d)\.denselayer(\d+)\.(norm|conv)\.?([12])", layer):
        block, number, kind, part = match.groups()
        own = f"{int(part) - 1}_bn" if kind == "norm" else f"{part}_conv"
        return f"conv{int(block) + 1}_block{number}_{own}"
    if match := re.fullmatch(r"features\.transition(\d)\.(norm|conv)", layer):
        return f"pool{int(match[1]) + 1}_{'bn' if match[2] == 'norm' else 'conv'}"
    return _BLOCK(layer)


_TORCHVISION = NameMap(source="torchvision", rename=_rename, head=("predictions",))


def _recognise(shapes: Shapes) -> Found | None:
    if "features_conv0.weight" not in shapes:
        return None
    blocks = tuple(
        count(shapes, rf"features_denseblock{block}_denselayer\d+_conv_?1\.weight") for block in range(1, 5)
    )
    depth, growth = _DEPTHS.get(blocks), shapes.get("features_denseblock1_denselayer1_conv2.weight")
    if depth is None or (growth is not None and growth[0] != 32):
        return Found(model=None, label=f"a dense network with {blocks} layers", source="torchvision's names")
    return Found(
        model=f"DenseNet{depth}",
        label=f"densenet{depth}",
        source="torchvision",
        classes=outputs(shapes, "classifier.weight"),
    )


FAMILY = Family(
    maps={f"DenseNet{depth}": (_TORCHVISION,) for depth in _DEPTHS.values()}, recognise=_recognise
)

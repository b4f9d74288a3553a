"""MobileNet v1: TensorFlow's release under the names `features.i.{dw,pw}`."""

from __future__ import annotations

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, by_rules, outputs

_TENSORFLOW = NameMap(
    source="TensorFlow's MobileNet v1",
    rename=by_rules(
        (r"features\.0\.conv", "conv1"),
        (r"features\.0\.bn", "conv1_bn"),
        (r"features\.(\d+)\.(dw|pw)", r"conv_\2_\1"),
        (r"features\.(\d+)\.(dw|pw)_bn", r"conv_\2_\1_bn"),
        (r"classifier", "conv_preds"),
    ),
    head=("conv_preds",),
)


def _recognise(shapes: Shapes) -> Found | None:
    first, last = shapes.get("features.0.conv.weight"), shapes.get("features.13.pw.weight")
    if first is None or last is None or "features.13.dw.weight" not in shapes:
        return None
    alpha = round(last[0] / 1024, 4)
    return Found(
        model="MobileNet",
        label=f"mobilenet v1 of width {alpha:g}",
        source=_TENSORFLOW.source,
        options={"alpha": alpha},
        classes=outputs(shapes, "classifier.weight"),
        pixels="tf",
    )


FAMILY = Family(maps={"MobileNet": (_TENSORFLOW,)}, recognise=_recognise)

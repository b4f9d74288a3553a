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
    last = shapes.get("features_13_pw.weight", shapes.get("conv_pw_13.weight"))
    if last is None or not {"features_13_dw.weight", "conv_dw_13.weight"} & shapes.keys():
        return None
    alpha = round(last[0] / 1024, 4)
    return Found(
        model="MobileNet",
        label=f"mobilenet v1 of width {alpha:g}",
        source=_TENSORFLOW.source if "features_13_pw.weight" in shapes else "neocog",
        options={"alpha": alpha},
        classes=outputs(shapes, "classifier.weight", "conv_preds.weight"),
        pixels="tf",
    )


FAMILY = Family(maps={"MobileNet": (_TENSORFLOW,)}, recognise=_recognise)

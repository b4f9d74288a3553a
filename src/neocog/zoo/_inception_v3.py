"""Inception v3 in torchvision's form."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.initializers import TruncatedNormal
from neocog.layers import AveragePooling2D, Concatenate, GlobalAveragePooling2D, ZeroPadding2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import check_heads, conv, dense, dropped, finish, max_pool, norm

Kernel = int | tuple[int, int]
# one convolution of a branch: its name, filters, kernel, whether it halves height and width
Step = tuple[str, int, Kernel, bool]


def _conv(x: Any, filters: int, kernel: Kernel, name: str, *, stride: int = 1, padding: Any = 0) -> Any:
    """Return a convolution without bias, normalised and rectified."""
    start = TruncatedNormal(stddev=0.1)
    x = conv(x, filters, kernel, f"{name}_conv", stride=stride, padding=padding, initializer=start)
    return norm(x, f"{name}_bn", relu=f"{name}_relu", epsilon=1e-3)


def _branch(x: Any, name: str, *steps: Step) -> Any:
    """Convolutions one after another, padded to keep the size unless they halve it."""
    for step, filters, kernel, halves in steps:
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = 0 if halves else (rows // 2, columns // 2)
        x = _conv(x, filters, kernel, f"{name}_{step}", stride=2 if halves else 1, padding=padding)
    return x


def _pooled(x: Any, filters: int, name: str) -> Any:
    """The average of 3×3, with the zeros around counted, then 1×1."""
    x = ZeroPadding2D(1, name=f"{name}_branch_pool_pad")(x)
    x = AveragePooling2D(3, strides=1, name=f"{name}_branch_pool_avg")(x)
    return _branch(x, name, ("branch_pool", filters, 1, False))


def _joined(branches: list[Any], name: str) -> Any:
    return Concatenate(axis=channel_axis(), name=f"{name}_output")(branches)


def _double(x: Any, name: str, *, halves: bool) -> Any:
    first, second = ("branch3x3dbl_1", 64, 1, False), ("branch3x3dbl_2", 96, 3, False)
    return _branch(x, name, first, second, ("branch3x3dbl_3", 96, 3, halves))


def _block_a(x: Any, pooled: int, name: str) -> Any:
    return _joined(
        [
            _branch(x, name, ("branch1x1", 64, 1, False)),
            _branch(x, name, ("branch5x5_1", 48, 1, False), ("branch5x5_2", 64, 5, False)),
            _double(x, name, halves=False),
            _pooled(x, pooled, name),
        ],
        name,
    )


def _block_b(x: Any, name: str) -> Any:
    large = _branch(x, name, ("branch3x3", 384, 3, True))
    return _joined([large, _double(x, name, halves=True), max_pool(x, 3, 2, f"{name}_pool")], name)


def _block_c(x: Any, width: int, name: str) -> Any:
    seven, double = f"{name}_branch7x7", f"{name}_branch7x7dbl"
    return _joined(
        [
            _branch(x, name, ("branch1x1", 192, 1, False)),
            _branch(x, seven, ("1", width, 1, False), ("2", width, (1, 7), False), ("3", 192, (7, 1), False)),
            _branch(
                x,
                double,
                ("1", width, 1, False),
                ("2", width, (7, 1), False),
                ("3", width, (1, 7), False),
                ("4", width, (7, 1), False),
                ("5", 192, (1, 7), False),
            ),
            _pooled(x, 192, name),
        ],
        name,
    )


def _block_d(x: Any, name: str) -> Any:
    flat, tall = ("branch7x7x3_2", 192, (1, 7), False), ("branch7x7x3_3", 192, (7, 1), False)
    both = _branch(x, name, ("branch7x7x3_1", 192, 1, False), flat, tall, ("branch7x7x3_4", 192, 3, True))
    large = _branch(x, name, ("branch3x3_1", 192, 1, False), ("branch3x3_2", 320, 3, True))
    return _joined([large, both, max_pool(x, 3, 2, f"{name}_pool")], name)


def _split(x: Any, name: str) -> Any:
    """1×3 and 3×1 side by side."""
    flat = _conv(x, 384, (1, 3), f"{name}a", padding=(0, 1))
    return _joined([flat, _conv(x, 384, (3, 1), f"{name}b", padding=(1, 0))], name)


def _block_e(x: Any, name: str) -> Any:
    single = _branch(x, name, ("branch3x3_1", 384, 1, False))
    double = _branch(x, name, ("branch3x3dbl_1", 448, 1, False), ("branch3x3dbl_2", 384, 3, False))
    return _joined(
        [
            _branch(x, name, ("branch1x1", 320, 1, False)),
            _split(single, f"{name}_branch3x3_2"),
            _split(double, f"{name}_branch3x3dbl_3"),
            _pooled(x, 192, name),
        ],
        name,
    )


def _features(x: Any) -> tuple[Any, Any]:
    """Return the last features, and those that the classifier on the way sees."""
    x = _conv(x, 32, 3, "Conv2d_1a_3x3", stride=2)
    x = _conv(_conv(x, 32, 3, "Conv2d_2a_3x3"), 64, 3, "Conv2d_2b_3x3", padding=1)
    x = _conv(max_pool(x, 3, 2, "maxpool1"), 80, 1, "Conv2d_3b_1x1")
    x = max_pool(_conv(x, 192, 3, "Conv2d_4a_3x3"), 3, 2, "maxpool2")
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, pooled, name)
    x = _block_b(x, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(x, width, name)
    last = _block_d(x, "Mixed_7a")
    return _block_e(_block_e(last, "Mixed_7b"), "Mixed_7c"), x


def _aux_head(x: Any, request: Request) -> Any:
    x = AveragePooling2D(5, strides=3, name="AuxLogits_avgpool")(x)
    x = _conv(_conv(x, 128, 1, "AuxLogits_conv0"), 768, 5, "AuxLogits_conv1")
    x = GlobalAveragePooling2D(name="AuxLogits_mean")(x)
    return dense(x, request.classes, "AuxLogits_fc", request.classifier_activation)


def inception_v3(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v3",
    *,
    aux: bool = False,
    dropout: float = 0.5,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "inception_v3",
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    check_heads(request, aux, dropout)
    image = request.image(images(request, 299, 299 if aux else 75))
    x, inner = _features(image)
    if not include_top:
        return finish(request, image, request.pooled(x))
    x = dropped(GlobalAveragePooling2D(name="avgpool")(x), dropout, "dropout")
    outputs = dense(x, classes, "fc", classifier_activation)
    return finish(request, image, [outputs, _aux_head(inner, request)] if aux else outputs)


describe(
    inception_v3,
    "inception_v3",
    "Inception v3 in torchvision's form.",
    least=75,
    options="aux: outputs [classifier, one on the way], for training; images of 299×299 or more.\n"
    "dropout: rate before the classifier.",
    form="torchvision",
    image=(299, 299, 3),
    pixels="tf",
    parameters=23_834_568,
    reference="Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016.",
)

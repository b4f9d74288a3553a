"""VGG-16 and VGG-19: stacks of 3×3 convolutions."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request
from neocog.applications._variants import variant
from neocog.applications._weights import KERAS, WeightFiles, keras_files
from neocog.layers import Conv2D, Dense, Flatten, MaxPooling2D

_FILTERS = (64, 128, 256, 512, 512)
_PAPER = "Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015."


def _vgg(request: Request, image: Any, depths: tuple[int, ...], files: WeightFiles) -> Any:
    x = image
    for block, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 1):
        for number in range(1, depth + 1):
            name = f"block{block}_conv{number}"
            x = Conv2D(filters, 3, activation="relu", padding="same", name=name)(x)
        x = MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if request.include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = request.classified(x)
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, files)


_FILES16 = keras_files(
    f"{KERAS}vgg16/", "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"
)
_FILES19 = keras_files(
    f"{KERAS}vgg19/", "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"
)
VGG16 = variant(
    "VGG16",
    "vgg16",
    "VGG with 16 layers with weights: 138 million values. Takes images prepared by `vgg16.preprocess_input`.",
    _PAPER,
    (224, 32),
    lambda request, image: _vgg(request, image, (2, 2, 3, 3, 3), _FILES16),
    module=__name__,
)
VGG19 = variant(
    "VGG19",
    "vgg19",
    "VGG with 19 layers with weights: 144 million values. Takes images prepared by `vgg19.preprocess_input`.",
    _PAPER,
    (224, 32),
    lambda request, image: _vgg(request, image, (2, 2, 4, 4, 4), _FILES19),
    module=__name__,
)

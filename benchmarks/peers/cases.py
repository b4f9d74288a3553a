"""What is measured: one row of the table `CASES` for each network, batch size and way to get the data.

Standard library only: read by the suite and by every competitor.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of a table of results.

    Attributes:
        name: what `--only` takes.
        title: how the table calls it.
        network: key of `keras_networks.NETWORKS` and `torch_networks.NETWORKS`.
        batch: samples of a step; None leaves it to the library (`predict` and `evaluate` only).
        verb: "fit", "predict" or "evaluate".
        data: key of `benchmarks/inputs.py`.
        shape: of one input, channels last.
        samples: how many lie in memory, or in the folder.
        binary: one sigmoid output, against ten classes.
        files: batches come from JPEG files.
        first: each epoch is the first that sees the files: nothing is kept from an earlier one.
        rate: of Adam.
    """

    name: str
    title: str
    network: str
    batch: int | None
    verb: str = "fit"
    data: str
    shape: tuple[int, ...]
    samples: int
    binary: bool = False
    files: bool = False
    first: bool = False
    rate: float = 1e-3

    def as_dict(self) -> dict[str, Any]:
        """Return it for a request."""
        return asdict(self)


def _pair(name: str, title: str, network: str, **rest: Any) -> list[Case]:
    return [
        Case(name=f"{name}-{batch}", title=title, network=network, batch=batch, **rest) for batch in (32, 128)
    ]


_PHOTOS = {"shape": (180, 180, 3), "binary": True, "batch": 32}

FIT = [
    *_pair("mlp", "MLP 784-512-10, MNIST", "mlp", data="mnist-flat", shape=(784,), samples=60_000),
    *_pair("lenet", "LeNet-5, MNIST", "lenet", data="mnist", shape=(28, 28, 1), samples=60_000),
    *_pair("fashion", "Fashion-MNIST network", "fashion", data="fashion", shape=(28, 28, 1), samples=16_384),
    Case(
        name="cats", title="cats and dogs, in memory", network="cats", data="photos", samples=640, **_PHOTOS
    ),
    Case(
        name="cats-jpeg",
        title="cats and dogs, JPEG files, augmentation",
        network="cats-augmented",
        data="files",
        files=True,
        samples=640,
        **_PHOTOS,
    ),
    Case(
        name="cats-jpeg-first",
        title="cats and dogs, JPEG files, first epoch of a first run",
        network="cats-augmented",
        data="files",
        files=True,
        first=True,
        samples=640,
        **_PHOTOS,
    ),
    Case(
        name="resnet18",
        title="ResNet-18 on 32×32",
        network="resnet18",
        batch=128,
        data="cifar10",
        shape=(32, 32, 3),
        samples=4096,
    ),
    Case(
        name="mobilenet",
        title="MobileNet, fine-tuning at 160×160",
        network="mobilenet",
        batch=32,
        data="photos",
        shape=(160, 160, 3),
        samples=640,
        binary=True,
        rate=1e-5,
    ),
    Case(
        name="vgg16",
        title="VGG-16 features at 150×150, predict",
        network="vgg16",
        batch=32,
        verb="predict",
        data="photos-float",
        shape=(150, 150, 3),
        samples=160,
    ),
]

_FLAT = {"network": "mlp", "data": "mnist-flat", "shape": (784,), "samples": 60_000}
_CLOTHES = {"network": "fashion", "data": "fashion", "shape": (28, 28, 1), "samples": 16_384}
_MEMORY = {"network": "cats", "data": "photos", "shape": (180, 180, 3), "samples": 640, "binary": True}
_SMALL = {"network": "resnet18", "data": "cifar10", "shape": (32, 32, 3), "samples": 4096}
PREDICT = [
    Case(
        name=f"{name}-{verb}",
        title=f"{title}, {verb}",
        batch=None,
        verb=verb,
        **rest,
    )
    for name, title, rest in (
        ("mlp", "MLP 784-512-10", _FLAT),
        ("fashion", "Fashion-MNIST network", _CLOTHES),
        ("cats", "cats and dogs at 180×180", _MEMORY),
        ("resnet18", "ResNet-18 on 32×32", _SMALL),
    )
    for verb in ("evaluate", "predict")
]
CASES = {case.name: case for case in [*FIT, *PREDICT]}

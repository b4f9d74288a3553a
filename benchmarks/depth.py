"""Suite `depth`: plain networks get worse when they get deeper, residual ones do not (He et al., 2015).

`zoo.plain18` and `plain34` against `zoo.resnet18` and `resnet34`, 16 channels wide, on the first 20,000
images of CIFAR-10 at 16×16 pixels: the same data, order, rate and number of epochs for all. Writes the curves
to `docs/images/depth.png`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import neocog as keras
from neocog import zoo

NETWORKS = ("plain18", "plain34", "resnet18", "resnet34")
FIGURE = Path(__file__).parent.parent / "docs" / "images" / "depth.png"
EPOCHS, BATCH, RATE, SAMPLES, HELD_OUT = 12, 128, 0.05, 20_000, 5_000


def run(epochs: int = EPOCHS, **_: Any) -> list[dict[str, Any]]:
    """Train the four networks and return one row each."""
    train, test = data()
    curves = {name: curve(name, train, test, epochs) for name in NETWORKS}
    draw(curves)
    return [
        {
            "network": name,
            "layers": int(name[-2:]),
            "training error %": 100 * (1 - found["accuracy"][-1]),
            "test error %": 100 * (1 - found["val_accuracy"][-1]),
            "training loss": found["loss"][-1],
        }
        for name, found in curves.items()
    ]


def data() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return (images, labels) for training and testing: float32, about -1 to 1, (N, 16, 16, 3)."""
    (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    return (halved(x[:SAMPLES]), y[:SAMPLES].ravel()), (halved(x_test[:HELD_OUT]), y_test[:HELD_OUT].ravel())


def halved(images: Any) -> Any:
    """Return images at half their height and width, each pixel the mean of four."""
    count, height, width, channels = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2, channels).astype(np.float32)
    return blocks.mean(axis=(2, 4)) / 127.5 - 1


def curve(name: str, train: Any, test: Any, epochs: int) -> dict[str, list[float]]:
    """Train one network and return its history."""
    keras.utils.set_random_seed(1)
    model = zoo.build(name, classes=10, input_shape=(16, 16, 3), width=16, stem="small")
    steps = -(-len(train[0]) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        RATE / 10, (epochs - 1) * steps, warmup_target=RATE, warmup_steps=steps
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        *train, batch_size=BATCH, epochs=epochs, validation_data=test, validation_batch_size=500, verbose=2
    )
    found: dict[str, list[float]] = history.history
    return found


def draw(curves: dict[str, dict[str, list[float]]]) -> None:
    """Draw training and test error by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, title, names in zip(axes, ("plain", "residual"), (NETWORKS[:2], NETWORKS[2:]), strict=True):
        for name, color in zip(names, ("tab:blue", "tab:red"), strict=True):
            epochs = range(1, len(curves[name]["loss"]) + 1)
            for key, style, part in (("accuracy", "-", "training"), ("val_accuracy", "--", "test")):
                error = [100 * (1 - value) for value in curves[name][key]]
                axis.plot(epochs, error, style, color=color, label=f"{name[-2:]} layers, {part}")
        axis.set(title=f"{title} networks", xlabel="epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    axes[0].set_ylabel("error, %")
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=120)

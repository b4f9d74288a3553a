"""CIFAR-10 to 94 % in seconds on a modern GPU, through `fit`.

    python examples/cifar10_fast.py              the whole recipe: 20 epochs at full width
    python examples/cifar10_fast.py --dry-run    a few steps at reduced width, on any machine

CIFAR-10 is read from a folder `cifar10` below NEOCOG_DATA, else downloaded once (170 MB). The aim is the
originals': on the JPEG copy (`cifar10_jpeg.npz`) every network is some percent worse, and the last line says
so.

What makes it fast: the images lie on the GPU as bytes and are changed there; convolutions run in half
precision where the hardware has it; the first convolution is not learned, but computed from the images (it
makes their patches uncorrelated); the network of seven convolutions is small; a high learning rate that
rises, then falls to almost nothing; smoothed labels; biases that learn faster than kernels; the mean over
each test image, its mirror, and both moved by a pixel.

Reference: the network and most of the numbers follow K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
GPU", 2024, https://arxiv.org/abs/2404.00498, and D. Page, "How to train your ResNet", 2018. With all of its
means the paper needs 9.9 epochs for a mean of 94.0 %; two of them are left out here (averaged weights that
are put back, flips that alternate by epoch), which it counts at less than three epochs. 20 leave room: runs
differ by 0.15 %. They are 7e14 operations, 5 s at 150 TFLOP/s. Times on a GPU have not been measured here
yet.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import neocog as keras
from neocog import layers

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training images
PATCH = 2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is trained, and how.

    Attributes:
        images: training images; all where larger.
        width: share of the full network's feature maps.
        epochs, batch_size: as in `fit`.
        rate: the highest learning rate at 1024 samples a step; for other sizes in proportion.
        decay: decoupled weight decay, of kernels alone.
        bias_rate: the biases' share of the rate.
        smoothing: part of each label that goes to all classes.
        test_images: images to be tested on.
    """

    images: int = 50_000
    width: float = 1.0
    epochs: int = 20
    batch_size: int = 1024
    rate: float = 1.5
    decay: float = 0.009
    bias_rate: float = 64.0
    smoothing: float = 0.2
    test_images: int = 10_000


DRY = Settings(images=512, width=0.125, epochs=2, batch_size=128, test_images=256)


class Triangle(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from a fifth of the peak to it within a quarter of the steps, and falls to a fifteenth of it."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        """Return the rate after so many steps."""
        x = float(step) / self.steps
        share = 0.2 + 0.8 * x / 0.23 if x < 0.23 else 1.0 + (0.07 - 1.0) * min(1.0, (x - 0.23) / 0.77)
        return self.peak * share

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"peak": self.peak, "steps": self.steps}


def whitening_kernel(images: np.ndarray) -> np.ndarray:
    """Return the kernel (2, 2, 3, 24) whose outputs on patches are uncorrelated, each with its negative.

    The patches' covariance is E·diag(λ)·Eᵀ; each filter is an eigenvector divided by √λ.
    """
    scaled = (images[:5000] / 255.0 - MEAN) / DEVIATION  # (n, 32, 32, 3)
    views = np.lib.stride_tricks.sliding_window_view(
        scaled, (PATCH, PATCH), axis=(1, 2)
    )  # (n, 31, 31, 3, 2, 2)
    patches = views[:, ::3, ::3].reshape(-1, 3 * PATCH**2)
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    filters = (vectors / np.sqrt(values + 5e-4)).T.reshape(-1, 3, PATCH, PATCH)
    return np.concatenate([filters, -filters]).transpose(2, 3, 1, 0).astype("float32")


def keep_first_maps(shape: Any, dtype: Any = None) -> torch.Tensor:
    """Start a 3×3 kernel so that its first outputs repeat its inputs, and the others are random."""
    height, width, inputs, outputs = shape
    bound = (1.0 / (height * width * inputs)) ** 0.5
    kernel = torch.empty(*shape).uniform_(-bound, bound)
    same = min(inputs, outputs)
    kernel[..., :same] = 0.0
    kernel[height // 2, width // 2, range(same), range(same)] = 1.0
    return kernel


def build(width: float, kernel: np.ndarray) -> keras.Model:
    """Return the network.

    Args:
        width: share of the full network's feature maps.
        kernel: of the first convolution.
    """
    first = layers.Conv2D(kernel.shape[-1], PATCH, use_bias=False, trainable=False, name="whiten")
    stack: list[Any] = [
        layers.Input((32, 32, 3), dtype="uint8"),
        layers.Rescaling(1.0 / 255.0),
        layers.Normalization(mean=MEAN, variance=[deviation**2 for deviation in DEVIATION]),
        layers.RandomTranslation(2 / 32, 2 / 32, fill_mode="reflect", interpolation="nearest"),
        layers.RandomFlip("horizontal"),
        first,
        layers.Activation("gelu"),
    ]
    for block, filters in enumerate((64, 256, 256), 1):
        filters = max(8, round(filters * width))
        for part in (1, 2):
            stack.append(
                layers.Conv2D(
                    filters, 3, padding="same", use_bias=False, kernel_initializer=keep_first_maps,
                    name=f"conv{block}{part}",
                )
            )  # fmt: skip
            if part == 1:
                stack.append(layers.MaxPooling2D())
            stack += [
                layers.BatchNormalization(momentum=0.6, epsilon=1e-5, scale=False, name=f"norm{block}{part}"),
                layers.Activation("gelu"),
            ]
    stack += [
        layers.MaxPooling2D(3),
        layers.Flatten(),
        # Evenly within ±1/√inputs.
        layers.Dense(
            10,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
        ),
        layers.Rescaling(1 / 9),
    ]
    model = keras.Sequential(stack)
    first.set_weights([kernel])
    return model


def compiled(settings: Settings, kernel: np.ndarray, steps: int) -> keras.Model:
    """Return the network, ready to train for so many steps."""
    model = build(settings.width, kernel)
    optimizer = keras.optimizers.SGD(
        Triangle(settings.rate * settings.batch_size / 1024, steps),
        momentum=0.85,
        nesterov=True,
        weight_decay=settings.decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["beta"])
    optimizer.set_rate_factors({"norm": settings.bias_rate})
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=settings.smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def views(images: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Return the images, moved by a pixel up and left, and down and right, with their weights in the mean."""
    moved = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    return [(0.5, images), (0.25, moved[:, :-2, :-2]), (0.25, moved[:, 2:, 2:])]


def accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy by the mean over each image, its mirror, and both moved by a pixel."""
    logits = 0.0
    for weight, view in views(images):
        for both in (view, view[:, :, ::-1]):
            logits = logits + weight * model.predict(np.ascontiguousarray(both), batch_size=2000, verbose=0)
    return float((logits.argmax(1) == labels.reshape(-1)).mean())


def are_originals(images: np.ndarray) -> bool:
    """Whether these are the training images as they were published: the first pixel's colour tells."""
    return tuple(images[0, 0, 0].tolist()) == (59, 62, 63)


def train(settings: Settings, *, verbose: int = 2, seed: int = 0) -> dict[str, Any]:
    """Train and test; return accuracy, seconds, plan and history.

    What runs once in a process (kernels are loaded and chosen, compilers run) is done before the clock
    starts, by a short training of another copy on the same shapes.
    """
    keras.utils.set_random_seed(seed)
    (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    x, y = x[: settings.images], keras.utils.to_categorical(y[: settings.images], 10)
    x_test, y_test = x_test[: settings.test_images], y_test[: settings.test_images]
    kernel = whitening_kernel(x)
    steps = -(-len(x) // settings.batch_size) * settings.epochs

    warm = compiled(settings, kernel, steps)
    rest = len(x) % settings.batch_size
    short = min(len(x), 4 * settings.batch_size + rest)
    warm.fit(x[:short], y[:short], batch_size=settings.batch_size, verbose=0)
    accuracy(warm, x_test, y_test)

    model = compiled(settings, kernel, steps)
    began = time.perf_counter()
    history = model.fit(x, y, batch_size=settings.batch_size, epochs=settings.epochs, verbose=verbose)
    trained = time.perf_counter() - began
    found = accuracy(model, x_test, y_test)
    return {
        "accuracy": found,
        "seconds of fit": trained,
        "seconds with the test": time.perf_counter() - began,
        "plan": str(model.plan),
        "originals": are_originals(x),
        "loss": history.history["loss"],
        "training accuracy": history.history["accuracy"],
    }


def main() -> None:
    """Train, and print what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="a few steps at reduced width")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--width", type=float, help="share of the feature maps")
    parser.add_argument("--images", type=int, help="training images")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = vars(DRY if options.dry_run else Settings())
    given = {key: value for key, value in vars(options).items() if key in chosen and value is not None}
    found = train(Settings(**{**chosen, **given}), seed=options.seed)
    print(found["plan"])
    print(
        f"test accuracy {found['accuracy']:.4f} in {found['seconds of fit']:.2f} s of fit, "
        f"{found['seconds with the test']:.2f} s with the test"
    )
    if options.dry_run:
        print("A dry run: neither number means anything.")
    elif not found["originals"]:
        print("These are not the originals (a copy with JPEG losses?): 94 % is not to be reached on them.")


if __name__ == "__main__":
    main()

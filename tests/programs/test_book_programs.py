"""Programs as books and course notes write them, with the import line alone changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import neocog as keras
from neocog.datasets import cats_vs_dogs, fashion_mnist
from neocog.exceptions import DataError


def fashion(samples: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        (x, y), _ = fashion_mnist.load_data()
    except (DataError, OSError):
        pytest.skip("Fashion-MNIST is not at hand (NEOCOG_DATA)")
    return x[:samples], y[:samples]


@pytest.mark.data
@pytest.mark.filterwarnings("ignore:.*is an older spelling:DeprecationWarning")
def test_the_fashion_network_of_the_notes() -> None:
    from neocog.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D

    x, y = fashion(640)
    model = keras.models.Sequential([
        Conv2D(64, 7, activation="relu", padding="SAME", input_shape=[28, 28, 1]),
        MaxPooling2D(2),
        Conv2D(128, 3, activation="relu", padding="SAME"),
        Conv2D(128, 3, activation="relu", padding="SAME"),
        MaxPooling2D(2),
        Conv2D(256, 3, activation="relu", padding="SAME"),
        Conv2D(256, 3, activation="relu", padding="SAME"),
        MaxPooling2D(2),
        Flatten(),
        Dense(64, "relu"),
        Dropout(0.5),
        Dense(64, "relu"),
        Dropout(0.5),
        Dense(64, activation="softmax"),
    ])  # fmt: skip
    assert model.count_params() == 1_265_728
    model.compile(loss="sparse_categorical_crossentropy", optimizer="nadam", metrics=["accuracy"])
    # 640 uint8 pictures, 28×28 without a channel axis, labels 0 to 9 on a 64-way head: all as in the notes.
    history = model.fit(x / 255.0, y, epochs=2, validation_split=0.1, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.predict(x[:3] / 255.0, verbose=0).shape == (3, 64)


@pytest.mark.data
def test_the_functional_cats_and_dogs_network(tmp_path: object) -> None:
    try:
        folder = cats_vs_dogs.path()
    except (DataError, OSError):
        pytest.skip("cats-vs-dogs is not at hand (NEOCOG_DATA)")
    train = keras.utils.image_dataset_from_directory(folder / "train", image_size=(180, 180), batch_size=32)

    data_augmentation = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.1),
            keras.layers.RandomZoom(0.2),
        ]
    )
    inputs = keras.Input(shape=(180, 180, 3))
    x = data_augmentation(inputs)
    x = keras.layers.Rescaling(1.0 / 255)(x)
    for filters in (32, 64, 128, 256):
        x = keras.layers.Conv2D(filters=filters, kernel_size=3, activation="relu")(x)
        x = keras.layers.MaxPooling2D(pool_size=2)(x)
    x = keras.layers.Conv2D(filters=256, kernel_size=3, activation="relu")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.5)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs=inputs, outputs=outputs)
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    assert model.count_params() == 991_041
    history = model.fit(train, steps_per_epoch=3, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert 0 <= history.history["accuracy"][0] <= 1


X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def perceptron() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 10), nn.Sigmoid(),
        nn.Linear(10, 10), nn.Sigmoid(), nn.Linear(10, 1), nn.Sigmoid(),
    )  # fmt: skip


def small_perceptron() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 10), nn.Sigmoid(), nn.Linear(10, 1), nn.Sigmoid())


def train_in_a_plain_loop(model: nn.Module, steps: int) -> float:
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1)
    for _ in range(steps):
        optimizer.zero_grad()
        cost = criterion(model(X), Y)
        cost.backward()
        optimizer.step()
    return float(cost.detach())


@pytest.mark.parametrize("depth", ["shallow", "deep"])
def test_the_pytorch_perceptron_in_a_plain_loop_and_inside_sequential(depth: str) -> None:
    make, steps = (small_perceptron, 2000) if depth == "shallow" else (perceptron, 10000)
    results = []
    wraps = (lambda net: net, lambda net: keras.Sequential(list(net)), lambda net: keras.Sequential([net]))
    for wrap in wraps:
        torch.manual_seed(777)
        model = wrap(make())
        results.append(train_in_a_plain_loop(model, steps))
        assert torch.equal((model(X) > 0.5).float(), Y)
    assert results[0] == results[1] == results[2] < 0.05


def test_the_same_perceptron_in_neocogs_layers_has_the_same_gradients() -> None:
    torch.manual_seed(777)
    plain = perceptron()
    sizes = (10, 10, 10, 1)
    dense = (keras.layers.Dense(size, activation="sigmoid") for size in sizes)
    ours = keras.Sequential([keras.Input((2,)), *dense])
    ours.set_weights(
        [t.detach().numpy().T if t.dim() == 2 else t.detach().numpy() for t in plain.parameters()]
    )
    for model in (plain, ours):
        nn.functional.binary_cross_entropy(model(X), Y).backward()
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-6, atol=1e-8)


def test_the_perceptron_learns_xor_with_fit() -> None:
    model = keras.Sequential(list(small_perceptron()))
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(X.numpy(), Y.numpy(), batch_size=4, epochs=3000, verbose=0)
    assert history.history["accuracy"][-1] == 1.0

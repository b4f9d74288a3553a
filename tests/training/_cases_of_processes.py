"""Trains one small model a case, in as many processes as it is started in, and writes what each ends with.

Started by the tests: `torchrun … _cases_of_processes.py OUT CASE…`.
"""

from __future__ import annotations

import glob
import json
import os
import signal
import sys
from typing import Any

import numpy as np
import torch
from _cases_at_the_edge import EDGE_CASES, unreached
from _cases_of_own_steps import OWN_CASES
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.utils.data import DataLoader, TensorDataset

import neocog as keras
from neocog import layers

RANK = os.environ.get("RANK", "0")
LAST = RANK != "0" and int(RANK) + 1 == int(os.environ.get("WORLD_SIZE", "1"))
METRICS = ["accuracy", "sparse_top_k_categorical_accuracy"]


def images(count: int = 163) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.RandomState(0)
    return draw.rand(count, 6, 6, 2).astype("float32"), draw.randint(0, 5, count)


def mlp(optimizer: Any = None, sharded: bool = False, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.Flatten(),
        layers.Dense(16, activation="relu", kernel_regularizer=kwargs.pop("regularizer", None)),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer or "adam", "sparse_categorical_crossentropy", metrics=METRICS, sharded=sharded)
    x, y = images()
    return model, {
        "x": x,
        "y": y,
        "batch_size": 32,
        "epochs": 9,
        "validation_data": (x[:45], y[:45]),
        **kwargs,
    }


def cnn(optimizer: Any = "sgd", sharded: bool = False) -> tuple[Any, dict[str, Any]]:
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.RandomFlip("horizontal"),
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.SpatialDropout2D(0.2),
        layers.Flatten(),
        layers.GaussianNoise(0.1),
        layers.Dense(8, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], synchronized=True, sharded=sharded
    )
    x, y = images()
    fit = {"x": x, "y": y, "batch_size": 32, "epochs": 9}
    return model, fit | ({"validation_data": (x[:3], y[:3])} if sharded else {})


def masked() -> tuple[Any, dict[str, Any]]:
    """Masked steps that a synchronised normalisation leaves out, in an own form of the argument."""
    model = keras.Sequential([
        keras.Input((7,), dtype="int32"),
        layers.Embedding(9, 6, mask_zero=True),
        layers.BatchNormalization(synchronized=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(50, name="auc")])
    draw = np.random.RandomState(0)
    return model, {
        "x": draw.randint(0, 9, (83, 7)),
        "y": draw.randint(0, 2, (83, 1)),
        "batch_size": 16,
        "epochs": 9,
    }


def weighted_metrics() -> tuple[Any, dict[str, Any]]:
    model, fit = mlp()
    kinds = keras.metrics
    x, y = images()
    targets = np.eye(5, dtype="float32")[y]
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "categorical_crossentropy",
        metrics=["accuracy", kinds.F1Score(average="macro"), kinds.AUC(multi_label=True, name="auc"),
                 kinds.Precision(name="precision"), kinds.Recall(name="recall"),
                 kinds.CategoricalCrossentropy(), kinds.OneHotMeanIoU(5)],
        weighted_metrics=["accuracy"],
    )  # fmt: skip
    weights = np.random.RandomState(1).rand(163).astype("float32")
    fit.update(y=targets, sample_weight=weights, validation_data=(x[:3], targets[:3]))
    return model, fit


def mixed() -> tuple[Any, dict[str, Any]]:
    """Batches that a pipeline mixes at random."""
    model, _ = mlp()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x, y = images()
    mix = layers.MixUp()
    data = keras.data.Dataset.from_tensor_slices((x, np.eye(5, dtype="float32")[y]))
    data = data.shuffle(163).batch(32)

    def mixing(images: Any, labels: Any) -> Any:
        both = mix({"images": images, "labels": labels}, training=True)
        return both["images"], both["labels"]

    return model, {"x": data.map(mixing), "epochs": 9}


def stream(kind: str) -> tuple[Any, dict[str, Any]]:
    """Data that only one process can read."""
    model, _ = mlp()
    x, y = images()
    if kind == "loader":
        data: Any = DataLoader(TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=32, shuffle=True)
        return model, {"x": data, "epochs": 4}

    def batches() -> Any:
        while True:
            rows = np.random.permutation(163)[:29]
            yield x[rows], y[rows]

    return model, {"x": batches(), "steps_per_epoch": 7, "epochs": 4}


def mixing() -> tuple[Any, dict[str, Any]]:
    """A model that mixes rows of one process with those of others; and a loss that is a sum."""
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.MixUp(0.4),
        layers.CutMix(seed=3),
        layers.Flatten(),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    model.compile(keras.optimizers.SGD(0.003), loss, metrics=["accuracy"])
    x, y = images()
    return model, {"x": x, "y": y, "batch_size": 32, "epochs": 9, "validation_data": (x[:45], y[:45])}


class Pieces(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 9

    def __getitem__(self, index: int) -> Any:
        x, y = images()
        return x[index * 19 : index * 19 + 19], y[index * 19 : index * 19 + 19]


def pieces() -> tuple[Any, dict[str, Any]]:
    model, _ = mlp()
    return model, {"x": Pieces(), "epochs": 6}


def fragile(sharded: bool = False, user: bool = True) -> tuple[Any, dict[str, Any]]:
    """What a killed process must not change: random numbers, statistics, gradients not yet applied."""
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.Flatten(),
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        *([Noisy()] if user else []),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], sharded=sharded,
        synchronized=not user,
    )  # fmt: skip
    x, y = images()
    return model, {
        "x": x,
        "y": y,
        "batch_size": 32,
        "epochs": 6,
        "every": 3,
        "validation_data": (x[:45], y[:45]),
    }


class Scarce(layers.Layer):
    """Runs out of memory once, in the last process of several: in its forward or its backward pass."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where, self.steps = where, 0

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.steps += bool(training)
        fails = training and self.steps == 8 and LAST
        if fails and self.where == "forward":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return FailsBackward.apply(inputs, fails and self.where == "backward")


class FailsBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, fails: bool) -> torch.Tensor:
        ctx.fails = fails
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        if ctx.fails:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return grad, None


def scarce(where: str, loss: Any = "sparse_categorical_crossentropy", gathered: int | None = None) -> Any:
    model = keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.Flatten(),
        layers.Dense(16, activation="tanh", activity_regularizer="l2"),
        layers.Dropout(0.2),
        Scarce(where),
        layers.Dense(5, activation="softmax", kernel_regularizer="l2"),
    ])  # fmt: skip
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=gathered)
    model.compile(optimizer, loss, metrics=["accuracy"])
    if where == "update" and LAST:
        update, updates = optimizer.step, [0]

        def failing() -> None:
            updates[0] += 1
            if updates[0] == 8:
                raise MemoryError
            update()

        optimizer.step = failing  # type: ignore[method-assign]
    x, y = images()
    return model, {"x": x, "y": y, "batch_size": 32, "epochs": 9}


def squared(y: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """A loss of the user's, which is computed on all outputs of a batch together."""
    return (1 - torch.gather(outputs, 1, y.long().reshape(-1, 1))[:, 0]).square()


def several_outputs() -> tuple[Any, dict[str, Any]]:
    inputs = keras.Input((6, 6, 2))
    inside = layers.Dense(8, activation="tanh")(layers.Flatten()(inputs))
    outputs = {
        "kind": layers.Dense(5, activation="softmax", name="kind")(inside),
        "size": layers.Dense(1, name="size")(inside),
    }
    model = keras.Model(inputs, outputs)
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 0.3}, metrics={"kind": ["accuracy"]})
    x, y = images()
    targets = {"kind": y, "size": x.mean((1, 2, 3))[:, None]}
    held_out = x[:45], {name: value[:45] for name, value in targets.items()}
    return model, {"x": x, "y": targets, "batch_size": 32, "epochs": 9, "validation_data": held_out}


class Noisy(layers.Layer):
    """A layer of the user's that draws by itself."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs + 0.01 * torch.randn_like(inputs) if training else inputs


class Killed(keras.callbacks.Callback):
    """Kills a process in the middle of an epoch, once each: `KILLS` says "rank:batch,rank&rank:batch,…"."""

    batches = 0  # since this process began: no snapshot brings them back

    def state_dict(self) -> dict[str, Any]:
        return {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1
        for number, kill in enumerate(os.environ.get("KILLS", "").split(",")):
            ranks, _, when = kill.partition(":")
            done = f"{sys.argv[1]}.killed.{number}"
            in_turn = number == 0 or glob.glob(f"{sys.argv[1]}.killed.{number - 1}.*")
            left = len(glob.glob(f"{done}.*")) < len(ranks.split("&"))
            if RANK in ranks.split("&") and when == str(self.batches) and in_turn and left:
                open(f"{done}.{RANK}", "w").close()
                os.kill(os.getpid(), signal.SIGKILL)


class Exchanges(keras.callbacks.Callback):
    """Counts how often gradients are exchanged."""

    count = 0

    def on_train_begin(self, logs: Any = None) -> None:
        replica = self.model.training_state.replica
        if replica is not None:
            replica.register_comm_hook(None, self._exchange)

    def _exchange(self, state, bucket):  # type: ignore[no-untyped-def]  # torch looks at annotations
        self.count += 1
        return allreduce_hook(None, bucket)


CASES = {
    "fragile": fragile,
    "fragile_shares": lambda: fragile(sharded=True),
    "elastic": lambda: fragile(user=False),
    "elastic_shares": lambda: fragile(sharded=True, user=False),
    "adam": mlp,
    "momentum": lambda: mlp(keras.optimizers.SGD(0.1, momentum=0.9)),
    "penalties": lambda: mlp(regularizer="l2"),
    "classes": lambda: mlp(class_weight={0: 1.0, 1: 2.5, 2: 0.3, 3: 1.0, 4: 0.7}),
    "clipped": lambda: mlp(keras.optimizers.Adam(0.01, global_clipnorm=0.05)),
    "averaged": lambda: mlp(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)),
    "gathered": lambda: mlp(keras.optimizers.Adam(0.01, gradient_accumulation_steps=4)),
    "cnn": cnn,
    "shares": lambda: mlp(keras.optimizers.Adam(0.01, global_clipnorm=0.05), True, regularizer="l2"),
    "shares_cnn": lambda: cnn(keras.optimizers.SGD(0.05, momentum=0.9, clipnorm=0.1, use_ema=True), True),
    "shares_gathered": lambda: mlp(keras.optimizers.AdamW(gradient_accumulation_steps=4), True),
    "masked": masked,
    "outputs": several_outputs,
    "unreached": unreached,
    "scarce_unreached": lambda: unreached(Scarce("backward")),
    "scarce_forward": lambda: scarce("forward"),
    "scarce_backward": lambda: scarce("backward"),
    "scarce_gathered": lambda: scarce("backward", gathered=2),
    "scarce_update": lambda: scarce("update"),
    "scarce_own_loss": lambda: scarce("backward", squared),
    "weighted": weighted_metrics,
    "mixed": mixed,
    "mixing": mixing,
    "generator": lambda: stream("generator"),
    "loader": lambda: stream("loader"),
    "pieces": pieces,
    **EDGE_CASES,
    **OWN_CASES,
}


def main() -> None:
    out, *names = sys.argv[1:]
    for name in names:
        keras.utils.set_random_seed(3)
        model, fit = CASES[name]()
        if RANK != "0":
            torch.manual_seed(99)  # begins elsewhere, and must not matter
        exchanges = Exchanges()
        snapshots = (
            os.path.join(os.path.dirname(out), "snapshots")
            if "every" in fit and "KILLS" in os.environ
            else None
        )
        callbacks = [Killed(), exchanges, *fit.pop("callbacks", [])]
        history = model.fit(verbose=0, callbacks=callbacks, snapshots=snapshots, **fit)
        weights = [weight.tolist() for weight in model.get_weights()]
        found = {"weights": weights, "history": history.history, "exchanges": exchanges.count}
        with open(f"{out}.{name}.{RANK}.json", "w") as file:
            json.dump(found, file)


if __name__ == "__main__":
    main()

"""Runs of every kind, stopped and started again, end as the undisturbed run: data, callbacks, own parts."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter, defaultdict, deque, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError
from neocog.files import is_storable, read_snapshot, snapshots_in, write_snapshot
from neocog.training._put_back import put_back

Dataset = keras.Dataset
X = np.random.RandomState(0).rand(96, 6).astype("float32")
Y = (X.sum(1, keepdims=True) + np.random.RandomState(1).rand(96, 1)).astype("float32")
TENSORS = TensorDataset(torch.tensor(X), torch.tensor(Y))
Point = namedtuple("Point", "low high")


class Stopped(BaseException):
    """Stands for the end of the process."""


class Ends(keras.callbacks.Callback):
    """Ends the run at its n-th batch, in a way of its own."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def count(self, batch: int, logs: Any = None) -> None:
        self._left -= 1
        if self._left == 0:
            self.end()

    def end(self) -> None:
        raise Stopped

    def state_dict(self) -> dict[str, Any]:
        return {}


class StopAt(Ends):
    """Ends the run at its n-th training batch."""

    on_train_batch_end = Ends.count


def network(rate: float = 0.5) -> Any:
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dropout(rate), layers.Dense(1)]
    )


def run(folder: Path | None, make: Callable[[], dict[str, Any]], stop: int = -1) -> Any:
    keras.utils.set_random_seed(3)
    given = make()
    model = given.pop("model", None) or network()
    if not model.compiled:
        model.compile(given.pop("optimizer", "adam"), given.pop("loss", "mse"))
    callbacks = [*given.pop("callbacks", []), StopAt(stop)]
    options = {"epochs": 4, "verbose": 0, "every": 3, **given}
    history = model.fit(callbacks=callbacks, snapshots=folder, **options)
    return [value.copy() for value in model.get_weights()], history.history, callbacks


def assert_goes_on(folder: Path, make: Callable[[], dict[str, Any]], *stops: int) -> Any:
    whole = run(None, make)
    for stop in stops:
        with pytest.raises(Stopped):
            run(folder, make, stop)
    parts = run(folder, make)
    assert whole[1] == parts[1]
    for expected, found in zip(whole[0], parts[0], strict=True):
        np.testing.assert_array_equal(expected, found)
    return whole, parts


# --- data ---------------------------------------------------------------------------------------------------


def noisy(x: torch.Tensor, y: torch.Tensor) -> Any:
    return x + 0.1 * torch.randn(x.shape), y


class Noisy(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 96

    def __getitem__(self, index: int) -> Any:
        return noisy(torch.tensor(X[index]), torch.tensor(Y[index]))


class Drawing(Noisy):
    """Draws from a generator of its own, as NumPy's authors advise."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(3)

    def __getitem__(self, index: int) -> Any:
        return X[index] + self.random.normal(0, 0.3, 6).astype("float32"), Y[index]


class Orders(torch.utils.data.Sampler[int]):
    """Another order in each pass, by a count of its own."""

    def __init__(self) -> None:
        self.passes = 0

    def __len__(self) -> int:
        return 96

    def __iter__(self) -> Any:
        self.passes += 1
        return iter(np.random.RandomState(self.passes).permutation(96).tolist())


class Batches(keras.utils.PyDataset):
    def __init__(self) -> None:
        super().__init__()
        self.random = np.random.default_rng(3)

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        rows = self.random.permutation(96)[:16]
        return X[rows], Y[rows]


def drawn_by_numpy() -> dict[str, Any]:
    draw = np.random.default_rng(4)
    data = Dataset.from_tensor_slices((X, Y)).batch(16)
    return {"x": data.map(lambda x, y: (x + torch.tensor(draw.normal(0, 0.3, tuple(x.shape))).float(), y))}


def flipped() -> dict[str, Any]:
    noise = layers.GaussianNoise(0.2, seed=2)
    data = Dataset.from_tensor_slices((X, Y)).repeat().batch(16)
    return {"x": data.map(lambda x, y: (noise(x, training=True), y)), "steps_per_epoch": 7}


SLICES = Dataset.from_tensor_slices
DATA: dict[str, Callable[[], dict[str, Any]]] = {
    "loader": lambda: {"x": DataLoader(TENSORS, batch_size=16)},
    "loader with noise": lambda: {"x": DataLoader(Noisy(), batch_size=16)},
    "shuffled loader with noise": lambda: {"x": DataLoader(Noisy(), batch_size=16, shuffle=True)},
    "loader with a generator": lambda: {
        "x": DataLoader(TENSORS, 16, shuffle=True, generator=torch.Generator().manual_seed(5))
    },
    "loader, few steps": lambda: {"x": DataLoader(TENSORS, 16, shuffle=True), "steps_per_epoch": 4},
    "noise, then for ever": lambda: {
        "x": SLICES((X, Y)).shuffle(96).batch(16).map(noisy).repeat(),
        "steps_per_epoch": 4,
    },
    "noise, few steps": lambda: {"x": SLICES((X, Y)).shuffle(96).batch(16).map(noisy), "steps_per_epoch": 4},
    "for ever, then a layer that draws": flipped,
    "loader, a data set with a generator": lambda: {"x": DataLoader(Drawing(), 16, shuffle=True)},
    "loader, a part of such a data set": lambda: {
        "x": DataLoader(torch.utils.data.Subset(Drawing(), range(64)), 16)
    },
    "loader with a sampler of one's own": lambda: {"x": DataLoader(TENSORS, 16, sampler=Orders())},
    "torch data set with a generator": lambda: {"x": Drawing(), "batch_size": 16},
    "PyDataset with a generator": lambda: {"x": Batches()},
    "a generator in a function": drawn_by_numpy,
    "for ever": lambda: {
        "x": SLICES((X, Y)).shuffle(96).repeat().batch(16).prefetch(2),
        "steps_per_epoch": 5,
    },
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("stops", [(8,), (10, 4)])
def test_data_go_on_at_the_place(tmp_path: Path, name: str, stops: tuple[int, ...]) -> None:
    assert_goes_on(tmp_path, DATA[name], *stops)


def test_what_a_loaders_parts_do_not_change_takes_no_room(tmp_path: Path) -> None:
    orders = Orders()
    orders.names = ["a"] * 96
    with pytest.raises(Stopped):
        run(tmp_path, lambda: {"x": DataLoader(TENSORS, 16, sampler=orders)}, 8)
    state = read_snapshot(snapshots_in(tmp_path)[0])
    assert state["source"]["own"] == [{"passes": 2}]


def numbered(count: int) -> Any:
    for number in range(count):
        yield X[number % 80 : number % 80 + 16], Y[number % 80 : number % 80 + 16]


def test_validation_data_from_a_generator_go_on_with_a_warning(tmp_path: Path) -> None:
    def make() -> dict[str, Any]:
        data = {"x": X, "y": Y, "batch_size": 16}
        return {**data, "validation_data": numbered(90), "validation_steps": 2}

    whole = run(None, make)
    with pytest.raises(Stopped):
        run(tmp_path, make, 15)
    with pytest.warns(
        UserWarning, match="validation data that can be rewound, to go on exactly, got a generator"
    ):
        assert run(tmp_path, make)[1] == whole[1]


def test_what_random_functions_made_and_a_cache_keeps_is_told(tmp_path: Path) -> None:
    def make() -> dict[str, Any]:
        return {"x": SLICES((X, Y)).batch(16).map(noisy).cache()}

    with pytest.raises(Stopped):
        run(tmp_path, make, 15)
    with pytest.warns(UserWarning, match=r"call cache\(\) before functions that draw"):
        run(tmp_path, make)


# --- callbacks ----------------------------------------------------------------------------------------------


class Annealed(keras.losses.Loss):
    """Its weight is a tensor that a callback raises."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = torch.tensor(1.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred).square() * self.beta


class Raise(keras.callbacks.Callback):
    def __init__(self, beta: Any) -> None:
        super().__init__()
        self.beta = beta

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.beta.fill_(1.0 + 0.5 * epoch)


class Gathers(keras.callbacks.Callback):
    """Attributes as people write them."""

    def __init__(self, out: list[float]) -> None:
        super().__init__()
        self.out = out
        self.names = np.array([["cat", "dog"]])
        self.days = np.array(["2026-01-02"], dtype="datetime64[D]")
        self.nothing = np.array([object()])
        self.big = np.arange(3, dtype=">f4")
        self.range = Point(0.0, 0.0)
        self.seen: Any = defaultdict(list)
        self.counts: Any = Counter()
        self.better = np.bool_(False)
        self.scalar = np.array(2.0)
        self.recent: deque[float] = deque(maxlen=3)
        self.epochs: set[int] = set()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = logs["loss"]
        logs["better"] = np.float64(loss) < 1.0
        self.out.append(loss)
        self.seen[epoch % 2].append(loss)
        self.counts["epochs"] += 1
        self.range = Point(min(self.range.low, loss), max(self.range.high, loss))
        self.better = np.bool_(loss > 0)
        self.recent.append(loss)
        self.epochs.add(epoch)
        self.scalar += 1

    def told(self) -> tuple[Any, ...]:
        kinds = [type(value) for value in (self.seen, self.counts, self.range, self.recent, self.epochs)]
        plain = (dict(self.seen), self.counts["epochs"], tuple(self.range), bool(self.better), self.epochs)
        return (*plain, list(self.recent), float(self.scalar), self.scalar.shape, kinds)


def test_callbacks_share_what_they_shared(tmp_path: Path) -> None:
    def make() -> dict[str, Any]:
        loss = Annealed()
        model = network()
        model.compile("adam", loss)
        return {"x": X, "y": Y, "batch_size": 16, "model": model, "callbacks": [Raise(loss.beta)]}

    assert_goes_on(tmp_path, make, 15)


def test_attributes_of_callbacks_come_back_as_they_were(tmp_path: Path) -> None:
    given: list[list[float]] = []

    def make() -> dict[str, Any]:
        given.append([])
        return {"x": X, "y": Y, "batch_size": 16, "callbacks": [Gathers(given[-1])]}

    whole, parts = assert_goes_on(tmp_path, make, 15)
    assert whole[2][0].told() == parts[2][0].told()
    assert given[-1] is parts[2][0].out
    assert given[-1] == given[0]
    assert (parts[2][0].names == [["cat", "dog"]]).all()
    parts[2][0].seen["new"].append(1.0)  # still a dict that makes its lists


def test_values_that_keep_their_form(tmp_path: Path) -> None:
    state = {
        "texts": np.array([["a", "bc"], ["", "é"]]),
        "none": np.array([], dtype=str),
        "days": np.array(["2026-01-02", "NaT"], dtype="datetime64[s]"),
        "zero": np.array(3.5),
        "flag": np.bool_(True),
        "set": {1, 2},
        "deque": deque([1.0, None], maxlen=4),
    }
    found = read_snapshot(write_snapshot(tmp_path, 1, state))
    for name in ("texts", "none", "zero"):
        assert found[name].shape == state[name].shape
        assert (found[name] == state[name]).all()
    assert np.array_equal(found["days"], state["days"], equal_nan=True)
    assert [found[name] for name in ("flag", "set", "deque")] == [True, {1, 2}, deque([1.0, None])]
    assert found["deque"].maxlen == 4
    for value in (np.array([object()]), np.zeros(2, "g"), torch.eye(2).to_sparse(), [np.array([{}])]):
        assert not is_storable(value)


def test_putting_back_fills_what_is_there() -> None:
    class Owner:
        pass

    owner: Any = Owner()
    owner.list, owner.nested, owner.tensor = [1, 2, 3], {"a": [0], "b": 1}, torch.zeros(2)
    owner.array, owner.fixed, owner.frozen = np.zeros(2), np.zeros(2), frozenset({1})
    owner.fixed.flags.writeable = False
    kept = dict(vars(owner))
    inner = owner.nested["a"]
    new = {"list": [4], "nested": {"a": [5, 6]}, "tensor": torch.ones(2), "array": np.ones(2)}
    put_back(owner, {**new, "fixed": np.ones(2), "frozen": {2}, "new": 7})
    assert owner.list is kept["list"] == [4]
    assert owner.nested is kept["nested"] == {"a": [5, 6]}
    assert owner.nested["a"] is inner
    assert owner.tensor is kept["tensor"]
    assert owner.tensor.tolist() == owner.array.tolist() == owner.fixed.tolist() == [1.0, 1.0]
    assert owner.array is kept["array"]
    assert (owner.frozen, owner.new) == (frozenset({2}), 7)
    put_back(owner, {"tensor": torch.ones(3)})
    assert owner.tensor.shape == (3,)


# --- what own models, layers and losses keep ---------------------------------------------------------------


class Now(layers.Layer):
    """Counts its calls, and keeps a mean in a buffer of a torch module that no file holds."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.inner = torch.nn.Module()
        self.inner.register_buffer("mean", torch.zeros(()), persistent=False)

    def call(self, x: Any) -> Any:
        self.calls += 1
        self.inner.mean.mul_(0.9).add_(x.detach().mean())
        return x * (1 + 0.01 * (self.calls % 3)) + self.inner.mean


class EveryThird(keras.Sequential):
    """A `train_step` with a counter, as a critic's."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.steps, self._recent = 0, torch.zeros(1)

    def train_step(self, data: Any) -> Any:
        self.steps += 1
        self._recent = self._recent + 1
        x, y = data
        return super().train_step((x, y * (self.steps % 3) + self._recent))


class Counting(keras.losses.Loss):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def call(self, y_true: Any, y_pred: Any) -> Any:
        self.calls += 1
        return (y_true - y_pred).abs() * (1 + self.calls % 2)


class Adversaries(keras.Model):
    """Trains a network inside it by that network's own optimizer."""

    def __init__(self) -> None:
        super().__init__()
        self.made, self.judge = network(0.0), network(0.0)
        self.judge.compile("adam", "mse")

    def call(self, x: Any) -> Any:
        return self.made(x) + self.judge(x)

    def train_step(self, data: Any) -> Any:
        x, y = data
        self.judge.train_on_batch(x, y * 0.5)
        return super().train_step(data)


def built(model: Any, loss: Any = "mse") -> dict[str, Any]:
    model.compile("adam", loss)
    model(X[:1])
    return {"x": X, "y": Y, "batch_size": 16, "model": model}


class Draws(keras.callbacks.Callback):
    """Draws a rate for each step from a generator of its own."""

    def __init__(self, draw: Callable[[], float], *generators: Any) -> None:
        super().__init__()
        self.draw, self.generators = draw, list(generators)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = 0.1 * float(self.draw())


class Jitter(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.random = np.random.RandomState(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return x * self.random.uniform(0.5, 2) if training else x


def drawing_callbacks() -> dict[str, Any]:
    own, numpys, torchs = random.Random(1), np.random.default_rng(2), torch.Generator().manual_seed(3)
    philox = np.random.Generator(np.random.Philox(4))
    draws = (own.random, numpys.random, lambda: torch.rand(1, generator=torchs), philox.random)
    callbacks = [Draws(draw, one) for draw, one in zip(draws, (own, numpys, torchs, philox), strict=True)]
    return {**arrays(), "callbacks": callbacks}


OWN: dict[str, Callable[[], dict[str, Any]]] = {
    "layer": lambda: built(keras.Sequential([keras.Input((6,)), Now(), layers.Dense(1)])),
    "step": lambda: built(EveryThird([keras.Input((6,)), layers.Dense(1)])),
    "loss": lambda: built(network(), Counting()),
    "inner model": lambda: built(Adversaries()),
    "generators of callbacks": drawing_callbacks,
    "generator of a layer": lambda: built(keras.Sequential([keras.Input((6,)), Jitter(), layers.Dense(1)])),
}


@pytest.mark.parametrize("name", OWN)
def test_what_own_parts_keep_goes_on(tmp_path: Path, name: str) -> None:
    assert_goes_on(tmp_path, OWN[name], 10, 4)


class Anneals(keras.callbacks.Callback):
    """Changes settings of neocog's own parts, step for step and in one epoch alone."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer).momentum *= 0.97
        self.model.layers[1].rate *= 0.95

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            self.model.layers[0].trainable = False
            self.model.optimizer.clipnorm = 0.1


@pytest.mark.parametrize("scaled", [False, True])
def test_settings_that_callbacks_change_go_on(tmp_path: Path, scaled: bool) -> None:
    def make() -> dict[str, Any]:
        sgd = keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer = keras.optimizers.LossScaleOptimizer(sgd) if scaled else sgd
        model = network()
        model.compile(optimizer, "mse")
        return {"x": X, "y": Y, "batch_size": 16, "model": model, "callbacks": [Anneals()]}

    assert_goes_on(tmp_path, make, 10, 4)


def test_attributes_that_a_run_does_not_change_are_the_scripts(tmp_path: Path) -> None:
    def make(scale: float) -> dict[str, Any]:
        model = EveryThird([keras.Input((6,)), layers.Dense(1)])
        model.scale = scale
        return built(model)

    with pytest.raises(Stopped):
        run(tmp_path, lambda: make(1.0), 10)
    state = read_snapshot(snapshots_in(tmp_path)[0])["attributes"]
    assert set(state["model."]) == {"steps", "_recent"}


# --- validations, signals -----------------------------------------------------------------------------------


class Signal(Ends):
    """A time limit that ends within a validation."""

    on_test_batch_end = Ends.count

    def end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("on_epoch", [False, True])
def test_a_signal_while_averages_stand_in_the_model(tmp_path: Path, on_epoch: bool) -> None:
    def make(at: int) -> dict[str, Any]:
        optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
        swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
        data = {"x": X, "y": Y, "batch_size": 16, "validation_data": (X[:32], Y[:32])}
        options = {"every": "1h", "validation_batch_size": 16}
        return {**data, **options, "optimizer": optimizer, "callbacks": [swap, Signal(at)]}

    whole = run(None, lambda: make(-1))
    with pytest.raises(SystemExit):
        run(tmp_path, lambda: make(3))
    parts = run(tmp_path, lambda: make(-1))
    assert whole[1] == parts[1]
    for expected, found in zip(whole[0], parts[0], strict=True):
        np.testing.assert_array_equal(expected, found)


def test_more_epochs_go_on_from_the_weights_below_the_averages(tmp_path: Path) -> None:
    def make(epochs: int) -> dict[str, Any]:
        optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
        swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
        return {**arrays(), "epochs": epochs, "optimizer": optimizer, "callbacks": [swap]}

    run(tmp_path, lambda: make(2))
    for expected, found in zip(run(None, lambda: make(5))[0], run(tmp_path, lambda: make(5))[0], strict=True):
        np.testing.assert_array_equal(expected, found)


# --- files --------------------------------------------------------------------------------------------------


def arrays() -> dict[str, Any]:
    return {"x": X, "y": Y, "batch_size": 16}


class Odd(keras.callbacks.Callback):
    """Puts something into the logs that no snapshot holds."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["odd"] = Path("x")


def test_what_no_snapshot_holds_costs_no_run(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="training goes on without: .*odd.*got "):
        _, history, _ = run(tmp_path, lambda: {**arrays(), "callbacks": [Odd()]})
    assert len(history["loss"]) == 4


class Unkept(keras.callbacks.Callback):
    def state_dict(self) -> dict[str, Any]:
        return {"file": Path("x")}


def test_a_state_that_cannot_be_kept_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match="file"):
        run(tmp_path, lambda: {**arrays(), "callbacks": [Unkept()]}, 1)


def test_damaged_snapshots_give_way_to_good_ones(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, arrays, 10)
    for steps in (97, 98):
        (tmp_path / f"snapshot-{steps:012d}-{'0' * 16}.safetensors").write_bytes(b"junk")
    with pytest.raises(Stopped):
        run(tmp_path, arrays, 6)
    left = snapshots_in(tmp_path)
    assert len(left) == 2
    assert all(read_snapshot(path) for path in left)


def test_unfinished_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    old, young = tmp_path / ".snapshot.abc.tmp", tmp_path / ".snapshot.def.tmp"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    run(tmp_path, arrays)
    assert (old.exists(), young.exists()) == (False, True)
    backup = tmp_path / "backup"
    backup.mkdir()
    (backup / ".snapshot.abc.tmp").write_bytes(b"half")
    run(None, lambda: {**arrays(), "callbacks": [keras.callbacks.BackupAndRestore(backup)]})
    assert not backup.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": "lamb"}, "expected the optimizer of the snapshot, Adam, got Lamb"),
        ({"x": SLICES((X, Y)).batch(16), "y": None, "batch_size": None}, "snapshot, arrays, got a Dataset"),
    ],
)
def test_another_run_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, arrays, 10)
    with pytest.raises(ArgumentError, match=words):
        run(tmp_path, lambda: {**arrays(), **change})


def test_another_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, lambda: {"x": SLICES((X, Y)).shuffle(96).batch(16)}, 10)
    with pytest.raises(
        ArgumentError, match="expected 1 steps with a seed, as in the run that goes on, got 0"
    ):
        run(tmp_path, lambda: {"x": SLICES((X, Y)).batch(16)})


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, arrays, 10)
    link = tmp_path / f"snapshot-{99:012d}-{'0' * 16}.safetensors"
    link.symlink_to(link)
    assert len(run(tmp_path, arrays)[1]["loss"]) == 4


def test_names_that_are_no_unicode_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"photo-\xff.jpg")
    assert read_snapshot(write_snapshot(tmp_path, 1, {"file": name, "word": "사진"})) == {
        "file": name,
        "word": "사진",
    }


def test_other_numbers_of_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, arrays, 10)
    with pytest.warns(UserWarning, match="expected 6 batches, as in the run that took the snapshot, got 3"):
        run(tmp_path, lambda: {"x": X[:48], "y": Y[:48], "batch_size": 16})

"""`learning_rate`: the range test on the data and the network of a training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import set_random_seed
from neocog.exceptions import StorageError, message
from neocog.training import LearningRateRange, RangeTest, check_range, find_learning_rate, request_of
from neocog.workflows._bases import is_base
from neocog.workflows._config import TrainConfig
from neocog.workflows._events import Reading, Reporter, silent
from neocog.workflows._fit import compile_model
from neocog.workflows._load_data import find_data, load_data
from neocog.workflows._mixing import MixedSource, mixes
from neocog.workflows._train import base_for_files, network, opened, tell

_TELL_EVERY = 0.25  # seconds


@dataclass(frozen=True, kw_only=True)
class LearningRateResult:
    """What `learning_rate` found.

    Attributes:
        found: rates, losses and suggestions.
        recipe_rate: the rate that `train` takes by itself.
        model: name of the network.
        batch_size: images a step.
        part: what is trained: "all", or "head" on a frozen pretrained base.
        plot: the PNG file.
    """

    found: LearningRateRange
    recipe_rate: float | None
    model: str
    batch_size: int
    part: str
    plot: str

    @property
    def option(self) -> str:
        """The option of `neocog train` that takes the suggestion."""
        name = "--head-rate" if self.part == "head" else "--learning-rate"
        return f"{name} {self.found.suggestion:.2g}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        rest = {name: getattr(self, name) for name in ("recipe_rate", "model", "batch_size", "part", "plot")}
        return {**self.found.as_dict(), **rest, "option": self.option}


def learning_rate(
    config: TrainConfig,
    report: Reporter = silent,
    *,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
    out: str | None = None,
) -> LearningRateResult:
    """Try rising learning rates on the network that `train` would train, and draw the losses.

    Args:
        config: as for `train`; with weights the head is tried, on the frozen base.
        report: told what happens.
        lowest: first rate.
        highest: last rate.
        steps: how many.
        out: the PNG file; default `learning-rate-<data>.png`.

    Raises:
        ArgumentError, DataError: as `train`.
        StorageError: the file cannot be written.
        TrainingError: the loss is not finite from the start.
    """
    config.check()
    check_range("lr", lowest, highest, steps, prefix="--")
    test = _Watched(lowest, highest, steps, report)
    target = find_data(config.data)
    path = Path(out or f"learning-rate-{target.name}.png").expanduser()
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise StorageError(message(str(path), expected="a file in a folder that exists", got="none"))
    base, config = base_for_files(config, target)
    data, recipe = load_data(target, config, report)
    if is_base(config.model) and base is None:
        base = opened(config, data.info.image_size)
    tell(data, report)
    set_random_seed(config.seed)
    name, model, recipe = network(config, base, data, recipe, report)
    train = data.parts["train"]
    compile_model(model, recipe, len(train.ids), config.precision, data.task)
    source = train.source
    if mixes(recipe.augment):
        seed = int(source.state_dict().get("seed", 0))
        source = MixedSource(source, recipe.augment, len(data.task.names), seed)
    found = find_learning_rate(model, request_of(source), test)
    report(Reading(what="learning rates", done=steps, total=steps))
    found.plot(path)
    return LearningRateResult(
        found=found,
        recipe_rate=None if config.weights is not None else recipe.learning_rate,
        model=name,
        batch_size=recipe.batch_size,
        part="all" if config.weights is None else "head",
        plot=str(path),
    )


class _Watched(RangeTest):
    """Tells how far the test is."""

    def __init__(self, lowest: float, highest: float, steps: int, report: Reporter) -> None:
        super().__init__(lowest, highest, steps)
        self._report, self._told = report, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Go on, and tell it a few times a second."""
        super().on_train_batch_end(batch, logs)
        if time.perf_counter() - self._told > _TELL_EVERY:
            self._told = time.perf_counter()
            self._report(
                Reading(what="learning rates", done=min(batch + 1, self.steps - 1), total=self.steps)
            )

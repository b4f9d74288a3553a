"""The learning-rate range test: what watches a training and raises the rate, and the verb that runs one."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, message
from neocog.training._finders import FEWEST, Disturbed, LearningRateRange, read_range
from neocog.training._hook import Hook, Logs
from neocog.training._loop import FitRequest, fit
from neocog.training._snapshot import random_state, set_random_state
from neocog.training._world import join


def check_range(
    where: str, lowest: float, highest: float, steps: int, prefix: str = ""
) -> tuple[float, float, int]:
    """Return the rates between which a test runs, and its steps.

    Args:
        where: what the error text begins with.
        lowest, highest: rates.
        steps: how many.
        prefix: stands before the names in the text: "--" for options.

    Raises:
        ArgumentError: rates or steps that make no test.
    """
    lowest = check_number(where, f"{prefix}lowest", lowest, minimum=1e-12, maximum=1e3)
    highest = check_number(where, f"{prefix}highest", highest, minimum=1e-12, maximum=1e3)
    if highest <= lowest:
        expected = f"{prefix}highest above {prefix}lowest"
        raise ArgumentError(message(where, expected=expected, got=f"{highest:g} and {lowest:g}"))
    return lowest, highest, check_int(where, f"{prefix}steps", steps, minimum=20)


class RangeTest(Hook):
    """Raises the learning rate step by step, notes each batch's loss, and puts the model back as it was.

    Args:
        lowest: first rate.
        highest: last rate.
        steps: how many, 20 or more.
        stop_factor: the test ends where the smoothed loss is so many times the lowest one.

    Raises:
        ArgumentError: rates or steps that make no test.

    Reference:
        Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """

    params: Any = None

    def __init__(
        self, lowest: float = 1e-7, highest: float = 10.0, steps: int = 100, stop_factor: float = 4.0
    ) -> None:
        super().__init__()
        where = type(self).__name__
        self.lowest, self.highest, self.steps = check_range(where, lowest, highest, steps)
        self.stop_factor = check_number(where, "stop_factor", stop_factor, minimum=1.1, maximum=1e6)
        self.result: LearningRateRange | None = None
        self._rates: list[float] = []
        self._losses: list[float] = []
        self._before: Disturbed | None = None
        self._source: Any = None
        self._rate: Any = None
        self._average, self._lowest_average = 0.0, math.inf
        self._diverged = False

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        return float(self.lowest * (self.highest / self.lowest) ** (step / (self.steps - 1)))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Copy what the test will change."""
        self._source = _rate_source(self.model.optimizer)
        self._rate = self._source.value if self._source is not None else None
        self._before = Disturbed(self.model)
        self._rates, self._losses, self.result = [], [], None
        self._average, self._lowest_average, self._diverged = 0.0, math.inf, False

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        rate = self.rate_at(len(self._losses))
        if self._source is None:
            self.model.optimizer.learning_rate = rate
        else:
            self._source.value = rate
        self._rates.append(rate)
        self.model.reset_metrics()  # so that the loss is this batch's alone

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Note the loss, and end where it has gone up or the steps are done."""
        loss = float((logs or {}).get("loss", math.nan))
        self._losses.append(loss)
        count = len(self._losses)
        self._average = 0.8 * self._average + 0.2 * loss
        smooth = self._average / (1 - 0.8**count)
        self._lowest_average = min(self._lowest_average, smooth)
        room = self.stop_factor - 1
        risen = smooth > self._lowest_average + room * max(abs(self._lowest_average), 1e-8)
        self._diverged = not math.isfinite(loss) or (count > 10 and risen)
        if self._diverged or count >= self.steps:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put everything back and read the losses."""
        if self._source is not None:
            self._source.value = self._rate
        if self._before is not None:
            self._before.put_back()
            self._before = None
        if len(self._losses) >= FEWEST:
            self.result = self.found()

    def found(self) -> LearningRateRange:
        """Return what the losses say.

        Raises:
            TrainingError: there are too few finite ones.
        """
        return read_range(self._rates, self._losses, diverged=self._diverged)


def request_of(x: Any, y: Any = None, **given: Any) -> FitRequest:
    """Return a request of one epoch on data, silent and with `fit`'s defaults but for what is given."""
    plain: dict[str, Any] = {item.name: None for item in fields(FitRequest)}
    plain.update(epochs=1, verbose=0, validation_split=0.0, shuffle=True, initial_epoch=0)
    return FitRequest(**{**plain, "validation_freq": 1, "every": "5min", "x": x, "y": y, **given})


def find_learning_rate(model: Any, request: FitRequest, test: RangeTest) -> LearningRateRange:
    """Run a range test on data; model, optimizer and random generators are afterwards what they were.

    Args:
        model: compiled.
        request: data and batch size; epochs and callbacks are the test's.
        test: rates and steps.

    Raises:
        ArgumentError: several processes train together.
        TrainingError: too few finite losses to say anything.
    """
    if not join().alone:
        do = "Run it in a process of its own, before torchrun."
        raise ArgumentError(message("find_learning_rate", expected="one process", got="several", do=do))
    _ = model.compile_settings  # an error of its own, where `compile` was not called
    state, history, random = model.training_state, model.history, random_state()
    plan, snapshots = state.plan, state.snapshots
    try:
        request = replace(request, epochs=1, callbacks=[test])
        fit(model, replace(request, steps_per_epoch=test.steps, dealt_out=False))
    finally:
        model.history, model.stop_training = history, False
        state.plan, state.snapshots = plan, snapshots
        set_random_state(random)
    return test.found()


def _rate_source(optimizer: Any) -> Any:
    """Return where an optimizer of neocog's takes its rate from; None for one of torch's.

    Raises:
        ArgumentError: there are several, each with a rate of its own.
    """
    source = getattr(optimizer, "_rate", None)
    if source is None and (hasattr(optimizer, "optimizers") or not hasattr(optimizer, "learning_rate")):
        raise ArgumentError(
            message(
                "find_learning_rate",
                expected="an optimizer with one learning rate",
                got=type(optimizer).__name__,
                do="Test each part's optimizer by itself.",
            )
        )
    return source

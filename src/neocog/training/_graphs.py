"""Whole training steps recorded once as a CUDA graph and repeated with one call.

A small network's step is some fifty kernels of a few microseconds; started one by one from Python, the GPU
waits most of the time. A graph starts them all at once. The first full batches run as they are, which
settles everything that is made at first use; the next one is recorded, and all others of its shape repeat the
record on new data: inputs are copied to where they lay, and what changes from step to step (the learning
rate, Adam's corrections, the position of the random numbers) is read from the device. Other batches, such as
a smaller last one, run without it. What cannot be recorded goes on without, with one word.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import torch

from neocog.core import tree_flatten, tree_pack
from neocog.metrics import Metric
from neocog.optimizers._on_device import OnDevice
from neocog.optimizers._on_device import why_not as why_not_on_device
from neocog.training._host_waits import Watch
from neocog.training._recorder import Recorder, Replay
from neocog.training._step import LazyLogs

WARM_UP = 3  # steps before the record, as torch asks; the last is watched
_RECORDS = 3  # most records of one run: a model that changes again and again runs without
_KNOWN = ("neocog.", "torch.nn.")


def why_not_recorded(model: Any) -> str | None:
    """Return why a model's steps are not recorded, in a few words, from what is known without running it.

    Recorded are steps of neocog's own: what Python code of others does besides starting kernels would be
    left out of every repetition.
    """
    kind: Any = type(model)
    base = next(cls for cls in kind.__mro__ if cls.__name__ == "Trainer")
    for name in ("train_step", "compute_loss", "compute_metrics"):
        if getattr(kind, name) is not getattr(base, name):
            return f"{name} of its own"
    for module in model.modules():
        if not type(module).__module__.startswith(_KNOWN):
            return f"{type(module).__name__} is not neocog's"
        if getattr(module, "stateful", False) is True:
            return f"{type(module).__name__} keeps states"
    settings = model.compile_settings
    measures = [head.loss for head in settings.heads] + [*model.metrics]
    for measure in measures:
        inner = getattr(measure, "fn", getattr(measure, "_fn", measure))
        if measure is not None and not is_known(measure, inner):
            return f"{getattr(inner, '__name__', type(inner).__name__)} is not neocog's"
    return why_not_on_device(settings.optimizer)


def is_known(*items: Any) -> bool:
    """Whether objects or functions are neocog's or torch's own."""
    modules = [getattr(item, "__module__", None) or type(item).__module__ for item in items]
    return all(f"{module}.".startswith(_KNOWN) for module in modules)


class RecordedStep:
    """Stands in for `model.train_step` while `fit` runs.

    Args:
        model: built and compiled, with a settled optimizer.
        recorder: of its device.
    """

    def __init__(self, model: Any, recorder: Recorder) -> None:
        self.model = model
        self.recorder = recorder
        self.why_not: str | None = None
        self.watches_changes = False  # whether a callback of the user's may change the model between steps
        self._update = OnDevice(model.compile_settings.optimizer)
        self._replay: Replay | None = None
        self._inputs: list[torch.Tensor] = []
        self._form: list[tuple[torch.Size, torch.dtype]] | None = None
        self._warm = self._records = 0
        self._epoch = -1
        self._facts: tuple[Any, ...] = ()
        self._counts: list[tuple[Any, str, Any]] = []

    def __call__(self, data: Any) -> Any:
        """Train on one batch."""
        logs = self.repeated(data)
        if logs is not None:
            return logs
        if self.model.compile_settings.optimizer is not self._update.optimizer:
            return self.model.train_step(data)  # another took its place
        self._update.write_numbers()
        leaves = _leaves(data)
        if not self._fits(leaves):
            return self._train(data)
        if self._warm < WARM_UP:
            return self._warm_up(data)
        self._record(data, leaves)
        return self._train(data) if self._replay is None else self._repeat(leaves)

    def repeated(self, data: Any) -> Any:
        """Train on one batch by repeating the record, which takes no memory; None where that cannot be done.

        There is no record yet, it is of batches of another form, or the model has changed since.
        """
        if self._replay is None:
            return None
        leaves = _leaves(data)
        if self.model.compile_settings.optimizer is not self._update.optimizer or not self._fits(leaves):
            return None
        if self._changed():
            self._forget()
            return None
        self._update.write_numbers()
        return self._repeat(leaves)

    def _repeat(self, leaves: list[torch.Tensor]) -> LazyLogs:
        for place, leaf in zip(self._inputs, leaves, strict=True):
            place.copy_(leaf)
        self._replay()  # type: ignore[misc]
        return LazyLogs(self.model)

    def _fits(self, leaves: list[Any]) -> bool:
        """Whether a batch has the form of the first one, and steps are recorded at all."""
        if self.why_not is not None:
            return False
        if self._form is None:
            self._form = [(leaf.shape, leaf.dtype) for leaf in leaves]
            if not all(isinstance(leaf, torch.Tensor) for leaf in leaves):
                self.why_not = "a batch holds other things than tensors"
                return False
        return [(leaf.shape, leaf.dtype) for leaf in leaves] == self._form

    def _train(self, data: Any) -> Any:
        """Run one step by the numbers on the device, so that recorded and other steps round alike."""
        optimizer = self.model.compile_settings.optimizer
        optimizer.on_device = self._update
        try:
            return self.model.train_step(data)
        finally:
            optimizer.on_device = None

    def _warm_up(self, data: Any) -> Any:
        self._warm += 1
        if self._warm < WARM_UP:
            return self.recorder.apart(lambda: self._train(data))
        compiled = self.model.training_state.is_compiled
        with Watch(next(self.model.parameters()).device, compiled) as watch:
            logs = self.recorder.apart(lambda: self._train(data))
        self.why_not = watch.found
        return logs

    def _record(self, data: Any, leaves: list[torch.Tensor]) -> None:
        """Record a step. Nothing runs, but Python counts as in a step; the first repetition is that step."""
        self._inputs = [leaf.clone() for leaf in leaves]
        places = iter(self._inputs)
        still = tree_pack(data, [None if leaf is None else next(places) for leaf in tree_flatten(data)])
        optimizer, before = self.model.compile_settings.optimizer, _python_state(self.model)
        done = optimizer._iterations
        self._records += 1
        try:
            replay = self.recorder.record(lambda: self._train(still))
            self._counts = _steps_of_state(self.model, before)
        except Exception as error:
            self._give_up(error)
            return
        finally:  # the first repetition counts for itself
            optimizer._iterations = done
            _put_back(before)
        self._replay = self._repeating(replay)
        self._facts = self._present_facts()

    def _give_up(self, error: Exception) -> None:
        self.why_not = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        self.model.compile_settings.optimizer.zero_grad()
        text = f"{self.model.label}: the step could not be recorded ({self.why_not}); it runs eagerly."
        warnings.warn(text, UserWarning, stacklevel=2)

    def _repeating(self, replay: Replay) -> Replay:
        counts, update = self._counts, self._update

        def repeat() -> None:
            replay()
            update.count()
            for owner, name, step in counts:
                owner[name] = True if step is True else owner[name] + step

        return repeat

    def _changed(self) -> bool:
        """Whether the record is of another model: asked once an epoch, or where callbacks may change it."""
        epoch = self.model.training_state.epochs_seen
        if epoch == self._epoch and not self.watches_changes:
            return False
        self._epoch = epoch
        return self._present_facts() != self._facts

    def _present_facts(self) -> tuple[Any, ...]:
        model = self.model
        tensors = [*model.parameters(), *model.buffers()]
        tensors += metric_tensors(model)
        settings = model.compile_settings
        return (
            id(settings.optimizer),
            _settings_of(settings.optimizer),
            [head.weight for head in settings.heads],
            [(tensor.data_ptr(), tensor.requires_grad) for tensor in tensors],
            [
                (_settings_of(module), getattr(module, "trainable", True), len(module._forward_hooks))
                for module in model.modules()
            ],
        )

    def _forget(self) -> None:
        self._replay, self._inputs, self._warm = None, [], 0
        if self._records >= _RECORDS:
            self.why_not = "the model changes between steps"


def _leaves(data: Any) -> list[Any]:
    if type(data) is tuple and all(type(leaf) is torch.Tensor for leaf in data):
        return list(data)  # the common case, without a walk
    return [leaf for leaf in tree_flatten(data) if leaf is not None]


def _settings_of(owner: Any) -> list[tuple[str, Any]]:
    """Return the plain values among an object's public attributes: a record has them in it."""
    plain = (bool, int, float, str, type(None))
    return [(key, value) for key, value in vars(owner).items() if key[0] != "_" and isinstance(value, plain)]


def _python_state(model: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what metrics count in Python: each one's attributes, and a copy of those that are numbers."""
    return [(vars(metric), _numbers(vars(metric))) for metric in _with_inner(model.metrics)]


def _with_inner(metrics: list[Any]) -> Iterator[Any]:
    for metric in metrics:
        yield metric
        values = [item for value in vars(metric).values() for item in tree_flatten(value)]
        yield from _with_inner([value for value in values if isinstance(value, Metric)])


def metric_tensors(model: Any) -> list[torch.Tensor]:
    """Return the tensors that metrics keep, without settling what they count in Python."""
    return [tensor for metric in _with_inner(model.metrics) for tensor in metric._variables.values()]


def _numbers(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if isinstance(value, (bool, int, float))}


def _steps_of_state(model: Any, before: Any) -> list[tuple[Any, str, Any]]:
    """Return what one step does to the counts: what it adds to each, True for a flag that it raises.

    Raises:
        RuntimeError: a flag was lowered; no repetition could know when.
    """
    found: list[tuple[Any, str, Any]] = []
    for owner, old in before:
        for name, value in _numbers(owner).items():
            was = old.get(name, value)
            if isinstance(value, bool):
                if was and not value:
                    raise RuntimeError(f"a metric lowers its {name}")
                if value:
                    found.append((owner, name, True))
            elif value != was:
                found.append((owner, name, value - was))
    return found


def _put_back(before: Any) -> None:
    for owner, old in before:
        owner.update(old)

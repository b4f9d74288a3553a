"""How a pipeline is read: by iterating over it, and by `fit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from neocog.data._arrays import DEVICE_FRACTION, free_memory
from neocog.data._pipeline._elements import leaves_of, to_numpy
from neocog.data._pipeline._functions import CacheStage
from neocog.data._pipeline._randomness import generator_state, own_generators, set_generator_state
from neocog.data._pipeline._roots import GeneratorStage
from neocog.data._pipeline._stage import INFINITE, UNKNOWN, Cardinality, Pass, Stage
from neocog.data._source import Batch, Source
from neocog.data._streams import as_batch
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message

_INSTEAD = {
    "ragged_batch": "Use padded_batch(...): torch has no ragged tensors.",
    "dense_to_ragged_batch": "Use padded_batch(...): torch has no ragged tensors.",
    "dense_to_sparse_batch": "Use padded_batch(...).",
    "sparse_batch": "Use padded_batch(...).",
    "bucket_by_sequence_length": "Sort by length and use padded_batch(...).",
    "group_by_window": "Use filter(...) for each group, and sample_from_datasets.",
    "rejection_resample": "Use sample_from_datasets(...) or class_weight in fit.",
    "save": "Keep the arrays instead, for instance by numpy.savez.",
    "load": "Load the arrays and use Dataset.from_tensor_slices.",
    "snapshot": "Use cache().",
    "make_one_shot_iterator": "Use iter(dataset).",
}


class Readable(Source):
    """What can be done with a pipeline besides changing it; `Dataset` is the class that people use.

    Args:
        stage: the last step of the pipeline.
        class_names: names of the classes, in the order of the labels.
        file_paths: the files that the elements come from.
    """

    def __init__(self, stage: Stage, class_names: Any = None, file_paths: list[str] | None = None) -> None:
        if not isinstance(stage, Stage):
            got, do = type(stage).__name__, "Use Dataset.from_tensor_slices, from_generator, …"
            raise ArgumentTypeError(message("Dataset", expected="a pipeline", got=got, do=do))
        self.stage = stage
        self.class_names = class_names
        if file_paths is not None:
            self.file_paths = file_paths
        self._passes = 0
        self._first: Batch | None = None

    def __iter__(self) -> Iterator[Any]:
        epoch, self._passes = self._passes, self._passes + 1
        return self.stage.elements(Pass(epoch))

    def __len__(self) -> int:
        if self.stage.size < 0:
            got = "an endless one" if self.stage.size == INFINITE else "one of unknown length"
            raise ArgumentTypeError(message("len(Dataset)", expected="data of known length", got=got))
        return self.stage.size

    def __repr__(self) -> str:
        size = {INFINITE: "endless", UNKNOWN: "of unknown length"}.get(self.stage.size)
        return f"<{type(self).__name__}, {size or f'{self.stage.size} elements'}>"

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        hint = f" {_INSTEAD[name]}" if name in _INSTEAD else ""
        raise AttributeError(f"Dataset has no attribute {name!r}.{hint}")

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Give the elements with NumPy arrays in the place of tensors."""
        return map(to_numpy, iter(self))

    def cardinality(self) -> Cardinality:
        """Return the number of elements: -1 for endless, -2 for unknown."""
        return Cardinality(self.stage.size)

    @property
    def element_spec(self) -> Any:
        """Shapes and types of an element; None stands for sizes that differ."""
        return self.stage.spec()

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """Number of elements in a pass, where it is known."""
        return self.stage.size if self.stage.size >= 0 else None

    @property
    def num_samples(self) -> int | None:  # type: ignore[override]
        """Number of rows in all batches of a pass, where it is known."""
        return self.stage.samples

    @property
    def rewindable(self) -> bool:  # type: ignore[override]
        """Whether passes repeat: no generator in it, and no function that was seen to draw random numbers."""
        return self.stage.pure

    @property
    def repeatable(self) -> bool:  # type: ignore[override]
        """Whether all that a pass depends on is known: no user's generator, nothing drawn once and kept."""
        return not any(
            isinstance(stage, GeneratorStage) or _keeps_draws(stage) for stage in _stages(self.stage)
        )

    @property
    def endless(self) -> bool:  # type: ignore[override]
        """Whether a pass never ends."""
        return self.stage.size == INFINITE

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the elements of a pass as batches for training: images as bytes where nothing changes them.

        Raises:
            DataError: the elements are single samples.
        """
        for element in self.stage.elements(Pass(epoch, raw=True), start):
            if self.stage.single or any(getattr(leaf, "ndim", 0) == 0 for leaf in leaves_of(element)):
                do = "Give a batch_size, or call .batch(32) first."
                raise DataError(message("Dataset", expected="batches", got="single samples", do=do))
            yield as_batch(element, "Dataset")

    def state_dict(self) -> dict[str, Any]:
        """Return the seeds of the steps, and how far the generators are that their functions draw from."""
        return {
            "seeds": [int(drawing.seed) for drawing in _drawing(self.stage)],
            "generators": [generator_state(one) for one in self._generators()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the seeds of the same pipeline in another process.

        Raises:
            ArgumentError: another pipeline, in which others draw random numbers.
        """
        drawing, generators = list(_drawing(self.stage)), list(self._generators())
        for what, own, kept in (
            ("steps with a seed", drawing, state["seeds"]),
            ("generators of random numbers", generators, state["generators"]),
        ):
            if len(own) != len(kept):
                do = "Make the same pipeline, or train anew elsewhere."
                expected = f"{len(kept)} {what}, as in the run that goes on"
                raise ArgumentError(message("Dataset", expected=expected, got=len(own), do=do))
        for holder, seed in zip(drawing, state["seeds"], strict=True):
            holder.seed = int(seed)
        for one, kept in zip(generators, state["generators"], strict=True):
            set_generator_state(one, kept)

    def _generators(self) -> Iterator[Any]:
        for stage in _stages(self.stage):
            if hasattr(stage, "function"):
                yield from own_generators(stage.function)

    def peek(self) -> Batch | None:
        """Return the first batch."""
        if self._first is None:
            self._first = super().peek()
        return self._first

    def to(self, device: torch.device | str) -> Source:
        """Return the data set with its arrays on `device` where they are only picked and fit, else itself."""
        device = torch.device(device)
        if device.type == "cpu" or not self.stage.cheap:
            return self
        if sum(table.nbytes() for table in _tables(self.stage)) > DEVICE_FRACTION * free_memory(device):
            return self
        moved = self.stage.moved(device)
        if moved is self.stage:
            return self
        return type(self)(moved, self.class_names, self.__dict__.get("file_paths"))


def _stages(stage: Stage) -> Iterator[Stage]:
    """Give the steps of a pipeline, the last one first."""
    yield stage
    for parent in stage.parents:
        yield from _stages(parent)


def _keeps_draws(stage: Stage) -> bool:
    """Whether a step keeps what random numbers made: no other process can make it again."""
    return isinstance(stage, CacheStage) and not stage.parent.pure


def _drawing(last: Stage) -> Iterator[Any]:
    """Give what holds a seed in a pipeline, always in the same order."""
    for stage in _stages(last):
        for holder in (stage, getattr(stage, "source", None)):
            if getattr(holder, "seed", None) is not None:
                yield holder


def _tables(stage: Stage) -> Iterator[Any]:
    if not stage.parents and stage.table is not None:
        yield stage.table
    for parent in stage.parents:
        yield from _tables(parent)

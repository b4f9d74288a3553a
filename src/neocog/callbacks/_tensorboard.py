"""Curves, histograms and embeddings for TensorBoard."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from neocog.callbacks._callback import Callback
from neocog.callbacks._learning_rate import record_learning_rates
from neocog.callbacks._profile_batches import BatchProfiler
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int, optional_import
from neocog.exceptions import ArgumentError, message
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class TensorBoard(Callback):
    """Writes event files that TensorBoard shows: `log_dir/train` and `log_dir/validation`.

    Scalars are named as in Keras: `epoch_loss`, `epoch_learning_rate`, `batch_loss`,
    `evaluation_loss_vs_iterations`. Needs the package `tensorboard` (extra `tensorboard`).

    Args:
        log_dir: the folder; default `"logs"`.
        histogram_freq: epochs between histograms of the weights; default 0, none.
        write_graph: accepted; the graph is not written.
        write_images: also show weights of 2 to 4 axes as images, with the histograms; default False.
        write_steps_per_second: also write the speed; default False.
        update_freq: `"epoch"` (default), `"batch"`, or the batches between two values; reading them waits
            for the device.
        profile_batch: a batch, or the first and last one, to profile with torch's profiler; counted from 1;
            default 0, none.
        embeddings_freq: epochs between pictures of the embedding layers; default 0, none.
        embeddings_metadata: labels of the rows: one list or file, or a dict by layer name; default none.

    Raises:
        MissingExtraError: the package is not installed; found out before training.

    Example:
        >>> TensorBoard("runs/1", update_freq="batch").update_freq
        1
    """

    writes = True

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        where = "TensorBoard"
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = check_int(where, "histogram_freq", histogram_freq, minimum=0)
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: str | int = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            if isinstance(self.update_freq, str):
                expected = "update_freq 'epoch', 'batch' or a number of batches"
                raise ArgumentError(message(where, expected=expected, got=repr(update_freq)))
            self.update_freq = check_int(where, "update_freq", self.update_freq, minimum=1)
        self.embeddings_freq = check_int(where, "embeddings_freq", embeddings_freq, minimum=0)
        self.embeddings_metadata = embeddings_metadata
        self._profiler = BatchProfiler(profile_batch, os.path.join(self.log_dir, "train"))
        self._writers: dict[str, Any] = {}
        self._train_batches = 0
        self._batch_start = self._epoch_start = 0.0
        self._batches_before_epoch = 0

    def listens(self, verb: str) -> bool:
        """Return whether calling `verb` would do anything: batches only where they are written."""
        if verb in ("on_train_batch_begin", "on_train_batch_end"):
            timed = self.write_steps_per_second or self._profiler.wanted
            return timed or self.update_freq != "epoch"
        return super().listens(verb)

    def set_model(self, model: Any) -> None:
        """Receive the model, and check that the package is there."""
        super().set_model(model)
        optional_import("tensorboard", extra="tensorboard", what="TensorBoard")
        self._writers = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count batches from here."""
        self._train_batches = 0

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Finish the files."""
        self._profiler.stop()
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the time."""
        self._epoch_start = time.perf_counter()
        self._batches_before_epoch = self._train_batches

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Note the time, and start profiling where asked."""
        self._train_batches += 1
        self._batch_start = time.perf_counter()
        self._profiler.begin(self._train_batches)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the values of the batch where one is due."""
        self._profiler.end(self._train_batches)
        if self.update_freq == "epoch" or self._train_batches % int(self.update_freq):
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            values["batch_steps_per_second"] = 1 / max(time.perf_counter() - self._batch_start, 1e-9)
        self._write("train", values, self._train_batches)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the values of an evaluation over the optimizer's iterations."""
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        if iterations is not None and logs:
            values = {f"evaluation_{name}_vs_iterations": value for name, value in logs.items()}
            self._write("validation", values, int(iterations))

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Write the values of the epoch, and what else is due."""
        if logs:
            train = {name: value for name, value in logs.items() if not name.startswith("val_")}
            record_learning_rates(self.model, train)
            if self.write_steps_per_second:
                steps = self._train_batches - self._batches_before_epoch
                train["steps_per_second"] = steps / max(time.perf_counter() - self._epoch_start, 1e-9)
            held_out = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
            self._write("train", {f"epoch_{name}": value for name, value in train.items()}, epoch)
            self._write("validation", {f"epoch_{name}": value for name, value in held_out.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            board = optional_import("torch.utils.tensorboard", extra="tensorboard", what="TensorBoard")
            self._writers[name] = board.SummaryWriter(os.path.join(self.log_dir, name))
        return self._writers[name]

    def _write(self, part: str, values: Mapping[str, Any], step: int) -> None:
        for name, value in values.items():
            self._writer(part).add_scalar(name, float(value), step)
        if values:
            self._writer(part).flush()

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for name, weight in self.model.named_parameters():
            tag = name.replace(".", "/")
            values = weight.detach().float().cpu()
            writer.add_histogram(f"{tag}/histogram", values, epoch)
            if self.write_images and 2 <= values.dim() <= 4:
                writer.add_images(f"{tag}/image", _as_images(values), epoch)
        writer.flush()

    def _write_embeddings(self, epoch: int) -> None:
        for name, table in _embedding_tables(self.model):
            labels = self.embeddings_metadata
            labels = labels.get(name) if isinstance(labels, dict) else labels
            self._writer("train").add_embedding(
                table.detach().float().cpu(), metadata=_rows(labels), tag=name, global_step=epoch
            )

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the number of batches so far."""
        return {"train_batches": self._train_batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self._train_batches = state["train_batches"]


def _as_images(weight: torch.Tensor) -> torch.Tensor:
    """Return a weight as grey images `(N, 1, H, W)`, scaled to [0, 1]."""
    low, high = weight.min(), weight.max()
    scaled = (weight - low) / (high - low).clamp(min=1e-12)
    return scaled.reshape(-1, 1, *scaled.shape[-2:])


def _embedding_tables(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    for name, module in model.named_modules():
        table = getattr(module, "weight", None)
        if type(module).__name__ == "Embedding" and isinstance(table, torch.Tensor) and table.dim() == 2:
            yield getattr(module, "name", None) or name, table


def _rows(labels: Any) -> list[str] | None:
    if labels is None:
        return None
    if isinstance(labels, (str, os.PathLike)):
        with open(labels, encoding="utf-8") as file:
            return file.read().splitlines()
    return [str(label) for label in labels]

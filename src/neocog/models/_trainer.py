"""The verbs of training: compile, fit, evaluate, predict, and the steps that a subclass may override."""

from __future__ import annotations

import os
from typing import Any

import torch

from neocog import training as engine
from neocog.graph import MASKS, module_call
from neocog.layers import Layer
from neocog.layers._losses_of_layers import CALLS
from neocog.layers._metrics_of_layers import own_metrics
from neocog.models._finding_verbs import FindingVerbs
from neocog.models._retired import epochs_of, warn_of_workers
from neocog.models._test_time import averaging
from neocog.training import Compiled, History, TrainingState


class Trainer(FindingVerbs, Layer):
    """A layer that trains: what `Model` adds to a layer beside its graph. Thin over `neocog.training`."""

    takes_text = True  # the layers inside say whether they do

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stop_training = False
        self.history: History | None = None
        self._compiled: Compiled | None = None
        self._training_state = TrainingState()
        self._forward_averaged: Any = None  # the passes of test-time augmentation, while they are asked for

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, where they are known."""
        return []

    @property
    def has_call(self) -> bool:
        """Whether the model itself can be called; else its `train_step` says all that it does."""
        return True

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        precision: str = "auto",
        synchronized: bool = False,
        sharded: bool = False,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: name, neocog optimizer, or `torch.optim.Optimizer`.
            loss: name, loss or function; a list or dict for several outputs.
            loss_weights: numbers by which several losses are multiplied; a list or dict.
            metrics: names, metrics or functions; nested by output for several outputs.
            weighted_metrics: likewise, weighted by `sample_weight`.
            run_eagerly: neither compile nor record anything, whatever `jit_compile` says.
            steps_per_execution: callbacks are called once in so many batches; "auto" is 1. Nothing else
                depends on it.
            jit_compile: True compiles the forward pass with `torch.compile`, False doesn't; "auto" compiles
                large networks on a GPU, and records the steps of small ones as CUDA graphs.
            auto_scale_loss: under the policy "mixed_float16", scale the loss so that no gradient vanishes.
            precision: "auto" lets `fit` take bfloat16 where it pays (float16 on older GPUs), for float32's
                products TensorFloat-32; "float32", "bfloat16" and "float16" (with loss scaling) force it.
            synchronized: of several processes, every BatchNormalization takes the moments over all rows.
            sharded: of several processes, each keeps a share of weights and optimizer alone (torch's FSDP2),
                for models that don't fit into one.

        Raises:
            UnknownNameError: a name is not known; the nearest ones are offered.
        """
        self._compiled = Compiled(
            optimizer=optimizer,
            loss=loss,
            loss_weights=loss_weights,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            jit_compile=False if run_eagerly else jit_compile,
            precision=precision,
        )
        self._compiled.synchronized, self._compiled.sharded = bool(synchronized), bool(sharded)
        self._compiled.steps_per_execution = engine.checked_executions(steps_per_execution)
        self._training_state = TrainingState()
        policy = getattr(self, "dtype_policy", None)
        if auto_scale_loss and policy is not None and policy.name == "mixed_float16":
            self._compiled.scale_losses()

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    @property
    def compile_settings(self) -> Compiled:
        """The resolved settings of `compile`.

        Raises:
            NotCompiledError: `compile` was not called.
        """
        return self._compiled or engine.require_compiled(self.label, None)

    @property
    def training_state(self) -> TrainingState:
        """What `fit` keeps between steps; of interest to training alone."""
        return self._training_state

    @property
    def optimizer(self) -> Any:
        """The optimizer; None before `compile`."""
        return None if self._compiled is None else self._compiled.optimizer

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        self.compile_settings.set_optimizer(value)

    @property
    def loss(self) -> Any:
        """The loss as given to `compile`."""
        return None if self._compiled is None else self._compiled.loss_argument

    @property
    def plan(self) -> Any:
        """How `fit` decided to train; None before the first `fit`."""
        return self._training_state.plan

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the loss's, those of `compile`, and those of the model itself and its layers."""
        inside = (module for module in self.modules() if module is self or not isinstance(module, Trainer))
        own = [metric for module in inside for metric in own_metrics(module)]
        return [*(self._compiled.all_metrics() if self._compiled is not None else []), *own]

    @property
    def metrics_names(self) -> list[str]:
        """Names of the metrics, in the order in which `evaluate` returns them."""
        names = [metric.name for metric in self.metrics]
        return names if self._compiled is None else engine.names_in_list(self, names)

    def reset_metrics(self) -> None:
        """Set all metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | str | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        nb_epoch: int | None = None,
        *,
        snapshots: str | os.PathLike[str] | None = None,
        every: str | int = "5min",
    ) -> History:
        """Train the model and return the history of losses and metrics.

        With `snapshots` the run cannot be lost: the same call in a new process goes on where the newest
        snapshot was taken, in the middle of an epoch too, and ends with the same weights, bit for bit.

        Args:
            x: inputs: array, tensor, list, dict, DataFrame, DataLoader, PyDataset, generator or image folder.
            y: targets, where `x` does not carry them.
            batch_size: samples per step, 32 by default; "auto" takes the largest power of two that fits into
                memory and still pays, by a rule over model, data and machine.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 live bar, 2 one line an epoch, "auto" 1 on a terminal and 2 elsewhere.
            callbacks: list of callbacks.
            validation_split: share of the data, its last part, kept for validation; arrays only.
            validation_data: (x, y), (x, y, sample_weight) or anything that `x` may be.
            shuffle: draw a new order each epoch.
            class_weight: dict from class to weight.
            sample_weight: weight of each sample.
            initial_epoch: number of epochs already trained.
            steps_per_epoch: steps after which an epoch ends; needed for endless generators. Arrays without a
                `batch_size` are dealt out over them.
            validation_steps: steps of each validation.
            validation_batch_size: samples per validation step.
            validation_freq: validate every this many epochs, or after the epochs in a list.
            max_queue_size, workers, use_multiprocessing: older; they belong to the `PyDataset` today.
            nb_epoch: older name of `epochs`.
            snapshots: folder of this run's snapshots, which hold all that the rest of the run depends on; the
                last two are kept. SIGINT (Ctrl-C) and SIGTERM leave one within a step.
            every: how often: a time ("5min", "30s"; the default costs at most a hundredth of the time),
                steps (100, "100 steps") or epochs ("epoch", "2 epochs").

        Raises:
            NotCompiledError: `compile` was not called.
            FileFormatError: every snapshot in the folder is damaged.
            DataError: the data cannot be used; the text says which and why.
            ShapeError: data and model do not fit.
        """
        warn_of_workers(
            "fit", max_queue_size=max_queue_size, workers=workers, use_multiprocessing=use_multiprocessing
        )
        return engine.fit(
            self,
            engine.FitRequest(
                x=x,
                y=y,
                sample_weight=sample_weight,
                class_weight=class_weight,
                batch_size=batch_size,
                epochs=epochs_of(epochs, nb_epoch),
                verbose=verbose,
                callbacks=callbacks,
                validation_split=validation_split,
                validation_data=validation_data,
                shuffle=shuffle,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_batch_size=validation_batch_size,
                validation_freq=validation_freq,
                snapshots=snapshots,
                every=every,
            ),
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        *,
        tta: Any = None,
    ) -> Any:
        """Return the loss and the metrics on data, in float32: a list (a number alone), or a dict.

        Args as in Keras, and `tta`: as for `predict`; loss and metrics are those of the averaged outputs.
        """
        warn_of_workers(
            "evaluate",
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
        )
        with averaging(self, tta, Trainer, "test_step"):
            logs = engine.evaluate(
                self,
                x,
                y,
                sample_weight,
                batch_size=batch_size,
                steps=steps,
                verbose=verbose,
                callbacks=callbacks,
            )
        return logs if return_dict else engine.as_list(self, logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int | None = None,
        workers: int | None = None,
        use_multiprocessing: bool | None = None,
        *,
        tta: Any = None,
    ) -> Any:
        """Return the outputs for data as NumPy arrays, computed in batches, in inference mode and float32.

        Args as in Keras, and `tta`: test-time augmentation, the mean over several passes. A number of passes
        (the plain samples, and random versions by the model's own augmentation layers; a model without any
        sees its images mirrored), layers to make the versions (8 passes), or (number, layers). The outputs
        are averaged as they come, probabilities or logits; what is drawn does not depend on the batch size.
        """
        warn_of_workers(
            "predict", max_queue_size=max_queue_size, workers=workers, use_multiprocessing=use_multiprocessing
        )
        with averaging(self, tta, Trainer, "predict_step"):
            return engine.predict(
                self, x, batch_size=batch_size, steps=steps, verbose=verbose, callbacks=callbacks
            )

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch and return the loss and the metrics."""
        logs = engine.train_on_batch(self, x, y, sample_weight, class_weight)
        return logs if return_dict else engine.as_list(self, logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and the metrics on one batch."""
        logs = engine.test_on_batch(self, x, y, sample_weight)
        return logs if return_dict else engine.as_list(self, logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch as NumPy arrays."""
        return engine.predict_on_batch(self, x)

    def infer(self, x: Any) -> Any:
        """Return the outputs of a batch, in inference mode: a graph gets a tensor at once, the cheapest way.

        Args:
            x: as the model takes it.
        """
        plain = type(x) is torch.Tensor and getattr(self, "_body", None) is not None and not self.training
        if not plain or MASKS.used or CALLS.losses_added:
            return self(x, training=False)
        try:
            return module_call(self, x)
        except RuntimeError:
            self.check_inputs((x,))  # says it in the model's terms where the batch does not fit
            raise

    def train_step(self, data: Any) -> Any:
        """Train on one batch, x, (x, y) or (x, y, sample_weight); override it for a training of your own."""
        return engine.train_step(self, data)

    def test_step(self, data: Any) -> Any:
        """Evaluate on one batch, x, (x, y) or (x, y, sample_weight)."""
        return engine.test_step(self, data, self._forward_averaged)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch, `(x,)`."""
        return engine.predict_step(self, data, self._forward_averaged)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> torch.Tensor:
        """Return the loss of one batch: that of `compile` and what `add_loss` and regularizers add."""
        return engine.compute_loss(self, y, y_pred, sample_weight, exactly=not training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the metrics of `compile` with one batch and return their values, computed when read."""
        return engine.compute_metrics(self, y, y_pred, sample_weight)

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the present values of all metrics by name."""
        return engine.metric_results(self)

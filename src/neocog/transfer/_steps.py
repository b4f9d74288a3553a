"""The steps of transfer over one model: features once, the head on them, then the top of the base."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from neocog.callbacks import EarlyStopping
from neocog.core import tree_flatten
from neocog.data import ArraySource, ImageFolderSource, Source, scan_folder
from neocog.exceptions import ArgumentError, message
from neocog.graph import Input, record_function
from neocog.models import Model
from neocog.models._freezing import is_batch_norm
from neocog.optimizers import AdamW
from neocog.optimizers.schedules import CosineDecay
from neocog.transfer._blocks import Block, blocks, find_block
from neocog.transfer._features import Extracted, Progress, extract, fitting_batch, layers_of
from neocog.transfer._graphs import boundaries, split_at
from neocog.transfer._heads import FEATURES
from neocog.transfer._phase import Clock, Phase, Settings
from neocog.transfer._samples import as_samples

_MOST_BYTES = 2 * 2**30  # of the activations at the boundary
_MOVE = 0.75  # how far the first steps of the head may move an output


class Transfer:
    """Trains a model that `add_head` made, phase by phase.

    Args:
        model: the whole model, from images to outputs.
        loss: for `compile`.
        metrics: function that makes new metrics for `compile`.
        settings: how to train.
        precision: as in `compile`.
        verbose: 0 silent, 1 bars, 2 a line an epoch.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        metrics: Any,
        settings: Settings,
        precision: str = "auto",
        *,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.loss, self.metrics = loss, metrics
        self.settings = settings
        self.precision = precision
        self.verbose = verbose
        nodes = model.graph_nodes()
        self._features = next(
            (i for i, node in enumerate(nodes) if getattr(node.operation, "name", "") == FEATURES), -1
        )
        if self._features not in boundaries(model):
            got, do = "another", "Make it with transfer.add_head."
            raise ArgumentError(
                message("transfer", expected=f"a model with a layer {FEATURES!r}", got=got, do=do)
            )
        self.blocks: list[Block] = [block for block in blocks(model) if block.start < self._features]
        self._tapped: int | None = None  # the deepest block whose inputs are kept
        self._train: Extracted | None = None
        self._validation: Extracted | None = None

    # --- features -------------------------------------------------------------------------------------------

    def choose(self, wanted: str | int) -> int:
        """Return how many top blocks `wanted` opens: a number, or the name of a block or layer.

        Raises:
            UnknownNameError: no block or layer of that name.
            ArgumentError: more blocks than there are.
        """
        if isinstance(wanted, str):
            found = find_block(self.model, wanted)
            opened = [block for block in self.blocks if block.start >= found.start]
            return len(opened)
        if not 0 <= wanted <= len(self.blocks):
            expected = (
                f"0 to {len(self.blocks)} blocks ({', '.join(block.name for block in self.blocks[-4:])})"
            )
            raise ArgumentError(message("finetune", expected=expected, got=wanted))
        return wanted

    def extract(
        self,
        train: Any,
        validation: Any,
        *,
        deepest: int = 0,
        cache: bool = True,
        progress: Progress | None = None,
    ) -> Extracted:
        """Run the base once over both parts; keep the features, and what enters the `deepest` top blocks.

        Returns:
            what was found for the training part.
        """
        tapped = len(self.blocks) - deepest if deepest else None
        count = sum(count_of(data) for data in (train, validation))
        if tapped is not None and not self._keeps(tapped, count):
            tapped = None
        model, kinds = self._tap(tapped)
        size = _size_of(self.model)
        found = []
        for data in (train, validation):
            samples = as_samples(data, fitting_batch(size), size)
            shown = int(self.verbose == 1)
            found.append(extract(model, samples, dtype=kinds, cache=cache, verbose=shown, progress=progress))
        self._tapped = tapped
        self._train, self._validation = found
        return found[0]

    def _tap(self, tapped: int | None) -> tuple[Any, list[str]]:
        nodes = self.model.graph_nodes()
        features = nodes[self._features].outputs
        if tapped is None:
            outputs, kinds = [features], ["float32"]
        else:
            outputs, kinds = [features, self._edge(tapped)], ["float32", "float16"]
        made = Model.functional_class(inputs=self.model.input, outputs=outputs, name=self.model.name)
        return made, kinds

    def _edge(self, block: int) -> Any:
        """Return the tensor that enters a block."""
        start = self.blocks[block].start
        nodes = self.model.graph_nodes()
        return self.model.inputs[0] if start == 0 else tree_flatten(nodes[start - 1].outputs)[0]

    def _keeps(self, block: int, count: int) -> bool:
        """Whether what enters a block can be kept: it is a map of known size that fits."""
        start = self.blocks[block].start
        sizes = self._edge(block).shape[1:]
        if start == 0 or None in sizes or start - 1 not in boundaries(self.model):
            return False
        return 2 * count * int(np.prod(sizes, dtype=np.int64)) <= _MOST_BYTES

    @property
    def keeps_inputs(self) -> bool:
        """Whether what enters the top was kept, so that the top can be trained without the rest."""
        return self._tapped is not None

    @property
    def train_features(self) -> Extracted:
        """What the base says of the training part."""
        return _there(self._train)

    @property
    def validation_features(self) -> Extracted:
        """What the base says of the validation part."""
        return _there(self._validation)

    # --- training -------------------------------------------------------------------------------------------

    def fit_head(self, callbacks: Sequence[Any] = ()) -> Phase:
        """Train the head on the features; the best epoch's weights stay."""
        settings, found = self.settings, self.train_features
        _, head = split_at(self.model, self._features)
        rate = settings.head_rate or _head_rate(found.outputs[0])
        steps = -(-found.images // settings.head_batch)
        schedule = CosineDecay(rate, max(settings.head_epochs * steps, 1), alpha=0.01)
        optimizer = AdamW(schedule, weight_decay=settings.head_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        data = self._sources(0, settings.head_batch)
        return self._fit(head, optimizer, data, settings.head_epochs, settings.patience, callbacks)

    def fit_top(
        self,
        opened: int,
        callbacks: Sequence[Any] = (),
        *,
        images: tuple[Any, Any] | None = None,
        augment: Any = (),
    ) -> Phase:
        """Train the top blocks and the head at a low rate, normalisations frozen; the best weights stay.

        Args:
            opened: number of blocks, at most what `extract` kept the inputs of, unless `images` are given.
            callbacks: for `fit`.
            images: (train, validation) to run the whole model on, in place of what was kept.
            augment: layer, or list of layers, that vary these images.
        """
        self._open(opened)
        if images is None:
            trained, data = self._upper(), self._sources(1, self.settings.batch)
        else:
            trained = self._varied(layers_of(augment))
            data = [self._images(part, shuffle) for part, shuffle in zip(images, (True, False), strict=True)]
        settings = self.settings
        count = self.train_features.images
        steps = -(-count // settings.batch)
        warmup = max(int(settings.warmup * steps), 1)
        schedule = CosineDecay(
            settings.rate / 10,
            max(settings.epochs * steps - warmup, 1),
            warmup_target=settings.rate,
            warmup_steps=warmup,
        )
        optimizer = AdamW(schedule, weight_decay=settings.decay)
        optimizer.set_rate_factors(self._factors(trained, opened))
        patience = max(settings.patience // 2, 2)
        return self._fit(trained, optimizer, data, settings.epochs, patience, callbacks)

    def compile_whole(self) -> None:
        """Compile the whole model with loss and metrics, to be measured, or trained on at the top's rate."""
        optimizer = AdamW(self.settings.rate, weight_decay=self.settings.decay)
        self.model.compile(optimizer, self.loss, metrics=self.metrics(), precision=self.precision)

    def opened(self, count: int) -> list[Any]:
        """Return the layers of the top blocks, batch normalisation left out."""
        layers = [layer for block in self.blocks[len(self.blocks) - count :] for layer in block.layers]
        return [layer for layer in layers if not is_batch_norm(layer)]

    def _open(self, count: int) -> None:
        frozen = [layer for block in self.blocks for layer in block.layers]
        wanted = {id(layer) for layer in self.opened(count)}
        head = {id(node.operation) for node in self.model.graph_nodes()[self._features :]}
        for layer in frozen:
            if id(layer) not in head and hasattr(layer, "trainable"):
                layer.trainable = id(layer) in wanted

    def _factors(self, trained: Any, count: int) -> dict[str, float]:
        """Return the rates of the weights that train: the further below the head, the lower."""
        depth: dict[int, int] = {}
        for below, block in enumerate(reversed(self.blocks[len(self.blocks) - count :]), 1):
            for layer in block.layers:
                depth.update({id(weight): below for weight in layer.parameters()})
        decay = self.settings.layer_decay
        return {
            view.path: decay ** depth[id(view.value)]
            for view in trained.trainable_weights
            if id(view.value) in depth
        }

    def _upper(self) -> Any:
        """Return the part above the boundary, which takes the activations as they are kept."""
        if self._tapped is None:
            do = "Give the images, or extract with deepest=…"
            raise ArgumentError(
                message("fit_top", expected="inputs of the top that were kept", got="none", do=do)
            )
        _, upper = split_at(self.model, self.blocks[self._tapped].start - 1)
        entry = Input(upper.input.shape[1:], dtype="float16", name="kept")
        outputs = upper(record_function(_as_float32, (entry,), {}))
        return Model.functional_class(inputs=entry, outputs=outputs, name=f"{self.model.name}_top")

    def _images(self, data: Any, shuffle: bool) -> Any:
        """Return images to run the whole model on, in a new order each epoch where `shuffle`."""
        if isinstance(data, Source):
            return data
        ordered = as_samples(data, self.settings.batch, _size_of(self.model)).source
        if shuffle and isinstance(ordered, (ArraySource, ImageFolderSource)):
            ordered.shuffle, ordered.seed = True, self.settings.seed
        return ordered

    def _varied(self, augment: list[Any]) -> Any:
        if not augment:
            return self.model
        x = image = Input(self.model.input.shape[1:], name="varied")
        for layer in augment:
            x = layer(x)
        return Model.functional_class(inputs=image, outputs=self.model(x), name=f"{self.model.name}_varied")

    def _sources(self, output: int, batch: int) -> list[Source]:
        seed = self.settings.seed
        return [
            _source(self.train_features, output, batch, seed, shuffle=True),
            _source(self.validation_features, output, batch, seed, shuffle=False),
        ]

    def _fit(
        self,
        model: Any,
        optimizer: Any,
        data: list[Any],
        epochs: int,
        patience: int,
        callbacks: Sequence[Any],
    ) -> Phase:
        model.compile(optimizer=optimizer, loss=self.loss, metrics=self.metrics(), precision=self.precision)
        stopping = EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)
        watch = Clock()
        began, interrupted = time.perf_counter(), False
        try:
            model.fit(
                data[0],
                epochs=epochs,
                validation_data=data[1],
                callbacks=[stopping, *callbacks, watch],
                verbose=self.verbose,
            )
        except KeyboardInterrupt:
            interrupted = True
        return Phase(
            epochs=tuple(watch.epochs),
            best_epoch=stopping.best_epoch + 1 if watch.epochs else 0,
            seconds=time.perf_counter() - began,
            plan=str(model.plan or ""),
            interrupted=interrupted,
        )


def _source(part: Extracted, output: int, batch: int, seed: int, shuffle: bool) -> Source:
    return ArraySource(
        part.outputs[output], part.labels, part.weights, batch_size=batch, shuffle=shuffle, seed=seed
    )


def _head_rate(features: Any) -> float:
    """Return the rate at which Adam's first steps move an output by `_MOVE`, whatever the features' scale."""
    size = float(np.abs(features[:2000]).sum(-1).mean())
    return float(np.clip(_MOVE / max(size, 1e-6), 1e-5, 0.1))


def _as_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.float32)


def _there(found: Extracted | None) -> Extracted:
    if found is None:
        raise ArgumentError(
            message("transfer", expected="features", got="none yet", do="Call extract first.")
        )
    return found


def _size_of(model: Any) -> tuple[int, int] | None:
    shape = model.input_shape
    return None if len(shape) != 4 or None in shape[1:3] else (shape[1], shape[2])


def count_of(data: Any) -> int:
    """Return the number of samples of data, a very large one where it is not known."""
    if isinstance(data, (str, os.PathLike)):
        return len(scan_folder(data, check="none").files)
    data = getattr(data, "source", data)
    if isinstance(data, tuple):
        return len(data[0])
    found = getattr(data, "num_samples", None)
    return int(found) if found is not None else 2**31

"""What a frozen network says of images, computed once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog.core import check_int, check_ntuple, check_one_of, keep_freed_memory, tree_flatten
from neocog.data import Batch
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message
from neocog.layers import Layer, TorchModuleWrapper
from neocog.training import ProgressBar
from neocog.transfer import _feature_store as store
from neocog.transfer._feature_key import features_key
from neocog.transfer._folding import fold_batch_norm
from neocog.transfer._graphs import unwrapped
from neocog.transfer._samples import Samples, as_samples

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int | None], None]  # images done, images in all

_PIXELS = 32 * 224 * 224  # of a batch: larger ones are no quicker on two cores, and take more memory
_POOLINGS = (None, "avg", "max")


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """Features and what belongs to them.

    Attributes:
        outputs: one array for each output of the model.
        labels: as the data have them; None without.
        weights: of the samples; None without.
        seconds: that the model took; of the first time, where the features come from the store.
        cached: whether they come from the store.
        images: how many went through the model.
    """

    outputs: tuple[Array, ...]
    labels: Any
    weights: Any
    seconds: float
    cached: bool
    images: int


def extract_features(
    base: Any,
    data: Any,
    *,
    batch_size: int | None = None,
    pooling: str | None = None,
    augment: Any = None,
    passes: int = 1,
    seed: int = 0,
    image_size: int | tuple[int, int] | None = None,
    dtype: str = "float32",
    cache: bool = True,
    verbose: int | str = "auto",
    progress: Progress | None = None,
) -> tuple[Any, Any]:
    """Return what a model says of data, and the labels, both in the order of the data.

    The model runs in inference mode, normalisations worked into the convolutions before them. Features are
    kept below `neocog_home()/cache/features` under a key of everything that they depend on: weights,
    architecture, images and labels, how they are read, augmentation and passes. A changed weight or image
    changes the key. At most 8 GiB are kept; what was used last stays.

    Args:
        base: a `zoo.Backbone`, any model, or a torch module; it gets what `data` hold, so preprocessing is
            its own affair.
        data: arrays, (images, labels), a source or data set that is not shuffled, or the path of a folder.
        batch_size: images at a time; None goes by their size.
        pooling: `"avg"` or `"max"` over the pixels of feature maps; None keeps the maps.
        augment: layer, or list of layers, that vary the images; they see values as the data have them.
        passes: times that the data are gone through with `augment`; rows follow pass by pass.
        seed: of the augmentation.
        image_size: (height, width) of the images of a folder, or one number for both; None takes what the
            model is made for.
        dtype: `"float32"`, or `"float16"` in half the room (about 3 digits).
        cache: keep the features on disk.
        verbose: 0 silent, 1 a line that counts images, `"auto"` on a terminal alone.
        progress: called with (images done, images in all or None).

    Returns:
        features: array (count · passes, …), or a list of them for a model with several outputs.
        labels: array, or None.

    Raises:
        ArgumentError: passes without augmentation; a folder and no image size.
        ShapeError: images that do not fit the model.

    Example:
        >>> from neocog.layers import Conv2D, Input
        >>> from neocog.models import Model
        >>> image = Input((8, 8, 3))
        >>> base = Model(image, Conv2D(4, 3)(image))
        >>> features, labels = extract_features(base, (np.zeros((5, 8, 8, 3)), np.arange(5)), pooling="avg",
        ...                                     cache=False)
        >>> features.shape, labels.tolist()
        ((5, 4), [0, 1, 2, 3, 4])
    """
    model = unwrapped(base)
    size = (None if isinstance(base, nn.Module) else getattr(base, "image_size", None)) or _own_size(model)
    if image_size is not None:
        height, width = check_ntuple("extract_features", "image_size", image_size, 2)
        size = height, width
    if batch_size is None:
        batch_size = fitting_batch(size or _own_size(model))
    samples = as_samples(data, check_int("extract_features", "batch_size", batch_size, minimum=1), size)
    with _as_layer(model) as layer:
        found = extract(
            layer,
            samples,
            pooling=pooling,
            augment=augment,
            passes=passes,
            seed=seed,
            dtype=dtype,
            cache=cache,
            verbose=verbose,
            progress=progress,
        )
    outputs = found.outputs[0] if len(found.outputs) == 1 else list(found.outputs)
    return outputs, found.labels


def extract(
    model: Any,
    samples: Samples,
    *,
    pooling: str | None = None,
    augment: Any = None,
    passes: int = 1,
    seed: int = 0,
    dtype: str | Sequence[str] = "float32",
    cache: bool = True,
    verbose: int | str = 0,
    progress: Progress | None = None,
) -> Extracted:
    """Return the outputs of a model for samples; see `extract_features`; `dtype` may be one an output."""
    check_one_of("extract_features", "pooling", pooling, _POOLINGS)
    check_int("extract_features", "passes", passes, minimum=1)
    changes = layers_of(augment)
    if passes > 1 and not changes:
        do = "Without augmentation every pass gives the same."
        raise ArgumentError(message("extract_features", expected="augment with passes", got=passes, do=do))
    kinds = [dtype] if isinstance(dtype, str) else list(dtype)
    for kind in kinds:
        check_one_of("extract_features", "dtype", kind, ("float32", "float16"))
    key = features_key(model, samples, [pooling, passes, seed, kinds], changes) if cache else None
    held = store.load(key) if key is not None else None
    if held is not None:
        return _collected(*held, cached=True)
    runner = _Runner(model, changes, pooling, kinds)
    writer = store.Writer(key, _room(model, samples, pooling, kinds, passes))
    try:
        with _seeded(seed, bool(changes)):
            for rows in _told(runner, samples, passes, verbose, progress):
                writer.add(rows)
        if not runner.images:
            raise DataError(message("extract_features", expected="at least one sample", got="none"))
        facts = {"seconds": runner.seconds, "images": runner.images}
        return _collected(writer.finish(facts), facts, cached=False)
    finally:
        writer.discard()


@contextmanager
def _as_layer(model: Any) -> Iterator[Any]:
    """Give a model; a plain torch module, which knows no `training`, as a layer, its modes put back after."""
    if not isinstance(model, nn.Module):
        expected = "a backbone, a model or a torch module"
        raise ArgumentTypeError(message("extract_features", expected=expected, got=type(model).__name__))
    if isinstance(model, Layer):
        yield model
        return
    training = [part for part in model.modules() if part.training]
    try:
        yield TorchModuleWrapper(model)
    finally:
        for part in training:
            part.training = True


class _Runner:
    """Runs a model over batches and counts what it costs."""

    def __init__(self, model: Any, changes: list[Any], pooling: str | None, kinds: list[str]) -> None:
        self.model = fold_batch_norm(model) if has_graph(model) else model
        self.changes = changes
        self.pooling = pooling
        self.kinds = kinds
        self.seconds = 0.0
        self.images = 0
        first = next(iter(model.parameters()), None)
        self.device = torch.device("cpu") if first is None else first.device

    def __call__(self, batch: Batch) -> store.Arrays:
        """Return the rows of a batch."""
        began = time.perf_counter()
        with torch.inference_mode():
            x = batch.x
            if isinstance(x, torch.Tensor):
                x = self._prepared(x.to(self.device))
            outputs = tree_flatten(self.model(x, training=False))
            pooled = [_pooled(output, self.pooling) for output in outputs]
        keep_freed_memory()
        rows = {}
        for number, output in enumerate(pooled):
            kind = self.kinds[min(number, len(self.kinds) - 1)]
            rows[f"output_{number}"] = output.to(getattr(torch, kind)).cpu().contiguous().numpy()
        self.seconds += time.perf_counter() - began
        self.images += len(pooled[0])
        for name, values in (("labels", batch.y), ("weights", batch.sample_weight)):
            if isinstance(values, torch.Tensor):
                rows[name] = values.cpu().contiguous().numpy()
        return rows

    def _prepared(self, x: torch.Tensor) -> torch.Tensor:
        wanted = getattr(self.model, "input_shape", None) if has_graph(self.model) else None
        if isinstance(wanted, tuple) and len(wanted) == 4 and wanted[-1] == 3 and x.shape[-1:] == (1,):
            x = x.expand(*x.shape[:-1], 3)
        if self.changes:
            x = x.to(torch.float32)
            for layer in self.changes:
                x = layer(x, training=True)
        return x


def _pooled(output: torch.Tensor, pooling: str | None) -> torch.Tensor:
    if pooling is None or output.ndim < 3:
        return output
    axes = tuple(range(1, output.ndim - 1))
    return output.mean(axes) if pooling == "avg" else output.amax(axes)


def _told(
    runner: _Runner, samples: Samples, passes: int, verbose: int | str, progress: Progress | None
) -> Iterator[store.Arrays]:
    """Give the rows of all batches and say how far it is."""
    total = None if samples.count is None else samples.count * passes
    shown = sys.stdout.isatty() if verbose == "auto" else bool(verbose)
    bar = ProgressBar(total, verbose=int(shown), unit="image")
    for _ in range(passes):
        for batch in samples.batches():
            yield runner(batch)
            bar.update(runner.images)
            if progress is not None:
                progress(runner.images, total)
    bar.finish()


def _collected(arrays: store.Arrays, facts: dict[str, Any], *, cached: bool) -> Extracted:
    outputs = sorted(name for name in arrays if name.startswith("output_"))
    ordered = sorted(outputs, key=lambda name: int(name.partition("_")[2]))
    return Extracted(
        outputs=tuple(arrays[name] for name in ordered),
        labels=arrays.get("labels"),
        weights=arrays.get("weights"),
        seconds=float(facts.get("seconds", 0.0)),
        images=int(facts.get("images", 0)),
        cached=cached,
    )


def fitting_batch(size: tuple[int, int] | None) -> int:
    """Return how many images of a size pay to be computed together."""
    pixels = (size[0] * size[1]) if size else 224 * 224
    return int(min(max(2 ** round(np.log2(max(_PIXELS / max(pixels, 1), 1))), 8), 256))


def _room(model: Any, samples: Samples, pooling: str | None, kinds: list[str], passes: int) -> int:
    """Return the bytes that the features take, 0 where they are not known."""
    if samples.count is None or not has_graph(model):
        return 0
    total = 0
    for number, tensor in enumerate(model.outputs):
        sizes = tensor.shape[1:] if pooling is None or len(tensor.shape) < 3 else tensor.shape[-1:]
        if None in sizes:
            return 0
        width = 2 if kinds[min(number, len(kinds) - 1)] == "float16" else 4
        total += samples.count * passes * int(np.prod(sizes, dtype=np.int64)) * width
    return total


def layers_of(augment: Any) -> list[Any]:
    """Return the layers of an augmentation, which may be one, several or None."""
    if augment is None:
        return []
    return list(augment) if isinstance(augment, (list, tuple)) else [augment]


@contextmanager
def _seeded(seed: int, wanted: bool) -> Iterator[None]:
    """Seed torch's generator inside a block, and put it back after it."""
    with torch.random.fork_rng(enabled=wanted):
        if wanted:
            torch.manual_seed(seed)
        yield


def has_graph(model: Any) -> bool:
    return hasattr(model, "graph_nodes") and bool(model.graph_nodes())


def _own_size(model: Any) -> tuple[int, int] | None:
    shape = getattr(model, "input_shape", None) if has_graph(model) else None
    sizes = shape[1:3] if isinstance(shape, tuple) and len(shape) == 4 else (None, None)
    height, width = sizes
    return None if height is None or width is None else (int(height), int(width))

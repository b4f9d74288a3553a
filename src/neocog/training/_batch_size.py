"""How many samples `evaluate` and `predict` compute at once, where nobody says it.

Without gradients nothing but the speed depends on the size of a batch. Small samples cost less in larger
batches than the 32 that Keras takes; large ones would only leave the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from neocog.core import tree_flatten
from neocog.data import ArraySource, Source
from neocog.losses import LossFunctionWrapper
from neocog.metrics import MeanMetricWrapper
from neocog.training._cost import needs_whole_batch
from neocog.training._trainable import runs_own

LARGEST = 1024
TEST_BATCHES = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_BATCHES = ("on_predict_batch_begin", "on_predict_batch_end")
# The largest activation of a batch, in bytes: what a processor's caches hold, or a part of a GPU's memory.
_BYTES_ON_CPU, _BYTES_ON_ACCELERATOR = 8 << 20, 256 << 20
_USUAL = 32


def in_larger_batches(
    model: Any, source: Source, callbacks: Iterable[Any] = (), verbs: tuple[str, ...] = ()
) -> Source:
    """Return arrays in batches of a size that suits the model, a power of two times 32; else the source.

    A model that fixes its batches, carries states from one to the next, or has no graph keeps them as they
    are; so does a run whose callbacks count batches.

    Args:
        model: what computes.
        source: the data.
        callbacks: the user's; none in `fit`, where whoever watches must not change the numbers.
        verbs: what a callback that counts batches listens to.
    """
    if not isinstance(source, ArraySource) or needs_whole_batch(model):
        return source
    if any(getattr(hook, "listens", lambda verb: True)(verb) for hook in callbacks for verb in verbs):
        return source
    largest = _largest_activation(model)
    if not largest:
        return source
    limit = _BYTES_ON_CPU if source.device.type == "cpu" else _BYTES_ON_ACCELERATOR
    fitting = min(LARGEST, limit // (largest * torch.float32.itemsize)) // _USUAL
    size = _USUAL << (fitting.bit_length() - 1) if fitting else 0
    return source.in_batches_of(size) if size > source.batch_size else source


def measures_samples(model: Any) -> bool:
    """Return whether losses, metrics and steps are neocog's own; what is the user's may go by the batch."""
    if not all(runs_own(model, verb) for verb in ("test_step", "compute_loss", "compute_metrics")):
        return False
    settings = model.compile_settings
    if not settings.settled:
        return False
    losses = (head.loss for head in settings.heads if head.loss is not None)
    functions = [loss.fn if isinstance(loss, LossFunctionWrapper) else type(loss) for loss in losses]
    for metric in model.metrics:
        functions += [type(metric), *([metric._fn] if isinstance(metric, MeanMetricWrapper) else [])]
    return all(str(getattr(function, "__module__", "")).startswith("neocog.") for function in functions)


def _largest_activation(model: Any) -> int | None:
    """The size of the largest tensor that a sample becomes on its way; None where the graph does not say."""
    try:
        shapes = [*(tensor.shape for tensor in model.inputs or ()), *_shapes_inside(model)]
    except (AttributeError, ValueError, TypeError):  # a model without a graph
        return None
    if not shapes or any(size is None for shape in shapes for size in shape[1:]):
        return None
    return max(math.prod(map(int, shape[1:])) for shape in shapes)


def _shapes_inside(model: Any) -> Iterator[tuple[int | None, ...]]:
    for node in model.graph_nodes():
        for tensor in tree_flatten(node.outputs):
            yield tensor.shape
        if hasattr(node.operation, "graph_nodes"):
            yield from _shapes_inside(node.operation)

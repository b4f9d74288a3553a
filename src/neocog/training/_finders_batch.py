"""Batch sizes: the rule behind `fit(batch_size="auto")`, and a search by measuring for whoever wants one.

The rule looks at model, data and machine, never at a stopwatch: the largest power of two that fits into
memory and still pays. A step takes  t(b) = o + c b  seconds: o to start its kernels, c for the arithmetic of
a sample. Doubling b gains less than 5 % once  c b > 9.5 o.  One step is then tried, and the size halved where
memory runs out.
"""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from neocog.core import check_int, check_number
from neocog.data import Source, as_source
from neocog.exceptions import ArgumentError, OutOfMemoryError, message
from neocog.training._cost import counted_forward, first_samples, needs_whole_batch
from neocog.training._finders import Disturbed
from neocog.training._memory_errors import LESS, free_memory, is_out_of_memory
from neocog.training._prepare import build_on, build_optimizer, device_of, first_batch, packed, place_model
from neocog.training._step import unpack
from neocog.training._world import World, same_everywhere

SMALLEST, LARGEST = 8, 1024
_UPDATES = 20  # an epoch should have at least so many: fewer, larger steps learn less from the same data
_PAYS = 9.5  # c b / o from which doubling gains less than 5 %
_TRAINING = 3.0  # operations of a step by those of its forward pass
# Seconds to start one layer's kernels, forward and backward, and operations a second, orders of magnitude:
# doubling is coarse enough for them. Of a CPU, for each thread.
_START = {"cpu": 4e-5, "cuda": 6e-5}
_RATE = {"cpu": 4e10, "cuda": 2e13}
_SHARE = {"cpu": 0.5, "cuda": 0.8}  # of all memory that a step may take


@dataclass(frozen=True, kw_only=True)
class BatchSizeTrial:
    """One batch size that was measured: samples a second, and seconds a step."""

    batch_size: int
    samples_per_second: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BatchSizeSearch:
    """What a search for a batch size measured.

    Attributes:
        trials: smallest first.
        suggestion: the largest size that was clearly faster than the one before.
        reason: why the search ended.
    """

    trials: tuple[BatchSizeTrial, ...]
    suggestion: int
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def auto_batch_size(model: Any, source_of: Any, samples: int | None) -> tuple[int, str]:
    """Return the batch size by the rule, and the reason for it.

    Args:
        model: compiled.
        source_of: function from a batch size to a source of such batches.
        samples: in the data; None where that is not known.

    Raises:
        OutOfMemoryError: one sample does not fit.
    """
    first = source_of(min(SMALLEST, samples or SMALLEST))
    batch = first_batch("fit", first)
    build_on(model, batch)
    device = place_model(model)
    build_optimizer(model)
    x = packed(batch, device)
    few = unpack(x)[0]
    if needs_whole_batch(model):
        return batch.size, "the model fixes it"
    _, flops = counted_forward(model, few)
    pays, fits = _that_pays(model, flops, device), _that_fits(model, few, device)
    data = LARGEST if samples is None else max(SMALLEST, samples // _UPDATES)
    limits = {
        "more would gain less than 5 %": pays,
        "more would not fit": fits,
        f"an epoch has {_UPDATES} steps of that size": data,
    }
    limits["the largest that is tried"] = LARGEST
    reason, limit = min(limits.items(), key=lambda item: item[1])
    size = _power_below(limit)
    while not _can_train(model, source_of, size):
        if size == 1:
            got = "none left"
            raise OutOfMemoryError(message("fit", expected="memory for one row", got=got, do=f"Use {LESS}."))
        size, reason = size // 2, "more ran out of memory"
    return size, reason


def _power_below(limit: float) -> int:
    return 1 << max(0, int(math.log2(max(limit, 1))))


def _that_pays(model: Any, flops: float, device: torch.device) -> int:
    """Return the power of two from which doubling gains less than 5 %."""
    kind = device.type if device.type in _START else "cpu"
    threads = torch.get_num_threads() if kind == "cpu" else 1
    layers = sum(1 for module in model.modules() if not any(module.children()))
    compute = max(flops, 1.0) * _TRAINING / (_RATE[kind] * threads)
    return 1 << max(0, math.ceil(math.log2(max(1.0, _PAYS * layers * _START[kind] / compute))))


def _that_fits(model: Any, x: Any, device: torch.device) -> float:
    """Return how many samples' activations fit beside weights, gradients and the optimizer."""
    kept = _kept_for_backward(model, first_samples(x, 2)) / 2
    weights = 4 * sum(value.numel() * value.element_size() for value in model.parameters())
    kind = device.type if device.type in _SHARE else "cpu"
    room = _SHARE[kind] * _memory(device) - weights
    return float(max(1.0, room / max(1.0, 2 * kept)))  # gradients of activations come on top


def _kept_for_backward(model: Any, x: Any) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, weights left out."""
    own = {value.untyped_storage().data_ptr() for value in model.parameters()}
    seen: dict[int, int] = {}

    def pack(value: torch.Tensor) -> torch.Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return value

    before = Disturbed(model)
    try:
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            outputs = model(x, training=True)
            del outputs
    finally:
        before.put_back()
    return sum(seen.values())


def _memory(device: torch.device) -> float:
    """Return the bytes of memory that this process may have in all."""
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    limits = (
        [float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))] if hasattr(os, "sysconf") else []
    )
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="ascii") as file:
                limits.append(float(file.read()))
        except (OSError, ValueError):
            continue
    if sys.platform != "win32":
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        limits += [] if soft == resource.RLIM_INFINITY else [float(soft)]
    return min(limits, default=8e9)


def _can_train(model: Any, source_of: Any, size: int) -> bool:
    """Whether one step of so many rows fits; the model is afterwards what it was."""
    try:
        _timed_step(model, source_of(size), 0)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return True
    free_memory()
    return False


def _timed_step(model: Any, source: Source, more: int) -> float:
    """Do a step and `more` of them, and return the shortest time; the model is afterwards what it was."""
    build_optimizer(model)
    model.training_state.prepare(model)
    before = Disturbed(model)
    data = packed(first_batch("find_batch_size", source), device_of(model))
    shortest = math.inf
    model.train(True)
    try:
        for _ in range(1 + more):
            began = time.perf_counter()
            model.train_step(data)
            if device_of(model).type == "cuda":
                torch.cuda.synchronize()
            shortest = min(shortest, time.perf_counter() - began)
    finally:
        model.train(False)
        before.put_back()
    return shortest


def find_batch_size(
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    *,
    smallest: int,
    largest: int,
    gain: float,
) -> BatchSizeSearch:
    """Measure steps of doubling batch sizes; see `Model.find_batch_size`."""
    where = "find_batch_size"
    check_int(where, "smallest", smallest, minimum=1)
    check_int(where, "largest", largest, minimum=smallest)
    check_number(where, "gain", gain, minimum=0, maximum=1)
    _ = model.compile_settings  # an error of its own, where `compile` was not called
    _needs_rows(where, x)
    trials: list[BatchSizeTrial] = []
    size, suggestion, reason = smallest, smallest, "the largest size asked for"
    rows = as_source(x, y, sample_weight, batch_size=1, shuffle=False).num_samples or largest
    build_on(model, first_batch(where, as_source(x, y, sample_weight, batch_size=1, shuffle=False)))
    place_model(model)
    while size <= min(largest, max(rows, smallest)):
        source = as_source(x, y, sample_weight, batch_size=size, shuffle=False)
        if not _can_train(model, lambda _, source=source: source, size):
            reason = f"{size} ran out of memory"
            break
        seconds = _timed_step(model, source, 4)
        speed = min(size, rows) / seconds
        trials.append(BatchSizeTrial(batch_size=size, samples_per_second=speed, seconds=seconds))
        if len(trials) > 1 and speed < trials[-2].samples_per_second * (1 + gain):
            reason = f"{size} is less than {gain:.0%} faster than {size // 2}"
            break
        suggestion, size = size, size * 2
    if not trials:
        raise OutOfMemoryError(
            message(where, expected=f"memory for {smallest} rows", got="none left", do=f"Use {LESS}.")
        )
    return BatchSizeSearch(trials=tuple(trials), suggestion=suggestion, reason=reason)


def _needs_rows(where: str, x: Any) -> None:
    """Raise where the data come in batches already."""
    if isinstance(x, Source) or hasattr(x, "__next__") or hasattr(x, "batch_sampler"):
        got = f"a {type(x).__name__}"
        do = "Say the batch size where the data are made."
        raise ArgumentError(message(where, expected="arrays, whose batches are free", got=got, do=do))


def with_auto_batch_size(model: Any, request: Any, world: World, verbose: Any) -> Any:
    """Return `fit`'s request with the batch size that the rule gives, where it asks for "auto", and tell it.

    The validation's batches are as large, unless their size is given.

    Raises:
        ArgumentError: the data come in batches already.
    """
    if request.batch_size != "auto":
        return request
    _needs_rows('fit(batch_size="auto")', request.x)

    def source_of(size: int) -> Source:
        return as_source(request.x, request.y, request.sample_weight, batch_size=size, shuffle=False)

    random = torch.get_rng_state()
    size, reason = auto_batch_size(model, source_of, source_of(1).num_samples)
    torch.set_rng_state(random)
    size, reason = same_everywhere((size, reason), world)
    if verbose:
        print(f"batch size {size}: {reason}", flush=True)
    return replace(request, batch_size=size)

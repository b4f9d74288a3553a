"""In which numbers a model trains: the choice, autocast, and products of float32 in TensorFloat-32."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import torch

from neocog.core import doubles_with_bfloat16, has_bfloat16_products, has_working_amx
from neocog.training._calibration import DOUBLE_VECTORS, NEVER, VECTORS, Calibration

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
WHOLE = ("float32", "float64")  # without autocast


def choose_precision(
    asked: str,
    flops: float,
    hardware: str | None,
    calibration: Calibration,
    *,
    convolves: bool,
    doubles: bool = False,
) -> tuple[str, str]:
    """Return the precision and the reason for it.

    Args:
        asked: as in `compile`.
        flops: operations of one forward pass over a batch.
        hardware: what `half_precision` says of the device.
        calibration: the thresholds.
        convolves: whether the model has convolutions.
        doubles: whether its weights are float64, which autocast leaves alone.
    """
    if asked != "auto":
        return asked, "as asked"
    if doubles:
        return "float64", "its weights"
    least = calibration.bfloat16_convolutional if convolves else calibration.bfloat16_dense
    if hardware is None or least == NEVER:
        return "float32", "no native bfloat16"
    if flops < least:
        return "float32", "small model"
    return ("float16" if hardware == FLOAT16_TENSOR_CORES else "bfloat16"), hardware


FLOAT16_TENSOR_CORES = "float16 tensor cores"


@lru_cache
def half_precision(device: torch.device) -> str | None:
    """Return the name of the hardware that multiplies half precision natively on a device, or None.

    GPUs have tensor cores for float16 since compute capability 7.0, for bfloat16 since 8.0.
    """
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= (8, 0):
            return "tensor cores"
        return FLOAT16_TENSOR_CORES if capability >= (7, 0) else None
    if device.type == "cpu":
        if has_working_amx():
            return "AMX"
        if doubles_with_bfloat16():
            return DOUBLE_VECTORS
        return VECTORS if has_bfloat16_products() else None
    return None


def takes_tf32(asked: str, device: torch.device) -> bool | None:
    """Whether products of float32 run on tensor cores, in TensorFloat-32: 10 bits of fraction, 8 of exponent.

    A user who asks for float32 gets all its bits. None where the device knows no TensorFloat-32.
    """
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0):
        return None
    return asked != "float32"


def autocast(device: str, precision: str) -> AbstractContextManager[Any]:
    """Return the context in which forward passes run."""
    if precision in WHOLE:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=getattr(torch, precision))


@contextmanager
def float32_products(tf32: bool) -> Iterator[None]:
    """Let float32 products on a GPU run in TensorFloat-32, or not, in the block; then as they did before.

    Torch's default takes it for convolutions alone. It has two sets of switches: what is set by the newer
    alone, the older refuse to read, and parts of `torch.compile` read those. So both are set.
    """
    backends: Any = torch.backends
    cudnn = backends.cudnn
    pairs = ((backends.cuda.matmul, [backends.cuda.matmul]), (cudnn, [cudnn.conv, cudnn.rnn]))
    before = [[switch.fp32_precision for switch in newer] for _, newer in pairs]
    for older, newer in pairs:
        _set_both(older, newer, ["tf32" if tf32 else "ieee"] * len(newer))
    try:
        yield
    finally:
        for (older, newer), values in zip(pairs, before, strict=True):
            _set_both(older, newer, values)


def _set_both(older: Any, newer: list[Any], values: list[str]) -> None:
    if [switch.fp32_precision for switch in newer] == values:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions advise against the older ones
        older.allow_tf32 = values[0] == "tf32"
    for switch, value in zip(newer, values, strict=True):
        if switch.fp32_precision != value:
            switch.fp32_precision = value

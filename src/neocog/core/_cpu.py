"""What this processor can do, where torch cannot be believed."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import torch

# AMX's tile sizes stand in CPUID leaves 0x1D and 0x1E.
_TILE_LEAF = 0x1E


def limit_broken_amx() -> bool:
    """Keep oneDNN from AMX where a virtual machine announces it but hides its tile sizes.

    There every bfloat16 product fails with "could not create a primitive". oneDNN reads its limit when it is
    first used, so this runs when neocog is imported; a limit that the user set stays.

    Returns:
        Whether AMX is announced but cannot work.
    """
    flags, leaves, _ = _cpu_facts()
    broken = "amx_tile" in flags and leaves < _TILE_LEAF
    if broken:
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16")
    return broken


@lru_cache
def has_working_amx() -> bool:
    """Return whether bfloat16 products run on AMX tiles on this machine."""
    flags, leaves, _ = _cpu_facts()
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    complete = leaves >= _TILE_LEAF or "AMX" in limit  # who allows it by name knows that it works
    if not {"amx_bf16", "amx_tile"} <= flags or not complete or "AMX" not in (limit or "AMX"):
        return False
    try:
        torch.mm(torch.zeros(16, 16, dtype=torch.bfloat16), torch.zeros(16, 16, dtype=torch.bfloat16))
    except RuntimeError:
        return False
    return True


@lru_cache
def has_bfloat16_products() -> bool:
    """Return whether the processor multiplies bfloat16 in vectors (AVX-512 BF16), as AMX does in tiles."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    kinds = ("BF16", "FP16", "AMX")
    allowed = not limit or limit in ("DEFAULT", "ALL") or any(kind in limit for kind in kinds)
    return "avx512_bf16" in _cpu_facts().flags and allowed


@lru_cache
def doubles_with_bfloat16() -> bool:
    """Return whether vectors multiply twice as many bfloat16 as float32 numbers in a cycle.

    AMD's do since Zen 4; Intel's have two units for float32 and one for bfloat16, and leave the rest to AMX.
    """
    return has_bfloat16_products() and processor_vendor() == "AuthenticAMD"


@lru_cache
def processor_vendor() -> str:
    """Return the name that CPUID gives: "GenuineIntel", "AuthenticAMD", …; "" where the system has none."""
    on_windows = os.environ.get("PROCESSOR_IDENTIFIER", "")  # "AMD64 Family 25 …, AuthenticAMD"
    return _cpu_facts().vendor or on_windows.rpartition(", ")[2]


@lru_cache
def processor_name() -> str:
    """Return the processor's name as the system gives it, else the kind of machine."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, "") or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def start_flushing_workers() -> None:
    """Start torch's worker threads with subnormal numbers flushed to zero; the calling thread stays as it is.

    A processor multiplies subnormal numbers (below 1e-38) a hundred times slower than others, and Adam's
    state is full of them where units have died: a perceptron trained 3 times slower. The mode belongs to the
    thread and is inherited at its start, so this runs when neocog is imported.
    """
    if flushes_subnormals() or not torch.set_flush_denormal(True):
        return
    try:
        torch.zeros(1 << 17).add_(1)  # large enough to be shared among the threads
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def subnormals_flushed() -> Iterator[None]:
    """Flush subnormal numbers to zero in this thread for the duration of the block."""
    before = flushes_subnormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes_subnormals() -> bool:
    """Return whether this thread takes subnormal numbers as zero."""
    smallest = sys.float_info.min
    return smallest / 2 == 0.0


class _CpuFacts(NamedTuple):
    flags: frozenset[str] = frozenset()
    leaves: int = 0  # the highest of CPUID
    vendor: str = ""


@lru_cache
def _cpu_facts() -> _CpuFacts:
    """What the system says of the first processor; empty where /proc/cpuinfo is missing."""
    wanted = ("flags", "cpuid level", "vendor_id")
    found: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() in wanted:
                    found.setdefault(key.strip(), value.strip())
                if len(found) == len(wanted):
                    break
        flags = frozenset(found.get("flags", "").split())
        return _CpuFacts(flags, int(found.get("cpuid level", 0)), found.get("vendor_id", ""))
    except (OSError, ValueError):
        return _CpuFacts()

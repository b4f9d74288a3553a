"""What is asked of the machine: processor, memory, device, optional packages; each answer made up."""

from __future__ import annotations

import builtins
import ctypes
import io
import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neocog.core import (
    _cpu,
    _memory,
    default_device,
    doubles_with_bfloat16,
    has_bfloat16_products,
    has_working_amx,
    keep_freed_memory,
    limit_broken_amx,
    optional_import,
    processor_vendor,
    subnormals_flushed,
)
from neocog.exceptions import ArgumentError, MissingExtraError

LIMIT = "ONEDNN_MAX_CPU_ISA"
AMX = frozenset({"amx_tile", "amx_bf16", "avx512f"})


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """Forget the cached answers before and after."""
    cached = (
        _cpu._cpu_facts, _cpu.has_working_amx, _cpu.has_bfloat16_products, _cpu.doubles_with_bfloat16,
        _cpu.processor_vendor, _memory._kept,
    )  # fmt: skip
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def cpuinfo(monkeypatch: pytest.MonkeyPatch, text: str | OSError) -> None:
    real = builtins.open

    def fake(path: Any, *args: Any, **kwargs: Any) -> Any:
        if path != "/proc/cpuinfo":
            return real(path, *args, **kwargs)
        if isinstance(text, OSError):
            raise text
        return io.StringIO(text)

    monkeypatch.setattr(builtins, "open", fake)


def facts(monkeypatch: pytest.MonkeyPatch, flags: frozenset[str], leaves: int, vendor: str = "") -> None:
    lines = (
        f"processor\t: 0\nvendor_id\t: {vendor}\ncpuid level\t: {leaves}\nflags\t\t: fpu {' '.join(flags)}"
    )
    cpuinfo(monkeypatch, lines + "\n\n")


@pytest.mark.parametrize(
    ("flags", "leaves", "broken"),
    [
        (AMX, 0x1D, True),
        (AMX, 13, True),
        (AMX, 0x1E, False),
        (AMX, 0x20, False),
        (frozenset({"avx2"}), 13, False),
    ],
)
def test_amx_without_its_tile_table_is_broken(
    flags: frozenset[str], leaves: int, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts(monkeypatch, flags, leaves)
    monkeypatch.setenv(LIMIT, "x")
    monkeypatch.delenv(LIMIT)
    assert limit_broken_amx() is broken
    assert os.environ.get(LIMIT) == ("AVX512_CORE_FP16" if broken else None)


def test_the_limit_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    facts(monkeypatch, AMX, 13)
    monkeypatch.setenv(LIMIT, "AVX2")
    assert limit_broken_amx()
    assert os.environ[LIMIT] == "AVX2"


@pytest.mark.parametrize(
    ("flags", "leaves", "limit", "works"),
    [
        (AMX, 0x20, None, True),
        (AMX, 0x20, "AVX512_CORE_AMX", True),
        (AMX, 0x20, "avx512_core_amx_fp16", True),
        (AMX, 0x20, "AVX512_CORE_FP16", False),
        (AMX, 0x1D, None, False),
        (AMX, 0x1D, "AVX512_CORE_AMX", True),
        (AMX - {"amx_bf16"}, 0x20, None, False),
        (frozenset(), 0, None, False),
    ],
)
def test_amx_works_where_it_is_whole_and_allowed(
    flags: frozenset[str], leaves: int, limit: str | None, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts(monkeypatch, flags, leaves)
    monkeypatch.setattr(torch, "mm", lambda a, b: a)
    monkeypatch.setenv(LIMIT, limit or "")
    if limit is None:
        monkeypatch.delenv(LIMIT)
    assert has_working_amx() is works


def test_amx_that_fails_at_work_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(a: Any, b: Any) -> Any:
        raise RuntimeError("could not create a primitive")

    facts(monkeypatch, AMX, 0x20)
    monkeypatch.delenv(LIMIT, raising=False)
    monkeypatch.setattr(torch, "mm", fail)
    assert not has_working_amx()


@pytest.mark.parametrize(
    ("flags", "vendor", "limit", "doubles"),
    [
        ({"avx512_bf16"}, "AuthenticAMD", None, True),
        ({"avx512_bf16"}, "AuthenticAMD", "AVX512_CORE_BF16", True),
        ({"avx512_bf16"}, "AuthenticAMD", "AVX2", False),
        ({"avx512f"}, "AuthenticAMD", None, False),
        ({"avx512_bf16"}, "GenuineIntel", None, False),
    ],
)
def test_who_multiplies_twice_as_many_bfloat16_numbers(
    flags: set[str], vendor: str, limit: str | None, doubles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts(monkeypatch, frozenset(flags), 16, vendor)
    monkeypatch.delenv(LIMIT, raising=False)
    if limit is not None:
        monkeypatch.setenv(LIMIT, limit)
    assert doubles_with_bfloat16() is doubles
    assert has_bfloat16_products() is ("avx512_bf16" in flags and limit != "AVX2")


def test_who_made_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROCESSOR_IDENTIFIER", raising=False)
    facts(monkeypatch, frozenset(), 13, "GenuineIntel")
    assert processor_vendor() == "GenuineIntel"
    for said, expected in [
        ("AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD", "AuthenticAMD"),
        ("Intel64 Family 6 Model 158 Stepping 10, GenuineIntel", "GenuineIntel"),
        ("", ""),
    ]:
        cpuinfo(monkeypatch, FileNotFoundError("none"))
        monkeypatch.setenv("PROCESSOR_IDENTIFIER", said)
        for function in (_cpu._cpu_facts, processor_vendor):
            function.cache_clear()
        assert processor_vendor() == expected


@pytest.mark.parametrize(
    "text", [FileNotFoundError("none"), "cpuid level : many\nflags : amx_tile", "", "flags"]
)
def test_a_machine_that_says_nothing_has_no_amx(text: str | OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo(monkeypatch, text)
    monkeypatch.setenv(LIMIT, "x")
    monkeypatch.delenv(LIMIT)
    assert not limit_broken_amx()
    assert not has_working_amx()
    assert not doubles_with_bfloat16()
    assert LIMIT not in os.environ


@pytest.mark.parametrize(("answer", "kept"), [(1, True), (0, False)])
def test_memory_is_kept_where_the_c_library_agrees(
    answer: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def mallopt(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return answer

    def malloc(size: int) -> int:
        return next(blocks)

    def free(address: int | None) -> None:
        freed.append(address)

    blocks, freed = iter(range(10_000, 0, -16)), list[int | None]()
    library = SimpleNamespace(mallopt=mallopt, malloc=malloc, free=free)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(_memory, "_sorted", _memory._Sorted())
    assert keep_freed_memory() is kept
    assert keep_freed_memory() is kept
    assert len(asked) == (2 if kept else 1)  # once a process
    assert all(0 < value < 2**31 for _, value in asked)  # mallopt takes C ints
    assert bool(freed) is kept  # sorted by the first call, and not again at once
    kinds = [freed[first + 7 : first + 22] for first in range(0, len(freed), 22)]
    assert all(kind == sorted(kind, key=lambda address: address or 0) for kind in kinds)
    assert len(freed) == (22 * len(_memory._SMALL) if kept else 0)


class _Heap:
    """What glibc does with freed small blocks of one size: seven at hand, the others in a bin."""

    def __init__(self, at_hand: list[int], binned: list[int]) -> None:
        self.at_hand, self.binned, self.top = list(at_hand), list(binned), 1_000_000
        self.taken: list[int] = []

    def malloc(self, size: int) -> int:
        if self.at_hand:
            address = self.at_hand.pop()
        elif self.binned:
            address = self.binned.pop(0)
            while self.binned and len(self.at_hand) < 7:
                self.at_hand.append(self.binned.pop(0))
        else:
            address, self.top = self.top, self.top + size
        self.taken.append(address)
        return address

    def free(self, address: int) -> None:
        (self.at_hand if len(self.at_hand) < 7 else self.binned).append(address)


@pytest.mark.parametrize("at_hand", [0, 3, 7])
@pytest.mark.parametrize("binned", [0, 5, 40])
def test_the_lowest_of_freed_blocks_stay_at_hand(
    at_hand: int, binned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_memory, "_SMALL", [104])
    blocks = [100_000 - 112 * number for number in range(at_hand + binned)]  # the highest at hand
    heap = _Heap(blocks[:at_hand], blocks[at_hand:])
    _memory.take_lowest_first(heap)
    assert sorted(heap.at_hand) == sorted(set(heap.taken[7:]))[:7]
    assert len(heap.at_hand) + len(heap.binned) == len(set(heap.at_hand + heap.binned))  # none twice


def test_pages_apart_hold_what_is_written() -> None:
    pages = _memory.pages_apart(10_000)
    if pages is None:
        pytest.skip("anonymous pages are taken on Linux alone")
    values = np.frombuffer(pages, np.uint8)
    assert values.shape == (10_000,)
    assert not values.any()
    values[:] = 7
    assert values.sum() == 70_000
    assert _memory.pages_apart(0) is None
    assert _memory.pages_apart(1 << 62) is None


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_memory_is_left_alone_elsewhere(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert keep_freed_memory() is False


@pytest.mark.parametrize(
    ("named", "cuda", "mps", "expected"),
    [
        (None, True, True, "cuda"),
        (None, False, True, "mps"),
        (None, False, False, "cpu"),
        ("", True, False, "cuda"),
        ("cpu", True, True, "cpu"),
        ("cuda:1", False, False, "cuda:1"),
        ("meta", False, False, "meta"),
    ],
)
def test_the_default_device(
    named: str | None, cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOCOG_DEVICE", named or "")
    if named is None:
        monkeypatch.delenv("NEOCOG_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert default_device() == torch.device(expected)


@pytest.mark.parametrize("bad", ["gpu", "cuda:x", "0x", "cpu;"])
def test_a_device_that_torch_does_not_know(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_DEVICE", bad)
    with pytest.raises(ArgumentError, match=f"^NEOCOG_DEVICE: expected a device of torch .*, got '{bad}'"):
        default_device()


def test_a_package_that_is_there() -> None:
    assert optional_import("os.path", extra="x", what="y") is os.path


def test_a_package_that_is_missing_names_the_extra() -> None:
    with pytest.raises(MissingExtraError) as caught:
        optional_import("board_of_nothing.compat.proto", extra="tensorboard", what="TensorBoard")
    assert str(caught.value) == (
        "TensorBoard: expected the package 'board_of_nothing', which is not installed. "
        "Run: pip install 'neocog[tensorboard]'"
    )
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value.__cause__, ImportError)


def test_subnormal_numbers_are_flushed_inside_the_block_alone() -> None:
    tiny = torch.full((1 << 17,), 1e-39)  # large enough for torch's worker threads
    with subnormals_flushed():
        assert not (tiny * 0.5).any()
        with subnormals_flushed():
            pass
        assert not (tiny[:8] * 0.5).any()  # the inner block gave back what it found
    assert (tiny[:8] * 0.5).all()

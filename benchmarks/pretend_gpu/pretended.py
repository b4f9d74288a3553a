"""Importing this makes torch and neocog believe in an NVIDIA GPU; see run.py, which loads the library first.

CUDA graphs are the tape of the tests: operations repeated on the same memory, no Python between. Not there:
float16's softmax, cuDNN's recurrent kernels, bare `torch.cuda.CUDAGraph`, NCCL, real streams and times.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

MEMORY = 8 << 30
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "training"))


class Stream:
    """A stream in which everything is done when it is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what torch's streams take."""

    def wait_stream(self, other: Any) -> None:
        """Nothing is under way."""

    def synchronize(self) -> None:
        """Nothing is under way."""


@contextlib.contextmanager
def _nothing(*args: Any) -> Iterator[None]:
    yield


def _believe() -> None:
    """Replace what asks for CUDA's driver."""
    if "libpretended" not in os.environ.get("LD_PRELOAD", ""):
        raise SystemExit("pretended: start through benchmarks/pretend_gpu/run.py.")
    answers: dict[str, Any] = {
        "_lazy_init": None,
        "is_available": True,
        "is_initialized": True,
        "_is_in_bad_fork": False,
        "device_count": 1,
        "current_device": 0,
        "set_device": None,
        "get_device_capability": (9, 0),
        "get_device_name": "a pretended GPU",
        "mem_get_info": (MEMORY, MEMORY),
        "synchronize": None,
        "empty_cache": None,
        "reset_peak_memory_stats": None,
        "memory_allocated": 0,
        "max_memory_allocated": 0,
        "manual_seed": None,
        "manual_seed_all": None,
        "get_device_properties": SimpleNamespace(total_memory=MEMORY, major=9, minor=0),
        "is_bf16_supported": True,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, lambda *args, answer=answer, **kwargs: answer)
    replaced = {
        "default_generators": (torch.default_generator,),
        "get_rng_state_all": lambda: [torch.get_rng_state()],
        "set_rng_state_all": lambda states: None,
        "Stream": Stream,
        "current_stream": lambda device=None: Stream(),
        "stream": _nothing,
        "device": _nothing,
    }
    for name, value in replaced.items():
        setattr(torch.cuda, name, value)
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.Tensor.pin_memory = lambda self, device=None: self.clone()  # type: ignore[method-assign]
    for name in ("_cuda_getDevice", "_cuda_exchangeDevice", "_cuda_maybeExchangeDevice", "_cuda_setDevice"):
        setattr(torch._C, name, lambda *args: 0)  # the compiler's front end asks


def _teach_neocog() -> None:
    """Let steps be recorded on the tape, and generators be the CPU's."""
    from step_tape import TapeRecorder

    import neocog
    from neocog.core import _rng
    from neocog.training import _graphs, _plan, _state

    make = _rng.make_generator
    for module in [module for name, module in sys.modules.items() if name.startswith("neocog")]:
        if vars(module).get("make_generator") is make:
            module.make_generator = lambda seed, device="cpu": make(seed, "cpu")  # type: ignore[attr-defined]

    class Recorded(_graphs.RecordedStep):
        def __init__(self, model: Any, recorder: Any) -> None:
            super().__init__(model, TapeRecorder(model))

    _state.RecordedStep = Recorded  # type: ignore[misc]
    for module in (_state, _plan):
        module.make_recorder = lambda device: object() if device.type == "cuda" else None  # type: ignore[attr-defined]
    assert neocog.core.default_device().type == "cuda"


_believe()
_teach_neocog()

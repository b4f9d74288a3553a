"""What records a step on a device and repeats it: CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import torch

Replay = Callable[[], None]


class Recorder(Protocol):
    """Records what runs on a device, and repeats it."""

    def apart(self, step: Callable[[], Any]) -> Any:
        """Run a step where it will be recorded."""

    def record(self, step: Callable[[], Any]) -> Replay:
        """Record a step, without running it, and return what runs it."""


class CudaRecorder:
    """CUDA graphs, on a stream of their own."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def apart(self, step: Callable[[], Any]) -> Any:
        """Run a step on the stream; what ran before is waited for, and what comes after waits."""
        main = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(main)
        try:
            with torch.cuda.stream(self.stream):
                return step()
        finally:  # also where memory ran out: what comes then takes the same memory
            main.wait_stream(self.stream)

    def record(self, step: Callable[[], Any]) -> Replay:
        """Record a step. Threads that read data or write snapshots may go on meanwhile."""
        # The outer block puts the stream back: torch's own does not where the end of a record fails.
        with torch.cuda.device(self.device), torch.cuda.stream(self.stream):
            graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
            record = torch.cuda.graph(graph, pool=pool, stream=self.stream, capture_error_mode="thread_local")
            try:
                with record:
                    step()
            except BaseException:
                self._put_right(pool)
                raise
        return graph.replay

    def _put_right(self, pool: Any) -> None:
        """Put right what torch leaves behind where the end of a record fails.

        Memory would go on coming from the record's, and the next random number would be refused: "offset
        increment outside graph capture". The numbers go on from where they were before the record.
        """
        index = torch.cuda.current_device()
        with suppress(Exception):  # where the record ended, nothing is left to end
            torch._C._cuda_endAllocateToPool(index, pool)
            torch._C._cuda_releasePool(index, pool)
        generator = torch.cuda.default_generators[index]
        generator.graphsafe_set_state(generator.clone_state())


def make_recorder(device: torch.device) -> Recorder | None:
    """Return what records on a device, None where nothing can."""
    return CudaRecorder(device) if device.type == "cuda" else None

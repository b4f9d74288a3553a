"""Several processes that train one model together: who they are, and what they tell each other.

The processes are started by `torchrun` (or `neocog train --processes`); the same script runs in each. Torch's
own engine moves gradients and sums; nothing here talks to a network by itself.
"""

from __future__ import annotations

import atexit
import inspect
import os
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from neocog.exceptions import ArgumentError, message
from neocog.training._rounds import agree_on_round
from neocog.training._trainable import statistics_of


@dataclass(frozen=True, slots=True)
class World:
    """The processes of a training.

    Attributes:
        rank: number of this one, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is only one process."""
        return self.size == 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and shows progress."""
        return self.rank == 0

    def rows(self, count: int) -> slice:
        """Return which of `count` rows belong to this process: neighbours, shared out as evenly as can be."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)


ALONE = World()
# Statistics are averaged once an epoch, not sent before every step; torch 2.13 has another word for it.
_KNOWN = inspect.signature(DistributedDataParallel.__init__).parameters
_BUFFERS_STAY: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _KNOWN else "broadcast_buffers": False
}
_LAST_WORDS = 0.2  # seconds that the threads of torch's engine have to let go of what was sent last


def join() -> World:
    """Join the processes that `torchrun` started; alone where there are none.

    Raises:
        ArgumentError: torch was built without distributed training.
    """
    if not distributed.is_available():
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise ArgumentError(
                message("fit", expected="a torch that can train in several processes", got="one that cannot")
            )
        return ALONE
    if not distributed.is_initialized():
        if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
            return ALONE
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        from torch.distributed.rendezvous import rendezvous  # not there in every build of torch

        store, rank, size = next(rendezvous("env://"))
        own = distributed.distributed_c10d.PrefixStore(agree_on_round(store, rank, size), store)
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, store=own, rank=rank, world_size=size)
        atexit.register(_leave)
    return World(distributed.get_rank(), distributed.get_world_size())


def _leave() -> None:
    """Leave the others, as the interpreter is about to shut down.

    Gloo's threads outlive the group where a replica was made (torch keeps it), and dropping a tensor takes
    the interpreter's lock. A thread that asks for it while the interpreter shuts down is ended within a
    destructor, which aborts the process after all its work was done; so they get the lock once more.
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()
        time.sleep(_LAST_WORDS)


def replicated(model: Any) -> Any:
    """Return what computes the model's outputs so that gradients are the mean over all processes."""
    device = next(model.parameters()).device
    devices = None if device.type == "cpu" else [device]
    replica = DistributedDataParallel(model, device_ids=devices, **_BUFFERS_STAY)
    _settle_order(replica)
    return replica


def _settle_order(replica: Any) -> None:
    """Let torch arrange the gradients to be sent now, and not after the first step.

    More than two numbers add up to other last bits in another order: a run that goes on from a snapshot would
    differ from the undisturbed one in its first step. Gradients of 0 go through once.
    """
    reducer, total = replica.reducer, None
    reducer.prepare_for_forward()
    reducer.prepare_for_backward([])
    trained = [parameter for parameter in replica.module.parameters() if parameter.requires_grad]
    for parameter in trained:
        nothing = (parameter * 0).sum().float()
        total = nothing if total is None else total + nothing
    if total is not None:
        total.backward()
    for parameter in trained:
        parameter.grad = None
    reducer._rebuild_buckets()


def same_everywhere(value: Any, world: World) -> Any:
    """Return process 0's value (plain data) in every process."""
    if world.alone:
        return value
    held = [value]
    distributed.broadcast_object_list(held, src=0)
    return held[0]


def from_everywhere(value: Any, world: World) -> list[Any]:
    """Return every process's value (plain data), in order."""
    if world.alone:
        return [value]
    held: list[Any] = [None] * world.size
    distributed.all_gather_object(held, value)
    return held


def sum_metrics(metrics: list[Any], world: World) -> None:
    """Put the sum over all processes into the state of every metric, or what else its variables ask for."""
    if world.alone:
        return
    own = [
        {name: value.as_subclass(torch.Tensor).cpu() for name, value in metric.state_dict().items()}
        for metric in metrics
    ]
    for metric, *states in zip(metrics, *from_everywhere(own, world), strict=True):
        metric.load_state_dict(state_of_all(metric, states))


def state_of_all(metric: Any, states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return what a metric's states in all processes make together; added in their order, in float64."""
    kinds = {name: variable.aggregation for name, variable in metric._named_variables()}
    # A process that had no row yet may lack what the first batch makes.
    forms = {name: value for state in reversed(states) for name, value in state.items()}
    return {
        name: _combined(
            [state.get(name, torch.zeros_like(form)) for state in states], kinds.get(name, "sum")
        ).to(form.dtype)
        for name, form in sorted(forms.items())
    }


def _combined(values: list[torch.Tensor], kind: str) -> torch.Tensor:
    if kind in ("only_first_replica", "none"):
        return values[0]
    if values[0].is_floating_point():  # sums of counts stay whole numbers
        values = [value.double() for value in values]
    total = torch.stack(values).sum(0)
    return total / len(values) if kind == "mean" else total


def mean_statistics(model: Any, world: World, share: float = 1.0) -> None:
    """Put the mean over all processes in the place of statistics that each has of its own rows.

    What a stateful layer keeps of each row stays: the rows of another process are others.

    Args:
        model: whose statistics they are.
        world: the processes.
        share: how much those of this process count; 1 on average.
    """
    if world.alone:
        return
    keepers = [module for module in model.modules() if hasattr(module, "states_of_rows")]
    of_rows = {id(state) for module in keepers for state in module.states_of_rows()}
    with torch.no_grad():
        for _, value in statistics_of(model):
            if value.is_floating_point() and id(value) not in of_rows:
                total = value.double() * share  # so that what is equal everywhere stays as it is, to the bit
                distributed.all_reduce(total)
                value.copy_(total / world.size)


def any_of(wishes: tuple[bool, ...], world: World) -> tuple[bool, ...]:
    """Return which of the wishes any process has."""
    if world.alone:
        return wishes
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    flags = torch.tensor(wishes, dtype=torch.int32, device=device)
    distributed.all_reduce(flags, op=distributed.ReduceOp.MAX)
    return tuple(bool(flag) for flag in flags.tolist())

"""What a snapshot of a training holds, all that the rest of the run depends on, and how it is put back.

Weights and other state of the model, optimizer, metrics so far, every callback's state, every generator of
random numbers, the orders of the data and the place in them, the plan.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neocog._version import __version__
from neocog.core import is_generator
from neocog.data import Source
from neocog.exceptions import ArgumentError, message
from neocog.optimizers._together import gathered_gradients
from neocog.training._hook import HookList
from neocog.training._own_attributes import OwnAttributes
from neocog.training._own_steps import plain
from neocog.training._plan import Plan
from neocog.training._prepare import device_of
from neocog.training._put_back import put_back
from neocog.training._same_run import check_kinds, kinds_of
from neocog.training._sharded_files import read_shares
from neocog.training._snapshot_own import attributes_of, copied, more_optimizers
from neocog.training._together import seed_generators
from neocog.training._trainable import statistics_of
from neocog.training._world import ALONE, World, from_everywhere, state_of_all


@dataclass(kw_only=True)
class Position:
    """Where a run is.

    Attributes:
        epoch: number of the epoch, from 0, that is under way or comes next.
        step: batches of it that are done; 0 between two epochs.
        steps: training steps since the run began.
        epochs_seen: which order of the data the epoch goes through.
        validations: how many are complete.
        finished: whether the run has come to its end.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    epochs_seen: int = 0
    finished: bool = False
    validations: int = 0

    def advance(self) -> None:
        """Count a step."""
        self.step += 1
        self.steps += 1


@dataclass(kw_only=True)
class Scene:
    """The parts of a run that a snapshot is taken of and put back into.

    Attributes:
        model, hooks, source, validation: what the run consists of.
        position: where it is.
        at_epoch: the states of random numbers and data when the epoch, or the pass over the data, began, for
            data that cannot be rewound.
        resumed: whether the data are still to be read up to the place.
        world: the processes that train together.
        folder: where the snapshots lie.
        logs: what the last step returned.
        share: weight of this process's rows in it.
        own: what the user's own parts keep, looked at when the run began.
    """

    model: Any
    hooks: HookList
    source: Source
    validation: Source | None
    position: Position
    at_epoch: dict[str, Any] | None = None
    resumed: bool = False
    world: World = ALONE
    folder: Path = Path()
    logs: Any = None
    share: float = 1.0
    own: OwnAttributes | None = None


def capture(scene: Scene, passing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the state of a run, copied, so that training may go on while it is written.

    All processes of a run call it together; each then has the states of all.

    Args:
        scene: the run.
        passing: what `capture_passing` returned before a validation that is under way; default: as it is now.
    """
    model = scene.model
    own = {
        # Statistics differ between processes within an epoch; the model's own state has those of the first.
        "buffers": {} if scene.world.leads else {name: copied(v) for name, v in statistics_of(model)},
        "layers": _kept_by_layers(model),
        "rows": dict(model.training_state.rows),
        "seeds": {name: seed.state_dict() for name, seed in seed_generators(model)},
        "logs": _told_last(scene),
        **_apart(scene),
        **copied(passing or capture_passing(scene)),
    }
    hooks = own.pop("hooks")
    return {
        "neocog": __version__,
        "torch": torch.__version__,
        "position": asdict(scene.position),
        "plan": None if model.plan is None else asdict(model.plan),
        "stop_training": bool(model.stop_training),
        "model": _model_state(model),
        "optimizer": _optimizer_state(model),
        "optimizers": {
            name: copied(own.state_dict())
            for name, own in more_optimizers(model)
            if getattr(own, "built", True)  # others have no state yet
        },
        "source": scene.source.state_dict(),
        "validation": None if scene.validation is None else scene.validation.state_dict(),
        "at_epoch": copied(scene.at_epoch),
        "attributes": {} if scene.own is None else scene.own.changed(),
        "kinds": kinds_of(scene),
        "hooks": hooks,
        "processes": from_everywhere(own, scene.world),
    }


def _model_state(model: Any) -> dict[str, Any]:
    """Return a model's tensors; of a sharded one the weights lie in files of their own."""
    state = nn.Module.state_dict(model)
    if model.training_state.sharded is not None:
        state = {
            name: value for name, value in state.items() if name not in model.training_state.sharded.names
        }
    return {name: copied(value) for name, value in state.items()}


def _optimizer_state(model: Any) -> Any:
    if model.optimizer is None:
        return None
    state = model.optimizer.state_dict()
    return copied({**state, "slots": {}} if model.training_state.sharded is not None else state)


def _apart(scene: Scene) -> dict[str, Any]:
    """Return what a process has for itself beside others: numbers, gradients that are not exchanged."""
    together = scene.model.training_state.together
    if together is None:
        return {}
    return {"together": together.state_dict(), "gathered": copied(gathered_gradients(scene.model.optimizer))}


def _told_last(scene: Scene) -> dict[str, Any] | None:
    """Return what the last step told, where it is not the metrics: a later snapshot may end its epoch."""
    if not isinstance(scene.logs, dict):
        return None
    values = {name: plain(value) for name, value in scene.logs.items()}
    return {"values": copied(values), "share": scene.share}


def capture_passing(scene: Scene) -> dict[str, Any]:
    """Return the state that a validation changes: metrics, callbacks, random numbers."""
    return {
        "metrics": [[m.name, m.state_dict(), attributes_of(m)] for m in scene.model.metrics],
        "hooks": _plain_copy(scene.hooks.state_dict()),
        "random": random_state(),
    }


def restore(scene: Scene, state: Mapping[str, Any]) -> None:
    """Put a captured state back; the model and its optimizer must be built.

    Raises:
        ArgumentError: the snapshot is of another network, other callbacks or another optimizer.
    """
    model = scene.model
    sharded = model.training_state.sharded
    if (sharded is not None) != ("shares" in state):
        got = f"compile(sharded={sharded is not None})"
        expected = f"compile(sharded={sharded is None}), as in the run that took the snapshot"
        raise ArgumentError(message("fit(snapshots=…)", expected=expected, got=got))
    check_kinds(scene, state)
    if sharded is None:
        _check_network(model, state["model"])
    else:
        read_shares(scene.folder, state["shares"], sharded)
    own = _own_part(scene.world, state, model.metrics)
    for layer, kept in zip(_keeping_layers(model), own["layers"], strict=True):
        layer.restore_kept(kept)
    nn.Module.load_state_dict(model, state["model"], strict=sharded is None)
    if state["optimizer"] is not None:
        slots = {} if sharded is None else {"slots": model.optimizer.state_dict()["slots"]}  # read already
        model.optimizer.load_state_dict({**state["optimizer"], **slots})
    saved = state.get("optimizers", {})
    for name, optimizer in more_optimizers(model):
        if name in saved:
            optimizer.load_state_dict(saved[name])
    _restore_metrics(model, own["metrics"])
    if state["plan"] is not None:
        here = {"processes": scene.world.size, "device": str(device_of(model))}
        model.training_state.use(Plan(**{**state["plan"], **here}), model)
    scene.source.load_state_dict(state["source"])
    if scene.validation is not None and state["validation"] is not None:
        scene.validation.load_state_dict(state["validation"])
    if scene.own is not None:
        scene.own.restore(state["attributes"])
    scene.hooks.load_state_dict(state["hooks"], strict=scene.world.leads)
    model.stop_training = bool(state["stop_training"])
    scene.position = Position(**state["position"])
    scene.at_epoch = state["at_epoch"]
    scene.resumed = True
    told = own.get("logs") or {}
    scene.logs, scene.share = told.get("values"), told.get("share", 1.0)
    _restore_own(model, own)


def _own_part(world: World, state: Mapping[str, Any], metrics: list[Any]) -> Any:
    """Return the state of this process; of another number of processes, what they have together.

    Raises:
        ArgumentError: a layer keeps a state for each row, which cannot be shared out anew.
    """
    processes = state["processes"]
    if len(processes) == world.size:
        return processes[world.rank]
    if any(own["layers"] for own in processes):
        raise ArgumentError(
            message(
                "fit(snapshots=…)",
                expected=f"{len(processes)} processes, as in the run that took the snapshot",
                got=world.size,
                do="Start as many, or choose another folder to train anew.",
            )
        )
    return {
        **processes[0],
        "buffers": _mean_of([state["model"], *(own["buffers"] for own in processes[1:])]),
        "metrics": [
            [entry[0], _shared_out([own["metrics"][index][1] for own in processes], metric, world)]
            for index, (entry, metric) in enumerate(zip(processes[0]["metrics"], metrics, strict=False))
        ],
        "seeds": processes[0]["seeds"] if world.leads else {},
        "together": None,
        "logs": None,
        "gathered": [
            torch.stack(tensors).mean(0)
            for tensors in zip(*(own.get("gathered", ()) for own in processes), strict=True)
        ],
    }


def _mean_of(states: list[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """Return the mean of the floating-point buffers of several processes."""
    if len(states) == 1:
        return {}
    names = [name for name, value in states[-1].items() if value.is_floating_point() and name in states[0]]
    means = {name: torch.stack([state[name].double() for state in states]).mean(0) for name in names}
    return {name: mean.to(states[0][name].dtype) for name, mean in means.items()}


def _shared_out(states: list[dict[str, torch.Tensor]], metric: Any, world: World) -> dict[str, torch.Tensor]:
    """Return what all processes had counted for the first one, and 0 for the others; other kinds for all."""
    kinds = {name: variable.aggregation for name, variable in metric._named_variables()}
    whole = state_of_all(metric, states)
    return {
        name: value if world.leads or kinds.get(name, "sum") != "sum" else torch.zeros_like(value)
        for name, value in whole.items()
    }


def _restore_own(model: Any, own: Mapping[str, Any]) -> None:
    """Put back what each process has of its own."""
    buffers = dict(statistics_of(model))
    with torch.no_grad():
        for name, value in own["buffers"].items():
            buffers[name].copy_(value)
    seeds = dict(seed_generators(model))
    for name, seed in own["seeds"].items():
        if name in seeds:
            seeds[name].load_state_dict(seed)
    if own.get("together") and model.training_state.together is not None:
        model.training_state.together.load_state_dict(own["together"])
    for kept, value in zip(gathered_gradients(model.optimizer), own.get("gathered", ()), strict=False):
        kept.copy_(value)
    model.training_state.rows.clear()
    model.training_state.rows.update(own.get("rows", {}))
    set_random_state(own["random"])


def random_state() -> dict[str, Any]:
    """Return the states of the process's generators: Python's, NumPy's, torch's on every device."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002
        "torch": torch.get_rng_state(),
        "cuda": cuda,
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Set the process's generators to what `random_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"][: torch.cuda.device_count()])  # there may be fewer now


def _plain_copy(value: Any) -> Any:
    """Return nested values copied, but for their tensors: those of callbacks change between epochs alone."""
    if isinstance(value, Mapping):
        return {key: _plain_copy(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain_copy(item) for item in value)
    if isinstance(value, list):
        return [_plain_copy(item) for item in value]
    if is_generator(value):  # a shallow copy of NumPy's would share the numbers
        return copy.deepcopy(value)
    return value if isinstance(value, torch.Tensor) else copy.copy(value)


def _keeping_layers(model: Any) -> list[Any]:
    layers = [module for module in model.modules() if getattr(module, "stateful", False) is True]
    return [layer for layer in layers if hasattr(layer, "restore_kept")]


def _kept_by_layers(model: Any) -> list[Any]:
    return [copied(layer.copy_kept()) for layer in _keeping_layers(model)]


def _restore_metrics(model: Any, saved: list[Any]) -> None:
    own = model.metrics
    names = [entry[0] for entry in saved]
    if [metric.name for metric in own] != names:
        raise ArgumentError(
            message(
                "fit(snapshots=…)",
                expected=f"the metrics of the snapshot, {names}",
                got=[metric.name for metric in own],
                do="Compile with the same metrics, or choose another folder to train anew.",
            )
        )
    for metric, (_, state, *attributes) in zip(own, saved, strict=True):
        metric.load_state_dict(state)
        put_back(metric, attributes[0] if attributes else {})


def _check_network(model: Any, saved: Mapping[str, Any]) -> None:
    own = {name: tuple(value.shape) for name, value in _tensors_of(nn.Module.state_dict(model)).items()}
    kept = {name: tuple(value.shape) for name, value in _tensors_of(saved).items()}
    if own == kept:
        return
    first = next(name for name in [*own, *kept] if own.get(name) != kept.get(name))
    raise ArgumentError(
        message(
            "fit(snapshots=…)",
            expected=f"the network of the snapshot ({len(kept)} tensors; {first}: {kept.get(first, 'none')})",
            got=f"{len(own)} tensors; {first}: {own.get(first, 'none')}",
            do="Build the same model, or choose another folder to train anew.",
        )
    )


def _tensors_of(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Leave the buffers out that stateful layers make with the first batch."""
    return {
        name: value
        for name, value in state.items()
        if isinstance(value, torch.Tensor) and "._state_" not in name and not name.startswith("_state_")
    }

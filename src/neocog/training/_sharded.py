"""A model whose weights, gradients and optimizer state are shared out over the processes: torch's FSDP2.

While `fit` runs each process holds a share of every weight; a layer's whole weights are put together for its
forward and its backward pass alone. Before and after, the model is an ordinary one, whole in every process.
The optimizer works on the shares, as all its rules but those of norms see one element at a time.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import distributed, nn

from neocog.core import default_device, tree_flatten
from neocog.exceptions import ArgumentError, message
from neocog.optimizers._norms import norms_summed_by
from neocog.training._hook import HookList
from neocog.training._trainable import runs_own
from neocog.training._world import World, any_of

# Rules that treat each element of a weight by itself, so that a share of the weight is enough.
_RULES = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Ftrl", "Lion")
# Callbacks that look at no weights.
_BLIND = (
    "BackupAndRestore", "CSVLogger", "History", "LearningRateScheduler", "ProgbarLogger", "Progress",
    "ReduceLROnPlateau", "RemoteMonitor", "TerminateOnNaN",
)  # fmt: skip
_HOOKS = (
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks", "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called", "_state_dict_pre_hooks", "_state_dict_hooks",
    "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip


class Share(nn.Parameter):
    """This process's share of a weight, for the optimizer; its gradient is the share of the weight's."""

    whole: Any

    @classmethod
    def of(cls, whole: Any) -> Share:
        """Return the share of a weight, in the same memory."""
        share = torch.Tensor._make_subclass(cls, whole.detach().to_local(), whole.requires_grad)
        share.whole = whole
        return share

    @property
    def grad(self) -> Any:
        """The share of the gradient."""
        grad = self.whole.grad
        return None if grad is None else grad.to_local()

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is None:
            self.whole.grad = None
        elif self.whole.grad is None:
            self.whole.grad = as_sharded(value, self.whole)
        else:
            self.whole.grad.to_local().copy_(value)


class Sharded:
    """The shares of a model in this process; made before the first step, ended after the last.

    Args:
        model: built and compiled, the same in all processes, its optimizer built.
        world: the processes.
        device: "cuda" or "cpu": where it trains.

    Raises:
        ArgumentError: the optimizer, or a weight, cannot be shared out.
    """

    def __init__(self, model: Any, world: World, device: str) -> None:
        from torch.distributed.device_mesh import init_device_mesh

        _check(model)
        self.model, self.world = model, world
        self._mesh = init_device_mesh(device, (world.size,))
        self.names = [name for name, _ in model.named_parameters()]
        self._kinds: dict[Any, Any] = {}  # the classes that FSDP made, by module
        self._before = {module: _hooks_of(module) for module in model.modules()}
        before = dict(model.named_parameters())
        self._strides = {name: param.stride() for name, param in before.items()}  # FSDP wants plain ones
        self._share_weights()
        self._share_optimizer(before)

    def _share_weights(self) -> None:
        from torch.distributed.fsdp import fully_shard

        # Layers give views of their results to the next, which changes none of them in place.
        warnings.filterwarnings("ignore", message="FSDP2-wrapped module", category=UserWarning)
        for parameter in self.model.parameters():
            parameter.data = parameter.data.contiguous()
        penalized = {id(part) for layer in self.model.training_state._penalized for part in layer.modules()}
        for module in list(_groups(self.model)):
            kind = type(module)
            # A layer whose weights are penalised keeps them whole until its gradients are there.
            keeps = module is self.model or any(id(part) in penalized for part in module.modules())
            fully_shard(module, mesh=self._mesh, reshard_after_forward=not keeps)
            module.register_forward_hook(_tie_logits)
            self._kinds[module] = type(module)
            module.__class__ = kind  # the name of its class belongs to files and to error texts

    def _share_optimizer(self, before: dict[str, Any]) -> None:
        optimizer = self.model.optimizer
        table, after = optimizer._table, dict(self.model.named_parameters())
        by_id = {id(before[name]): after[name] for name in self.names}
        excluded = [id(param) in table._excluded for param in table.params]
        for index, param in enumerate(table.params):
            share = Share.of(by_id[id(param)])
            for name in table.native:
                table.slots[name][index] = self._part_of(table.slots[name][index], share)
            table.params[index] = share
        self._point(table, excluded)

    def _part_of(self, whole: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        parts = torch.chunk(whole, self.world.size, dim=0)
        own = parts[self.world.rank] if self.world.rank < len(parts) else whole[:0]
        return own.to(share.device).contiguous().clone()

    def _point(self, table: Any, excluded: list[bool]) -> None:
        """Let an optimizer's table know its parameters after they were replaced."""
        table._index = {id(param): index for index, param in enumerate(table.params)}
        table._index.update(
            {id(param.whole): index for index, param in enumerate(table.params) if isinstance(param, Share)}
        )
        table._excluded = {id(p) for p, leaves_out in zip(table.params, excluded, strict=True) if leaves_out}
        table.regroup(self.model.optimizer._fuses())

    # --- while it trains ------------------------------------------------------------------------------------

    @contextmanager
    def norms(self) -> Iterator[None]:
        """Inside the block, gradients are clipped by the norms of whole weights."""
        with norms_summed_by(distributed.all_reduce):
            yield

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Inside the block every process has all weights and slots, in main memory; changes stay.

        The model can be saved there; a forward pass belongs outside.
        """
        self._reshard()
        table = self.model.optimizer._table
        shares, slots = list(table.params), dict(table.slots)
        places = {name: (*_place(self.model, name), param) for name, param in self.model.named_parameters()}
        wholes = {}
        for module, attribute, param in places.values():
            module._parameters[attribute] = wholes[id(param)] = _whole_parameter(param)
        table.params = [wholes[id(share.whole)] for share in shares]
        for name in table.native:
            pairs = zip(slots[name], shares, strict=True)
            table.slots[name] = [_gathered(as_sharded(slot, share.whole)) for slot, share in pairs]
        index, hooks = table._index, {module: _hooks_of(module) for module in self._before}
        for module, before in self._before.items():
            _hang(module, before)
        table._index = index | {id(param): number for number, param in enumerate(table.params)}
        try:
            yield
        finally:
            with torch.no_grad():
                for module, attribute, param in places.values():
                    share = param.detach().to_local()
                    share.copy_(self._part_of(module._parameters[attribute].detach(), share))
                    module._parameters[attribute] = param
                for name in table.native:
                    for slot, whole in zip(slots[name], table.slots[name], strict=True):
                        slot.copy_(self._part_of(whole, slot))
            table.params, table.slots, table._index = shares, slots, index
            for module, own in hooks.items():
                _hang(module, own)

    def _reshard(self) -> None:
        """Give back what a forward pass without a backward one has put together."""
        for module, kind in self._kinds.items():
            own, module.__class__ = type(module), kind
            module.reshard()
            module.__class__ = own

    def tensors(self) -> dict[str, Any]:
        """Return all shares as torch's sharded tensors by name: weights, and the optimizer's slots."""
        self._reshard()
        found = {f"model.{name}": param.detach() for name, param in self.model.named_parameters()}
        table = self.model.optimizer._table
        for name in table.native:
            pairs = zip(table.slots[name], table.params, strict=True)
            found |= {f"optimizer.{name}.{i}": as_sharded(slot, p.whole) for i, (slot, p) in enumerate(pairs)}
        return found

    # --- after it -------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Make the model and its optimizer ordinary again, whole in every process, in main memory."""
        self._reshard()
        table = self.model.optimizer._table
        excluded = [id(param) in table._excluded for param in table.params]
        for name in table.native:
            pairs = zip(table.slots[name], table.params, strict=True)
            table.slots[name] = [_gathered(as_sharded(slot, share.whole)) for slot, share in pairs]
        wholes = {}
        for name, param in list(self.model.named_parameters()):
            module, attribute = _place(self.model, name)
            whole = torch.empty_strided(param.shape, self._strides[name], dtype=param.dtype)
            whole.copy_(_gathered(param))
            wholes[id(param)] = (module, attribute, nn.Parameter(whole, requires_grad=param.requires_grad))
        for module, hooks in self._before.items():
            _forget(module, hooks)
        for module, attribute, whole in wholes.values():
            module._parameters[attribute] = whole
        self.model.to("cpu")  # statistics lie with the weights
        table.params = [wholes[id(share.whole)][2] for share in table.params]
        self._point(table, excluded)


class _Tied(torch.autograd.Function):
    """A tensor that hands its gradient on, and a gradient of 0 to another one."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(other)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0], torch.zeros_like(ctx.saved_tensors[0])


def _tie_logits(module: Any, args: Any, output: Any) -> None:
    """Let gradients of the logits that probabilities carry for the loss come by the probabilities.

    FSDP puts a layer's weights together again when a gradient of its result comes by.
    """
    for leaf in tree_flatten(output):
        logits, kind = getattr(leaf, "_neocog_logits", (None, None))
        if logits is not None and leaf.requires_grad:
            leaf._neocog_logits = (_Tied.apply(logits, leaf), kind)  # type: ignore[no-untyped-call]


def sharded_model(model: Any, world: World) -> Sharded | None:
    """Share a model out where `compile` asked for it and there are several processes."""
    if world.alone or not model.compile_settings.sharded:
        return None
    return Sharded(model, world, default_device().type)


@contextmanager
def whole_weights(model: Any, hooks: HookList) -> Iterator[None]:
    """Put the weights of a sharded model together for hooks that may look at them."""
    sharded = model.training_state.sharded
    if sharded is None:
        yield
        return
    look = any(type(hook).__name__ not in _BLIND for hook in hooks.hooks)
    (look,) = any_of((look,), sharded.world)
    with sharded.whole() if look else nullcontext():
        yield


def as_sharded(share: torch.Tensor, like: Any) -> Any:
    """Return a process's share as a sharded tensor of the form of another one."""
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(
        share.detach().as_subclass(torch.Tensor), like.device_mesh, like.placements,
        run_check=False, shape=like.shape, stride=like.stride(),
    )  # fmt: skip


def _gathered(tensor: Any) -> torch.Tensor:
    whole: torch.Tensor = tensor.detach().full_tensor().cpu()
    return whole.clone() if tensor.device.type == "cpu" else whole


def _whole_parameter(param: Any) -> nn.Parameter:
    return nn.Parameter(_gathered(param), requires_grad=param.requires_grad)


def _groups(model: Any) -> Iterator[Any]:
    """Give the modules whose weights are put together at once, from the inside out, the model last."""
    seen = set()
    for layer in _layers_called(model):
        if id(layer) not in seen and any(True for _ in layer.parameters()):
            seen.add(id(layer))
            yield layer
    yield model


def _layers_called(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "train_step") and getattr(layer, "layers", None):  # a model inside the model
            yield from _layers_called(layer)
        yield layer


def _place(model: Any, name: str) -> tuple[Any, str]:
    path, _, attribute = name.rpartition(".")
    return model.get_submodule(path), attribute


def _hooks_of(module: nn.Module) -> dict[str, dict[Any, Any]]:
    return {name: dict(getattr(module, name)) for name in _HOOKS if hasattr(module, name)}


def _hang(module: nn.Module, hooks: dict[str, dict[Any, Any]]) -> None:
    """Give a module these hooks in place of those that it has."""
    for name, kept in hooks.items():
        found = getattr(module, name)
        found.clear()
        found.update(kept)


def _forget(module: nn.Module, hooks: dict[str, dict[Any, Any]]) -> None:
    """Take FSDP's hooks and notes off a module: torch has no verb for that."""
    from torch.distributed import _composable_state

    for name, kept in hooks.items():
        found = getattr(module, name)
        found.clear()
        found.update(kept)
    contract: Any = sys.modules[
        "torch.distributed._composable.contract"
    ]  # the package has a function of that name
    notes = (contract.STATE_KEY, contract.REGISTRY_KEY, "_is_fsdp_managed_module", "_fsdp_use_orig_params")
    for name in notes:
        module.__dict__.pop(name, None)
    _composable_state._module_state_mapping.pop(module, None)


def _check(model: Any) -> None:
    """Refuse what shares cannot do, before anything is changed."""
    optimizer, where = model.optimizer, "compile(sharded=True)"
    name = type(optimizer).__name__
    if name not in _RULES or not type(optimizer).__module__.startswith("neocog.") or not optimizer.built:
        expected = f"one of neocog's optimizers {', '.join(_RULES)}, which work on a share of a weight"
        raise ArgumentError(
            message(where, expected=expected, got=name, do="Take one of them, or leave it out.")
        )
    if model.training_state._constrained:
        do = "Remove the constraints, or leave sharded=True out."
        raise ArgumentError(message(where, expected="no constraints on weights", got="some", do=do))
    if not runs_own(model, "train_step"):
        expected, do = "neocog's train_step, which weighs each process by its rows", "Leave sharded=True out."
        raise ArgumentError(message(where, expected=expected, got="one of your own", do=do))
    scalar = next((name for name, param in model.named_parameters() if param.dim() == 0), None)
    if scalar is not None:
        raise ArgumentError(message(where, expected="weights with an axis", got=f'the number "{scalar}"'))

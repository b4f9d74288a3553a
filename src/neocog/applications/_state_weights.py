"""A state dict of another program onto one of our architectures: all of it, or nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from neocog.applications._name_maps import Found, NameMap, maps_for, recognise
from neocog.exceptions import ShapeError, message
from neocog.files import StateFile

_NOTHING = "Nothing was loaded."
Sizes = tuple[int, ...]
Tensors = Mapping[str, torch.Tensor]


@dataclass(slots=True)
class _Plan:
    """What goes where, and what does not fit."""

    values: dict[str, torch.Tensor] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    wrong: dict[str, tuple[str, Sizes, Sizes]] = field(default_factory=dict)  # target, the file's, ours

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.wrong)


def load_state_file(where: str, model: Any, file: StateFile, include_top: bool) -> tuple[str, ...]:
    """Copy the tensors of a file onto a model by the map of its family.

    Args:
        where: the function that made the model; it names the family.
        model: built.
        file: what was read.
        include_top: whether the model has its classifier; without it the file's is left out.

    Returns:
        The file's tensors that were left out: those of the classifier and of auxiliary parts.

    Raises:
        ShapeError: the weights are of another architecture, width or number of classes; the message says
            which tensors are missing, unexpected or of another shape, and what the file looks like.
    """
    own = dict(model.state_dict())
    tensors = _with_hits(where, own, file.tensors)
    name_map = _best_map(where, own, tensors)
    plan = _planned(name_map, own, tensors, include_top)
    if not plan.fits:
        raise _error(where, name_map, plan, own, file, include_top)
    if name_map.note:
        warnings.warn(f"{where}: {name_map.note}", stacklevel=3)
    with torch.no_grad():
        for name, value in plan.values.items():
            own[name].copy_(value)
    return tuple(plan.skipped)


def _readings(tensors: Tensors) -> Iterator[Tensors]:
    """Give tensors as the file names them, then without what stands before all names, as `model.` does."""
    yield tensors
    while len({name.partition(".")[0] for name in tensors}) == 1 and all("." in name for name in tensors):
        tensors = {name.partition(".")[2]: value for name, value in tensors.items()}
        yield tensors


def _with_hits(where: str, own: Tensors, tensors: Tensors) -> Tensors:
    """Return the first reading of a file in which a map of the family finds a tensor of ours."""
    found = (read for read in _readings(tensors) if _hits(_best_map(where, own, read), own, read))
    return next(found, tensors)


def _best_map(where: str, own: Tensors, tensors: Tensors) -> NameMap:
    """Return the map that names most of our tensors; the first of those that are equal."""
    return max(maps_for(where), key=lambda name_map: _hits(name_map, own, tensors))


def _hits(name_map: NameMap, own: Tensors, tensors: Tensors) -> int:
    return sum(name_map.target(name) in own for name in tensors)


def _planned(name_map: NameMap, own: Tensors, tensors: Tensors, include_top: bool) -> _Plan:
    plan = _Plan()
    for name, tensor in tensors.items():
        target = name_map.target(name)
        if target is not None and target in own and target not in plan.values:
            value = _laid_out(name_map, target, tensor, tuple(own[target].shape))
            plan.values[target] = value
            if value.shape != own[target].shape or not value.is_floating_point():
                ours, theirs = tuple(own[target].shape), tuple(tensor.shape)
                plan.wrong[name] = target, theirs, ours
        elif name_map.is_unused(name) or (not include_top and target and name_map.is_head(target)):
            plan.skipped.append(name)
        else:
            plan.unexpected.append(name)
    for target, tensor in own.items():
        if target in plan.values:
            continue
        given = name_map.given_for(target)
        if given is None:
            plan.missing.append(target)
        else:
            plan.values[target] = given.reshape(tensor.shape)
    return plan


def _laid_out(name_map: NameMap, target: str, tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a tensor in our layout: columns in the order of our Flatten, 1×1 kernels as ours."""
    if tensor.dim() == 4 and len(shape) == 2 and tensor[0].numel() == shape[1]:
        tensor = tensor.reshape(tensor.shape[0], -1)  # a convolution over the whole map, or 1×1
    maps = name_map.flattened.get(target.rpartition(".")[0])
    if maps is not None and tensor.dim() == 2 and tensor.shape[1] == maps[0] * maps[1] * maps[2]:
        tensor = tensor.reshape(-1, *maps).permute(0, 2, 3, 1).reshape(tensor.shape[0], -1)
    if tensor.dim() == 2 and tuple(tensor.shape) + (1, 1) == shape:
        return tensor[:, :, None, None]
    return tensor


def _error(
    where: str,
    name_map: NameMap,
    plan: _Plan,
    own: Tensors,
    file: StateFile,
    include_top: bool,
) -> ShapeError:
    shapes = ({name: tuple(value.shape) for name, value in read.items()} for read in _readings(file.tensors))
    found = next(filter(None, map(recognise, shapes)), None)
    return ShapeError(
        message(
            f"{where}, weights={file.path.name}",
            expected=f"the {len(own)} tensors of this {where}",
            got=_differences(plan),
            do=" ".join(_advice(where, name_map, plan, found, include_top)),
        )
    )


def _differences(plan: _Plan) -> str:
    parts = [
        f"{len(names)} {text} ({', '.join(names[:4])}{', …' if len(names) > 4 else ''})"
        for names, text in (
            (plan.missing, "missing"),
            (plan.unexpected, "unexpected"),
            (_described(plan), "of another shape"),
        )
        if names
    ]
    return " and ".join(parts)


def _described(plan: _Plan) -> list[str]:
    """Return what is of another shape: kernels say more than vectors, and come first."""
    texts = {
        f"{name} {theirs}, the model's {target} is {ours}": len(ours) == 1
        for name, (target, theirs, ours) in plan.wrong.items()
    }
    return sorted(texts, key=texts.__getitem__)


def _advice(where: str, name_map: NameMap, plan: _Plan, found: Found | None, include_top: bool) -> list[str]:
    ends = _ends(name_map, plan, found, include_top)
    if ends:
        return [*ends, _NOTHING]
    only_missing = plan.missing and not (plan.unexpected or plan.wrong)
    if include_top and only_missing and all(name_map.is_head(name) for name in plan.missing):
        return ["The file has no classifier: pass include_top=False.", _NOTHING]
    if found is None:
        return ["The file is of an architecture that is not known here.", _NOTHING]
    if found.model is None:
        return [f"The file looks like {found}, for which there is no form here.", _NOTHING]
    if found.model == where:
        options = ", ".join(f"{name}={value!r}" for name, value in found.options.items())
        return [f"The file looks like {found}{f': pass {options}' if options else ''}.", _NOTHING]
    return [f"The file looks like {found}: {found.home} takes it.", _NOTHING]


def _ends(name_map: NameMap, plan: _Plan, found: Found | None, include_top: bool) -> list[str]:
    """Return what to do where classifier and channels of the images alone differ; else nothing."""
    heads = [name for name in plan.wrong if include_top and name_map.is_head(name_map.target(name) or "")]
    entries = [
        (theirs[1], ours[1])
        for name, (_, theirs, ours) in plan.wrong.items()
        if name not in heads
        and len(theirs) == len(ours) == 4
        and theirs[0] == ours[0]
        and theirs[2:] == ours[2:]
    ]
    rest = len(plan.wrong) - len(heads) - len(entries)
    if plan.missing or plan.unexpected or rest or len(entries) > 1:
        return []
    advice = []
    if heads:
        classes = "another number of" if found is None or found.classes is None else str(found.classes)
        start = "The" if entries else "Only the"
        advice.append(
            f"{start} classifier differs: the file's has {classes} classes. Pass classes={classes}, or "
            "include_top=False and add a Dense of your own."
        )
    for theirs, ours in entries:
        advice.append(
            f"The first layer takes images of {theirs} channels in the file, and of {ours} in this model: "
            f"pass an input_shape with {theirs} channels."
        )
    return advice

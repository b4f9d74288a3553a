"""`train`: from data to a run with a model and a report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from neocog.core import set_random_seed
from neocog.exceptions import StorageError, TrainingError
from neocog.training import Hook
from neocog.workflows import _run_folder as files
from neocog.workflows._augmentations import augmentation_layers
from neocog.workflows._auto_batch import AUTO, batch_size_of
from neocog.workflows._bases import (
    canonical,
    check_top,
    is_base,
    known_file,
    open_base,
    varying,
    whole_model,
)
from neocog.workflows._config import TrainConfig
from neocog.workflows._data import ImageData
from neocog.workflows._events import DataReady, Reporter, Unfinished, Warned, silent
from neocog.workflows._load_data import Target, find_data, load_data
from neocog.workflows._models import Form, build_model, resolve_model
from neocog.workflows._pretrained import recipe_of
from neocog.workflows._processes import leads
from neocog.workflows._recipe import Recipe
from neocog.workflows._results import TrainResult
from neocog.workflows._resume_snapshots import has_snapshots, leaving_on_sigterm, remove_snapshots
from neocog.workflows._run_folder import NoFolder, RunFolder
from neocog.workflows._train_job import Job, first_settings

# Weights, what the optimizer keeps and the best weights, float32 each, in three files at a time.
_SNAPSHOT_BYTES = 3 * 16


def train(config: TrainConfig, report: Reporter = silent, hooks: tuple[Hook, ...] = ()) -> TrainResult:
    """Train a classifier and leave a run: model, split, history, scores, plots and a report.

    What can fail late is checked first: names, numbers, the run's folder, disk space, the data. The first
    Ctrl-C ends the training at the next batch; the best weights so far are evaluated and kept. With snapshots
    (`config.every`) a run that was stopped in any way goes on by `resume`.

    Args:
        config: data and settings.
        report: told what happens; default nobody.
        hooks: watch the training as well.

    Raises:
        ArgumentError, UnknownNameError: settings that cannot be used, a folder that holds another run.
        DataError: data that cannot be used.
        StorageError: full or read-only disk; nothing half-written is left.
        TrainingError: the loss became NaN or infinite.
        SystemExit: SIGTERM; what was done is kept for `resume`.
        KeyboardInterrupt: Ctrl-C before the training began, or a second one; see `TrainResult.interrupted`.

    Example:
        ```
        result = train(TrainConfig(data="digits"))
        print(result.test.accuracy, result.report)
        ```
    """
    config.check()
    target = find_data(config.data)
    path = files.choose_folder(config.out, target.name)
    if not leads():
        return carried_out(config, target, NoFolder(path), silent, hooks)
    files.check_free(path)
    settings = first_settings(config)
    folder = RunFolder(path)
    return carried_out(config, target, folder, report, hooks, settings=settings)


def claimed(config: TrainConfig, count: int) -> RunFolder:
    """Begin a run that other processes carry out by `resume`, and return its folder.

    Args:
        config: data and settings, which are checked.
        count: how many processes there will be.
    """
    config.check()
    path = files.choose_folder(config.out, find_data(config.data).name)
    folder = RunFolder(path)
    folder.write_json(files.CONFIG, {**first_settings(config), "processes": count})
    return folder


def forget_if_empty(folder: RunFolder) -> None:
    """Take a claimed run away where its processes ended before anything was learned."""
    if has_snapshots(folder.path) or (folder.path / files.MODEL_CONFIG).exists():
        return
    for entry in folder.path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    folder.discard()


def carried_out(
    config: TrainConfig,
    target: Target,
    folder: RunFolder,
    report: Reporter,
    hooks: tuple[Hook, ...],
    *,
    settings: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> TrainResult:
    """Do the work of a run in its folder, which no other process may touch meanwhile.

    Args:
        config: what was asked for.
        target: what `config.data` names.
        folder: of the run.
        report, hooks: as in `train`.
        settings: what is written of a new run before its data are read.
        earlier: `config.json` of a run that goes on.
    """
    with leaving_on_sigterm(), folder.locked():
        try:
            if settings is not None:
                folder.write_json(files.CONFIG, dict(settings))
            result = _prepared(config, target, folder, report, earlier or settings or {}).run(hooks)
        except BaseException as error:
            _leave(folder, error, report)
            if isinstance(error, OSError) and not isinstance(error, StorageError):
                raise files.storage_error(folder.path, error) from error
            raise
        if folder.leads and not result.interrupted:
            remove_snapshots(folder.path)
        elif folder.leads and has_snapshots(folder.path):
            report(Unfinished(folder=str(folder.path)))
    return result


def _leave(folder: RunFolder, error: BaseException, report: Reporter) -> None:
    """Keep what a stopped run needs to go on; of one that learned nothing yet nothing stays.

    A run whose model is saved is kept whatever came after it, and so is one that SIGTERM ended.
    """
    path = folder.path
    diverged = isinstance(error, TrainingError)
    learned = (path / files.HISTORY).exists() if diverged else has_snapshots(path)
    if not (folder.keeps_model or learned or isinstance(error, SystemExit)):
        folder.discard()
    elif folder.leads and not diverged:
        report(Unfinished(folder=str(path)))


def _prepared(
    config: TrainConfig, target: Target, folder: RunFolder, report: Reporter, settings: Mapping[str, Any]
) -> Job:
    """Read the data and make the model."""
    if config.batch_size == AUTO:
        first = _prepared(replace(config, batch_size=None), target, folder, silent, settings)
        # A run that goes on keeps the size that it found: there may be another amount of memory now.
        found = (settings.get("recipe") or {}).get("batch_size")
        size = found or batch_size_of(first.model, first.data, config.seed, report)
        config = replace(config, batch_size=size)
    asked = config
    base, config = base_for_files(config, target)
    data, recipe = load_data(target, config, report)
    if is_base(config.model) and base is None:
        base = opened(config, data.info.image_size)
    tell(data, report)
    set_random_seed(config.seed)
    name, model, recipe = network(config, base, data, recipe, report)
    room = 8 * model.count_params() + files.LEAST_FREE
    files.check_space(_existing(folder.path), room)
    if not folder.again:
        config = _with_room(config, _existing(folder.path), room, model.count_params(), report)
    pretrained = base if asked.weights is not None else None
    return Job(config, data, recipe, name, model, folder, report, pretrained, settings)


def _with_room(config: TrainConfig, path: Path, room: int, count: int, report: Reporter) -> TrainConfig:
    """Return the settings, without snapshots where the disk has no room for them beside the model."""
    wanted = room + _SNAPSHOT_BYTES * count
    free = files.free_space(path)
    if config.every is None or free is None or free >= wanted:
        return config
    text = f"{free / 2**20:.0f} MB of disk are free, and snapshots may take {wanted / 2**20:.0f} MB"
    report(Warned(text=f"{text}: there will be none, and this run starts anew if it is stopped"))
    return replace(config, every=None)


def base_for_files(config: TrainConfig, target: Target) -> tuple[Any, TrainConfig]:
    """Return the architecture before files are read, as it says how; its faults are told first."""
    if not is_base(config.model) or target.folder is None:
        return None, config
    base = opened(config, config.image_size)
    return base, replace(config, image_size=base.image_size, color="rgb")


def opened(config: TrainConfig, size: tuple[int, int] | None) -> Any:
    base = open_base(config.model, config.weights, size)
    check_top(base, config.finetune)
    return base


def network(
    config: TrainConfig, base: Any, data: ImageData, recipe: Recipe, report: Reporter
) -> tuple[str, Any, Recipe]:
    """Return the model with its name, and the recipe that belongs to it."""
    info = data.info
    if base is None:
        name = resolve_model(config.model, info.image_shape)
        layers = augmentation_layers(recipe.augment, info, config.augment_strength)
        form = Form(width=config.width or 1.0, depth=config.depth, dropout=config.dropout)
        return name, build_model(name, info.image_shape, data.task, layers, form), recipe
    name = canonical(config.model) or config.model
    drop = {} if config.dropout is None else {"dropout": config.dropout}
    if config.weights is not None:
        return name, whole_model(base, info.image_shape, data.task, **drop), recipe_of(config, recipe)
    _hint_at_weights(config, name, report)
    varied = varying(recipe.augment, info, config.augment_strength)
    model = whole_model(base, info.image_shape, data.task, varied, **drop)
    model.trainable = True
    return name, model, recipe


def _hint_at_weights(config: TrainConfig, name: str, report: Reporter) -> None:
    """Say so where a pretrained file is at hand and the training starts from scratch."""
    found = known_file(name) if config.weights is None else None
    if found is not None:
        text = f"{name} starts from random weights; --weights auto takes the pretrained file {found}"
        report(Warned(text=text))


def _existing(path: Any) -> Any:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def tell(data: ImageData, report: Reporter) -> None:
    report(
        DataReady(
            name=data.info.name,
            class_names=data.info.class_names,
            counts={name: len(part.ids) for name, part in data.parts.items()},
            image_shape=data.info.image_shape,
            broken=data.broken,
            task=data.info.task,
        )
    )

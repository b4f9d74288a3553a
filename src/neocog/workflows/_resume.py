"""`resume`: a run that was stopped goes on to its end, as if nothing had happened."""

from __future__ import annotations

import glob
import os
import types
import typing
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from neocog.data import DATASETS
from neocog.exceptions import ArgumentError, DataError, FileFormatError, NeocogError, message
from neocog.training import Hook
from neocog.workflows import _run_folder as files
from neocog.workflows._config import TrainConfig
from neocog.workflows._environment import environment
from neocog.workflows._events import Complete, Reporter, Warned, silent
from neocog.workflows._load_data import Target, find_data
from neocog.workflows._processes import leads, processes
from neocog.workflows._results import TrainResult
from neocog.workflows._resume_data import check_there
from neocog.workflows._resume_lock import LOCK
from neocog.workflows._resume_snapshots import has_snapshots, remove_snapshots
from neocog.workflows._run import read_config
from neocog.workflows._run_folder import NoFolder, RunFolder, run_name
from neocog.workflows._train import carried_out, train

_PATHS = ("data", "images", "split", "weights")  # settings that may name files
_FREE = ("out", "every")  # settings that another call may change


def resume(
    folder: str | os.PathLike[str],
    report: Reporter = silent,
    hooks: tuple[Hook, ...] = (),
    *,
    given: Mapping[str, Any] | None = None,
) -> TrainResult | None:
    """Finish a run that `train` began: from its newest snapshot, mid-epoch too, to the same bits.

    Args:
        folder: of the run; its `config.json` says what was asked for.
        report, hooks: as in `train`.
        given: settings that the caller expects the run to have, by their names in `TrainConfig`.

    Returns:
        What the run left; None where it was complete already, and nothing was changed.

    Raises:
        ArgumentError: another process works on the run, or it was begun with other settings than `given`.
        DataError: no run is there, or its data are not those that it began with; the text names the files.
        FileFormatError: its files are damaged.

    Example:
        ```
        resume("runs/photos-1")
        ```
    """
    path = Path(folder).expanduser()
    config = read_config(path)
    asked = asked_of(config, path)
    check_given(path, _located(asked, config), given or {})
    if is_complete(path, config):
        if leads():
            _finish_removal(path)
            report(Complete(folder=str(path)))
        return None
    located = replace(_located(asked, config), out=str(path))
    if given and "every" in given:
        located = replace(located, every=given["every"])
    located.check()
    target = _target(located, path)
    if not leads():
        with _threads(config):
            return carried_out(located, target, NoFolder(path), silent, hooks, earlier=config)
    check_there(path, config)
    _tell_differences(path, config, report)
    run = RunFolder(path, again=True)
    with _threads(config):
        return carried_out(located, target, run, report, hooks, earlier=config)


def train_or_resume(
    config: TrainConfig,
    report: Reporter = silent,
    hooks: tuple[Hook, ...] = (),
    *,
    given: Mapping[str, Any] | None = None,
) -> TrainResult | None:
    """Go on with a run of `config.data` that was stopped, or begin one where there is none.

    The run is that in `config.out`; without it the newest in runs/ that did not end, else the newest.

    Args:
        config: data and settings.
        report, hooks: as in `train`.
        given: the settings that a run must have been begun with; default: none need be the same.

    Returns:
        As `resume`.
    """
    path = found_run(config)
    if path is None:
        return train(config, report, hooks)
    return resume(path, report, hooks, given=given)


def found_run(config: TrainConfig) -> Path | None:
    """Return the run that a training of `config` goes on with, or None where it is to begin."""
    if config.out is not None:
        path = Path(config.out).expanduser()
        return path if (path / files.CONFIG).is_file() else None
    stem = run_name(find_data(config.data).name)
    numbered = {entry.name[len(stem) + 1 :]: entry for entry in Path("runs").glob(f"{glob.escape(stem)}-*")}
    kept = []
    for number in sorted((number for number in numbered if number.isdigit()), key=int, reverse=True):
        path = numbered[number]
        with suppress(NeocogError):
            settings = read_config(path)
            if _same("data", _located(asked_of(settings, path), settings).data, config.data):
                kept.append((path, is_complete(path, settings)))
    unfinished = [path for path, complete in kept if not complete]
    return next(iter([*unfinished, *(path for path, _ in kept)]), None)


def is_open(folder: str | os.PathLike[str], given: Mapping[str, Any] | None = None) -> bool:
    """Whether `resume` would have something to do; wrong settings are refused as there."""
    path = Path(folder).expanduser()
    config = read_config(path)
    check_given(path, _located(asked_of(config, path), config), given or {})
    return not is_complete(path, config)


def processes_of(folder: str | os.PathLike[str]) -> int:
    """Return how many processes a run was last trained in."""
    count = read_config(Path(folder).expanduser()).get("processes")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1


def is_complete(path: Path, config: Mapping[str, Any]) -> bool:
    """Whether a run has come to its end; those of earlier versions have when their report is there."""
    state = config.get("state")
    if state is not None:
        return bool(state == files.COMPLETE)
    return all((path / name).is_file() for name in (files.MODEL_CONFIG, files.METRICS, files.REPORT))


def asked_of(config: Mapping[str, Any], path: Path) -> TrainConfig:
    """Return what a run was asked for, from its `config.json`.

    Raises:
        FileFormatError: the file was changed, or a newer neocog wrote it.
    """
    asked = config.get("asked")
    kinds = typing.get_type_hints(TrainConfig)
    where = f"{path / files.CONFIG}: asked"
    if not isinstance(asked, dict) or not isinstance(asked.get("data"), str):
        raise FileFormatError(message(where, expected="the settings of a training", got="others"))
    unknown = sorted(set(asked) - set(kinds))
    if unknown:
        do = "A newer neocog wrote it: update neocog."
        raise FileFormatError(message(where, expected="settings that are known", got=unknown, do=do))
    values: dict[str, Any] = {
        name: tuple(value) if name == "image_size" and isinstance(value, list) else value
        for name, value in asked.items()
    }
    values.setdefault("every", None)  # of a version that kept no snapshots
    for name, value in values.items():
        if not _fits(value, kinds[name]):
            raise FileFormatError(message(f"{where}.{name}", expected=str(kinds[name]), got=repr(value)))
    return TrainConfig(**values)


def _fits(value: Any, kind: Any) -> bool:
    if kind is Any:
        return value is None or isinstance(value, (int, str))  # checked where the settings are
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    plain = tuple(typing.get_origin(option) or option for option in options)
    if isinstance(value, bool) and bool not in plain:
        return False
    return isinstance(value, plain) or (float in plain and isinstance(value, int))


def check_given(path: Path, asked: TrainConfig, given: Mapping[str, Any]) -> None:
    """Raise where a run was begun with other settings than those that are given now."""
    differing = [
        f"--{name.replace('_', '-')} {_written(value)} (the run: {_written(getattr(asked, name))})"
        for name, value in given.items()
        if name not in _FREE and not _same(name, getattr(asked, name), value)
    ]
    if differing:
        do = f"`neocog resume {path}` goes on as the run began; other settings need another --out."
        if "epochs" in given and given["epochs"] != asked.epochs:
            do += " The learning rate falls over all epochs: more of them are another training."
        expected = "the settings that the run began with"
        raise ArgumentError(message(str(path), expected=expected, got="; ".join(differing), do=do))


def _same(name: str, then: Any, now: Any) -> bool:
    if name not in _PATHS or then == now or None in (then, now):
        return bool(then == now)
    return Path(then).expanduser().resolve() == Path(now).expanduser().resolve()


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return "left out" if value is None else str(value)


def _located(asked: TrainConfig, config: Mapping[str, Any]) -> TrainConfig:
    """Return the settings with paths that hold wherever the process stands now."""
    began = Path(str(config.get("started_in") or os.getcwd()))
    found: dict[str, Any] = {}
    for name in _PATHS:
        value = getattr(asked, name)
        is_name = value is None or (name == "data" and value.lower().replace("-", "_") in DATASETS)
        if not is_name and not Path(value).expanduser().is_absolute() and (began / value).exists():
            found[name] = str(began / value)
    return replace(asked, **found)


def _target(config: TrainConfig, path: Path) -> Target:
    try:
        return find_data(config.data)
    except DataError as error:
        do = "Put the data back and resume again, or train anew into another --out."
        expected = f"its data at {config.data}"
        raise DataError(message(str(path), expected=expected, got="none", do=do)) from error


def _tell_differences(path: Path, config: Mapping[str, Any], report: Reporter) -> None:
    """Tell what keeps the rest of a run from being the same bits, and what is trained again."""
    then, now = config.get("environment"), environment()
    then = then if isinstance(then, dict) else {}
    names = [name for name in now if name not in ("python", "threads", "calibration")]
    names = [name for name in names if then.get(name, now[name]) != now[name]]
    changed = [f"{name} ({then[name]}, not {now[name]})" for name in names]
    if changed and has_snapshots(path):
        text = f"the run began with another {', '.join(changed)}: its numbers may end up others"
        report(Warned(text=text))
    if not has_snapshots(path) and (path / files.SPLIT).exists():
        report(Warned(text=f"{path} has no snapshot: its training begins anew"))


@contextmanager
def _threads(config: Mapping[str, Any]) -> typing.Iterator[None]:
    """Compute with as many threads as the run began with, inside the block; in as many processes."""
    before = torch.get_num_threads()
    then = str((config.get("environment") or {}).get("threads", ""))
    as_many = processes() == config.get("processes", 1)
    wanted = int(then) if as_many and then.isdigit() and 0 < int(then) <= (os.cpu_count() or 1) else before
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _finish_removal(path: Path) -> None:
    """Take away what a process left that died between the end of a run and its last breath."""
    remove_snapshots(path)
    for left in (*path.glob(".*.tmp"), path / LOCK):
        left.unlink(missing_ok=True)

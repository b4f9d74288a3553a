"""What a search is asked for, and what its folder keeps of it: only the same search goes on there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neocog import transfer
from neocog.core import check_int, check_number, write_text
from neocog.exceptions import ArgumentError, FileFormatError, message
from neocog.workflows._augmentations import SCALED
from neocog.workflows._bases import as_top, canonical, is_base, open_base
from neocog.workflows._config import TrainConfig
from neocog.workflows._data import ImageData
from neocog.workflows._load_data import find_data
from neocog.workflows._models import model_info, resolve_model
from neocog.workflows._pretrained import settings_of
from neocog.workflows._recipe import Recipe
from neocog.workflows._search_space import (
    Axis,
    Space,
    Value,
    apply_wishes,
    check_wishes,
    pretrained_space,
    scratch_space,
    setting_name,
    setting_value,
)
from neocog.workflows._task import REGRESSION

STUDY, FORMAT, VERSION = "study.json", "neocog study", 1
TRIALS = 30
_HEAD_RATE = 1e-3  # the middle of what `transfer` takes by the size of the features
_MAX_STUDY = 64 * 2**20
_MAX_TRIALS = 100_000


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What `search` is asked for.

    Attributes:
        config: data and settings, as for `train`; what it names is fixed, its `out` is not used.
        out: folder of the study; default `runs/<data>-search`. A study that is there goes on.
        trials: that count in the end, all together; None is 30, or what the study was asked for last.
        seconds: after which no more is tried and the best so far is trained; None is without end.
        workers: processes on this machine.
        fix: settings that all trials have, by name.
        search: ranges `low:high` or choices `a,b,c` in the place of the recipe's, by name.
        resume: go on with a study, and refuse to begin one.
    """

    config: TrainConfig
    out: str | None = None
    trials: int | None = None
    seconds: float | None = None
    workers: int = 1
    fix: Mapping[str, Value] = field(default_factory=dict)
    search: Mapping[str, str] = field(default_factory=dict)
    resume: bool = False

    def check(self) -> None:
        """Raise for values that cannot work.

        Raises:
            ArgumentError, UnknownNameError: see `TrainConfig.check`; numbers out of their range.
        """
        self.config.check()
        if self.trials is not None:
            check_int("search", "trials", self.trials, minimum=1)
            check_number("search", "trials", self.trials, maximum=_MAX_TRIALS)
        check_int("search", "workers", self.workers, minimum=1)
        check_number("search", "workers", self.workers, maximum=256)
        if self.seconds is not None:
            check_number("search", "time in seconds", self.seconds, minimum=1)
        check_wishes(self.search, [*self.fix], weights=self.config.weights is not None)


def fixed_config(request: SearchRequest) -> TrainConfig:
    """Return the configuration with what is fixed, checked."""
    given = {name: value for name, value in request.fix.items() if name != "finetune"}
    if "finetune" in request.fix:
        given["finetune"] = str(request.fix["finetune"])
    config = replace(request.config, out=None, **given)  # type: ignore[arg-type]
    config.check()
    return config


def read_space_file(path: str) -> tuple[dict[str, Value], dict[str, str]]:
    """Return what a TOML file fixes (`[fix]`) and searches (`[search]`: "low:high", or a list of choices).

    Raises:
        ArgumentError: there is no such file, it is no TOML, or has other tables.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except OSError as error:
        got = (error.strerror or str(error)).lower()
        raise ArgumentError(message("--space", expected="a TOML file", got=f"{path}: {got}")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArgumentError(message(f"--space {path}", expected="TOML", got=str(error))) from error
    where = f"--space {path}"
    for name, table in found.items():
        if name not in ("fix", "search") or not isinstance(table, dict):
            raise ArgumentError(message(where, expected="the tables [fix] and [search]", got=f"{name!r}"))
    fix = {}
    for name, value in found.get("fix", {}).items():
        key = setting_name(name, where)
        fix[key] = setting_value(key, _plain(value, where), where)
    search = {
        setting_name(name, where): ",".join(str(_plain(item, where)) for item in value)
        if isinstance(value, list)
        else str(_plain(value, where))
        for name, value in found.get("search", {}).items()
    }
    return fix, search


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ArgumentError(message(where, expected="numbers, names or lists of them", got=repr(value)))
    return value


def space_of(request: SearchRequest, config: TrainConfig, data: ImageData, recipe: Recipe) -> Space:
    """Return what is searched: what the recipe offers, without what is fixed, with what was asked for.

    Raises:
        ArgumentError: nothing is left to search, or an end of a range cannot work.
    """
    fixed = {item.name: getattr(config, item.name) for item in fields(config)}
    named: dict[str, Value] = {
        name: value
        for name, value in fixed.items()
        if value is not None and name not in ("finetune", "augment", "model", "precision")
    }
    if config.finetune != "auto":
        named["finetune"] = config.finetune
    if config.weights is not None:
        space = _of_pretrained(config, data, recipe)
    else:
        space = _from_scratch(request, config, data, recipe)
    space = apply_wishes(space, request.search, {**named, **request.fix})
    if not space:
        raise ArgumentError(message("search", expected="a setting to search", got="all of them fixed"))
    _try_ends(config, space)
    return space


def _of_pretrained(config: TrainConfig, data: ImageData, recipe: Recipe) -> Space:
    base = open_base(config.model, config.weights, data.info.image_size)
    classes = 1 if data.info.task == REGRESSION else len(data.info.class_names)
    blocks = len(transfer.blocks(base))
    advice = transfer.advise(len(data.parts["train"].ids), classes)
    opened = advice.count(blocks) if as_top(config.finetune) == "auto" else 1
    own = settings_of(config)
    strength = recipe.augment in SCALED and config.augment != "auto"
    return pretrained_space(own.rate, own.batch, own.decay, _HEAD_RATE, opened, blocks, strength)


def _from_scratch(request: SearchRequest, config: TrainConfig, data: ImageData, recipe: Recipe) -> Space:
    depth, dropout = None, 0.2
    if not is_base(config.model):
        info = model_info(resolve_model(config.model, data.info.image_shape))
        depth, dropout = info.depth, info.dropout
    if any(is_base(name) for name in request.search.get("model", "").split(",")):
        depth = None  # published architectures have one size
    return scratch_space(
        recipe.learning_rate,
        recipe.batch_size,
        recipe.weight_decay,
        len(data.parts["train"].ids),
        depth=depth,
        dropout=dropout,
        strength=recipe.augment in SCALED,
    )


def _try_ends(config: TrainConfig, space: Space) -> None:
    """Raise where a value that may be tried could not work."""
    for axis in space:
        for value in axis.values():
            given = str(value) if axis.name == "finetune" else value
            replace(config, **{axis.name: given}).check()  # type: ignore[arg-type]


def fingerprint(data: ImageData) -> str:
    """Return a checksum of the images of all parts and of what is to be learned of them."""
    found = hashlib.sha256()
    for name, part in sorted(data.parts.items()):
        rows = zip(part.ids, part.labels.tolist(), part.checksums(), strict=True)
        found.update(json.dumps([name, sorted(map(str, rows))]).encode())
    return found.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What makes a study this study.

    Attributes:
        config: the configuration, as plain values.
        space: what is searched.
        data: (name, checksum) of the data.
        metric: that is compared.
        planned: trials that the levels were laid out for.
        trials: asked for last.
    """

    config: dict[str, Any]
    space: Space
    data: tuple[str, str]
    metric: str
    planned: int
    trials: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config,
            "space": [axis.as_dict() for axis in self.space],
            "data": list(self.data),
            "metric": self.metric,
            "planned": self.planned,
            "trials": self.trials,
        }

    @property
    def train_config(self) -> TrainConfig:
        """The configuration that all trials share."""
        size = self.config.get("image_size")
        return TrainConfig(**{**self.config, "image_size": None if size is None else tuple(size)})

    def differences(self, other: Settings) -> list[str]:
        """Return in words what another search has otherwise; empty where it is the same one."""
        found = []
        if self.data != other.data:
            same_name = self.data[0] == other.data[0]
            names = "other images" if same_name else f"{self.data[0]} there, {other.data[0]} here"
            found.append(f"data: {names}")
        for name, value in self.config.items():
            if name != "data" and value != other.config.get(name):
                found.append(f"{name}: {value} there, {other.config.get(name)} here")
        mine, others = ({axis.name: axis.written() for axis in s.space} for s in (self, other))
        for name in sorted(mine.keys() | others.keys()):
            pair = mine.get(name, "not searched"), others.get(name, "not searched")
            if pair[0] != pair[1]:
                found.append(f"{name}: {pair[0]} there, {pair[1]} here")
        return found


def plain_config(config: TrainConfig) -> dict[str, Any]:
    """Return a configuration as JSON gives it back."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(replace(config, out=None))))
    return found


def read_settings(folder: Path) -> Settings | None:
    """Return the settings of a study, or None where the folder holds none.

    Raises:
        FileFormatError: the file is damaged, or of a newer neocog.
    """
    path = folder / STUDY
    if not path.is_file():
        return None
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(_MAX_STUDY))
        if found["format"] != FORMAT or found["version"] != VERSION:
            raise ValueError(f"{found['format']} {found['version']}")
        settings = Settings(
            config=dict(found["config"]),
            space=tuple(Axis.from_dict(axis) for axis in found["space"]),
            data=(str(found["data"][0]), str(found["data"][1])),
            metric=str(found["metric"]),
            planned=check_int("study", "planned", found["planned"], minimum=1),
            trials=check_int("study", "trials", found["trials"], minimum=1),
        )
        settings.train_config.check()
        return settings
    except OSError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        do = "Move the folder away and search again."
        got = f"{type(error).__name__}: {error}"
        raise FileFormatError(message(str(path), expected=f"a {FORMAT}", got=got, do=do)) from error


def write_settings(folder: Path, settings: Settings, results: Mapping[str, Any] | None = None) -> None:
    """Write `study.json`: the settings, and the results where there are some."""
    found = {**settings.as_dict(), **({} if results is None else {"results": results})}
    write_text(folder / STUDY, json.dumps(found, indent=1) + "\n")


def study_folder(out: str | None, name: str) -> Path:
    """Return where a study lies: what is asked for, else `runs/<data>-search`."""
    if out is not None:
        if not out.strip():
            raise ArgumentError(message("--out", expected="a folder", got="an empty name"))
        return Path(out).expanduser()
    stem = re.sub(r"[^\w.]+", "-", name).strip("-.") or "images"
    return Path("runs") / f"{stem}-search"


def canonical_config(config: TrainConfig) -> TrainConfig:
    """Return a configuration with the names that files keep, and paths that hold in every folder."""
    if is_base(config.model):
        config = replace(config, model=canonical(config.model) or config.model)
    for name in ("data", "images", "split", "weights"):
        value = getattr(config, name)
        named = name == "data" and find_data(config.data).known is not None
        if value and not named and (path := Path(value).expanduser()).exists():
            config = replace(config, **{name: os.path.abspath(path)})  # type: ignore[arg-type]
    return config

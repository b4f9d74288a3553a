"""From what `train` is asked for to images in parts: data sets by name, folders, manifests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data import DATASETS, DatasetInfo, FolderScan, dataset, scan_images
from neocog.exceptions import ArgumentError, DataError, message, nearest
from neocog.workflows._config import TrainConfig
from neocog.workflows._data import DataInfo, ImageData, Images, Part, array_part, file_part, read_part
from neocog.workflows._events import Reading, Reporter, Warned
from neocog.workflows._image_look import look_at
from neocog.workflows._parts import (
    SHARE,
    Files,
    check_parts,
    label_array,
    split_files,
    split_like,
    split_train,
    torn_groups,
)
from neocog.workflows._recipe import Recipe, choose_recipe
from neocog.workflows._task import REGRESSION, SINGLE
from neocog.workflows._train_checks import check_scan


@dataclass(frozen=True, kw_only=True)
class Target:
    """What `data` names: a data set of arrays, a folder, or a manifest.

    Attributes:
        name: for titles and the run's folder.
        known: the data set, or None.
        folder: the folder or manifest of the images, or None.
    """

    name: str
    known: DatasetInfo | None = None
    folder: Path | None = None


def find_data(data: str) -> Target:
    """Return what `data` names, without reading it. A data set's name goes before a folder: write `./digits`.

    Raises:
        DataError: nothing has that name; the nearest data sets are offered.
    """
    if not data.strip():
        expected = "a folder of images, a manifest, or the name of a data set"
        raise DataError(message("data", expected=expected, got="an empty path", do="This folder is called ."))
    key = data.lower().replace("-", "_")
    if key in DATASETS:
        known = dataset(key)
        if known.path is not None:
            return Target(name=known.name, known=known, folder=Path(known.path()))
        return Target(name=known.name, known=known)
    folder = Path(data).expanduser()
    if not folder.exists():
        close = nearest(key, DATASETS) if "/" not in data else []
        hint = f"Did you mean {close[0]!r}?" if close else ""
        known_names = ", ".join(DATASETS)
        expected = f"a folder of images or a data set ({known_names}), or a manifest"
        raise DataError(message(data, expected=expected, got="no such folder", do=hint))
    resolved = folder.resolve()
    return Target(name=(resolved.stem if resolved.is_file() else resolved.name) or "images", folder=folder)


def load_data(target: Target, config: TrainConfig, report: Reporter) -> tuple[ImageData, Recipe]:
    """Read the data, split them, and choose how to train on them.

    Raises:
        DataError: data that cannot be used; see `scan_images`, `split_files`. With `config.strict` also for
            any broken image.
    """
    if target.folder is not None:
        return _load_files(target, target.folder, config, report)
    return _load_arrays(target, config)


def load_arrays(known: DatasetInfo) -> tuple[tuple[Images, Any], tuple[Images, Any]]:
    """Return ((images, labels) for training, (images, labels) for testing), uint8 0-255 (N, H, W, C)."""
    if known.load is None:
        raise DataError(message(known.name, expected="a data set of arrays", got="photographs in folders"))
    (x, y), (x_test, y_test) = known.load()
    return (_as_images(x, known), np.reshape(y, -1)), (_as_images(x_test, known), np.reshape(y_test, -1))


def _as_images(x: Any, known: DatasetInfo) -> Images:
    pixels = np.asarray(x)
    if known.name == "digits":  # 0 to 16
        pixels = np.rint(pixels * (255 / 16))
    pixels = pixels.astype(np.uint8, copy=False)
    return pixels if pixels.ndim == 4 else pixels[..., None]


def _load_arrays(target: Target, config: TrainConfig) -> tuple[ImageData, Recipe]:
    known = target.known
    if known is None:
        raise DataError(message(target.name, expected="a data set", got="none"))
    (x, y), (x_test, y_test) = load_arrays(known)
    height, width, channels = x.shape[1:]
    _refuse_file_options(config, known.name)
    _refuse_reading_options(config, known.name, (height, width), "rgb" if channels == 3 else "grayscale")
    info = DataInfo(
        name=known.name,
        kind="arrays",
        root=known.name,
        class_names=known.class_names,
        image_size=(height, width),
        color_mode="rgb" if channels == 3 else "grayscale",
    )
    train, validation = split_train(y.tolist(), known.class_names)
    recipe = choose_recipe(x.shape[1:], len(train), **_overrides(config))
    if known.name in _MIRRORED and config.augment == "auto":
        recipe = choose_recipe(x.shape[1:], len(train), **{**_overrides(config), "augment": "mirror"})
    form: dict[str, Any] = {"batch_size": recipe.batch_size, "seed": config.seed}

    def part(name: str, images: Images, labels: Any, origin: str, indices: list[int]) -> Part:
        ids = [f"{known.name}/{origin}/{index}" for index in indices]
        return array_part(name, ids, images[indices], labels[indices], shuffle=name == "train", **form)

    parts = {
        "train": part("train", x, y, "train", train),
        "validation": part("validation", x, y, "train", validation),
        "test": part("test", x_test, y_test, "test", list(range(len(y_test)))),
    }
    return ImageData(info=info, parts=parts), recipe


_MIRRORED = ("cifar10", "fashion_mnist")  # data sets of arrays whose images may be mirrored


def _refuse_reading_options(config: TrainConfig, name: str, size: tuple[int, int], color: str) -> None:
    if config.image_size not in (None, size):
        got = f"{config.image_size[0]}×{config.image_size[1]}" if config.image_size else ""
        expected = f"its own image size, {size[0]}×{size[1]}"
        raise ArgumentError(message(name, expected=expected, got=got, do="Leave --image-size out."))
    if config.color not in ("auto", color):
        raise ArgumentError(message(name, expected=f"color {color!r}", got=repr(config.color)))


def _refuse_file_options(config: TrainConfig, name: str) -> None:
    for option in ("label", "pattern", "images", "group_by", "split"):
        if getattr(config, option) is not None:
            written = f"--{option.replace('_', '-')}"
            raise ArgumentError(message(written, expected="a folder or a manifest as data", got=repr(name)))
    if config.task not in ("auto", SINGLE):
        raise ArgumentError(message("--task", expected=f"{SINGLE} for {name!r}", got=config.task))


def _overrides(config: TrainConfig, task: str = SINGLE) -> dict[str, Any]:
    augment = config.augment
    if task == REGRESSION and augment == "auto":
        augment = "none"  # turning or shifting an image may change what is measured
    return {
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "learning_rate": config.learning_rate,
        "augment": augment,
        "weight_decay": config.weight_decay,
    }


def _load_files(
    target: Target, path: Path, config: TrainConfig, report: Reporter
) -> tuple[ImageData, Recipe]:
    scan = scan_target(path, config, report)
    if config.strict and scan.broken:
        raise broken_error(str(path), [(file.path, file.reason) for file in scan.broken])
    check = check_scan(scan, report)
    files, notes = _with_copies_together(scan, check.kept_together(config.leaks), config, report)
    checked = check.findings(files)
    checked.tell(report)
    for text in notes:
        report(Warned(text=text))
    size, color = look_at([scan.absolute(file) for file in scan.files])
    info = DataInfo(
        name=target.name,
        kind="folder",
        root=str(scan.root.resolve()),
        class_names=scan.class_names,
        image_size=config.image_size or size,
        color_mode=color if config.color == "auto" else config.color,
        task=scan.task,
    )
    recipe = choose_recipe(info.image_shape, len(files["train"]), **_overrides(config, scan.task))
    parts, broken = _read_files(scan, files, info, recipe.batch_size, config.seed, report)
    if config.strict and broken:
        raise broken_error(str(path), broken)
    for text in check_parts(parts, info.class_names, info.task, str(path)):
        report(Warned(text=text))
    for text in scan.empty_folders:
        report(Warned(text=f"the folder {text!r} holds no image and counts as no class"))
    listed = sorted([*((file.path, file.reason) for file in scan.broken), *broken])
    data = ImageData(info=info, parts=parts, broken=tuple(listed), skipped=scan.skipped, checked=checked)
    return data, recipe


def scan_target(path: Path, config: TrainConfig, report: Reporter) -> FolderScan:
    """Find the images of a folder or manifest as `config` asks, and tell how they were read."""
    scan = scan_images(
        path,
        task=config.task,
        label=config.label,
        pattern=config.pattern,
        images=config.images,
        group_by=config.group_by,
        progress=lambda done, total: report(Reading(done=done, total=total)),
    )
    for text in scan.notes:
        report(Warned(text=text))
    return scan


def _with_copies_together(
    scan: FolderScan, joined: FolderScan, config: TrainConfig, report: Reporter
) -> tuple[Files, list[str]]:
    """Return the files of each part, copies in one part unless too few different images are left for that."""
    files, notes = _in_parts(scan, config, report)
    if joined.files == scan.files or config.split is not None:
        return files, notes
    try:
        return _in_parts(joined, config, report)
    except DataError:
        return files, [*notes, "too few different images to keep copies in one part: they are in several"]


def _in_parts(scan: FolderScan, config: TrainConfig, report: Reporter) -> tuple[Files, list[str]]:
    """Return the files of each part, and what the user should know of the parts."""
    if config.split is not None:
        files, notes = split_like(scan, Path(config.split).expanduser(), report)
    else:
        files = split_files(scan)
        notes = [
            f"the data have no {part} part: {SHARE:.0%} of train are held out for it"
            for part in ("validation", "test")
            if scan.splits and part not in scan.splits
        ]
    torn = torn_groups(files)
    return files, [*notes, torn] if torn else notes


def _read_files(
    scan: FolderScan,
    files: Files,
    info: DataInfo,
    batch_size: int,
    seed: int,
    report: Reporter,
) -> tuple[dict[str, Part], list[tuple[str, str]]]:
    """Decode every file once, so that broken ones are known before training."""
    total = sum(len(listed) for listed in files.values())
    weighted = any(file.weight != 1 for file in scan.files)
    parts: dict[str, Part] = {}
    broken: list[tuple[str, str]] = []
    done = 0
    for name, listed in files.items():
        part = file_part(
            name,
            [file.path for file in listed],
            [scan.absolute(file) for file in listed],
            label_array(listed, info.task, len(info.class_names)),
            info,
            batch_size=batch_size,
            shuffle=name == "train",
            seed=seed,
            weights=[file.weight for file in listed] if weighted else None,
        )
        parts[name], faults = read_part(part, report, done, total)
        broken += faults
        done += len(listed)
    return parts, broken


def broken_error(where: str, broken: list[tuple[str, str]]) -> DataError:
    """Return the error for broken images: the first ones by name."""
    shown = "; ".join(f"{file}: {reason}" for file, reason in broken[:5])
    more = f"; and {len(broken) - 5} more" if len(broken) > 5 else ""
    count = "1 broken image" if len(broken) == 1 else f"{len(broken)} broken images"
    do = f"{shown}{more}. Replace or remove them, or leave --strict out."
    return DataError(message(where, expected="images that can all be read (--strict)", got=count, do=do))

"""One trial: the settings as a configuration, the network, its training within a budget, its score."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neocog import transfer
from neocog.callbacks import EarlyStopping
from neocog.core import set_random_seed
from neocog.data import stratified_split
from neocog.exceptions import TrainingError
from neocog.training import Hook
from neocog.workflows._augmentations import augmentation_layers
from neocog.workflows._bases import as_top, canonical, is_base, open_base, varying, whole_model
from neocog.workflows._config import TrainConfig
from neocog.workflows._data import ImageData, Part, array_part, file_part
from neocog.workflows._events import Reporter, silent
from neocog.workflows._fit import compile_model
from neocog.workflows._load_data import find_data, load_data
from neocog.workflows._mixing import MixedSource, mixes, one_hot
from neocog.workflows._models import Form, build_model, resolve_model
from neocog.workflows._pretrained import recipe_of, settings_of
from neocog.workflows._recipe import Recipe, choose_recipe
from neocog.workflows._search_plan import budget
from neocog.workflows._search_space import Value
from neocog.workflows._task import REGRESSION, SINGLE


class LeftError(Exception):
    """The trial is among the worse half: it is left."""


class StoppedError(Exception):
    """The search was stopped: the trial goes back to the queue."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a trial was worth.

    Attributes:
        score: the metric on the validation images at the epoch that is kept.
        loss: there.
        epochs: that were trained.
        parameters: of the network.
        seconds: that the training took.
    """

    score: float
    loss: float
    epochs: int
    parameters: int
    seconds: float


def config_of(base: TrainConfig, params: Mapping[str, Value], **more: Any) -> TrainConfig:
    """Return the configuration that stands for the settings of a trial."""
    settings = dict(params)
    if "finetune" in settings:
        opened = int(settings["finetune"])
        settings["finetune"] = "none" if opened == 0 else str(opened)
    return replace(base, **settings, **more)  # type: ignore[arg-type]


class Images:
    """The data of a study: read once a size, given in batches of any size.

    Args:
        config: what the search was asked for.
        report: told how far reading is.
    """

    def __init__(self, config: TrainConfig, report: Reporter = silent) -> None:
        self.config = config
        self.target = find_data(config.data)
        self._read: dict[Any, tuple[ImageData, Recipe]] = {}
        self.data, self.recipe = self.at(config, report)

    def at(self, config: TrainConfig, report: Reporter = silent) -> tuple[ImageData, Recipe]:
        """Return the data as a configuration reads them, and the recipe that belongs to it."""
        key = config.image_size
        if key not in self._read:
            plain = replace(self.config, image_size=key, batch_size=None, augment_strength=None)
            if is_base(config.model) and self.target.folder is not None:
                plain = replace(plain, color="rgb")
            self._read[key] = load_data(self.target, plain, report)
        data, own = self._read[key]
        augment = own.augment if config.augment == "auto" else config.augment
        recipe = choose_recipe(
            data.info.image_shape,
            len(data.parts["train"].ids),
            epochs=config.epochs,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            augment=augment,
            weight_decay=config.weight_decay,
        )
        parts = {name: _batched(part, recipe.batch_size, config.seed) for name, part in data.parts.items()}
        return replace(data, parts=parts), recipe


def _batched(part: Part, size: int, seed: int) -> Part:
    """Return a part in batches of another size: the same images, nothing read again."""
    source = part.source.in_batches_of(size)
    source.load_state_dict({"seed": seed})
    return replace(part, source=source)


def share_of(part: Part, share: float, data: ImageData, recipe: Recipe, seed: int) -> Part:
    """Return a share of the training images, of every class alike; the same ones in every trial."""
    if share >= 1:
        return part
    if data.info.task == SINGLE:
        indices = stratified_split(part.labels, (share, 1 - share), 0, class_names=data.info.class_names)[0]
    else:
        order = np.random.default_rng(0).permutation(len(part.ids))
        indices = np.sort(order[: max(int(share * len(order)), 1)])
    chosen = indices.tolist()
    ids = [part.ids[i] for i in chosen]
    form: dict[str, Any] = {"batch_size": recipe.batch_size, "shuffle": True, "seed": seed}
    if part.images is not None:
        return array_part(part.name, ids, part.images[chosen], part.labels[chosen], **form)
    files = [(part.files or ())[i] for i in chosen]
    source: Any = part.source
    weights = None
    if source.sample_weights is not None:
        place = {file: i for i, file in enumerate(source.files)}
        weights = [float(source.sample_weights[place[file]]) for file in files]
    return file_part(part.name, ids, files, part.labels[chosen], data.info, weights=weights, **form)


class Watch(Hook):
    """Reports the score of every epoch, and ends the training when it is stopped or left.

    Args:
        name: of the metric.
        report: given (score, epoch from 1); returns whether the trial should be left.
        stopped: whether the search was stopped.
    """

    def __init__(self, name: str, report: Callable[[float, int], bool], stopped: Callable[[], bool]) -> None:
        self.name, self.report, self.stopped = f"val_{name}", report, stopped
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop if asked."""
        self._look()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report the score.

        Raises:
            TrainingError: the loss is NaN or infinite.
            LeftError: the trial is among the worse half.
        """
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append(values)
        if not math.isfinite(values["loss"]) or not math.isfinite(values.get("val_loss", 0.0)):
            raise TrainingError(f"epoch {epoch + 1}: the loss is {values['loss']}")
        if self.report(values[self.name], epoch + 1):
            raise LeftError
        self._look()

    def _look(self) -> None:
        if self.stopped():
            raise StoppedError


def run_trial(
    images: Images,
    params: Mapping[str, Value],
    level: int,
    report: Callable[[float, int], bool],
    stopped: Callable[[], bool],
    begun: Callable[[int, int], None] = lambda epochs, parameters: None,
) -> Score:
    """Train a network as `train` would, within the budget of a level; the test part is not touched.

    Args:
        images: the data.
        params: settings of the trial.
        level: of its budget.
        report: given (score, epoch from 1); returns whether the trial should be left.
        stopped: whether the search was stopped.
        begun: told the most epochs and the number of weights.

    Raises:
        TrainingError: the loss became NaN or infinite.
        LeftError, StoppedError: it did not come to its end.
    """
    config = config_of(images.config, params)
    data, recipe = images.at(config)
    whole = recipe_of(config, recipe) if config.weights is not None else recipe
    size, given = data.info.image_size, images.target.folder is not None and config.weights is None
    found = budget(level, whole.epochs, len(data.parts["train"].ids), size, given)
    config = replace(config, epochs=found["epochs"], image_size=found["image_size"] or config.image_size)
    data, recipe = images.at(config)
    began = time.perf_counter()
    set_random_seed(config.seed)
    train = share_of(data.parts["train"], found["share"], data, recipe, config.seed)
    watch = Watch(data.task.headline, report, stopped)
    if config.weights is not None:
        best, count = _fit_pretrained(config, data, train, recipe, watch, begun)
    else:
        best, count = _fit_scratch(config, data, train, recipe, watch, begun)
    return Score(
        score=best[watch.name],
        loss=best.get("val_loss", math.inf),
        epochs=len(watch.rows),
        parameters=count,
        seconds=time.perf_counter() - began,
    )


def network(config: TrainConfig, data: ImageData, recipe: Recipe) -> Any:
    """Return the network of a configuration, as `train` makes it."""
    info = data.info
    if not is_base(config.model):
        name = resolve_model(config.model, info.image_shape)
        layers = augmentation_layers(recipe.augment, info, config.augment_strength)
        form = Form(width=config.width or 1.0, depth=config.depth, dropout=config.dropout)
        return build_model(name, info.image_shape, data.task, layers, form)
    base = open_base(canonical(config.model) or config.model, config.weights, info.image_size)
    set_random_seed(config.seed)  # as in `train`, which opens it before
    drop = {} if config.dropout is None else {"dropout": config.dropout}
    if config.weights is not None:
        return whole_model(base, info.image_shape, data.task, **drop)
    varied = varying(recipe.augment, info, config.augment_strength)
    model = whole_model(base, info.image_shape, data.task, varied, **drop)
    model.trainable = True
    return model


def _fit_scratch(
    config: TrainConfig, data: ImageData, train: Part, recipe: Recipe, watch: Watch, begun: Any
) -> tuple[dict[str, float], int]:
    """Train as `run_fit` does; return the values of the epoch that would be kept, and the weights' number."""
    model = network(config, data, recipe)
    compile_model(model, recipe, len(train.ids), config.precision, data.task)
    begun(recipe.epochs, int(model.count_params()))
    seen, checked = train.source, data.parts["validation"].source
    if mixes(recipe.augment):
        classes, seed = len(data.task.names), int(seen.state_dict().get("seed", 0))
        seen, checked = MixedSource(seen, recipe.augment, classes, seed), one_hot(checked, classes)
    stopping = EarlyStopping(monitor="val_loss", patience=recipe.patience)
    model.fit(seen, epochs=recipe.epochs, validation_data=checked, callbacks=[stopping, watch], verbose=0)
    return watch.rows[stopping.best_epoch], int(model.count_params())


def _fit_pretrained(
    config: TrainConfig, data: ImageData, train: Part, recipe: Recipe, watch: Watch, begun: Any
) -> tuple[dict[str, float], int]:
    """Train head and top as `PretrainedRun` does; return the values of the better of both."""
    recipe, task = recipe_of(config, recipe), data.task
    model = network(config, data, recipe)
    job = transfer.Transfer(model, task.loss(), task.metrics, settings_of(config), config.precision)
    begun(recipe.epochs, int(model.count_params()))
    classes = 1 if data.info.task == REGRESSION else len(data.info.class_names)
    checked = data.parts["validation"].source
    _, opened = transfer.prepared(job, train.source, checked, classes, as_top(config.finetune))
    head = job.fit_head([Watch(task.headline, lambda score, epoch: False, watch.stopped)])
    watch.report(head.best[watch.name], 0)
    if not opened:
        watch.rows.extend(head.epochs)
        return head.best, int(model.count_params())
    if recipe.augment == "none" and job.keeps_inputs:
        top = job.fit_top(opened, [watch])
    else:
        varied = varying(recipe.augment, data.info, config.augment_strength)
        top = job.fit_top(opened, [watch], images=(train.source, checked), augment=varied)
    pairs = [(phase.best[watch.name], -phase.best.get("val_loss", math.inf)) for phase in (head, top)]
    return (top.best if pairs[1] > pairs[0] else head.best), int(model.count_params())

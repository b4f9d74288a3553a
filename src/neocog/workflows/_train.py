"""`train`: from data to a run with a model and a report."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass, replace
from typing import Any

from neocog.core import set_random_seed
from neocog.exceptions import StorageError
from neocog.files import save_model_folder
from neocog.layers import serialize
from neocog.training import Hook
from neocog.workflows import _run_folder as files
from neocog.workflows._augmentations import augmentation_layers
from neocog.workflows._bases import (
    canonical,
    check_top,
    is_base,
    known_file,
    open_base,
    varying,
    whole_model,
)
from neocog.workflows._check_pages import findings_section
from neocog.workflows._config import TrainConfig
from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._data import ImageData
from neocog.workflows._environment import environment
from neocog.workflows._evaluate import chances_of
from neocog.workflows._events import DataReady, Evaluating, Interrupted, Reporter, Warned, silent
from neocog.workflows._fit import FitRecord, compile_model, run_fit
from neocog.workflows._hints import duplicates, hints
from neocog.workflows._load_data import Target, find_data, load_data
from neocog.workflows._models import Form, build_model, resolve_model
from neocog.workflows._outputs import AnyScores, prediction_rows, score_outputs, written_label
from neocog.workflows._plots import draw_confusion, draw_curves, draw_scatter
from neocog.workflows._pretrained import PretrainedRun, TransferFacts, recipe_of
from neocog.workflows._recipe import Recipe
from neocog.workflows._report import Facts, report_html
from neocog.workflows._results import TrainResult
from neocog.workflows._run import FORMAT, FORMAT_VERSION
from neocog.workflows._run_folder import RunFolder
from neocog.workflows._scores import Scores
from neocog.workflows._scores_numbers import RegressionScores
from neocog.workflows._task import SINGLE
from neocog.workflows._train_checks import FINDINGS


def train(config: TrainConfig, report: Reporter = silent, hooks: tuple[Hook, ...] = ()) -> TrainResult:
    """Train a classifier and leave a run: model, split, history, scores, plots and a report.

    What can fail late is checked first: names, numbers, the run's folder, disk space, the data. The first
    Ctrl-C ends the training at the next batch; the best weights so far are evaluated and kept.

    Args:
        config: data and settings.
        report: told what happens; default nobody.
        hooks: watch the training as well.

    Raises:
        ArgumentError, UnknownNameError: settings that cannot be used, a folder that holds another run.
        DataError: data that cannot be used.
        StorageError: full or read-only disk; nothing half-written is left.
        TrainingError: the loss became NaN or infinite.
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
    files.check_free(path)
    base, config = _base_for_files(config, target)
    data, recipe = load_data(target, config, report)
    if is_base(config.model) and base is None:
        base = _opened(config, data.info.image_size)
    _tell(data, report)
    set_random_seed(config.seed)
    name, model, recipe = _network(config, base, data, recipe, report)
    files.check_space(_existing(path), 8 * model.count_params() + files.LEAST_FREE)
    folder = RunFolder(path)
    try:
        pretrained = base if config.weights is not None else None
        return _Job(config, data, recipe, name, model, folder, report, pretrained).run(hooks)
    except BaseException as error:
        # A run whose model is saved is kept whatever came after it; of another one nothing stays.
        if not folder.keeps_model:
            folder.discard()
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            raise files.storage_error(path, error) from error
        raise


def _base_for_files(config: TrainConfig, target: Target) -> tuple[Any, TrainConfig]:
    """Return the architecture before files are read, as it says how; its faults are told first."""
    if not is_base(config.model) or target.folder is None:
        return None, config
    base = _opened(config, config.image_size)
    return base, replace(config, image_size=base.image_size, color="rgb")


def _opened(config: TrainConfig, size: tuple[int, int] | None) -> Any:
    base = open_base(config.model, config.weights, size)
    check_top(base, config.finetune)
    return base


def _network(
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


def _tell(data: ImageData, report: Reporter) -> None:
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


@dataclass(frozen=True)
class _Job:
    """One call of `train`, after the checks."""

    config: TrainConfig
    data: ImageData
    recipe: Recipe
    name: str
    model: Any
    folder: RunFolder
    report: Reporter
    base: Any = None  # the pretrained one, where there is one

    def run(self, hooks: tuple[Hook, ...]) -> TrainResult:
        """Write the settings, train, save, measure, write the results."""
        rows = self._split_rows()
        self._write_settings(rows)
        test = self.data.parts["test"]
        brought, chances = None, None
        if self.base is None:
            record = self._fitted(hooks)
        else:
            record, brought, chances = self._transferred(hooks)
        if record.interrupted:
            self.report(Interrupted(epoch=len(record.epochs)))
        self._save_model()
        if chances is None:
            self.report(Evaluating(part="test", count=len(test.ids)))
            chances = chances_of(self.model, test)
        scores = score_outputs(self.data.task, chances, test.labels)
        return self._write_results(record, scores, chances, rows, brought)

    def _fitted(self, hooks: tuple[Hook, ...]) -> FitRecord:
        parts = self.data.parts
        compile_model(self.model, self.recipe, len(parts["train"].ids), self.config.precision, self.data.task)
        return run_fit(
            self.model,
            parts["train"],
            parts["validation"],
            self.recipe,
            self.folder,
            self.report,
            model_name=self.name,
            task=self.data.task,
            extra_hooks=hooks,
        )

    def _transferred(self, hooks: tuple[Hook, ...]) -> tuple[FitRecord, TransferFacts, Any]:
        run = PretrainedRun(
            self.base, self.model, self.data, self.config, self.recipe, self.folder, self.report
        )
        return run.run(hooks)

    def _split_rows(self) -> list[tuple[str, str, str, str]]:
        task = self.data.task
        return [
            (guarded_path(file), guarded(written_label(task, label)), part.name, sha256)
            for part in self.data.parts.values()
            for file, label, sha256 in zip(part.ids, part.labels, part.checksums(), strict=True)
        ]

    def _write_settings(self, rows: list[tuple[str, str, str, str]]) -> None:
        settings = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "asked": asdict(self.config),
            "data": asdict(self.data.info),
            "model": {"name": self.name, "parameters": int(self.model.count_params())},
            "recipe": self.recipe.as_dict(),
            "broken": [{"file": file, "reason": reason} for file, reason in self.data.broken],
            "environment": environment(),
        }
        self.folder.write_json(files.CONFIG, settings)
        self.folder.write_csv(files.SPLIT, ("file", "class", "part", "sha256"), rows)

    def _checked(self, chances: Any) -> Any:
        """Write what was found of the data, wrong labels among the images held out included."""
        checked = self.data.checked
        if checked is None:
            return None
        test, validation = self.data.parts["test"], self.data.parts["validation"]
        if self.data.task.kind == SINGLE:
            outputs = [(validation, chances_of(self.model, validation)), (test, chances)]
            checked = checked.judged(outputs)
        self.folder.write_json(FINDINGS, checked.as_dict())
        return checked

    def _save_model(self) -> None:
        for name in (files.MODEL_CONFIG, files.MODEL_WEIGHTS):
            self.folder.file(name)
        save_model_folder(serialize(self.model), self.model, self.folder.path)
        self.folder.keeps_model = True

    def _write_results(
        self,
        record: FitRecord,
        scores: AnyScores,
        chances: Any,
        rows: list[tuple[str, str, str, str]],
        brought: TransferFacts | None,
    ) -> TrainResult:
        folder, part, task = self.folder, self.data.parts["test"], self.data.task
        copies = duplicates([(file, name, sha256) for file, _, name, sha256 in rows])
        counts = self.data.parts["train"].counts(len(task.names))
        trained = dict(zip(task.names, counts, strict=False))  # numbers have no counts
        found = hints(record, scores, trained, copies, most_epochs=self.recipe.epochs)
        for text in found:
            self.report(Warned(text=text))
        result = self._result(record, scores, brought)
        checked = self._checked(chances)
        folder.write_text(files.PLAN, (record.plan or "plan: none, no step was taken") + "\n")
        folder.write_json(files.METRICS, {**result.as_dict(), "hints": found})
        header, table = prediction_rows(task, part.ids, part.labels, chances)
        folder.write_csv(files.PREDICTIONS, header, table)
        draw_curves(folder.file(files.CURVES), record.epochs, record.best_epoch, task.headline)
        if isinstance(scores, Scores):
            draw_confusion(folder.file(files.CONFUSION), scores.confusion, task.names)
        if isinstance(scores, RegressionScores):
            draw_scatter(folder.file(files.SCATTER), part.labels, chances, task.names)
        facts = Facts(
            config=replace(self.config, out=str(folder.path)),
            data=self.data,
            recipe=self.recipe,
            model=self.name,
            parameters=int(self.model.count_params()),
            record=record,
            scores=scores,
            probabilities=chances,
            hints=tuple(found),
            folder=folder.path,
            transfer=brought,
            checked=None if checked is None else findings_section(checked),
        )
        folder.write_text(files.REPORT, report_html(facts))
        return result

    def _result(self, record: FitRecord, scores: AnyScores, brought: TransferFacts | None) -> TrainResult:
        return TrainResult(
            folder=self.folder.path,
            report=self.folder.path / files.REPORT,
            test=scores,
            validation_accuracy=record.best.get("val_accuracy"),
            epochs=len(record.epochs),
            best_epoch=record.best_epoch,
            seconds=record.seconds,
            plan=record.plan,
            interrupted=record.interrupted,
            transfer=None if brought is None else brought.as_dict(),
            task=self.data.task.kind,
            validation={
                name.removeprefix("val_"): value
                for name, value in record.best.items()
                if name.startswith("val_")
            },
        )

"""The work of a run after its data are read: train, save, measure, write the results."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from neocog.exceptions import DataError, message
from neocog.files import save_model_folder
from neocog.layers import serialize
from neocog.training import Hook
from neocog.workflows import _run_folder as files
from neocog.workflows._check_pages import findings_section
from neocog.workflows._config import TrainConfig
from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._data import ImageData
from neocog.workflows._environment import environment
from neocog.workflows._evaluate import chances_of
from neocog.workflows._events import Evaluating, Interrupted, Reporter, Warned
from neocog.workflows._fit import FitRecord, compile_model, run_fit
from neocog.workflows._hints import duplicates, hints
from neocog.workflows._outputs import AnyScores, prediction_rows, score_outputs, written_label
from neocog.workflows._plots import draw_confusion, draw_curves, draw_scatter
from neocog.workflows._pretrained import PretrainedRun, TransferFacts
from neocog.workflows._processes import processes
from neocog.workflows._recipe import Recipe
from neocog.workflows._report import Facts, report_html
from neocog.workflows._results import TrainResult
from neocog.workflows._resume_data import check_same, fingerprint
from neocog.workflows._resume_snapshots import KeepSnapshots
from neocog.workflows._run import FORMAT, FORMAT_VERSION
from neocog.workflows._run_folder import NoFolder, RunFolder
from neocog.workflows._scores import Scores
from neocog.workflows._scores_numbers import RegressionScores
from neocog.workflows._task import SINGLE
from neocog.workflows._train_checks import FINDINGS


@dataclass(frozen=True)
class Job:
    """One call of `train` or `resume`, after the checks."""

    config: TrainConfig
    data: ImageData
    recipe: Recipe
    name: str
    model: Any
    folder: RunFolder
    report: Reporter
    base: Any = None  # the pretrained one, where there is one
    earlier: Mapping[str, Any] = field(default_factory=dict)  # `config.json` as it was found

    def run(self, hooks: tuple[Hook, ...]) -> TrainResult:
        """Write the settings, train, save, measure, write the results."""
        rows = self._split_rows()
        settings = self._settings(rows)
        if self.folder.again:
            check_same(self.folder.path, rows, settings["fingerprint"], self.earlier)
            self._check_weights(settings)
        self.folder.write_json(files.CONFIG, settings)
        self.folder.write_csv(files.SPLIT, ("file", "class", "part", "sha256"), rows)
        test = self.data.parts["test"]
        brought, chances = None, None
        if self.base is None:
            record = self._fitted(hooks)
        else:
            record, brought, chances = self._transferred(hooks)
        if record.interrupted:
            self.report(Interrupted(epoch=len(record.epochs)))
        if not isinstance(self.folder, NoFolder):
            self._save_model()
        if chances is None:
            self.report(Evaluating(part="test", count=len(test.ids)))
            chances = chances_of(self.model, test)
        scores = score_outputs(self.data.task, chances, test.labels)
        if isinstance(self.folder, NoFolder):
            return self._result(record, scores, brought)
        result = self._write_results(record, scores, chances, rows, brought)
        state = files.INTERRUPTED if record.interrupted else files.COMPLETE
        self.folder.write_json(files.CONFIG, {**settings, "state": state})
        return result

    def _keeps(self, phase: str = "") -> KeepSnapshots:
        return KeepSnapshots(self.folder.path, str(self.config.every), self.report, phase)

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
            snapshots=None if self.config.every is None else self._keeps(),
        )

    def _transferred(self, hooks: tuple[Hook, ...]) -> tuple[FitRecord, TransferFacts, Any]:
        run = PretrainedRun(
            self.base,
            self.model,
            self.data,
            self.config,
            self.recipe,
            self.folder,
            self.report,
            None if self.config.every is None else self._keeps,
        )
        return run.run(hooks)

    def _split_rows(self) -> list[tuple[str, str, str, str]]:
        task = self.data.task
        return [
            (guarded_path(file), guarded(written_label(task, label)), part.name, sha256)
            for part in self.data.parts.values()
            for file, label, sha256 in zip(part.ids, part.labels, part.checksums(), strict=True)
        ]

    def _settings(self, rows: list[tuple[str, str, str, str]]) -> dict[str, Any]:
        weights = {} if self.base is None else {"weights_sha256": self.base.weights_sha256}
        return {
            **(self.earlier or first_settings(self.config)),
            "state": files.STARTED,
            "processes": processes(),
            "data": asdict(self.data.info),
            "fingerprint": fingerprint(self.data, rows),
            "model": {"name": self.name, "parameters": int(self.model.count_params()), **weights},
            "recipe": self.recipe.as_dict(),
            "broken": [{"file": file, "reason": reason} for file, reason in self.data.broken],
            "environment": environment(),
        }

    def _check_weights(self, settings: Mapping[str, Any]) -> None:
        """Raise where a resumed run would stand on other pretrained weights."""
        then = (self.earlier.get("model") or {}).get("weights_sha256")
        now = settings["model"].get("weights_sha256")
        if then not in (None, now):
            expected = f"pretrained weights with the SHA-256 {then}, as the run began"
            do = "Put the weight file back, or train anew into another --out."
            raise DataError(message(str(self.folder.path), expected=expected, got=now, do=do))

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
        seconds = [row["seconds"] for row in record.epochs]
        folder.write_text(files.PLAN, (record.plan or "plan: none, no step was taken") + "\n")
        folder.write_json(files.METRICS, {**result.as_dict(), "epoch_seconds": seconds, "hints": found})
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


def first_settings(config: TrainConfig) -> dict[str, Any]:
    """Return what is known of a run before any data are read: enough to start it again."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "state": files.STARTED,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "asked": asdict(config),
        "started_in": os.getcwd(),
        "processes": processes(),
        "environment": environment(),
    }

"""`search`: many short trainings, the better ones longer, the best one in full."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neocog.core import file_lock, optional_import
from neocog.exceptions import ArgumentError, StorageError, message
from neocog.training import Interrupts
from neocog.workflows._config import TrainConfig
from neocog.workflows._events import DataReady, Reporter, silent
from neocog.workflows._load_data import find_data
from neocog.workflows._run_folder import check_free, storage_error
from neocog.workflows._search_alive import Presence
from neocog.workflows._search_best import (
    BEST,
    TABLE,
    is_trained,
    no_winner,
    train_winner,
    winning,
    write_outputs,
)
from neocog.workflows._search_config import (
    STUDY,
    TRIALS,
    SearchRequest,
    Settings,
    canonical_config,
    fingerprint,
    fixed_config,
    plain_config,
    read_settings,
    space_of,
    study_folder,
    write_settings,
)
from neocog.workflows._search_events import SearchStarted, TrialDone
from neocog.workflows._search_page import PAGE, importances
from neocog.workflows._search_plan import LEVELS, level_of
from neocog.workflows._search_pool import Pool
from neocog.workflows._search_study import LOCK, Row, Study
from neocog.workflows._search_trial import Images
from neocog.workflows._search_work import Worker

_BEST_LOCK = "best.lock"
TrialRow = Row


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What `search` left.

    Attributes:
        folder: of the study.
        run: the winner's run, None where the search was interrupted.
        page: the page in the folder.
        table: the table of the trials in the folder.
        metric: that was compared.
        trials: those that count.
        best: the winner among them, None where none has a score.
        default: the score of the recipe's settings at the full budget, None where it was not tried.
        importance: share of the differences that each setting explains.
        test: the winner's scores on the test images, as plain values.
        seconds: that this call took.
        interrupted: whether Ctrl-C ended it: the same call goes on.
    """

    folder: Path
    run: Path | None
    page: Path
    table: Path
    metric: str
    trials: tuple[TrialRow, ...]
    best: TrialRow | None
    default: float | None
    importance: dict[str, float] = field(default_factory=dict)
    test: dict[str, Any] | None = None
    seconds: float = 0.0
    interrupted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "study": str(self.folder),
            "run": None if self.run is None else str(self.run),
            "page": str(self.page),
            "metric": self.metric,
            "best": None if self.best is None else self.best.as_dict(),
            "default": self.default,
            "importance": self.importance,
            "test": self.test,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "trials": [row.as_dict() for row in self.trials],
        }


def search(request: SearchRequest, report: Reporter = silent) -> SearchResult:
    """Search settings for a classifier: small networks and short trainings first, then larger and longer.

    A study lies in a folder. The same call goes on where it ended, however it ended, and several processes
    may work on it at once; a trial whose process died is run again. Trials see the training and validation
    parts; the winner is trained in full as a run in `best/`, which measures it on the test part.

    Args:
        request: data, budget, what is searched.
        report: told what happens; default nobody.

    Raises:
        ArgumentError, UnknownNameError: settings that cannot be used; a folder with another study.
        DataError: data that cannot be used.
        MissingExtraError: Optuna is not installed.
        TrainingError: not one trial came to its end.
        FileFormatError, StorageError: a study that cannot be read or written.

    Example:
        ```
        result = search(SearchRequest(config=TrainConfig(data="digits"), trials=12))
        print(result.best.params, result.test["accuracy"], result.page)
        ```
    """
    began = time.monotonic()
    request = _with_study_as_data(request)
    request.check()
    optional_import("optuna", extra="search", what="neocog search")
    config = canonical_config(fixed_config(request))
    folder = study_folder(request.out, find_data(config.data).name)
    there = _study_at(folder, resume=request.resume)
    images = Images(config, report)
    _tell_data(images, report)
    space = space_of(request, config, images.data, images.recipe)
    planned = request.trials or (there.trials if there else TRIALS)
    settings = Settings(
        config=plain_config(config),
        space=space,
        data=(images.data.info.name, fingerprint(images.data)),
        metric=images.data.task.headline,
        planned=there.planned if there else planned,
        trials=planned,
    )
    settings = _claimed(folder, settings)
    end = None if request.seconds is None else began + request.seconds
    return _Search(folder, settings, request, images, report, began, end).run()


def _with_study_as_data(request: SearchRequest) -> SearchRequest:
    """Return the request for a study's folder in the place of data: its own data and settings."""
    path = Path(request.config.data).expanduser()
    there = read_settings(path) if path.is_dir() and (path / STUDY).is_file() else None
    if there is None:
        return request
    others = TrainConfig(data=request.config.data)
    if request.config != others or request.fix or request.search or request.out not in (None, str(path)):
        expected = "a study's folder alone, or the data with the settings"
        raise ArgumentError(message(str(path), expected=expected, got="a study and settings"))
    asked = {axis.name: axis.written() for axis in there.space}
    return replace(request, config=there.train_config, out=str(path), search=asked, resume=True)


def _study_at(folder: Path, *, resume: bool) -> Settings | None:
    """Return the study of a folder, or None where one may begin; another process may just be making it."""
    there = read_settings(folder)
    if there is None and (folder / LOCK).is_file():
        with file_lock(folder / LOCK):
            there = read_settings(folder)
    if there is not None:
        return there
    if resume:
        got = f"no {STUDY} in it" if folder.exists() else "no such folder"
        expected = "the folder of a study to go on with"
        raise ArgumentError(message(str(folder), expected=expected, got=got, do="Leave --resume out."))
    try:
        check_free(folder)
    except ArgumentError:
        others = set(os.listdir(folder)) - {LOCK} if folder.is_dir() else {""}
        if others and read_settings(folder) is None:
            raise
    return None


def _claimed(folder: Path, settings: Settings) -> Settings:
    """Make the study's folder, or join the study that is there; return its settings.

    Raises:
        ArgumentError: it is another study.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / LOCK):
            there = read_settings(folder)
            if there is not None:
                different = there.differences(settings)
                if different:
                    got, do = "; ".join(different), "Choose another --out, or give the same settings."
                    raise ArgumentError(message(str(folder), expected="the same search", got=got, do=do))
                settings = replace(there, trials=settings.trials)
            else:
                write_settings(folder, settings)
        return settings
    except OSError as error:
        if made and not (folder / STUDY).exists():
            _empty(folder)
        raise error if isinstance(error, StorageError) else storage_error(folder, error) from error


def _empty(folder: Path) -> None:
    (folder / LOCK).unlink(missing_ok=True)
    if folder.is_dir() and not os.listdir(folder):
        folder.rmdir()


def _tell_data(images: Images, report: Reporter) -> None:
    data = images.data
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


class _Search:
    """One call of `search`, after the checks."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        request: SearchRequest,
        images: Images,
        report: Reporter,
        began: float,
        end: float | None,
    ) -> None:
        self.folder, self.settings, self.request, self.images = folder, settings, request, images
        self.report, self.began, self.end = report, began, end
        seed = settings.train_config.seed
        self.study = Study(folder, settings.space, settings.planned, seed)
        self.told: set[int] = set()
        self.weighed: tuple[int, dict[str, float]] = (-1, {})  # importances by the number of trials

    def run(self) -> SearchResult:
        """Try, train the winner, write; what counts is written whatever ends it."""
        self.told = {row.number for row in self.study.rows()}
        with Interrupts() as interrupts:
            self._tried(interrupts)
            if interrupts.is_asked:
                return self._written(interrupted=True)
        rows = self.study.rows()
        best = winning(rows)
        if best is None or not is_trained(self.folder, self.settings, best):
            self._written(interrupted=False)  # the training of the winner may take long
        if best is None:
            raise no_winner(self.folder, rows)
        try:
            with file_lock(self.folder / _BEST_LOCK):  # of several processes one trains, the others wait
                metrics = train_winner(self.folder, self.settings, best, self.report)
        except KeyboardInterrupt:
            return self._written(interrupted=True)
        return self._written(interrupted=False, metrics=metrics)

    def _tried(self, interrupts: Interrupts) -> None:
        def stopped() -> bool:
            return interrupts.is_asked or (self.end is not None and time.monotonic() > self.end)

        seconds = 0.0 if self.end is None else max(self.end - time.monotonic(), 0.1)
        trials = self.settings.trials
        if len(self.told) >= trials:
            self._started(())
        elif self.request.workers > 1:
            pool = Pool(self.folder, trials, seconds, self.request.workers, self.report)
            pool.start()
            self._started(pool.pids)
            pool.watch(stopped, self._look)
        else:
            self._started(())
            with Presence(self.folder) as presence:
                Worker(
                    study=self.study,
                    images=self.images,
                    presence=presence,
                    trials=trials,
                    stopped=stopped,
                    report=self.report,
                    counted=lambda: void(self._look()),
                ).work()

    def _started(self, pids: tuple[int, ...]) -> None:
        self.report(
            SearchStarted(
                folder=str(self.folder),
                trials=self.settings.trials,
                done=len(self.told),
                metric=self.settings.metric,
                space=tuple((axis.name, axis.written()) for axis in self.settings.space),
                workers=pids,
            )
        )

    def _look(self) -> int:
        """Tell the trials that came to count since the last look, and return how many do."""
        rows = self.study.rows()
        for row in rows:
            if row.number not in self.told:
                self.told.add(row.number)
                self._tell(row, [other for other in rows if other.number in self.told])
        return len(rows)

    def _tell(self, row: Row, rows: Sequence[Row]) -> None:
        peers = [other.score for other in rows if other.level == row.level and other.done.score is not None]
        self.report(
            TrialDone(
                number=row.number,
                trials=self.settings.trials,
                done=len(rows),
                level=LEVELS[row.level].name,
                state=row.state,
                score=row.score,
                params=row.params,
                seconds=row.seconds,
                best=max((score for score in peers if score is not None), default=None),
                seconds_left=self._seconds_left(rows),
            )
        )

    def _seconds_left(self, rows: Sequence[Row]) -> float | None:
        """Return a guess by the mean time of the trials of each level, in the same number of hands."""
        done = {row.number for row in rows}
        by_level: dict[int, list[float]] = {}
        for row in rows:
            by_level.setdefault(row.level, []).append(row.seconds / LEVELS[row.level].epochs)
        every = [value for values in by_level.values() for value in values]
        if not every:
            return None
        total = 0.0
        for number in range(1, self.settings.trials + 1):
            if number not in done:
                planned = self.settings.planned
                level = level_of(number - 1, planned) if number <= planned else len(LEVELS) - 1
                values = by_level.get(level, every)
                total += LEVELS[level].epochs * sum(values) / len(values)
        left = total / self.request.workers
        return left if self.end is None else min(left, max(self.end - time.monotonic(), 0.0))

    def _written(self, *, interrupted: bool, metrics: Any = None) -> SearchResult:
        rows = self.study.rows()
        if len(rows) != self.weighed[0]:
            self.weighed = len(rows), importances(self.settings, rows)
        found = self.weighed[1]
        with file_lock(self.folder / LOCK):
            write_outputs(self.folder, self.settings, rows, metrics, found)
        defaults = [row.score for row in rows if row.is_default and row.level == len(LEVELS) - 1]
        return SearchResult(
            folder=self.folder,
            run=None if metrics is None else self.folder / BEST,
            page=self.folder / PAGE,
            table=self.folder / TABLE,
            metric=self.settings.metric,
            trials=tuple(rows),
            best=winning(rows),
            default=defaults[0] if defaults else None,
            importance=found,
            test=None if metrics is None else metrics.get("test"),
            seconds=time.monotonic() - self.began,
            interrupted=interrupted,
        )


def void(value: object) -> None:
    """Drop a value."""

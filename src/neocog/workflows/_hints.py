"""What a reader should know before believing a run's headline: the evidence, what it means, what helps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from neocog.workflows._fit import FitRecord
from neocog.workflows._hints_tasks import label_hints, number_hints
from neocog.workflows._outputs import AnyScores
from neocog.workflows._percent import percent
from neocog.workflows._scores import ClassScore, Scores
from neocog.workflows._scores_multi import MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores

_WIDE = 0.1  # width of the interval of the accuracy
_GAP = 0.1  # training accuracy above validation accuracy
_IMBALANCE = 3.0  # images of the largest class over those of the smallest
_WEAK = 0.15  # recall below the accuracy
_CHANCE = 0.025  # of a recall so low in a class as easy as the others
_MANY = 100  # images of a class with which so low a recall is no chance: exp(-2 · 100 · 0.15²) < 0.025


def hints(
    record: FitRecord,
    test: AnyScores,
    train_counts: Mapping[str, int],
    copies: Sequence[tuple[str, str]],
    *,
    most_epochs: int,
) -> list[str]:
    """Return the hints for a run, as sentences.

    Args:
        record: what became of the training.
        test: scores on the test images.
        train_counts: training images of each class.
        copies: (test or validation file, training file) with the same content.
        most_epochs: that were allowed.
    """
    if isinstance(test, Scores):
        before = [_guessing(test), _wide(test), _fitting(record)]
        after = [_imbalance(train_counts), _weak(test)]
    else:
        before, after = _of_outputs(record, test), []
    found = [
        _interrupted(record),
        *before,
        _unfinished(record, most_epochs),
        *after,
        _copies(copies),
    ]
    return [hint for hint in found if hint]


def _of_outputs(record: FitRecord, test: MultiLabelScores | RegressionScores) -> list[str]:
    return label_hints(record, test) if isinstance(test, MultiLabelScores) else number_hints(record, test)


def duplicates(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Return (file outside train, file in train) of the images that are in two parts.

    Args:
        rows: (file, part, sha256).
    """
    trained = {sha256: file for file, part, sha256 in rows if part == "train"}
    return [(file, trained[sha]) for file, part, sha in rows if part != "train" and sha in trained]


def _interrupted(record: FitRecord) -> str:
    if not record.interrupted:
        return ""
    if not record.epochs:
        return "Interrupted in the first epoch: the weights are little better than random ones."
    return f"Interrupted after epoch {len(record.epochs)}: training longer may give a better model."


def _guessing(test: Scores) -> str:
    if test.low > test.majority:
        return ""
    return (
        f"Not surely better than guessing: always naming the most frequent class would be right for "
        f"{percent(test.majority)} of the test images. Check that the folders hold what their names say, "
        "and add images."
    )


def _wide(test: Scores) -> str:
    if test.high - test.low <= _WIDE:
        return ""
    return (
        f"Only {test.count} test images: the true accuracy may lie anywhere from {percent(test.low)} to "
        f"{percent(test.high)}. About {_images_for(test.accuracy)} test images would pin it down to "
        "± 3 points."
    )


def _images_for(accuracy: float) -> int:
    """Test images for an interval of ± 0.03, rounded up to hundreds."""
    spread = max(accuracy * (1 - accuracy), 0.05)
    return int(-(-((1.96 / 0.03) ** 2 * spread) // 100) * 100)


def _fitting(record: FitRecord) -> str:
    train, validation = record.best.get("accuracy"), record.best.get("val_accuracy")
    if train is None or validation is None:
        return ""
    if train - validation > _GAP:
        return (
            f"Overfitting: {percent(train)} of the training images were right, but {percent(validation)} of "
            "the validation images. More images, more augmentation or a smaller model narrow this gap."
        )
    return ""


def _unfinished(record: FitRecord, most_epochs: int) -> str:
    last = len(record.epochs)
    if record.interrupted or last < most_epochs or record.best_epoch < last or last < 2:
        return ""
    before, after = record.epochs[-2].get("val_loss"), record.epochs[-1].get("val_loss")
    if before is None or after is None or after > 0.98 * before:
        return ""
    return f"The last epoch was the best one: more than {most_epochs} epochs may do better (--epochs)."


def _imbalance(counts: Mapping[str, int]) -> str:
    smallest, largest = min(counts, key=lambda k: counts[k]), max(counts, key=lambda k: counts[k])
    if counts[largest] < _IMBALANCE * counts[smallest]:
        return ""
    return (
        f"Uneven classes: {counts[largest]} training images of “{largest}”, {counts[smallest]} of "
        f"“{smallest}”. The accuracy is mostly that of the large classes: look at each class's recall."
    )


def _weak(test: Scores) -> str:
    weak = [item for item in test.classes if _surely_weak(item, test.accuracy)]
    if not weak:
        return ""
    weakest = min(weak, key=lambda item: item.recall or 0.0)
    images = "its only test image" if weakest.count == 1 else f"its {weakest.count} test images"
    return (
        f"“{weakest.name}” is found in only {percent(weakest.recall or 0.0)} of {images}: look at "
        "its mistakes, and add images of it."
    )


def _surely_weak(item: ClassScore, accuracy: float) -> bool:
    """Whether a class is found less often than images in general, and not by chance over a few images."""
    count = item.count
    if item.recall is None or item.recall > accuracy - _WEAK:
        return False
    if count >= _MANY:
        return True
    found = round(item.recall * count)
    chance = sum(
        math.comb(count, i) * accuracy**i * (1 - accuracy) ** (count - i) for i in range(found + 1)
    )  # that a class as easy as all is found so rarely
    return chance < _CHANCE


def _copies(copies: Sequence[tuple[str, str]]) -> str:
    if not copies:
        return ""
    file, other = copies[0]
    count = (
        "1 validation or test image is an exact copy of a training image"
        if len(copies) == 1
        else (f"{len(copies)} validation and test images are exact copies of training images")
    )
    return f"{count} ({file} = {other}): the accuracy is too high by what they add. Remove the copies."

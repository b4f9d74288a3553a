"""Hints for models that say several labels, or predict numbers."""

from __future__ import annotations

from neocog.workflows._fit import FitRecord
from neocog.workflows._percent import percent
from neocog.workflows._scores_multi import MultiLabelScores
from neocog.workflows._scores_numbers import RegressionScores

_GAP = 0.15  # training above validation, of macro F1 or R²
_LEARNED = 0.05  # R² on the training images below which nothing was learned that could be overfitted
_FEW = 10  # test images of a label
_WEAK = 0.2  # average precision below the mean


def label_hints(record: FitRecord, test: MultiLabelScores) -> list[str]:
    """Return the hints for several labels."""
    found = []
    if test.mean_ap < test.chance_ap + 0.05:
        found.append(
            f"Hardly better than guessing: the mean average precision is {test.mean_ap:.3f}, random guesses "
            f"reach {test.chance_ap:.3f}. Check the labels, and add images."
        )
    few = [item for item in test.labels if item.count < _FEW]
    if few:
        shown = ", ".join(f"“{item.name}” ({item.count})" for item in few[:5])
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        found.append(f"Few test images of {shown}{more}: their scores may be far off. Add images of them.")
    found += _overfitting(record, "macro_f1", "macro F1")
    never = [item for item in test.labels if item.count and not item.recall]
    if never:
        shown = ", ".join(f"“{item.name}”" for item in never[:5])
        found.append(
            f"Never found at a threshold of {test.threshold:g}: {shown}. Rare labels get low probabilities: "
            "look at their average precision, choose a lower threshold for them, or add images."
        )
    there = [item for item in test.labels if item.count >= _FEW and item.average_precision is not None]
    weakest = min(there, key=lambda item: item.average_precision or 0.0, default=None)
    if weakest is not None and (weakest.average_precision or 0.0) < test.mean_ap - _WEAK:
        found.append(
            f"“{weakest.name}” is the hardest label: average precision "
            f"{weakest.average_precision:.3f} against {test.mean_ap:.3f} in the mean. Look at its mistakes."
        )
    return found


def number_hints(record: FitRecord, test: RegressionScores) -> list[str]:
    """Return the hints for numbers."""
    found = []
    for target in test.targets:
        if target.r2 is None or target.r2 < 0.05:
            found.append(
                f"“{target.name}” is hardly predicted: the mean error is {target.mae:.4g}, always saying "
                f"the mean would be off by {target.guess:.4g}. Check its values, and "
                "whether an image shows it at all."
            )
        elif abs(target.bias) > target.mae / 2 and test.count >= 20:
            side = "high" if target.bias > 0 else "low"
            found.append(f"“{target.name}” is predicted too {side}: by {abs(target.bias):.4g} in the mean.")
    if test.count < 100:
        found.append(f"Only {test.count} test images: see how wide the intervals of the errors are.")
    return found + _overfitting(record, "r2", "R²")


def _overfitting(record: FitRecord, metric: str, name: str) -> list[str]:
    train, validation = record.best.get(metric), record.best.get(f"val_{metric}")
    if train is None or validation is None or train - validation <= _GAP:
        return []
    if metric == "r2" and train < _LEARNED:
        return []
    shown = (f"{train:.3f}", f"{validation:.3f}") if metric == "r2" else (percent(train), percent(validation))
    return [
        f"Overfitting: {name} is {shown[0]} on the training images and {shown[1]} on the validation images. "
        "More images, more augmentation or a smaller model narrow this gap."
    ]

"""What a search may change: each setting with its range, from the recipe, a file and the command line."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from neocog.exceptions import ArgumentError, UnknownNameError, message, nearest
from neocog.workflows._config import check_setting

Value = float | int | str

_ALIASES = {
    "lr": "learning_rate", "rate": "learning_rate", "batch": "batch_size", "wd": "weight_decay",
    "decay": "weight_decay", "strength": "augment_strength", "blocks": "finetune",
}  # fmt: skip
_LOGARITHMIC = ("learning_rate", "head_rate", "weight_decay")
_WHOLE = ("batch_size", "depth", "finetune", "epochs")
_WORDS = ("model", "augment", "precision")
_NAMES = (
    "learning_rate", "batch_size", "width", "depth", "dropout", "weight_decay", "augment_strength", "augment",
    "model", "finetune", "head_rate", "epochs", "precision",
)  # fmt: skip
_SIZES = ("width", "depth", "finetune")  # what grows
_FROM_WEIGHTS = ("finetune", "head_rate")


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One setting and the values it may take: a range, or a list of choices.

    Attributes:
        name: of the setting, as in `TrainConfig`.
        low, high: ends of the range, both included.
        step: distance of the values in the range; None for any.
        choices: the values, where there is no range.
        default: the recipe's value, moved into the range where the range leaves it out.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    choices: tuple[Value, ...] = ()
    default: Value = 0.0

    @property
    def logarithmic(self) -> bool:
        """Whether factors count, not differences."""
        return not self.choices and self.name in _LOGARITHMIC and self.low > 0

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.name in _WHOLE

    @property
    def grows(self) -> bool:
        """Whether it is the size of the network, which begins small."""
        return self.name in _SIZES

    def distribution(self, optuna: Any) -> Any:
        """Return the values as Optuna knows them."""
        kinds = optuna.distributions
        if self.choices:
            return kinds.CategoricalDistribution(list(self.choices))
        if self.whole:
            return kinds.IntDistribution(int(self.low), int(self.high))
        step = None if self.logarithmic else self.step
        return kinds.FloatDistribution(self.low, self.high, log=self.logarithmic, step=step)

    def suggest(self, trial: Any) -> None:
        """Let Optuna choose a value for a trial."""
        if self.choices:
            trial.suggest_categorical(self.name, list(self.choices))
        elif self.whole:
            trial.suggest_int(self.name, int(self.low), int(self.high))
        else:
            step = None if self.logarithmic else self.step
            trial.suggest_float(self.name, self.low, self.high, log=self.logarithmic, step=step)

    def values(self) -> list[Value]:
        """Return the values from small to large; of a range without steps only its ends."""
        if self.choices:
            return sorted(self.choices, key=lambda value: (isinstance(value, str), value))
        if self.whole:
            return list(range(int(self.low), int(self.high) + 1))
        if self.step is None:
            return [self.low, self.high]
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]

    def small(self, rng: random.Random) -> Value:
        """Return a value that is not above the default."""
        return rng.choice([v for v in self.values() if _number(v) <= _number(self.default)] or [self.default])

    def larger(self, value: Value) -> Value:
        """Return the next larger value, or the largest."""
        return next((v for v in self.values() if _number(v) > _number(value) + 1e-9), self.values()[-1])

    def written(self) -> str:
        """Return the values as people write them, as `--search` takes them."""
        if self.choices:
            return ",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in self.choices)
        return f"{self.low:g}:{self.high:g}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        found: dict[str, Any] = {"choices": list(self.choices)} if self.choices else {}
        if not self.choices:
            found = {"low": self.low, "high": self.high, "step": self.step}
        return {"name": self.name, **found, "default": self.default}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Axis:
        """Return an axis that `as_dict` wrote."""
        return cls(**{**value, "choices": tuple(value.get("choices", ()))})


Space = tuple[Axis, ...]


def scratch_space(
    rate: float,
    batch: int,
    decay: float,
    samples: int,
    *,
    depth: int | None,
    dropout: float,
    strength: bool,
) -> Space:
    """Return what is searched for a network that begins with random weights.

    Args:
        rate, batch, decay: the recipe's.
        samples: training images.
        depth: number of the network's blocks; None for one of the zoo, whose size is given.
        dropout: the network's.
        strength: whether the augmentation's strength can be chosen.
    """
    batches = [size for size in (8, 16, 32, 64, 128, 256) if batch / 4 <= size <= min(4 * batch, samples / 4)]
    axes = [
        Axis(name="learning_rate", low=_round(rate / 10), high=_round(rate * 5), default=rate),
        Axis(name="batch_size", choices=tuple(sorted({*batches, batch})), default=batch),
        Axis(name="weight_decay", low=_round(decay / 20), high=_round(decay * 10), default=decay),
        Axis(name="dropout", low=0.0, high=0.6, step=0.1, default=dropout),
    ]
    if strength:
        axes.append(Axis(name="augment_strength", low=0.0, high=2.0, step=0.25, default=1.0))
    if depth:
        axes.append(Axis(name="width", low=0.5, high=2.0, step=0.25, default=1.0))
        axes.append(Axis(name="depth", low=max(depth - 1, 1), high=depth + 1, default=depth))
    return tuple(axes)


def pretrained_space(
    rate: float, batch: int, decay: float, head_rate: float, opened: int, blocks: int, strength: bool
) -> Space:
    """Return what is searched for a head and the top of a pretrained base.

    Args:
        rate, batch, decay: the recipe's, of the top's training.
        head_rate: of the head alone.
        opened: blocks that the recipe would open.
        blocks: that there are.
        strength: whether images are varied and how much can be chosen.
    """
    axes = [
        Axis(name="learning_rate", low=_round(rate / 10), high=_round(rate * 10), default=rate),
        Axis(name="head_rate", low=_round(head_rate / 10), high=_round(head_rate * 10), default=head_rate),
        Axis(name="batch_size", choices=tuple(sorted({16, 32, 64, batch})), default=batch),
        Axis(name="weight_decay", low=_round(decay / 20), high=_round(decay * 10), default=decay),
        Axis(name="dropout", low=0.0, high=0.6, step=0.1, default=0.2),
        Axis(name="finetune", low=0, high=min(max(opened + 2, 2), blocks), default=opened),
    ]
    if strength:
        axes.append(Axis(name="augment_strength", low=0.0, high=2.0, step=0.25, default=1.0))
    return tuple(axes)


def apply_wishes(space: Space, wishes: Mapping[str, str], fixed: Mapping[str, Value]) -> Space:
    """Return the space with the ranges that were asked for, without what is fixed.

    Raises:
        ArgumentError: a setting that is both fixed and searched.
    """
    axes = {axis.name: axis for axis in space if axis.name not in fixed}
    for name, text in wishes.items():
        if name in fixed:
            raise ArgumentError(message("search", expected=f"{name} fixed or searched", got="both"))
        axes[name] = _parsed(name, text, axes.get(name))
    return tuple(axes.values())


def setting_name(text: str, where: str) -> str:
    """Return the setting that a name or a short form of it means.

    Raises:
        UnknownNameError: there is none; the nearest ones are offered.
    """
    key = text.strip().lower().replace("-", "_")
    key = _ALIASES.get(key, key)
    if key not in _NAMES:
        close = nearest(key, [*_NAMES, *_ALIASES])
        hint = f" Did you mean {' or '.join(repr(item) for item in close)}?" if close else ""
        raise UnknownNameError(f"{where}: expected one of {', '.join(_NAMES)}, got {text!r}.{hint}")
    return key


def check_wishes(wishes: Mapping[str, str], fixed: Sequence[str], *, weights: bool) -> None:
    """Raise for ranges that cannot be read or work, and for settings that only pretrained runs have."""
    for name, text in wishes.items():
        axis = _parsed(name, text, None)
        for value in axis.choices or (axis.low, axis.high):
            check_setting(f"--search {name}={text}", name, value)
    for name in [*wishes, *fixed]:
        if name in _FROM_WEIGHTS and not weights:
            raise ArgumentError(message("search", expected=f"--weights with {name}", got=f"{name} alone"))


def setting_value(name: str, text: str | float, where: str) -> Value:
    """Return one value of a setting.

    Raises:
        ArgumentError: a text where a number belongs.
    """
    if name in _WORDS:
        return str(text).strip()
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name in _WHOLE and not number.is_integer()):
        kind = "a whole number" if name in _WHOLE else "a number"
        raise ArgumentError(message(where, expected=f"{kind} for {name}", got=repr(text)))
    return int(number) if name in _WHOLE else number


def _parsed(name: str, text: str, own: Axis | None) -> Axis:
    """Return the axis for `low:high` or `a,b,c`, with the recipe's default where it lies inside."""
    where = f"--search {name}={text}"
    default = None if own is None else own.default
    if ":" in text:
        low, high = (_end(name, part, where) for part in text.split(":", 1))
        if not low < high:
            raise ArgumentError(message(where, expected="low below high", got=f"{low:g} and {high:g}"))
        middle = math.sqrt(low * high) if name in _LOGARITHMIC and low > 0 else (low + high) / 2
        middle = int(middle) if name in _WHOLE else middle
        inside = isinstance(default, (int, float)) and low <= default <= high
        chosen = default if inside and default is not None else middle
        step = own.step if own is not None and own.step and _divides(low, high, own.step) else None
        return Axis(name=name, low=low, high=high, step=step, default=chosen)
    choices = tuple(dict.fromkeys(setting_value(name, part, where) for part in text.split(",") if part))
    if not choices:
        expected = "low:high, or values with commas"
        raise ArgumentError(message(where, expected=expected, got="neither"))
    found = Axis(name=name, choices=choices, default=choices[0])
    return replace(found, default=default) if default is not None and default in choices else found


def _end(name: str, text: str, where: str) -> float:
    if name in _WORDS:
        raise ArgumentError(message(where, expected=f"names of {name} with commas", got="a range"))
    return float(setting_value(name, text, where))


def _divides(low: float, high: float, step: float) -> bool:
    count = (high - low) / step
    return abs(count - round(count)) < 1e-9


def _number(value: Value) -> float:
    return 0.0 if isinstance(value, str) else float(value)


def _round(value: float) -> float:
    return float(f"{value:.3g}")

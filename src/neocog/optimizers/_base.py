"""What an optimizer is before it updates anything: arguments, learning rate, variables, config, state."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, ClassVar, Self

import torch

from neocog._old_spellings import warn_old
from neocog.core import auto_name, custom_object_scope
from neocog.exceptions import ArgumentError, NotBuiltError, message
from neocog.optimizers import _state
from neocog.optimizers._options import check_options, check_rate_factors, signature_of, take_legacy
from neocog.optimizers._rate_source import RateSource, rate_from_config
from neocog.optimizers._table import VariableTable
from neocog.optimizers._values import LearningRate, OptimizerVariable, StepCount


class OptimizerBase:
    """The part of `Optimizer` that holds; `Optimizer` adds the updates and describes the arguments."""

    # Whether update_step is the user's own, called for one variable after the other.
    _one_by_one: ClassVar[bool] = False

    # What does `step` by numbers that lie on the device, while steps are recorded; see `_on_device`.
    on_device: Any = None

    # The arguments that a built-in rule adds to these, for the config.
    _own_arguments: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__signature__ = signature_of(cls)  # type: ignore[attr-defined]

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        where = type(self).__name__
        known = list(signature_of(type(self)).parameters)
        learning_rate, decay = take_legacy(where, learning_rate, kwargs, known)
        self._rate = RateSource(where, learning_rate, decay)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        check_options(where, vars(self))
        self.name = name or auto_name(where)
        self.built = False
        self._table = VariableTable()
        self._iterations = 0
        self._scalars: dict[str, float] = {}
        self._pending: Mapping[str, Any] | None = None  # a state that waits for `build`
        self._warned: set[tuple[str, ...]] = set()

    def _fuses(self) -> bool:
        """Whether torch has a fused kernel for this rule."""
        return False

    def _blocks(self) -> list[dict[str, float]]:
        """Slots and their first values; those of one dict alternate in Keras's order of variables."""
        return []

    @property
    def learning_rate(self) -> LearningRate:
        """The learning rate now: a float, with `assign` and `numpy`. Set it to a number or a schedule."""
        return LearningRate(self._rate.base(self._iterations), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._rate.set(value)

    @property
    def lr(self) -> LearningRate:
        """Old name of `learning_rate`."""
        warn_old(type(self).__name__, "lr", "learning_rate")
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        warn_old(type(self).__name__, "lr", "learning_rate")
        self.learning_rate = value

    @property
    def iterations(self) -> StepCount:
        """Number of updates done; steps that only accumulate gradients are not counted."""
        return StepCount(self._updates())

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._iterations = int(value) * (self.gradient_accumulation_steps or 1)

    def _updates(self) -> int:
        return self._iterations // (self.gradient_accumulation_steps or 1)

    @property
    def variables(self) -> list[OptimizerVariable]:
        """Step count, learning rate and slots, in Keras's order and layouts."""
        self._load_pending()
        return _state.variables(self)

    @property
    def fused(self) -> bool:
        """Whether torch's fused kernels do the update."""
        return self._fuses() and not self._one_by_one and all(group.fused for group in self._table.groups)

    def build(self, variables: Iterable[Any]) -> None:
        """Make the slots for `variables`: parameters, weights of a layer, or (name, parameter) pairs.

        Raises:
            ArgumentError: the optimizer was built on other variables, or a variable is listed twice.
        """
        variables = list(variables)
        if self.built:
            if self._table.same_as(variables):
                return
            raise self._other_variables("others")
        table = self._table
        table.fill(self._where(), variables)
        blocks = [{"average": 0.0}] if self.use_ema else []
        blocks += [{"gradient_accumulator": 0.0}] if self.gradient_accumulation_steps else []
        with torch.no_grad():
            for block in [*blocks, *self._blocks()]:
                table.make_slots(block)
            table.regroup(self._fuses() and not self._one_by_one)
        self.built = True

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: the variables.
            var_names: patterns; a variable whose name has one in it is left out (`["bias"]`). Plain
                parameters have no names: build the optimizer on `model.named_parameters()`.
        """
        self._table.exclude(var_list or (), var_names or ())

    @property
    def rate_factors(self) -> dict[str, float]:
        """Shares of the learning rate by beginning of paths; see `set_rate_factors`."""
        return dict(self._table.factors)

    def set_rate_factors(self, factors: Mapping[str, float]) -> None:
        """Let variables train at a share of the learning rate of their own; weight decay goes with it.

        Args:
            factors: numbers of 0 or more by what a layer's name, or a longer path of a weight, begins with
                (`{"block4_": 0.1}`); the longest beginning counts, 1 where none fits. They replace those
                before, and are kept in files and states.

        Raises:
            ArgumentError: a factor is negative or no number.

        Example:
            >>> from neocog.optimizers import SGD
            >>> optimizer = SGD(1.0)
            >>> optimizer.set_rate_factors({"base": 0.1})
            >>> head, base = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
            >>> optimizer.build([("head", head), ("base", base)])
            >>> optimizer.apply([torch.ones(1), torch.ones(1)], [head, base])
            >>> round(head.item(), 3), round(base.item(), 3)
            (0.0, 0.9)
        """
        self._table.share_rates(check_rate_factors(self._where(), factors))

    def knows(self, variable: Any) -> bool:
        """Whether the optimizer was built on a variable."""
        return self._table.position(variable) is not None

    def _where(self) -> str:
        return f'optimizer "{self.name}"'

    def _other_variables(self, got: str) -> ArgumentError:
        return ArgumentError(
            message(
                self._where(),
                expected=f"its {len(self._table.params)} variables",
                got=f"{got}: this optimizer was built on other variables",
                do="Make a new optimizer for another model, or after freezing or unfreezing layers.",
            )
        )

    def _not_built(self) -> NotBuiltError:
        do = "Call optimizer.build(model.parameters()) first."
        return NotBuiltError(message(self._where(), expected="variables", got="none yet", do=do))

    def _warn_once(self, text: str, names: Sequence[str]) -> None:
        if tuple(names) not in self._warned:
            self._warned.add(tuple(names))
            warnings.warn(f"{self._where()}: {text} {', '.join(names)}.", UserWarning, stacklevel=3)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with Keras's keys."""
        config = {"name": self.name, "learning_rate": self._rate.config()}
        shared = (
            "weight_decay",
            "clipnorm",
            "global_clipnorm",
            "clipvalue",
            "use_ema",
            "ema_momentum",
            "ema_overwrite_frequency",
            "loss_scale_factor",
            "gradient_accumulation_steps",
        )
        return config | {key: getattr(self, key) for key in (*shared, *self._own_arguments)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Return the optimizer that `get_config` described; leftovers of Keras 2 are dropped."""
        known = {
            key: value for key, value in config.items() if key not in ("jit_compile", "is_legacy_optimizer")
        }
        if not known.get("decay", True):
            del known["decay"]
        with custom_object_scope(custom_objects or {}):
            known["learning_rate"] = (
                rate_from_config(known["learning_rate"]) if "learning_rate" in known else None
            )
            if known["learning_rate"] is None:
                del known["learning_rate"]
            return cls(**known)

    def state_dict(self) -> dict[str, Any]:
        """Return iterations, learning rate, numbers and slots: numbers and the optimizer's own tensors."""
        self._load_pending()
        return _state.dump(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state_dict` returned; before `build` it waits for the first use after it.

        Raises:
            ArgumentError: the state belongs to another kind of optimizer, or to other variables.
            ShapeError: a slot has another shape.
        """
        self._pending = state
        if self.built:
            self._load_pending()

    def _load_pending(self) -> None:
        if self._pending is not None and self.built:
            state, self._pending = self._pending, None
            _state.load(self, state)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all of `variables`."""
        if not self.built:
            raise self._not_built()
        _state.assign_all(self.variables, weights)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write `variables` as arrays under "0", "1", … (Keras's files)."""
        _state.save_own(self, store)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote."""
        _state.load_own(self, store)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} learning_rate={float(self.learning_rate):g}>"

"""The estimators of Keras 2, which older code imports from `keras.wrappers.scikit_learn`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from neocog._old_spellings import warn_old
from neocog.data import to_categorical
from neocog.exceptions import ArgumentError, message
from neocog.models import Model

_METHODS: tuple[Callable[..., Any], ...] = (Model.fit, Model.predict, Model.evaluate)
_OLD_NAMES = {"nb_epoch": "epochs"}

__all__ = ["KerasClassifier", "KerasRegressor"]


class _OldEstimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What both share: one bag of arguments, given to whatever function has an argument of that name."""

    _today = ""

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        warn_old(type(self).__name__, "wrappers.scikit_learn", f"wrappers.{self._today}")
        self.build_fn = build_fn
        self.sk_params = sk_params
        self._check(sk_params)

    def _builder(self) -> Callable[..., Any]:
        """The function that makes the model: `build_fn`, or a subclass's `__call__`."""
        if self.build_fn is not None:
            return self.build_fn
        own = getattr(self, "__call__", None)  # noqa: B004 (a subclass may define it, as in Keras 2)
        if own is None:
            raise ArgumentError(message(type(self).__name__, expected="build_fn", got="none"))
        return own  # type: ignore[no-any-return]

    def _check(self, params: Mapping[str, Any]) -> None:
        functions = [*_METHODS, self._builder()]
        known = {name for function in functions for name in inspect.signature(function).parameters}
        for name in params:
            if name not in known and name not in _OLD_NAMES:
                expected = "arguments of build_fn, fit, predict or evaluate"
                raise ArgumentError(message(type(self).__name__, expected=expected, got=repr(name)))

    def _given(self, function: Callable[..., Any], **more: Any) -> dict[str, Any]:
        """Return the arguments that a function knows, today's names for older ones."""
        names = inspect.signature(function).parameters
        held = {_OLD_NAMES.get(name, name): value for name, value in self.sk_params.items()}
        return {**{name: value for name, value in held.items() if name in names}, **more}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"build_fn": self.build_fn, **self.sk_params}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor."""
        self._check({name: value for name, value in params.items() if name != "build_fn"})
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make a model and train it; returns its history."""
        builder = self._builder()
        self.model = builder(**self._given(builder))
        if self.model.loss == "categorical_crossentropy" and np.ndim(y) != 2:
            y = to_categorical(y)
        self.history = self.model.fit(x, y, **self._given(Model.fit, **kwargs))
        return self.history

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def _predicted(self, x: Any, kwargs: Mapping[str, Any]) -> Any:
        return self.model.predict(x, **self._given(Model.predict, **kwargs))

    def _evaluated(self, x: Any, y: Any, kwargs: Mapping[str, Any]) -> Any:
        given = self._given(Model.evaluate, **kwargs)
        return self.model.evaluate(x, y, **{**given, "return_dict": True})


class KerasClassifier(ClassifierMixin, _OldEstimator):  # type: ignore[misc, unused-ignore]
    """Keras 2's classifier of scikit-learn; today's is `SKLearnClassifier`.

    Args:
        build_fn: returns a compiled model.
        **sk_params: arguments of `build_fn`, `fit`, `predict` and `evaluate` (`epochs`, `batch_size`, …).
    """

    _today = "SKLearnClassifier"

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make a model and train it; returns its history. Labels may be of any kind."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_, numbers = np.unique(y, return_inverse=True)
            y = np.ravel(numbers)
        return super().fit(x, y, **kwargs)

    def predict_proba(self, x: Any, **kwargs: Any) -> Any:
        """Return a probability for each class."""
        found = self._predicted(x, kwargs)
        return np.hstack([1 - found, found]) if found.shape[-1] == 1 else found

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Return the most probable labels."""
        return self.classes_[np.argmax(self.predict_proba(x, **kwargs), axis=-1)]

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the accuracy.

        Raises:
            ArgumentError: the model was compiled without `metrics=["accuracy"]`.
        """
        y = np.asarray(y)
        numbers = y if y.ndim == 2 and y.shape[1] > 1 else np.searchsorted(self.classes_, np.ravel(y))
        if self.model.loss == "categorical_crossentropy" and numbers.ndim != 2:
            numbers = to_categorical(numbers, len(self.classes_))
        found = self._evaluated(x, numbers, kwargs)
        for name in ("accuracy", "acc"):
            if name in found:
                return float(found[name])
        do = 'Compile with metrics=["accuracy"].'
        raise ArgumentError(message("KerasClassifier", expected="accuracy", got=list(found), do=do))


class KerasRegressor(RegressorMixin, _OldEstimator):  # type: ignore[misc, unused-ignore]
    """Keras 2's regressor of scikit-learn; today's is `SKLearnRegressor`.

    Args:
        build_fn: returns a compiled model.
        **sk_params: arguments of `build_fn`, `fit`, `predict` and `evaluate` (`epochs`, `batch_size`, …).
    """

    _today = "SKLearnRegressor"

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Return predictions, without a last axis of size 1."""
        found = self._predicted(x, kwargs)
        return np.squeeze(found, -1) if found.shape[-1] == 1 else found

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return minus the loss, so that higher is better."""
        return -float(self._evaluated(x, y, kwargs)["loss"])

"""Estimators of scikit-learn around models: for pipelines, searches and cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from neocog.exceptions import ArgumentError, ArgumentTypeError, NotCompiledError, message
from neocog.models import Model, clone_model

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn 1.5

    def validate_data(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Check data as scikit-learn does."""
        return estimator._validate_data(*args, **kwargs)


class _Estimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What the three estimators share."""

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_clone__(self) -> Self:
        # The model is cloned by `fit`, with weights of its own; a copy here would only cost memory.
        return type(self)(self.model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # scikit-learn 1.5
        return {"non_deterministic": True, "poor_score": True}

    @property
    def epoch_(self) -> list[int]:
        """The epochs of the last `fit`."""
        history = getattr(self, "history_", None)
        return [] if history is None else list(history.epoch)

    def set_fit_request(self, **kwargs: Any) -> Self:
        """Say which arguments of `fit` scikit-learn's metadata routing passes on.

        Raises:
            RuntimeError: routing is off.
        """
        if not get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "set_fit_request: expected metadata routing to be on, got off. "
                "Call sklearn.set_config(enable_metadata_routing=True) first."
            )
        self._metadata_request = MetadataRequest(owner=type(self).__name__)
        for name, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=name, alias=alias)
        return self

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train a new clone of the model, or with `warm_start` the same one once more.

        Args:
            X: samples, of shape (samples, features).
            y: targets, of shape (samples,) or (samples, outputs).
            **kwargs: arguments of `Model.fit`; they come before `fit_kwargs`.
        """
        X, y = validate_data(self, X, y, **self._checks())
        y = self._encode(y)
        model = self._model_for(X, y)
        if not model.compiled or model.loss is None or model.optimizer is None:
            raise NotCompiledError(
                message(
                    type(self).__name__,
                    expected="a model that is compiled with a loss and an optimizer",
                    got=model.label,
                    do="Call model.compile(...) before.",
                )
            )
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _checks(self) -> dict[str, Any]:
        return {}

    def _model_for(self, X: Any, y: Any) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            return self.model if self.warm_start else clone_model(self.model)
        if not callable(self.model):
            got = type(self.model).__name__
            expected = "a model, or a function of X and y that returns one"
            raise ArgumentTypeError(message(type(self).__name__, expected=expected, got=got))
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def predict(self, X: Any) -> Any:
        """Return predictions, in the form of the targets."""
        return self._decode(self._outputs(X))

    def _encode(self, y: Any) -> Any:
        if type_of_target(y) == "unknown":
            raise ArgumentError(f"Unknown label type for data: {y!r}")  # scikit-learn's own words
        self._target_axes = y.ndim
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _decode(self, y: Any) -> Any:
        return np.squeeze(y, axis=1) if self._target_axes == 1 and y.ndim == 2 else y


class SKLearnClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc, unused-ignore]
    """A classifier of scikit-learn around a model that returns one number a class.

    Labels become one-hot rows: compile the model with `"categorical_crossentropy"`.

    Args:
        model: a compiled model, cloned by each `fit`, or a function that makes one:
            `model(X=X, y=y, **model_kwargs)`, with y as one-hot rows.
        warm_start: go on with the weights of the last `fit`.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`, such as `epochs`.

    Attributes:
        model_: the trained model.
        history_: what its `fit` returned.
        classes_: the labels, sorted.
    """

    def decision_function(self, X: Any) -> Any:
        """Return the model's own outputs."""
        return self._outputs(X)

    def _encode(self, y: Any) -> Any:
        kind = type_of_target(y)
        if kind == "unknown":
            raise ArgumentError(f"Unknown label type for data: {y!r}")
        if kind not in ("binary", "multiclass"):
            raise ArgumentError(
                f"Only binary and multiclass target types are supported. Unknown label type: {kind}"
            )
        self._target_axes = y.ndim
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ArgumentError("Classifier can't train when only one class is present.")
        return np.eye(len(self.classes_))[np.ravel(numbers)]

    def _decode(self, y: Any) -> Any:
        labels = self.classes_[np.argmax(y, axis=-1)]
        return labels if self._target_axes == 1 else labels[:, None]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Estimator):  # type: ignore[misc, unused-ignore]
    """A regressor of scikit-learn around a model.

    Args:
        model: a compiled model, cloned by each `fit`, or a function that makes one:
            `model(X=X, y=y, **model_kwargs)`.
        warm_start: go on with the weights of the last `fit`.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`, such as `epochs`.

    Attributes:
        model_: the trained model.
        history_: what its `fit` returned.
    """

    def _checks(self) -> dict[str, Any]:
        return {"multi_output": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


class SKLearnTransformer(TransformerMixin, _Estimator):  # type: ignore[misc, unused-ignore]
    """A transformer of scikit-learn (not one with attention): the model's outputs are the transformed data.

    Args:
        model: a compiled model, cloned by each `fit`, or a function that makes one:
            `model(X=X, y=y, **model_kwargs)`.
        warm_start: go on with the weights of the last `fit`.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`, such as `epochs`.

    Attributes:
        model_: the trained model.
        history_: what its `fit` returned.
    """

    def transform(self, X: Any) -> Any:
        """Return the model's outputs."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

"""Models as estimators of scikit-learn, which is loaded with this module and not before."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.wrappers import scikit_learn
from neocog.wrappers._estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikit_learn"]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)

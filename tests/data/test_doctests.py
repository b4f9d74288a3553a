"""The examples in the docstrings run, and the public names are there."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import neocog.data


def test_examples_run():
    tried = 0
    for module in pkgutil.walk_packages(neocog.data.__path__, "neocog.data."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name
        tried += result.attempted
    assert tried > 10


def test_public_names_are_there_and_documented():
    for name in neocog.data.__all__:
        assert getattr(neocog.data, name).__doc__, name

"""The names of the callbacks."""

from __future__ import annotations

from typing import Any

from neocog.core import Registry

CALLBACKS: Registry[Any] = Registry("callback")

"""Models to and from files: thin callers of the saving floor, which knows the formats."""

from __future__ import annotations

"""The process-wide settings that Keras users know: float type, image layout, the small constant."""

from __future__ import annotations

from dataclasses import dataclass

from neocog.exceptions import ArgumentError

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")


@dataclass(kw_only=True)
class _Settings:
    floatx: str = "float32"
    image_data_format: str = "channels_last"
    epsilon: float = 1e-7


_settings = _Settings()


def floatx() -> str:
    """Return the default float type of new weights, as a string (`"float32"`)."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float type: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`."""
    if value not in _FLOATS:
        raise ArgumentError(f"set_floatx: expected one of {_FLOATS}, got {value!r}.")
    _settings.floatx = value


def image_data_format() -> str:
    """Return the default layout of images: `"channels_last"`."""
    return _settings.image_data_format


def set_image_data_format(value: str) -> None:
    """Set the default layout of images: `"channels_last"` (batch, height, width, channels) or
    `"channels_first"`.
    """
    if value not in _LAYOUTS:
        raise ArgumentError(f"set_image_data_format: expected one of {_LAYOUTS}, got {value!r}.")
    _settings.image_data_format = value


def standardize_data_format(value: str | None) -> str:
    """Return `value` checked, or the default layout for None."""
    if value is None:
        return _settings.image_data_format
    lowered = str(value).lower()
    if lowered not in _LAYOUTS:
        raise ArgumentError(f"data_format: expected one of {_LAYOUTS}, got {value!r}.")
    return lowered


def epsilon() -> float:
    """Return the small constant that keeps logarithms and divisions finite (1e-7)."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the small constant that keeps logarithms and divisions finite."""
    _settings.epsilon = float(value)

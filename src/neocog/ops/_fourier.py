"""Fourier transforms and sequences cut from signals; complex numbers are pairs (real, imaginary)."""

from __future__ import annotations

from typing import Any

import torch

from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.ops._op import as_tensor, op, together

Pair = tuple[torch.Tensor, torch.Tensor]


def _joined(where: str, x: Any) -> torch.Tensor:
    """Return a pair (real, imaginary) as a complex tensor."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        expected = "a pair (real, imaginary) of tensors"
        raise ArgumentError(message(f"ops.{where}", expected=expected, got=type(x).__name__))
    real, imaginary = together(*x)
    if real.shape != imaginary.shape or not (real.is_floating_point() and imaginary.is_floating_point()):
        got = f"{tuple(real.shape)} of {real.dtype} and {tuple(imaginary.shape)} of {imaginary.dtype}"
        raise ArgumentError(message(f"ops.{where}", expected="two float tensors of one shape", got=got))
    return torch.complex(real, imaginary)


def _pair(x: torch.Tensor) -> Pair:
    return x.real, x.imag


@op("keras.src.ops.math>FFT")
def fft(x: Any) -> Pair:
    """Return the Fourier transform along the last axis."""
    return _pair(torch.fft.fft(_joined("fft", x)))


@op("keras.src.ops.math>FFT2")
def fft2(x: Any) -> Pair:
    """Return the Fourier transform along the last two axes."""
    return _pair(torch.fft.fft2(_joined("fft2", x)))


@op("keras.src.ops.math>IFFT2")
def ifft2(x: Any) -> Pair:
    """Return the inverse Fourier transform along the last two axes."""
    return _pair(torch.fft.ifft2(_joined("ifft2", x)))


@op("keras.src.ops.math>RFFT")
def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """Return the Fourier transform of real numbers along the last axis, cut or filled up to `fft_length`."""
    return _pair(torch.fft.rfft(as_tensor(x), n=fft_length))


@op("keras.src.ops.math>IRFFT")
def irfft(x: Any, fft_length: int | None = None) -> torch.Tensor:
    """Return the real inverse Fourier transform along the last axis, of `fft_length` numbers."""
    return torch.fft.irfft(_joined("irfft", x), n=fft_length)  # type: ignore[no-any-return]


@op("keras.src.ops.math>ExtractSequences")
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> torch.Tensor:
    """Return the stretches of `sequence_length` numbers, one every `sequence_stride` along the last axis.

    Example:
        >>> extract_sequences([1, 2, 3, 4], 2, 1).tolist()
        [[1, 2], [2, 3], [3, 4]]
    """
    return as_tensor(x).unfold(-1, sequence_length, sequence_stride).clone()


def _window(where: str, window: Any, length: int, like: torch.Tensor) -> torch.Tensor:
    if window is None:
        return torch.ones(length, dtype=like.dtype, device=like.device)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            expected = 'window "hann", "hamming", a tensor or None'
            raise ArgumentError(message(f"ops.{where}", expected=expected, got=repr(window)))
        make = torch.hann_window if window == "hann" else torch.hamming_window
        return make(length, periodic=True, dtype=like.dtype, device=like.device)
    window = as_tensor(window, like.dtype).to(like.device)
    if window.shape != (length,):
        expected = f"a window of {length} numbers, the sequence_length"
        raise ArgumentError(message(f"ops.{where}", expected=expected, got=f"shape {tuple(window.shape)}"))
    return window  # type: ignore[no-any-return]


def _check_stride(where: str, sequence_stride: Any) -> None:
    if not isinstance(sequence_stride, int) or sequence_stride <= 0:
        expected = "a positive integer as sequence_stride"
        raise ArgumentError(message(f"ops.{where}", expected=expected, got=repr(sequence_stride)))


@op("keras.src.ops.math>STFT")
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """Return the Fourier transforms of windows that move over a signal.

    Args:
        x: signals along the last axis, float32 or float64.
        sequence_length: size of a window.
        sequence_stride: how far a window lies from the one before.
        fft_length: size of a transform, `sequence_length` or more.
        window: weights in a window: "hann", "hamming", a row, or None for 1.
        center: whether the windows' centres begin at the signal's first number, its ends mirrored.

    Shapes:
        (..., samples) to two of (..., windows, fft_length // 2 + 1).
    """
    _check_stride("stft", sequence_stride)
    x = as_tensor(x)
    if x.dtype not in (torch.float32, torch.float64):
        raise ArgumentTypeError(message("ops.stft", expected="float32 or float64", got=x.dtype))
    if fft_length < sequence_length:
        expected = f"fft_length of {sequence_length} (sequence_length) or more"
        raise ArgumentError(message("ops.stft", expected=expected, got=fft_length))
    weights = _window("stft", window, sequence_length, x)
    found = torch.stft(
        x.reshape(-1, x.shape[-1]),
        n_fft=fft_length,
        hop_length=sequence_stride,
        win_length=sequence_length,
        window=weights,
        center=center,
        return_complex=True,
    )
    found = found.swapaxes(-2, -1)
    return _pair(found.reshape(*x.shape[:-1], *found.shape[-2:]))


@op("keras.src.ops.math>ISTFT")
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> torch.Tensor:
    """Return the signals whose moving Fourier transforms (`stft`) are `x`.

    Args:
        x: pair of tensors (..., windows, fft_length // 2 + 1).
        sequence_length: size of a window.
        sequence_stride: how far a window lies from the one before.
        fft_length: size of a transform.
        length: size of the result; None keeps what the windows cover.
        window: weights in a window: "hann", "hamming", a row, or None for 1.
        center: whether the windows' centres begin at the signal's first number.
    """
    _check_stride("istft", sequence_stride)
    spectrum = _joined("istft", x)
    pieces = torch.fft.irfft(spectrum, n=fft_length)  # (..., windows, fft_length)
    if window is not None:
        weights = _centred(_window("istft", window, sequence_length, pieces), fft_length)
        if sequence_length == fft_length and center:
            covered = _overlapped((weights * weights).expand(pieces.shape[-2:]), sequence_stride)
            whole = _overlapped(pieces * weights, sequence_stride)
            return _trimmed(whole / torch.where(covered > 1e-11, covered, 1), fft_length, length, center)
        pieces = pieces * (weights / _steady_cover(weights, sequence_stride))
    return _trimmed(_overlapped(pieces, sequence_stride), fft_length, length, center)


def _centred(window: torch.Tensor, size: int) -> torch.Tensor:
    before = (size - len(window)) // 2
    return torch.nn.functional.pad(window, (before, size - len(window) - before))


def _steady_cover(window: torch.Tensor, stride: int) -> torch.Tensor:
    """Return the squares of all windows that cover a place, away from the ends."""
    count = -(-len(window) // stride)
    squares = torch.nn.functional.pad(window * window, (0, count * stride - len(window)))
    return squares.reshape(count, stride).sum(0).repeat(count)[: len(window)]


def _overlapped(pieces: torch.Tensor, stride: int) -> torch.Tensor:
    """Return the sum of pieces (..., windows, size), each `stride` after the one before."""
    windows, size = pieces.shape[-2:]
    total = stride * (windows - 1) + size
    columns = pieces.reshape(-1, windows, size).swapaxes(1, 2)  # (B, size, windows)
    whole = torch.nn.functional.fold(columns, (1, total), (1, size), stride=(1, stride))
    return whole.reshape(*pieces.shape[:-2], total)


def _trimmed(x: torch.Tensor, fft_length: int, length: int | None, center: bool) -> torch.Tensor:
    start = fft_length // 2 if center else 0
    end = x.shape[-1] - start if length is None else start + length
    lacking = max(end - x.shape[-1], 0)
    return torch.nn.functional.pad(x, (0, lacking))[..., start:end]


@op("keras.src.ops.math>ViewAsComplex")
def view_as_complex(x: Any) -> torch.Tensor:
    """Return the pairs along the last axis as complex numbers."""
    x = as_tensor(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        got = f"shape {tuple(x.shape)}"
        raise ArgumentError(message("ops.view_as_complex", expected="2 entries in the last axis", got=got))
    return torch.complex(x[..., 0].to(torch.float32), x[..., 1].to(torch.float32))


@op("keras.src.ops.math>ViewAsReal")
def view_as_real(x: Any) -> torch.Tensor:
    """Return complex numbers as pairs (real, imaginary) along a new last axis."""
    return torch.view_as_real(as_tensor(x)).clone()

"""Functions of `scipy.signal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._fallback import Unserved, as_integers, real_array, run, served

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"]

_MODES = ("full", "same", "valid")


def _operands(in1: Any, in2: Any, mode: str) -> tuple[np.ndarray, np.ndarray]:
    a, b = real_array(in1), real_array(in2)
    if a.ndim != b.ndim or a.ndim > 3 or mode not in _MODES:
        raise Unserved
    return a, b


def _larger_first(a: np.ndarray, b: np.ndarray, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Mode valid swaps the two where the second contains the first."""
    if mode != "valid" or all(n >= k for n, k in zip(a.shape, b.shape)):
        return a, b
    if not all(n <= k for n, k in zip(a.shape, b.shape)):
        raise Unserved
    return b, a


def _by_fft(in1: Any, in2: Any, mode: str, axes: Any) -> np.ndarray:
    if axes is not None:
        raise Unserved
    a, b = _operands(in1, in2, mode)
    if not any(n != 1 and k != 1 for n, k in zip(a.shape, b.shape)):
        raise Unserved  # a mere product there, of the inputs' dtype
    single = a.dtype == b.dtype == np.float32
    a, b = _larger_first(a, b, mode)
    return run(a, b, mode, origin="scipy" if mode == "same" else "center", precision="float32" if single else "float64")


@served("signal.fftconvolve")
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> np.ndarray:
    """`scipy.signal.fftconvolve`."""
    return _by_fft(in1, in2, mode, axes)


@served("signal.oaconvolve")
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> np.ndarray:
    """`scipy.signal.oaconvolve`."""
    return _by_fft(in1, in2, mode, axes)


def _sums(a: np.ndarray, b: np.ndarray, mode: str, **options: Any) -> np.ndarray:
    """Of the dtype that NumPy gives both."""
    dtype = np.result_type(a, b)
    precision = "float32" if dtype == np.float32 else "float64"
    found = run(a, b, mode, precision=precision, **options)
    return as_integers(found, dtype, a, b) if dtype.kind in "iu" else found


@served("signal.convolve")
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> np.ndarray:
    """`scipy.signal.convolve`."""
    if method not in ("auto", "direct", "fft"):
        raise Unserved
    a, b = _larger_first(*_operands(in1, in2, mode), mode)
    return _sums(a, b, mode, origin="scipy" if mode == "same" else "center")


@served("signal.correlate")
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> np.ndarray:
    """`scipy.signal.correlate`."""
    if method not in ("auto", "direct", "fft"):
        raise Unserved
    a, b = _operands(in1, in2, mode)
    b = b[(slice(None, None, -1),) * b.ndim]
    a, b = _larger_first(a, b, mode)
    return _sums(a, b, mode, origin="scipy" if mode == "same" else "center")


_BOUNDARIES = {"fill": "constant", "pad": "constant", "wrap": "wrap", "circular": "wrap", "symm": "reflect", "symmetric": "reflect"}


def _in_two_dimensions(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any, operation: str) -> np.ndarray:
    a, b = _operands(in1, in2, mode)
    if a.ndim != 2 or boundary not in _BOUNDARIES or not isinstance(fillvalue, (int, float)):
        raise Unserved
    if any(n < k for n, k in zip(a.shape, b.shape)):
        raise Unserved  # SciPy swaps the two here, with rules of its own
    dtype = np.result_type(a, b)
    if dtype.kind in "iu" and (fillvalue != int(fillvalue) or not np.iinfo(dtype).min <= fillvalue <= np.iinfo(dtype).max):
        raise Unserved
    outside: dict[str, Any] = {} if mode == "valid" else dict(boundary=_BOUNDARIES[boundary], cval=float(fillvalue))
    if outside.get("boundary") != "constant":
        outside.pop("cval", None)
    elif abs(outside["cval"]) > 1e6:
        raise Unserved
    # Where correlate2d cuts mode same, correlate cuts one voxel later for even kernels.
    origin = tuple((k - 1) // 2 for k in b.shape) if mode == "same" else "center"
    return _sums(a, b, mode, operation=operation, origin=origin, **outside)


@served("signal.convolve2d")
def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> np.ndarray:
    """`scipy.signal.convolve2d`."""
    return _in_two_dimensions(in1, in2, mode, boundary, fillvalue, "convolve")


@served("signal.correlate2d")
def correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> np.ndarray:
    """`scipy.signal.correlate2d`."""
    return _in_two_dimensions(in1, in2, mode, boundary, fillvalue, "flip")

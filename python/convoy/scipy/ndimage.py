"""Filters of `scipy.ndimage`. Arithmetic is in float64, as there."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from ._fallback import Unserved, real_array, run, served

__all__ = [
    "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d", "uniform_filter", "uniform_filter1d",
]  # fmt: skip

_BOUNDARIES = {
    "reflect": "reflect", "grid-mirror": "reflect", "constant": "constant", "grid-constant": "constant", "nearest": "nearest",
    "mirror": "mirror", "wrap": "wrap", "grid-wrap": "wrap",
}  # fmt: skip


def _filtered(input: Any, weights: np.ndarray, output: Any, mode: Any, cval: Any, origin: Any, flip: bool) -> np.ndarray:
    """`weights` correlated with the image where `flip` is set, else convolved; as many axes as the image."""
    image = real_array(input)
    if mode not in _BOUNDARIES or image.ndim != weights.ndim or image.ndim > 3 or weights.size == 0 or isinstance(cval, complex):
        raise Unserved
    shifts = list(origin) if isinstance(origin, (list, tuple)) else [operator.index(origin)] * image.ndim
    if len(shifts) != image.ndim:
        raise Unserved
    index = [k // 2 + s for k, s in zip(weights.shape, shifts)]
    if any(not 0 <= i < k for i, k in zip(index, weights.shape)):
        raise Unserved
    target = _target(image, output)
    outside: dict[str, Any] = dict(boundary=_BOUNDARIES[mode])
    if outside["boundary"] == "constant":
        outside["cval"] = float(cval)
    found = run(image, weights, origin=tuple(index), operation="flip" if flip else "convolve", precision="float64", **outside)
    if target.dtype.kind in "iu":
        found = _truncated(found, image, weights, cval, target.dtype)
    target[...] = found
    return target


def _target(image: np.ndarray, output: Any) -> np.ndarray:
    if output is None:
        return np.empty(image.shape, image.dtype)
    if not isinstance(output, np.ndarray):
        try:
            output = np.empty(image.shape, output)
        except TypeError:
            raise Unserved from None
    if output.shape != image.shape or output.dtype.kind not in "iuf" or output.dtype.itemsize > 8 or output.dtype == np.float16:
        raise Unserved
    return output


def _truncated(found: np.ndarray, image: np.ndarray, weights: np.ndarray, cval: Any, dtype: np.dtype) -> np.ndarray:
    """As ndimage writes integers: cut towards zero. Where that hangs on the last bit of a sum that is none of integers, the order of
    summation decides, and only SciPy has SciPy's."""
    nearest = np.rint(found)
    close = np.abs(found - nearest) < 1e-9 * (1 + np.abs(found).max())
    whole = image.dtype.kind in "iu" and np.array_equal(weights, np.rint(weights)) and float(cval).is_integer()
    if not whole and close.any():
        raise Unserved
    cut = np.where(close, nearest, np.trunc(found))
    info = np.iinfo(dtype)
    if np.abs(found).max() > 2.0**44 or cut.min() < info.min or cut.max() > info.max:
        raise Unserved  # C's conversion, which differs from machine to machine
    return cut


@served("ndimage.convolve")
def convolve(input: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None) -> np.ndarray:
    """`scipy.ndimage.convolve`."""
    if axes is not None:
        raise Unserved
    return _filtered(input, _weights(weights), output, mode, cval, origin, False)


@served("ndimage.correlate")
def correlate(input: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None) -> np.ndarray:
    """`scipy.ndimage.correlate`."""
    if axes is not None:
        raise Unserved
    return _filtered(input, _weights(weights), output, mode, cval, origin, True)


def _weights(weights: Any) -> np.ndarray:
    return real_array(weights).astype(np.float64)


def _along(input: Any, weights: Any, axis: Any) -> np.ndarray:
    """1-D weights as weights of an image, along one of its axes."""
    image, w = real_array(input), _weights(weights)
    axis = operator.index(axis)
    if w.ndim != 1 or not -image.ndim <= axis < image.ndim:
        raise Unserved
    return w.reshape([len(w) if a == axis % image.ndim else 1 for a in range(image.ndim)])


def _origins(input: Any, origin: Any, axis: Any) -> list[int]:
    ndim = np.ndim(input)
    return [operator.index(origin) if a == operator.index(axis) % ndim else 0 for a in range(ndim)]


@served("ndimage.convolve1d")
def convolve1d(input: Any, weights: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: int = 0) -> np.ndarray:
    """`scipy.ndimage.convolve1d`."""
    return _filtered(input, _along(input, weights, axis), output, mode, cval, _origins(input, origin, axis), False)


@served("ndimage.correlate1d")
def correlate1d(input: Any, weights: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: int = 0) -> np.ndarray:
    """`scipy.ndimage.correlate1d`."""
    return _filtered(input, _along(input, weights, axis), output, mode, cval, _origins(input, origin, axis), True)


def _each_axis(ndim: int, value: Any) -> list[Any]:
    values = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value] * ndim
    if len(values) != ndim:
        raise Unserved
    return values


def _product(input: Any, axes_weights: list[np.ndarray], output: Any, mode: Any, cval: Any, origins: list[int]) -> np.ndarray:
    """1-D filters of all axes at once; ndimage, which goes axis by axis, rounds integers in between."""
    image = real_array(input)
    modes = _each_axis(image.ndim, mode)
    target = _target(image, output)
    if image.dtype.kind in "iu" or target.dtype.kind in "iu" or len(set(modes)) != 1 or (target.dtype != image.dtype):
        raise Unserved
    return _filtered(image, functools.reduce(np.multiply.outer, axes_weights), target, modes[0], cval, origins, True)


def _gaussian(sigma: Any, truncate: Any, radius: Any) -> np.ndarray:
    sigma = float(sigma)
    if sigma <= 1e-15:
        return np.ones(1)
    reach = int(float(truncate) * sigma + 0.5) if radius is None else operator.index(radius)
    if reach < 0:
        raise Unserved
    x = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 / (sigma * sigma) * x**2)
    return weights / weights.sum()


@served("ndimage.gaussian_filter")
def gaussian_filter(input: Any, sigma: Any, order: Any = 0, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, truncate: Any = 4.0, *,
                    radius: Any = None, axes: Any = None) -> np.ndarray:  # fmt: skip
    """`scipy.ndimage.gaussian_filter`; orders above 0 are left to SciPy."""
    ndim = real_array(input).ndim
    if axes is not None or any(o != 0 for o in _each_axis(ndim, order)):
        raise Unserved
    weights = [_gaussian(s, truncate, r) for s, r in zip(_each_axis(ndim, sigma), _each_axis(ndim, radius))]
    return _product(input, weights, output, mode, cval, [0] * ndim)


@served("ndimage.gaussian_filter1d")
def gaussian_filter1d(input: Any, sigma: Any, axis: int = -1, order: Any = 0, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
                      truncate: Any = 4.0, *, radius: Any = None) -> np.ndarray:  # fmt: skip
    """`scipy.ndimage.gaussian_filter1d`; orders above 0 are left to SciPy."""
    if order != 0 or float(sigma) <= 0:
        raise Unserved
    weights = _along(input, _gaussian(sigma, truncate, radius), axis)
    return _filtered(input, weights, output, mode, cval, 0, True)


def _uniform(size: Any, origin: Any) -> tuple[np.ndarray, int]:
    size = operator.index(size)
    if size < 1:
        raise Unserved
    return np.full(size, 1.0 / size), operator.index(origin)


@served("ndimage.uniform_filter")
def uniform_filter(input: Any, size: Any = 3, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None) -> np.ndarray:
    """`scipy.ndimage.uniform_filter`; of integers by SciPy."""
    ndim = real_array(input).ndim
    if axes is not None:
        raise Unserved
    parts = [_uniform(s, o) for s, o in zip(_each_axis(ndim, size), _each_axis(ndim, origin))]
    return _product(input, [weights for weights, _ in parts], output, mode, cval, [o for _, o in parts])


@served("ndimage.uniform_filter1d")
def uniform_filter1d(input: Any, size: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: int = 0) -> np.ndarray:
    """`scipy.ndimage.uniform_filter1d`; of integers by SciPy."""
    if real_array(input).dtype.kind in "iu":
        raise Unserved
    weights, at = _uniform(size, origin)
    return _filtered(input, _along(input, weights, axis), output, mode, cval, _origins(input, at, axis), True)

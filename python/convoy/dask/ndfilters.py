"""Filters of `dask_image.ndfilters`, with their signatures; SciPy's values, shapes and dtypes, as `convoy.scipy.ndimage` has them."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

from .. import _api, _spec
from ..scipy import ndimage
from ._blocks import blockwise
from ._work import Filter

__all__ = ["convolve", "correlate", "gaussian_filter", "uniform_filter"]


def _filtered(image: da.Array, function: Any, extents: tuple[int, ...], origins: tuple[int, ...], words: dict[str, Any], flip: bool = False) -> da.Array:
    if len(extents) != image.ndim:
        raise RuntimeError(f"the filter has {len(extents)} axes and the image {image.ndim}")
    mode = ndimage._BOUNDARIES.get(words["mode"])
    if mode is None:
        raise RuntimeError(f"boundary mode {words['mode']!r} is not supported")
    shape = tuple(image.shape)
    at = tuple(k // 2 + o for k, o in zip(extents, origins))
    if any(not 0 <= i < k for i, k in zip(at, extents)):
        raise ValueError(f"origin {origins} lies outside a filter of {extents}")

    def box(region: Any) -> tuple[slice, ...]:
        return _api.input_box(shape, extents, boundary=mode, origin=at, operation="flip" if flip else "convolve", region=region)

    return blockwise(image, shape, image.chunks, box, Filter(function, extents, words, image.dtype), (0,) * image.ndim)


def _origins(origin: Any, ndim: int) -> tuple[int, ...]:
    return tuple(int(o) for o in np.broadcast_to(origin, ndim))


def convolve(image: da.Array, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> da.Array:
    """`dask_image.ndfilters.convolve`."""
    weights = np.asarray(weights)
    words = dict(weights=weights, mode=mode, cval=cval, origin=_spec.hashable(origin))
    return _filtered(image, ndimage.convolve, weights.shape, _origins(origin, weights.ndim), words)


def correlate(image: da.Array, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> da.Array:
    """`dask_image.ndfilters.correlate`."""
    weights = np.asarray(weights)
    words = dict(weights=weights, mode=mode, cval=cval, origin=_spec.hashable(origin))
    return _filtered(image, ndimage.correlate, weights.shape, _origins(origin, weights.ndim), words, flip=True)


def gaussian_filter(image: da.Array, sigma: Any, order: Any = 0, mode: str = "reflect", cval: float = 0.0, truncate: float = 4.0) -> da.Array:
    """`dask_image.ndfilters.gaussian_filter`."""
    sigmas = [float(s) for s in np.broadcast_to(sigma, image.ndim)]
    extents = tuple(2 * int(truncate * s + 0.5) + 1 for s in sigmas)
    words = dict(sigma=tuple(sigmas), order=_spec.hashable(order), mode=mode, cval=cval, truncate=truncate)
    return _filtered(image, ndimage.gaussian_filter, extents, (0,) * image.ndim, words, flip=True)


def uniform_filter(image: da.Array, size: Any = 3, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> da.Array:
    """`dask_image.ndfilters.uniform_filter`."""
    extents = tuple(int(n) for n in np.broadcast_to(size, image.ndim))
    words = dict(size=extents, mode=mode, cval=cval, origin=_spec.hashable(origin))
    return _filtered(image, ndimage.uniform_filter, extents, _origins(origin, image.ndim), words, flip=True)

"""Functions of `skimage.restoration`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _api
from ._fallback import Unserved, device, real_array, served

__all__ = ["richardson_lucy", "wiener"]


@served("restoration.richardson_lucy")
def richardson_lucy(image: Any, psf: Any, num_iter: int = 50, clip: bool = True, filter_epsilon: Any = None) -> np.ndarray:
    """`skimage.restoration.richardson_lucy`."""
    if not clip or filter_epsilon:
        raise Unserved
    data, weights = real_array(image), real_array(psf)
    single = data.dtype == np.float32
    if data.ndim != weights.ndim or data.ndim > 3:
        raise Unserved
    dtype = np.float32 if single else np.float64
    return _api.deconvolve(data.astype(dtype, copy=False), weights, num_iter, compat="skimage", device=device[-1])


@served("restoration.wiener")
def wiener(image: Any, psf: Any, balance: float, reg: Any = None, is_real: bool = True, clip: bool = True, **keywords: Any) -> np.ndarray:
    """`skimage.restoration.wiener`, whose regularisation (a Laplacian) convoy does not have: scikit-image computes it."""
    raise Unserved

"""What a task does with its part of the image. Travels once to each worker; what it makes ready stays there."""

from __future__ import annotations

import os
from typing import Any

import dask
import numpy as np

from .. import _convolver, _machine
from .._convolver import Convolver
from .._deconvolver import Deconvolver
from ..scipy import _fallback

KEPT = 32  # shapes of blocks: up to 27, where all faces of the image are told apart

_ready = _convolver._Kept(most=KEPT, least=1)


def _device(device: str) -> str:
    return dask.config.get("convoy.device", "auto") if device == "worker" else device


def _share_the_cores() -> None:
    """A worker process of several on one machine computes on as many threads as it was given, unless told otherwise."""
    if "CONVOY_THREADS" in os.environ:
        return
    try:
        from distributed import get_worker

        worker = get_worker()
    except (ImportError, ValueError):
        return  # a scheduler of this process
    if worker.nanny is not None:  # a process of its own
        os.environ["CONVOY_THREADS"] = str(worker.state.nthreads)
        _machine.set_variable("CONVOY_THREADS", worker.state.nthreads)


class Work:
    """`words` of the object that is kept; the result's `dtype`."""

    def __init__(self, kernel: np.ndarray, words: dict[str, Any], device: str, dtype: Any) -> None:
        self.kernel, self.words, self.device, self.dtype = kernel, words, device, np.dtype(dtype)
        self.token = dask.base.tokenize(type(self).__name__, kernel, sorted(words.items(), key=repr), device, str(self.dtype))

    def __dask_tokenize__(self) -> str:
        return self.token

    def _kept(self, key: Any, make: Any) -> Any:
        found = _ready.get(key, make)
        _ready.put(key, found)
        return found

    def __call__(self, image: np.ndarray, region: tuple[slice, ...]) -> np.ndarray:
        _share_the_cores()
        device = _device(self.device)
        return self.run(image, tuple(image.shape)[image.ndim - self.kernel.ndim :], region, device)

    def run(self, image: np.ndarray, shape: tuple[int, ...], region: tuple[slice, ...], device: str) -> np.ndarray:
        raise NotImplementedError


class Convolution(Work):
    def run(self, image: np.ndarray, shape: tuple[int, ...], region: tuple[slice, ...], device: str) -> np.ndarray:
        key = (self.token, shape, tuple((s.start, s.stop) for s in region), device)
        convolver = self._kept(key, lambda: Convolver(self.kernel, shape, region=region, device=device, _lazy=True, **self.words))
        return np.asarray(convolver(image, dtype=self.dtype))


class Deconvolution(Work):
    def run(self, image: np.ndarray, shape: tuple[int, ...], region: tuple[slice, ...], device: str) -> np.ndarray:
        deconvolver = self._kept((self.token, shape, device), lambda: Deconvolver(self.kernel, shape, device=device, **self.words))
        return np.asarray(deconvolver(image, dtype=self.dtype))[(..., *region)]


class Filter(Work):
    """A function of convoy.scipy.ndimage; the kernel only says how far it sees."""

    def __init__(self, function: Any, extents: tuple[int, ...], words: dict[str, Any], dtype: Any) -> None:
        super().__init__(np.empty((0,) * len(extents)), {**words, "function": function.__name__}, "worker", dtype)  # a kernel of no voxels
        self._function, self._arguments = function, words

    def run(self, image: np.ndarray, shape: tuple[int, ...], region: tuple[slice, ...], device: str) -> np.ndarray:
        with _fallback.on(device):
            return np.asarray(self._function(image, **self._arguments))[region]

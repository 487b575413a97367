"""Arrays that are read and written by slices, such as those of zarr and h5py: what tiles need of them, box by box."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _arrays, _spec

Function = Callable[[np.ndarray, Sequence[int], Sequence[int]], None]

_IN_MEMORY = ("__dlpack__", "__array_interface__", "__cuda_array_interface__", "__buffer__", "iloc")
_READ_AS = {"bool": "uint8", "int64": "float64", "uint64": "float64"}


def is_sliced(array: Any) -> bool:
    """Whether the array has a shape and slices, and does not lie in memory. Dask's arrays have convoy.dask."""
    if array is None or isinstance(array, (np.ndarray, np.generic, memoryview)) or any(hasattr(array, name) for name in _IN_MEMORY):
        return False
    if type(array).__module__.split(".")[0] == "dask":
        raise TypeError("a Dask array is convolved by convoy.dask.convolve; for a NumPy array of it, call its compute()")
    return all(hasattr(array, name) for name in ("shape", "dtype", "__getitem__"))


class _Sliced:
    """An array of any library, whose last `ndim` axes are an image."""

    def __init__(self, array: Any, ndim: int, what: str) -> None:
        self.array = array if hasattr(array, "__getitem__") and hasattr(array, "shape") else _arrays.host(array, what)
        shape = tuple(self.array.shape)
        self._leading, self._ndim = shape[: len(shape) - ndim], ndim
        self.chunk = _spec.padded(_chunk(self.array, shape)[len(shape) - ndim :])

    def _each(self, function: Callable[[tuple[int, ...]], Function]) -> list[Function]:
        """One for each image."""
        return [function(index) for index in np.ndindex(self._leading)]

    def _place(self, index: tuple[int, ...], begin: Sequence[int], end: Sequence[int]) -> tuple[Any, ...]:
        first = 3 - self._ndim
        return (*index, *(slice(a, b) for a, b in zip(begin[first:], end[first:])))


class Source(_Sliced):
    """`dtype`: as what convoy reads it."""

    def __init__(self, array: Any, ndim: int) -> None:
        super().__init__(array, ndim, "image")
        name = _arrays.dtype_name(self.array)
        self.dtype = _READ_AS.get(name, name)
        if self.dtype not in _arrays.VOXELS:
            raise TypeError(f"image has dtype {name}; convoy reads bool, integers, float16, float32, float64, complex64 and complex128")

    def functions(self) -> list[Function]:
        def of_image(index: tuple[int, ...]) -> Function:
            def read(voxels: np.ndarray, begin: Sequence[int], end: Sequence[int]) -> None:
                voxels[...] = np.asarray(self.array[self._place(index, begin, end)]).reshape(voxels.shape)

            return read

        return self._each(of_image)


class Mask(_Sliced):
    """Of one image: where it is not 0. In memory or not."""

    def __init__(self, array: Any, shape: tuple[int, ...]) -> None:
        super().__init__(array, len(shape), "mask")
        if tuple(self.array.shape) != shape:
            raise ValueError(f"mask has shape {tuple(self.array.shape)}, not {shape}")

    def function(self) -> Function:
        def read(voxels: np.ndarray, begin: Sequence[int], end: Sequence[int]) -> None:
            voxels[...] = (np.asarray(self.array[self._place((), begin, end)]) != 0).reshape(voxels.shape)

        return read

    def known(self) -> np.ndarray:
        """As a whole: 1 and 0."""
        known = np.empty(self.array.shape, np.uint8)
        self.function()(known, (0, 0, 0), _spec.padded(known.shape))
        return known


class Sink(_Sliced):
    def __init__(self, array: Any, shape: tuple[int, ...], ndim: int) -> None:
        if not hasattr(array, "__setitem__"):
            raise TypeError(f"out is a {type(array).__name__}, which cannot be written by slices")
        if tuple(array.shape) != shape:
            raise ValueError(f"out has shape {tuple(array.shape)}, not {shape}")
        super().__init__(array, ndim, "out")
        self.dtype = _arrays.dtype_name(self.array)
        if self.dtype not in _arrays.VOXELS:
            raise TypeError(f"out has dtype {self.dtype}; outputs are of {', '.join(_arrays.VOXELS)}")
        self._lock = threading.Lock()  # two tiles may share a chunk, which a library reads, changes and writes

    def functions(self) -> list[Function]:
        def of_image(index: tuple[int, ...]) -> Function:
            def write(voxels: np.ndarray, begin: Sequence[int], end: Sequence[int]) -> None:
                with self._lock:
                    self.array[self._place(index, begin, end)] = voxels.reshape(voxels.shape[3 - self._ndim :])

            return write

        return self._each(of_image)


def _chunk(array: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The piece that is cheapest to read or write: a shard, a chunk, or planes."""
    for name in ("shards", "chunks"):
        found = getattr(array, name, None)
        if isinstance(found, tuple) and len(found) == len(shape) and all(isinstance(n, int) for n in found):
            return found
    rows = max(1, (1 << 18) // max(1, math.prod(shape[-1:])))
    return (*(1 for _ in shape[:-2]), *(min(n, rows) for n in shape[-2:-1]), *shape[-1:])

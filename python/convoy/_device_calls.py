"""Calls on arrays of a GPU, of which the next is often like the last: what such a call needs is looked up at once.

A call is like another one where the arrays' shapes, dtypes and devices are the same. Of dense arrays of torch and CuPy nothing but the addresses
and the stream is new then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import Any

from . import _arrays

_MOST_CALLS = 16


def key_of(image: Any, out: Any, dtype: Any) -> Hashable:
    """All that a call's arrays have in common with those of calls like it."""
    of_out = None if out is None else (type(out), out.shape, out.dtype, out.device)
    return (type(image), image.shape, image.dtype, image.device, dtype, of_out)


class DeviceCalls:
    """Those of one object."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, _Call] = {}
        self.last: Any = None  # the extension's object of the last call here

    def clear(self) -> None:
        self._calls.clear()
        self.last = None

    def add(self, core: Any, num_images: int, image: Any, out: Any, given_out: Any, dtype: Any) -> None:
        """A call that was made: `given_out` is None where `out` was made for it."""
        library = _LIBRARIES.get(type(image).__module__.split(".")[0])
        if library is None or type(out) is not type(image) or len(self._calls) >= _MOST_CALLS:
            return
        self._calls[key_of(image, given_out, dtype)] = _Call(core, num_images, out, library(image))

    def run(self, image: Any, out: Any, dtype: Any, stream: int | None) -> Any:
        """The output, if a call like this one has been made. Else None, and nothing has happened."""
        if not self._calls:
            return None
        try:
            call = self._calls.get(key_of(image, out, dtype))
        except (AttributeError, TypeError):  # no array of a GPU
            return None
        if call is None:
            return None
        self.last = call.core
        return call.run(image, out, stream)


class _Call:
    __slots__ = ("_address", "_dtype", "_new", "_num_images", "_shape", "_stream", "core")

    def __init__(self, core: Any, num_images: int, out: Any, library: _Library) -> None:
        self.core, self._num_images = core, num_images
        self._shape, self._dtype = out.shape, out.dtype
        self._new, self._address, self._stream = library.new, library.address, library.stream

    def run(self, image: Any, out: Any, stream: int | None) -> Any:
        read = self._address(image)
        if not read:
            return None
        if out is None:
            out = self._new(image, self._shape, self._dtype)
        write = self._address(out)
        if not write:
            return None
        self.core.run_at(read, write, self._num_images, self._stream() if stream is None else stream)
        return out


class _Library:
    """How a library's arrays are made and found. `address` is 0 of those that are not dense or not what they seem to be."""

    new: Callable[[Any, Any, Any], Any]
    address: Callable[[Any], int]
    stream: Callable[[], int]


class _Torch(_Library):
    def __init__(self, image: Any) -> None:
        device = image.device
        self.stream = lambda: _arrays.torch_stream(device)

    @staticmethod
    def new(image: Any, shape: Any, dtype: Any) -> Any:
        return image.new_empty(shape, dtype=dtype)

    @staticmethod
    def address(tensor: Any) -> int:
        if tensor.requires_grad or not tensor.is_contiguous() or tensor.is_neg() or tensor.is_conj():
            return 0
        return int(tensor.data_ptr())


class _CuPy(_Library):
    def __init__(self, image: Any) -> None:
        cupy = sys.modules["cupy"]
        self._empty = cupy.empty
        current = cupy.cuda.get_current_stream
        self.stream = lambda: current().ptr

    def new(self, image: Any, shape: Any, dtype: Any) -> Any:
        return self._empty(shape, dtype)

    @staticmethod
    def address(array: Any) -> int:
        return int(array.data.ptr) if array.flags.c_contiguous else 0


_LIBRARIES: dict[str, Callable[[Any], _Library]] = {"torch": _Torch, "cupy": _CuPy}

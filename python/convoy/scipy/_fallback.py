"""Calls that convoy does, and calls that it leaves to the function whose name it bears."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import _api, _errors

#: How many calls of each function ("signal.convolve") were done by "convoy", and by "scipy".
calls: collections.Counter[tuple[str, str]] = collections.Counter()
device: list[str] = ["auto"]  # of patched(), the last one counts
_of_thread: contextvars.ContextVar[str | None] = contextvars.ContextVar("device", default=None)
originals: dict[str, Callable[..., Any]] = {}  # while patched


class Unserved(Exception):
    """Convoy does not do this; the original does, or refuses it."""


def original(name: str) -> Callable[..., Any]:
    """``'signal.convolve'`` -> scipy.signal.convolve, as it was before patched()."""
    if name in originals:
        return originals[name]
    module, function = name.split(".")
    package = "skimage" if module == "restoration" else "scipy"
    return getattr(importlib.import_module(f"{package}.{module}"), function)


def served(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that the original takes over where it raises Unserved, or convoy an error (NaN, memory ...)."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            try:
                result = function(*arguments, **keywords)
            except (Unserved, _errors.Error, TypeError):
                calls[name, "scipy"] += 1
                return original(name)(*arguments, **keywords)
            calls[name, "convoy"] += 1
            return result

        return call

    return decorate


def real_array(array: Any) -> np.ndarray:
    """NumPy's, of a real dtype that SciPy's functions compute with; Unserved for all others."""
    if type(array) not in (np.ndarray, list, tuple, int, float):
        raise Unserved
    try:
        found = np.asarray(array)
    except ValueError:
        raise Unserved from None
    if found.dtype.name not in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"):
        raise Unserved
    if found.ndim == 0 or found.size == 0:
        raise Unserved
    return found if found.dtype.isnative else found.astype(found.dtype.newbyteorder("="))


@contextlib.contextmanager
def on(name: str) -> Iterator[None]:
    """Calls of this thread go to that device meanwhile."""
    before = _of_thread.set(name)
    try:
        yield
    finally:
        _of_thread.reset(before)


def run(image: np.ndarray, kernel: np.ndarray, mode: str = "same", **options: Any) -> np.ndarray:
    return _api.convolve(image, kernel, mode, device=_of_thread.get() or device[-1], **options)


def as_integers(found: np.ndarray, dtype: np.dtype, *inputs: np.ndarray) -> np.ndarray:
    """Sums of products of integers, found in float64, as the integers that they are. Unserved where they could be wrong: in float64
    they are exact to half below 2^48 or so, whatever the transform."""
    bound = inputs[0].size and min(a.size for a in inputs)
    for a in inputs:
        bound *= max(abs(float(a.max())), abs(float(a.min())))
    if bound > 2.0**44:
        raise Unserved
    info = np.iinfo(dtype)
    whole = np.rint(found)
    if whole.size and (whole.min() < info.min or whole.max() > info.max):
        raise Unserved  # SciPy's wraps round, or does not
    return whole.astype(dtype)

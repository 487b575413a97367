"""patched(): SciPy's names mean convoy's functions for a while."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator

from . import _fallback, ndimage, restoration, signal

_PLACES = {"scipy.signal": signal, "scipy.ndimage": ndimage, "skimage.restoration": restoration}


@contextlib.contextmanager
def patched(device: str = "auto") -> Iterator[None]:
    """SciPy's and scikit-image's names mean convoy's functions meanwhile.

    That holds for calls through the modules (``scipy.signal.fftconvolve(...)``), from all threads, not for names that were imported
    before. May be nested: the innermost `device` counts.

    Parameters
    ----------
    device : str
        As for `convoy.convolve`.

    Examples
    --------
    >>> import numpy as np, scipy.signal, convoy.scipy
    >>> with convoy.scipy.patched(device="cpu"):
    ...     scipy.signal.fftconvolve(np.ones(4), np.ones(2)).round(12).tolist()
    [1.0, 2.0, 2.0, 2.0, 1.0]
    """
    outermost = not _fallback.originals
    changed = []
    _fallback.device.append(device)
    try:
        if outermost:
            for place, ours in _PLACES.items():
                try:
                    theirs = importlib.import_module(place)
                except ImportError:  # scikit-image is optional
                    continue
                for name in ours.__all__:
                    _fallback.originals[f"{place.rpartition('.')[2]}.{name}"] = getattr(theirs, name)
                    changed.append((theirs, name, getattr(theirs, name)))
                    setattr(theirs, name, getattr(ours, name))
        yield
    finally:
        _fallback.device.pop()
        for theirs, name, function in changed:
            setattr(theirs, name, function)
        if outermost:
            _fallback.originals.clear()

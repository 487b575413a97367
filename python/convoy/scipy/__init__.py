"""SciPy's and scikit-image's functions under their own names and signatures, computed by convoy.

    from convoy.scipy import signal, ndimage
    signal.fftconvolve(volume, psf, mode="same")          # in place of scipy.signal.fftconvolve

    with convoy.scipy.patched(device="cuda:0"):           # code of others that calls scipy.signal.fftconvolve ...
        their_function(volume)

Values (to rounding), shapes and dtypes are SciPy's. What convoy does not compute (complex or object arrays, NaN, more than three
axes, filters of integers whose rounding would differ ...) is left to SciPy, and what SciPy refuses it refuses itself; `calls`
counts both. Arithmetic is in the precision that SciPy has; ndimage's is float64 for every input.
"""

from . import ndimage, restoration, signal
from ._fallback import calls
from ._patch import patched

__all__ = ["calls", "ndimage", "patched", "restoration", "signal"]

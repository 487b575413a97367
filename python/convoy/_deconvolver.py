"""Deconvolver: a PSF made ready on a device."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _arrays, _core, _spec
from ._lasting import Lasting
from ._plan import Plan
from ._progress import telling


class Deconvolver(Lasting):
    """A PSF made ready on a device, for any number of images of one shape.

    The model is: image = estimate convolved with `psf`, plus `background`. Threads may share one and take turns. Can be
    pickled. A context manager, which ends with `close`.

    Parameters
    ----------
    psf : array_like
        Real, of 1 to 3 axes. Negative voxels: see `psf_negative`.
    shape : tuple of int
        Of the images: ([[z,] y,] x), as many axes as the PSF has.
    iterations : int, optional
        At most: 25, or 200 where `stop` is ``'gradient-consensus'`` or ``'discrepancy'``.
    algorithm : {'rl', 'wiener', 'landweber'}
        Richardson-Lucy, with the exact adjoint; Wiener's filter; Landweber's iteration.
    acceleration : {'auto', 'none', 'biggs', 'momentum'}
        Of Richardson-Lucy: a step ahead of measured length (Biggs and Andrews, Appl. Opt. 36:1766, 1997) or of set length (Wang and Miller,
        IEEE Trans. Image Process. 23:848, 2014); ``'auto'`` is momentum for Richardson-Lucy.
    edges : {'noncirculant', 'zero', 'reflect'}
        Where light may come from: anywhere the PSF brings it from, the image alone, or its reflection.
    start : {'auto', 'image', 'flat'} or float
        What the iterations start from: the image as far as it is not noise, the image, or a flat image, of the image's mean or of the
        value given.
    background : float or 'auto'
        In the image's units; ``'auto'`` is each image's dim level: a twentieth of its voxels is darker, noise left out (``report``).
    tv : float
        Weight of the total variation, say 0.01; Dey et al., Microsc. Res. Tech. 69:260 (2006).
    voxel_size : float or sequence of float, optional
        Distances along the axes, for `tv`; in any unit.
    noise : float
        Noise power over signal power, of Wiener's filter.
    stop : {'none', 'gradient-consensus', 'discrepancy'} or float
        What ends the iterations. ``'gradient-consensus'``: each voxel ends where its next change would follow noise, at two and a half
        times the work an iteration; ``'discrepancy'``: when noise explains what is left; a number: when an iteration changes less than
        this part of the estimate.
    origin : {'center', 'scipy', 'first', 'peak'} or tuple of int
        As for `convolve`.
    normalize : bool
        Divide the PSF by its sum, so that light is kept.
    psf_negative : {'clip', 'error'}
    nan : {'error', 'zero'}
        ``'zero'`` takes NaN and infinite voxels as those without a datum.
    saturation : float
        Voxels of this value and above have no datum.
    compat : {'none', 'skimage'}
        The numbers of `skimage.restoration.richardson_lucy`.
    tiles : {'exact', 'fast'}
        For images beyond device memory: equal to the whole, or tile by tile with a `halo`.
    halo : float
        Of fast tiles, in PSF extents.
    precision : {'float32', 'float64'}
        Of the arithmetic.
    device : str
    curve : bool
        Sums of every iteration in `report`.
    memory_limit, host_memory_limit, deterministic
        As for `convolve`.

    Attributes
    ----------
    shape : tuple of int
    plan : Plan
    report : dict or None
        What the last run did.

    Raises
    ------
    InvalidArgument, OutOfMemory, BackendUnavailable, Unsupported
        As `Convolver` does.
    """

    _not_pickled = ("_core",)

    def __init__(
        self,
        psf: Any,
        shape: Sequence[int],
        *,
        iterations: int | None = None,
        algorithm: str = "rl",
        acceleration: str = "auto",
        edges: str = "noncirculant",
        start: str | float = "auto",
        background: float | str = 0.0,
        tv: float = 0.0,
        voxel_size: Any = None,
        noise: float = 1e-3,
        stop: float | str = "none",
        origin: Any = "center",
        normalize: bool = True,
        psf_negative: str = "clip",
        nan: str = "error",
        saturation: float = math.inf,
        compat: str = "none",
        tiles: str = "exact",
        halo: float = 1.0,
        precision: Any = "float32",
        device: str = "auto",
        curve: bool = False,
        memory_limit: int | str | None = None,
        host_memory_limit: int | str | None = None,
        deterministic: bool = False,
        _min_tiles: int = 1,
    ) -> None:
        self._psf = _arrays.kernel(psf, "psf", real=True)
        self.shape = _spec.spatial_shape(shape, self._psf.ndim, "psf")
        words: dict[str, Any] = dict(
            iterations=-1 if iterations is None else int(iterations), algorithm=algorithm, acceleration=acceleration, edges=edges,
            tv=float(tv), noise=float(noise), normalize=bool(normalize), psf_negative=psf_negative, nan=nan,
            saturation=float(saturation), compat=compat, tiles=tiles, halo=float(halo),
        )  # fmt: skip
        self._spec = _spec.deconvolution(self.shape, self._psf.shape, origin=origin, start=start, stop=stop, background=background, voxel_size=voxel_size, precision=precision, **words)
        self._options = _spec.plan_options(
            memory_limit=memory_limit, host_memory_limit=host_memory_limit, method="auto", path="auto", tune="model",
            deterministic=deterministic, min_tiles=_min_tiles,
        )  # fmt: skip
        self._device = device
        self._curve = bool(curve)
        self.report: dict[str, Any] | None = None
        self._closed = False
        self._forget()
        self._ready()

    def _forget(self) -> None:
        self._core: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the device's memory back. Calls from then on raise ValueError."""
        with self._lock:
            self._closed = True
            self._core = None

    def _ready(self) -> Any:
        with self._lock:
            if self._closed:
                raise ValueError("this Deconvolver is closed")
            if self._core is None:
                self._core = _core.Deconvolver(self._spec, self._psf, self._device, self._curve, self._options)
            return self._core

    @property
    def plan(self) -> Plan:
        return Plan(*self._ready().plan())

    def __call__(self, image: Any, *, mask: Any = None, out: Any = None, dtype: Any = None, progress: Any = None) -> Any:
        """Restore one image, or a stack of them one after the other.

        Blocks until the output is written. Ctrl-C stops it, within an iteration too.

        Parameters
        ----------
        image : array
            Of shape ``(..., *shape)``, in host memory.
        mask : array, optional
            Of `shape`; voxels where it is 0 have no datum.
        out, dtype
            As for `Convolver`.
        progress : callable, tqdm bar or True, optional
            Called with a `Progress` of iterations.

        Returns
        -------
        array
            `out`, or a new array of the image's library, of the image's shape.
        """
        array = _arrays.host(image, "image", real=True)
        leading = array.ndim - len(self.shape)
        if leading < 0 or array.shape[leading:] != self.shape:
            raise ValueError(f"image has shape {array.shape}; this Deconvolver was made for images of {self.shape}")
        array = _arrays.placed(array, len(self.shape))
        known = None if mask is None else self._mask(mask)
        output = _arrays.HostOutput(out, array.shape, _arrays.output_dtype(dtype, self._spec["precision"]), image, len(self.shape))
        output.require_apart(array)
        core = self._ready()
        with telling(progress, "iteration") as tell:
            for index in np.ndindex(*array.shape[:leading]):
                self.report = core.run(array[index], output.array[index], known, tell)
        return output.result()

    def _mask(self, mask: Any) -> np.ndarray:
        known = _arrays.dense(_arrays.host(mask, "mask") != 0).view(np.uint8)
        if known.shape != self.shape:
            raise ValueError(f"mask has shape {known.shape}, not {self.shape}")
        return known

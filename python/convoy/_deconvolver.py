"""Deconvolver: a PSF made ready on a device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _arrays, _core, _sliced, _spec
from ._lasting import Lasting
from ._progress import telling


class Deconvolver(Lasting):
    """A PSF made ready on a device, for any number of images of one shape.

    The model is: image = estimate convolved with `psf`, plus `background`. Threads may share one and take turns. Can be
    pickled. A context manager, which ends with `close`.

    Parameters
    ----------
    psf : array_like or list of array_like
        Real, of 1 to 3 axes. Negative voxels: see `psf_negative`. Several PSFs, one for each channel, are a list of arrays of one shape, or
        an array with an axis more than `shape` has, in front. Read before this returns.
    shape : tuple of int
        Of the images: ([[z,] y,] x), as many axes as a PSF has.
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
    damping : float
        White's damping of Richardson-Lucy, in standard deviations of the noise, which is measured: say 3. For images in host memory.
    relaxation : float
        Of Landweber: its step, above 0 and below 2.
    clip : bool
        Of Landweber: voxels below 0 become 0.
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
    device : str or sequence of str
        As for `convolve`. Several share fast tiles and images, or else each convolution.
    curve : bool
        Sums of every iteration in `report`; of images in host memory.
    path, memory_limit, host_memory_limit, tune, deterministic
        As for `convolve`.
    scratch : path, optional
        A folder, or a new file: where `host_memory_limit` does not hold estimate and data of exact tiles, they lie in a file there, which has
        no name and ends with the Deconvolver. Without it such images go in fast tiles.

    Attributes
    ----------
    shape : tuple of int
    plan : Plan
        What the last run did, or the next will do.
    report : dict or None
        What the last run of images in host memory did, of all images together: ``'iterations'``, ``'stop_reason'``, ``'curve'``,
        ``'missing_voxels'``, ``'background'``, ``'seam_relative_l2'``, ``'devices'`` ...

    Raises
    ------
    InvalidArgument, OutOfMemory, BackendUnavailable, Unsupported
        As `Convolver` does.
    """

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
        damping: float = 0.0,
        relaxation: float = 1.0,
        clip: bool = True,
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
        device: str | Sequence[str] = "auto",
        curve: bool = False,
        path: str = "auto",
        memory_limit: int | str | None = None,
        host_memory_limit: int | str | None = None,
        tune: str = "model",
        deterministic: bool = False,
        scratch: Any = None,
        _min_tiles: int = 1,
        _lazy: bool = False,
    ) -> None:
        self._psf = _arrays.psfs(psf)
        several = self._psf.ndim == len(shape) + 1
        self._num_psfs = self._psf.shape[0] if several else 1
        extents = self._psf.shape[1:] if several else self._psf.shape
        self.shape = _spec.spatial_shape(shape, len(extents), "psf")
        words: dict[str, Any] = dict(
            iterations=-1 if iterations is None else int(iterations), algorithm=algorithm, acceleration=acceleration, edges=edges,
            tv=float(tv), damping=float(damping), relaxation=float(relaxation), clip=bool(clip), noise=float(noise), normalize=bool(normalize), psf_negative=psf_negative, nan=nan,
            saturation=float(saturation), compat=compat, tiles=tiles, halo=float(halo),
        )  # fmt: skip
        self._spec = _spec.deconvolution(
            self.shape, extents, num_psfs=self._num_psfs, origin=origin, start=start, stop=stop, background=background, voxel_size=voxel_size,
            precision=precision, **words,
        )  # fmt: skip
        self._options = _spec.plan_options(
            memory_limit=memory_limit, host_memory_limit=host_memory_limit, method="auto", path=path, tune=tune,
            deterministic=deterministic, min_tiles=_min_tiles, scratch=scratch,
        )  # fmt: skip
        self._devices = _spec.devices(device)
        self._curve = bool(curve)
        self._host_looks = self._curve or stop not in ("none", 0) or isinstance(background, str) or compat != "none"
        self._host_looks = self._host_looks or damping > 0 or not clip
        super().__init__()
        if not _lazy:
            self._first_core()

    def _first_core(self) -> Any:
        return self._core_of("host", lambda: self._host_core(self._devices))

    def _host_core(self, devices: list[str], **options: Any) -> Any:
        return _core.Deconvolver(self._spec, self._psf, devices, self._curve, dict(self._options, **options))

    def _device_core(self, device: str, image: str, output: str) -> Any:
        def make() -> Any:
            return _core.ResidentDeconvolver(self._spec, self._psf, device, self._options, image, output)

        return self._core_of((device, image, output), make)

    def __repr__(self) -> str:
        state = " closed" if self._closed else ""
        return f"<convoy.Deconvolver{state}: {self._psf.shape} over {self.shape} on {', '.join(self._devices)}>"

    def __call__(self, image: Any, *, mask: Any = None, out: Any = None, dtype: Any = None, progress: Any = None, stream: int | None = None) -> Any:
        """Restore one image, or a stack of them.

        Blocks until the output is written, unless the image lies on a GPU. Ctrl-C stops it, within an iteration too.

        Parameters
        ----------
        image : array
            Of shape ``(..., *shape)``, with several PSFs ``(..., psfs, *shape)``: in memory, or one that is read by slices (of zarr, h5py ...),
            where fast tiles are read one by one. Or on the GPU of `device` (torch, CuPy, JAX), at any strides, where it stays: then all
            iterations are queued and this returns at once. Strides other than those of the last call make the PSF ready anew. Where the host
            has to look at voxels (`mask`, `stop`, ``background='auto'``, `compat`, `curve`), the image goes through host memory, and this blocks.
        mask : array, optional
            Of `shape`, in host memory; voxels where it is 0 have no datum. Of images that stay on a GPU, those have none that are NaN or infinite,
            whatever `nan` says.
        out, dtype, stream
            As for `Convolver`.
        progress : callable, tqdm bar or True, optional
            Called with a `Progress` of iterations. Not for images on a GPU.

        Returns
        -------
        array
            `out`, or a new array of the image's library, of the image's shape.

        Raises
        ------
        ValueError
            Other shapes; with ``nan='error'``, NaN or infinite voxels (InvalidArgument).
        TypeError
            A dtype that convoy does not read; images of a stack on a GPU that lie at uneven distances.
        """
        again = self._calls.run(image, out, dtype, stream) if mask is None else None
        if again is not None:
            return again
        device = _arrays.on_device(image)
        if device is not None:
            return self._run_on_device(device, image, mask, out, dtype, progress, stream)
        if _sliced.is_sliced(image) or _sliced.is_sliced(out):
            return self._run_sliced(image, mask, out, dtype, progress)
        return self._run_on_host(image, mask, out, dtype, progress)

    def _require_shape(self, shape: tuple[int, ...]) -> None:
        leading = len(shape) - len(self.shape)
        if leading < 0 or shape[leading:] != self.shape:
            raise ValueError(f"image has shape {shape}; this Deconvolver was made for images of {self.shape}")
        if self._num_psfs > 1 and (leading < 1 or shape[leading - 1] != self._num_psfs):
            raise ValueError(f"image has shape {shape}; with {self._num_psfs} PSFs it is (..., {self._num_psfs}, *{self.shape}), with a PSF for each channel")

    def _run_on_host(self, image: Any, mask: Any, out: Any, dtype: Any, progress: Any, devices: list[str] | None = None) -> Any:
        bits = _arrays.bfloat16_bits(image)
        array = _arrays.host(image, "image", real=True) if bits is None else bits
        self._require_shape(array.shape)
        array = _arrays.placed(array, len(self.shape))
        known = None if mask is None else _sliced.Mask(mask, self.shape).known()
        output = _arrays.HostOutput(out, array.shape, _arrays.output_dtype(dtype, self._spec["precision"]), image, len(self.shape))
        output.require_apart(array)
        if array.size:
            core = self._first_core() if devices is None else self._core_of(("host", *devices), lambda: self._host_core(devices))
            with telling(progress, "iteration") as tell:
                self.report = core.run(array, output.array, known, tell, bits is not None, output.is_bfloat16)
            self._ran = True
        return output.result()

    def _run_sliced(self, image: Any, mask: Any, out: Any, dtype: Any, progress: Any) -> Any:
        """Box by box, of arrays of which one at least is not in memory."""
        ndim = len(self.shape)
        source = _sliced.Source(image, ndim)
        shape = tuple(source.array.shape)
        self._require_shape(shape)
        sink = _sliced.Sink(np.empty(shape, _arrays.output_dtype(dtype, self._spec["precision"])) if out is None else out, shape, ndim)
        known = None if mask is None else _sliced.Mask(mask, self.shape).function()
        reads = source.functions()
        if math.prod(shape):
            streaming = dict(read=source.dtype, write=sink.dtype, read_chunk=source.chunk, write_chunk=sink.chunk, num_groups=len(reads))
            key = ("sliced", *(_spec.hashable(how) for how in streaming.values()))
            core = self._core_of(key, lambda: self._host_core(self._devices, streaming=streaming))
            with telling(progress, "iteration") as tell:
                self.report = core.run_sliced(reads, sink.functions(), known, tell)
            self._ran = True
        return sink.array if out is None else out

    def _run_on_device(self, device: str, image: Any, mask: Any, out: Any, dtype: Any, progress: Any, stream: int | None) -> Any:
        _arrays.require_here(device, self._devices, "Deconvolver")
        shape = tuple(image.shape)
        self._require_shape(shape)
        if mask is not None or self._host_looks:
            if out is not None:
                _arrays.output_on_device(device, image, out, shape, self._spec["precision"])
                dtype = _arrays.dtype_name(out)
            return _arrays.copied_to_device(self._run_on_host(_arrays.copied_to_host(image), mask, None, dtype, progress, [device]), image, out)
        given_out = out
        out = _arrays.output_on_device(device, image, out, shape, _arrays.output_dtype(dtype, self._spec["precision"]))
        if math.prod(shape):
            stream = _arrays.stream_of(image) if stream is None else stream
            core = self._device_core(device, _arrays.dtype_name(image), _arrays.dtype_name(out))
            core.run(_arrays.capsule(image, device, stream), _arrays.capsule(out, device, stream), stream)
            self._ran = True
            self._calls.add(core, math.prod(shape) // math.prod(self.shape), image, out, given_out, dtype)
        return out

"""The functions of the package: names, defaults and documentation."""

from __future__ import annotations

import atexit
import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _arrays, _axes, _core, _spec
from ._convolver import Convolver, kept
from ._deconvolver import Deconvolver
from ._plan import Plan


def convolve(
    image: Any,
    kernel: Any,
    mode: str = "same",
    *,
    boundary: str = "zero",
    cval: float = 0.0,
    origin: Any = "center",
    operation: str = "convolve",
    normalize: bool = False,
    nan: str = "error",
    preserve_nan: bool = False,
    no_data: float | None = None,
    axes: int | Sequence[int] | None = None,
    region: Any = None,
    pairing: str = "all",
    weights: Any = None,
    precision: Any = None,
    dtype: Any = None,
    out: Any = None,
    progress: Any = None,
    stream: int | None = None,
    method: str = "auto",
    path: str = "auto",
    device: str | Sequence[str] = "auto",
    memory_limit: int | str | None = None,
    host_memory_limit: int | str | None = None,
    tune: str = "model",
    deterministic: bool = False,
) -> Any:
    """Convolve an image with a kernel (PSF), of whatever sizes.

    What the last calls have made ready is kept (see `clear_cache`), so that the next call with the same kernel, shape and
    options is quick; for many images, make a `Convolver`. Blocks, unless the image lies on a GPU.

    Parameters
    ----------
    image : array_like
        Of any dtype (complex, too) and strides: of NumPy, or what speaks DLPack in host memory (torch, JAX ...); or a dense array of torch
        or CuPy on a GPU, which stays there; or an array that is read by slices (of zarr, h5py ...), box by box. Axes are ([[z,] y,] x), as many as the kernel's, or more if `axes` says which.
    kernel : array_like
        Of 1 to 3 axes. May be larger than the image. With an axis more than are convolved: several kernels, numbered by the first.
    mode : {'same', 'full', 'valid', 'circular'}
        As in `scipy.signal.fftconvolve`; ``'circular'`` is what an FFT, a product and an inverse FFT give.
    boundary : {'zero', 'constant', 'reflect', 'nearest', 'wrap', 'mirror'}
        What lies outside the image for ``'same'`` and ``'full'``, in the words of `scipy.ndimage`.
    cval : float
        For ``'constant'``.
    origin : {'center', 'scipy', 'first', 'peak'} or tuple of int
        Kernel voxel that lies on the output voxel: floor(k/2), floor((k-1)/2), 0, the largest one, or the index given.
    operation : {'convolve', 'correlate', 'flip'}
        ``'correlate'`` is the exact adjoint of the convolution, for solvers; ``'flip'`` convolves with the mirrored kernel,
        which is `scipy.ndimage.correlate`. They differ where a boundary shows voxels several times.
    normalize : bool
        Divide the kernel by its sum.
    nan : {'error', 'zero', 'interpolate'}
        What to do with NaN and infinite voxels: raise ValueError that says where the first one is, take them as 0, or as missing, so
        that outputs come from what is known (as in `astropy.convolution.convolve`; of images in host memory).
    preserve_nan : bool
        Output voxels where the image has NaN or infinity are NaN again.
    no_data : float, optional
        Voxels of exactly this value are missing data, and taken as 0; with ``nan='interpolate'`` as missing.
    axes : int or tuple of int, optional
        Axes of the image that are convolved; the others are a batch. Default: all, which must be as many as the kernel's.
    region : tuple of slice, optional
        Only this part of the output, in its positions.
    pairing : {'all', 'each', 'sum'}
        Of several kernels: every image with every kernel, whose outputs ``(..., kernels, *output)`` follow each other; image i with kernel i,
        both numbered by the axis before those that are convolved; or one output, the sum over i of kernel i with ``weights[i] * image``: a
        PSF that varies over the image.
    weights : array_like, optional
        For ``'sum'``: an image of weights for each kernel.
    precision : {'float32', 'float64'}, optional
        Of the arithmetic. Default: float64 for images of float64, complex128 and integers of 32 and 64 bits, else float32. The kernel's
        dtype does not matter.
    dtype : dtype, optional
        Of a new output, by default `precision`, or complex of it where image or kernel are. Integers are rounded to nearest (ties to even) and clipped.
    out : array, optional
        Where the result goes; returned itself. Must not overlap the image. May be written by slices (of zarr, h5py ...).
    progress : callable, tqdm bar or True, optional
        Called with a `Progress` after every tile, and on the CPU within long ones; answering False stops with `Cancelled`.
    stream : int, optional
        For images on a GPU: address of the stream. Default: the array library's current one.
    method : {'auto', 'fft', 'direct', 'separable'}
        How it is computed; all give the same numbers to rounding.
    path : {'auto', 'native', 'fused', 'staged'}
        Of method fft; for finding out why a device is wrong or slow.
    device : str or sequence of str
        ``'auto'``, ``'cpu'``, ``'cuda:0'``, ``'vulkan:1'`` ... (see `devices`); several share each run. An image on a GPU is
        convolved where it lies.
    memory_limit, host_memory_limit : int or str, optional
        Bytes of device and host memory, or a text such as ``'2GiB'``; what does not fit is done in tiles.
    tune : {'model', 'measure', 'off'}
        How to choose among plans; ``'measure'`` tries the likeliest and remembers.
    deterministic : bool
        The same bits in every run.

    Returns
    -------
    array
        In the image's array library, or `out`. Differentiable where image or kernel are torch tensors that require gradients.

    Raises
    ------
    ValueError
        `InvalidArgument`: shapes, values, words or NaN that make no sense.
    TypeError
        A dtype that convoy does not read.
    MemoryError
        `OutOfMemory`: not even the smallest tiles fit.
    BackendUnavailable, Unsupported, CompileFailed, DeviceLost
        RuntimeErrors, as the device answers.

    Examples
    --------
    >>> import numpy as np, convoy
    >>> image = np.zeros((5, 7), np.float32)
    >>> image[2, 3] = 1
    >>> convoy.convolve(image, np.ones((3, 3)))[1:4, 1:6].astype(int)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]])
    """
    if precision is None:
        precision = _arrays.natural_precision(image)
    words = dict(
        mode=mode, boundary=boundary, cval=cval, origin=_spec.hashable(origin), operation=operation, normalize=normalize, nan=nan,
        preserve_nan=preserve_nan, no_data=no_data, region=_spec.hashable(region), pairing=pairing,
        precision=np.dtype(precision).name, method=method, path=path, device=_spec.hashable(device),
        memory_limit=memory_limit, host_memory_limit=host_memory_limit, tune=tune, deterministic=deterministic,
    )  # fmt: skip
    run = functools.partial(_convolve_last, words)
    call = dict(weights=weights, dtype=dtype, out=out, progress=progress, stream=stream)
    return run(image, kernel, _axes.count(image), **call) if axes is None else _axes.moved(run, image, kernel, axes, **call)


def _convolve_last(words: dict[str, Any], image: Any, kernel: Any, ndim: int, *, weights: Any, **call: Any) -> Any:
    """The image's last `ndim` axes."""
    several = _axes.count(kernel) == ndim + 1
    if weights is not None and not several:
        raise ValueError(f"weights are for several kernels, numbered by an axis before the {ndim} that are convolved")
    if getattr(kernel, "requires_grad", False) and several:
        raise ValueError("gradients of several kernels are not computed; convolve with one after the other")
    if not several and (getattr(image, "requires_grad", False) or getattr(kernel, "requires_grad", False)):
        from . import _torch

        return _torch.convolve(image, kernel, words, batched=_axes.count(kernel) == ndim, **call)
    return _convolve(image, kernel, words, ndim=ndim, weights=weights, **call)


def _digest(array: np.ndarray | None) -> Any:
    if array is None:
        return None
    return (hashlib.blake2b(array.data, digest_size=16).digest() if array.size else b"", array.shape, array.dtype.char)


def _convolve(image: Any, kernel: Any, words: dict[str, Any], *, batched: bool = False, ndim: int | None = None, weights: Any = None, **call: Any) -> Any:
    """The image's last axes are convolved: as many as the kernel has, or `ndim`."""
    array = _arrays.kernel(kernel, "kernel")
    shape = tuple(image.shape) if hasattr(image, "shape") else np.shape(image)
    if batched or ndim is not None:
        shape = shape[len(shape) - (array.ndim if ndim is None else ndim) :]
    if weights is not None:
        weights = _arrays.kernel(weights, "weights")
    key = (_digest(array), _digest(weights), shape, *words.values())
    convolver = kept.get(key, lambda: Convolver(array, shape, weights=weights, _lazy=True, **words))
    result = convolver(image, **call)
    kept.put(key, convolver)
    return result


def clear_cache() -> None:
    """Give back what the last calls of `convolve` and `deconvolve` keep ready: at most 8 kernels, and 256 MiB of device memory."""
    kept.clear()


atexit.register(kept.clear)  # before devices go


def plan(
    image_shape: Sequence[int],
    kernel_shape: Sequence[int],
    mode: str = "same",
    *,
    boundary: str = "zero",
    cval: float = 0.0,
    origin: Any = "center",
    operation: str = "convolve",
    region: Any = None,
    batch: int = 1,
    num_kernels: int = 1,
    pairing: str = "all",
    precision: Any = "float32",
    method: str = "auto",
    path: str = "auto",
    device: str = "auto",
    memory_limit: int | str | None = None,
    host_memory_limit: int | str | None = None,
    tune: str = "model",
    deterministic: bool = False,
) -> Plan:
    """How `convolve` would do it: padding, tiles, memory and time, before anything is allocated.

    Parameters
    ----------
    image_shape, kernel_shape : tuple of int
        1 to 3 axes, as many of each: ([[z,] y,] x).
    batch : int
        Images that are convolved together; of pairing 'each' `num_kernels`.
    num_kernels : int
        Kernels of that shape.
    mode, boundary, cval, origin, operation, region, pairing, precision, method, path, device, memory_limit, host_memory_limit, tune, deterministic
        As for `convolve`; one device.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError, MemoryError, BackendUnavailable, Unsupported
        As `convolve` does.
    """
    image = _spec.spatial_shape(image_shape, len(kernel_shape), "kernel")
    spec = _spec.convolution(
        image, kernel_shape, origin=origin, region=region, precision=precision, batch=num_kernels if pairing == "each" else batch,
        num_kernels=num_kernels, pairing=pairing, mode=mode, boundary=boundary, cval=float(cval), operation=operation, normalize=False, nan="error", preserve_nan=False, no_data=None,
    )  # fmt: skip
    options = _spec.plan_options(
        memory_limit=memory_limit, host_memory_limit=host_memory_limit, method=method, path=path, tune=tune, deterministic=deterministic
    )
    return Plan(*_core.plan_convolution(spec, device, options))


def input_box(
    image_shape: Sequence[int],
    kernel_shape: Sequence[int],
    mode: str = "same",
    *,
    boundary: str = "zero",
    cval: float = 0.0,
    origin: Any = "center",
    operation: str = "convolve",
    region: Any = None,
) -> tuple[slice, ...]:
    """The part of the image that the output, or a region of it, depends on: for jobs that fetch their part themselves.

    Parameters
    ----------
    image_shape, kernel_shape : tuple of int
        1 to 3 axes, as many of each: ([[z,] y,] x).
    mode, boundary, cval, origin, operation, region
        As for `convolve`; `origin` not ``'peak'``, which depends on the kernel's voxels.

    Returns
    -------
    tuple of slice
        As small as a box can be; where a boundary wraps, it holds what lies between the parts that are read.

    Raises
    ------
    ValueError
        As `convolve` does.

    Examples
    --------
    >>> import convoy
    >>> convoy.input_box((100, 100), (5, 4), region=(slice(10, 20), slice(0, 20)))
    (slice(8, 22, None), slice(0, 22, None))
    """
    image = _spec.spatial_shape(image_shape, len(kernel_shape), "kernel")
    spec = _spec.convolution(
        image, kernel_shape, origin=origin, region=region, precision="float32", mode=mode, boundary=boundary, cval=float(cval), operation=operation,
        normalize=False, nan="error", preserve_nan=False, no_data=None,
    )  # fmt: skip
    return _spec.boxed(_core.input_box(spec), len(image))


def deconvolve(
    image: Any,
    psf: Any,
    iterations: int | None = None,
    *,
    mask: Any = None,
    axes: int | Sequence[int] | None = None,
    precision: Any = None,
    dtype: Any = None,
    out: Any = None,
    progress: Any = None,
    stream: int | None = None,
    **options: Any,
) -> Any:
    """Restore an image that was blurred by a known PSF, by Richardson and Lucy's algorithm unless told otherwise.

    What the last calls have made ready is kept, as for `convolve`. Blocks, unless the image lies on a GPU.

    Parameters
    ----------
    image : array_like
        Real; of whatever library and place `Deconvolver` takes. Axes before the PSF's are a stack of images; with several PSFs the last of
        them numbers channels.
    psf : array_like or list of array_like
        Real, of 1 to 3 axes. Several, one for each channel: a list of arrays of one shape, or, with `axes`, an array with an axis more in front.
    iterations : int, optional
        At most; as for `Deconvolver`.
    mask : array_like, optional
        Voxels where it is 0 have no datum, and are restored from their neighbours.
    axes : int or tuple of int, optional
        Axes of the image that are restored, as many as a PSF has; the others are a stack. Default: the last ones.
    precision : {'float32', 'float64'}, optional
        As for `convolve`.
    dtype, out, progress, stream
        As for `convolve`; progress counts iterations.
    **options
        As for `Deconvolver`: `algorithm`, `acceleration`, `edges`, `background`, `stop`, `tv`, `tiles`, `device`, `memory_limit` ...

    Returns
    -------
    array
        In the image's array library, or `out`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `convolve` does.
    """
    if precision is None:
        precision = _arrays.natural_precision(image)
    words = dict(options, iterations=iterations, precision=np.dtype(precision).name)
    several = isinstance(psf, (list, tuple)) and len(psf) > 0 and hasattr(psf[0], "ndim")
    array = _arrays.psfs(psf)
    call = dict(mask=mask, dtype=dtype, out=out, progress=progress, stream=stream)
    run = functools.partial(_restore_last, words)
    return run(image, array, array.ndim - several, **call) if axes is None else _axes.moved(run, image, array, axes, **call)


def _restore_last(words: dict[str, Any], image: Any, psf: np.ndarray, ndim: int, **call: Any) -> Any:
    """The image's last `ndim` axes."""
    shape = tuple(image.shape) if hasattr(image, "shape") else np.shape(image)
    if len(shape) < ndim:
        raise ValueError(f"image has {len(shape)} axes and psf {ndim}")
    shape = shape[len(shape) - ndim :]
    key = ("deconvolve", _digest(psf), shape, *((name, _spec.hashable(value)) for name, value in sorted(words.items())))
    deconvolver = kept.get(key, lambda: Deconvolver(psf, shape, _lazy=True, **words))
    result = deconvolver(image, **call)
    kept.put(key, deconvolver)
    return result

"""Convolution and deconvolution of Dask arrays: lazy, one task for each block of the output.

Each block reads what `convoy.input_box` says it needs of its neighbours, so that the result is that of the whole array. A worker makes a kernel
ready once, not once for each block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np

from .. import _api, _arrays, _spec
from . import ndfilters
from ._blocks import blockwise
from ._work import Convolution, Deconvolution

__all__ = ["convolve", "deconvolve", "ndfilters", "suggest_chunks"]


def convolve(
    image: da.Array,
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
    chunks: Sequence[Any] | None = None,
    precision: Any = None,
    dtype: Any = None,
    device: str = "worker",
    **options: Any,
) -> da.Array:
    """`convoy.convolve` of a Dask array, to rounding. Lazy: nothing is computed here.

    Parameters
    ----------
    image : dask.array.Array
        Its last axes are convolved, as many as the kernel has; those before them are a batch.
    kernel : array_like
        Of 1 to 3 axes, in memory. It travels to each worker once.
    mode, boundary, cval, origin, operation, normalize, nan, preserve_nan, no_data, precision, dtype
        As for `convoy.convolve`. ``operation='correlate'`` with boundary ``'zero'`` or ``'wrap'`` only: elsewhere what lies outside a block
        is added to what lies inside.
    chunks : sequence, optional
        Of the output's convolved axes, as Dask takes them. Default: the image's. See `suggest_chunks`.
    device : str
        ``'worker'``: what the worker's Dask configuration says under ``convoy.device``, else ``'auto'``.
    **options
        Of `convoy.Convolver`: `method`, `memory_limit`, `host_memory_limit`, `deterministic` ...

    Returns
    -------
    dask.array.Array

    Raises
    ------
    ValueError, NotImplementedError
        Here; what `convoy.convolve` finds in the voxels (NaN ...) when it is computed.

    Examples
    --------
    >>> import dask.array as da, numpy as np, convoy.dask
    >>> image = da.ones((100, 100), chunks=50)
    >>> float(convoy.dask.convolve(image, np.ones((3, 3)), boundary="reflect").sum())
    90000.0
    """
    weights = _arrays.kernel(kernel, "kernel")
    extents, shape = weights.shape, tuple(image.shape)[image.ndim - weights.ndim :]
    if operation == "correlate" and boundary not in ("zero", "wrap") and mode != "circular":
        raise NotImplementedError(f"operation 'correlate' of Dask arrays wants boundary 'zero' or 'wrap', not {boundary!r}; operation 'flip' has any")
    if isinstance(origin, str) and origin == "peak":
        origin = tuple(int(i) for i in np.unravel_index((abs(weights) if weights.dtype.kind == "c" else weights).argmax(), extents))
    words: dict[str, Any] = dict(mode=mode, boundary=boundary, cval=cval, origin=_spec.hashable(origin), operation=operation)
    if precision is None:
        precision = _arrays.natural_precision(image)
    made = _arrays.output_dtype(dtype, np.dtype(precision).name, "c" in (image.dtype.kind, weights.dtype.kind))
    if isinstance(made, str):
        raise TypeError("Dask has no arrays of bfloat16; give another dtype")
    options.update(normalize=normalize, nan=nan, preserve_nan=preserve_nan, no_data=no_data, precision=np.dtype(precision).name)
    first = image.ndim - weights.ndim
    blocks = image.chunks[first:]
    if mode == "circular" or (boundary == "wrap" and mode != "valid"):
        image, words, shift = _wrapped(image, shape, extents, words)
    else:
        shift = (0,) * weights.ndim
    whole = _spec.whole_output(shape, extents, mode)
    work = Convolution(weights, {**words, **options}, device, made)
    box = lambda region: _api.input_box(tuple(image.shape)[first:], extents, **words, region=_moved(region, shift))
    return blockwise(image, whole, _output_chunks(blocks, shape, whole, chunks), box, work, shift)


def _wrapped(image: da.Array, shape: tuple[int, ...], extents: tuple[int, ...], words: dict[str, Any]) -> tuple[da.Array, dict[str, Any], tuple[int, ...]]:
    """The image with what a kernel sees beyond its edges beside it, so that blocks at an edge need not read the whole axis."""
    box = _api.input_box([3 * n + 2 * k for n, k in zip(shape, extents)], extents, **{**words, "mode": "same", "boundary": "zero"},
                         region=[slice(n + k, 2 * n + k) for n, k in zip(shape, extents)])  # fmt: skip
    shift = []
    first = image.ndim - len(shape)
    for axis, (n, k, part) in enumerate(zip(shape, extents, box), first):
        before, after = n + k - part.start, part.stop - 2 * n - k
        if words["mode"] == "full":
            before = after = k - 1
        parts = [_repeated(image, axis, -before, 0), image, _repeated(image, axis, n, n + after)]
        image = da.concatenate([p for p in parts if p.shape[axis]], axis=axis)
        shift.append(before)
    mode = "full" if words["mode"] == "full" else "same"
    return image, {**words, "mode": mode, "boundary": "zero"}, tuple(shift)


def _repeated(image: da.Array, axis: int, begin: int, end: int) -> da.Array:
    """Positions of the endless repetition of the image."""
    n = image.shape[axis]
    parts: list[da.Array] = []
    while begin < end or not parts:
        stop = min(end, (begin // n + 1) * n)
        at = begin % n
        parts.append(image[(slice(None),) * axis + (slice(at, at + max(0, stop - begin)),)])
        begin = max(stop, begin + (stop == begin))
    return da.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]


def _moved(region: Sequence[slice], shift: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(s.start + d, s.stop + d) for s, d in zip(region, shift))


def _output_chunks(image: Any, shape: tuple[int, ...], whole: tuple[int, ...], chunks: Any) -> tuple[tuple[int, ...], ...]:
    """As asked for, or the image's: the last ones are longer or shorter where the output is."""
    if chunks is not None:
        return da.core.normalize_chunks(chunks, shape=whole, dtype=np.float32)
    result = []
    for sizes, n, m in zip(image, shape, whole):
        ends = [min(end, m) for end in np.cumsum(sizes)[:-1].tolist() if end < m] + [m]
        result.append(tuple(b - a for a, b in zip([0, *ends], ends)))
    return tuple(result)


def deconvolve(
    image: da.Array,
    psf: Any,
    iterations: int = 25,
    *,
    halo: float = 1.0,
    chunks: Sequence[Any] | None = None,
    precision: Any = None,
    dtype: Any = None,
    device: str = "worker",
    **options: Any,
) -> da.Array:
    """Restore a Dask array block by block, each with a halo that is restored too and left out.

    Unlike `convolve`, the result differs from that of the whole array at the blocks' seams, by an amount that falls with `halo`. What is
    scaled by the whole image (`acceleration`, `tv`, `start` ...) is scaled by the block.

    Parameters
    ----------
    image : dask.array.Array
        Its last axes are restored, as many as the PSF has; those before them are a stack.
    psf : array_like
        Of 1 to 3 axes, in memory.
    iterations : int
    halo : float
        In extents of the PSF, on each side of a block.
    chunks, precision, dtype, device
        As for `convolve`.
    **options
        Of `convoy.Deconvolver`.

    Returns
    -------
    dask.array.Array
    """
    kernel = _arrays.kernel(psf, "psf", real=True)
    first = image.ndim - kernel.ndim
    shape = tuple(image.shape)[first:]
    precision = np.dtype(precision or _arrays.natural_precision(image)).name
    made = _arrays.output_dtype(dtype, precision)
    reach = [int(np.ceil(halo * (k - 1))) for k in kernel.shape]
    box = lambda region: tuple(slice(max(0, s.start - r), min(n, s.stop + r)) for s, r, n in zip(region, reach, shape))
    work = Deconvolution(kernel, {**options, "iterations": iterations, "precision": precision}, device, made)
    return blockwise(image, shape, _output_chunks(image.chunks[first:], shape, shape, chunks), box, work, (0,) * kernel.ndim)


def suggest_chunks(image: da.Array, kernel_shape: Sequence[int], *, device: str = "auto", memory_limit: int | str | None = None, **words: Any) -> tuple[int, ...]:
    """Chunks of the convolved axes that convoy's planner would cut on this device: few, and of lengths that transform fast.

    Parameters
    ----------
    image : dask.array.Array
    kernel_shape : tuple of int
    device, memory_limit, **words
        As for `convoy.plan`; a worker has its part of the machine's memory.

    Returns
    -------
    tuple of int
        For `chunks` of `convolve`.
    """
    shape = tuple(image.shape)[image.ndim - len(kernel_shape) :]
    plan = _api.plan(shape, kernel_shape, device=device, memory_limit=memory_limit, **words)
    return tuple(plan.json["tile_output"][3 - len(shape) :])

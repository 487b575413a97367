"""Arguments of the public functions as the dictionaries that the extension reads."""

from __future__ import annotations

import operator
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _core


def padded(extents: Sequence[int], fill: int = 1) -> list[int]:
    """z, y, x of one to three numbers, which are the last ones."""
    return [fill] * (3 - len(extents)) + [operator.index(n) for n in extents]


def spatial_shape(shape: Sequence[int], kernel_ndim: int, what: str) -> tuple[int, ...]:
    """Checks an image's axes against the kernel's."""
    extents = tuple(operator.index(n) for n in shape)
    if not 1 <= len(extents) <= 3:
        raise ValueError(f"{len(extents)} axes are to be convolved; convoy convolves 1 to 3: name them in `axes`, the others are a batch")
    if len(extents) != kernel_ndim:
        raise ValueError(f"image has {len(extents)} axes and {what} {kernel_ndim}; give both as many, or name `axes`")
    return extents


def convolution(
    image: Sequence[int], kernel: Sequence[int], *, origin: Any, region: Any, precision: Any, batch: int = 1, num_kernels: int = 1, pairing: str = "all", **words: Any
) -> dict[str, Any]:
    ndim = len(image)
    return dict(
        image=padded(image),
        kernel=padded(kernel),
        origin=_origin(origin, ndim),
        region=_region(region, image, kernel, words["mode"]),
        precision=np.dtype(precision).name,
        batch=batch,
        num_kernels=num_kernels,
        pairing=pairing,
        **words,
    )


def deconvolution(
    image: Sequence[int], psf: Sequence[int], *, num_psfs: int, origin: Any, start: str | float, stop: str | float, background: str | float, voxel_size: Any, precision: Any, **words: Any
) -> dict[str, Any]:
    ndim = len(image)
    voxel = [1.0] * 3 if voxel_size is None else [1.0] * (3 - ndim) + [float(v) for v in np.broadcast_to(voxel_size, ndim)]
    if isinstance(background, str) and background != "auto":
        raise ValueError(f"background is {background!r}; it is a number or 'auto'")
    return dict(
        image=padded(image),
        kernel=padded(psf),
        num_kernels=num_psfs,
        origin=_origin(origin, ndim),
        background=0.0 if isinstance(background, str) else float(background),
        estimate_background=isinstance(background, str),
        stop=stop if isinstance(stop, str) else "none",
        stop_relative_change=0.0 if isinstance(stop, str) else float(stop),
        start=start if isinstance(start, str) else "value",
        start_value=0.0 if isinstance(start, str) else float(start),
        voxel_size=voxel,
        precision=np.dtype(precision).name,
        **words,
    )


def plan_options(*, memory_limit: Any, host_memory_limit: Any, method: str, path: str, tune: str, deterministic: bool, min_tiles: int = 1, scratch: Any = None) -> dict[str, Any]:
    return dict(
        memory_limit=size(memory_limit),
        host_memory_limit=size(host_memory_limit),
        method=method,
        path=path,
        tune=tune,
        deterministic=bool(deterministic),
        min_tiles=min_tiles,
        scratch="" if scratch is None else os.fspath(scratch),
    )


def devices(device: str | Sequence[str]) -> list[str]:
    return [device] if isinstance(device, str) else list(device)


def size(value: int | str | None) -> int:
    """Bytes of a number, or a text such as ``'2GiB'``; 0 of None."""
    if value is None:
        return 0
    return int(_core.bytes_from_text(value)) if isinstance(value, str) else operator.index(value)


def _origin(origin: Any, ndim: int) -> Any:
    if isinstance(origin, str):
        return origin
    index = [operator.index(i) for i in np.atleast_1d(origin)]
    if len(index) != ndim:
        raise ValueError(f"origin has {len(index)} numbers and the kernel {ndim} axes")
    return padded(index, 0)


def boxed(box: Sequence[tuple[int, int]], ndim: int) -> tuple[slice, ...]:
    """A box of the extension's, as slices of the last axes."""
    return tuple(slice(begin, end) for begin, end in box[3 - ndim :])


def whole_output(image: Sequence[int], kernel: Sequence[int], mode: str) -> tuple[int, ...]:
    """Of the mode, without a region."""
    if mode == "full":
        return tuple(n + k - 1 for n, k in zip(image, kernel))
    if mode == "valid":
        return tuple(max(n, k) - min(n, k) + 1 for n, k in zip(image, kernel))
    return tuple(image)


def region_slices(region: Any, whole: Sequence[int]) -> list[slice]:
    """The region as slices with begin and end. Negative numbers count from the end, as in NumPy."""
    parts = list(region) if isinstance(region, (tuple, list)) else [region]
    if len(parts) != len(whole):
        raise ValueError(f"region has {len(parts)} axes and the output {len(whole)}")
    slices = []
    for part, extent in zip(parts, whole):
        begin, end, step = (part if isinstance(part, slice) else slice(*part)).indices(extent)
        if step != 1:
            raise ValueError("a region has no steps; slice the result")
        slices.append(slice(begin, end))
    return slices


def _region(region: Any, image: Sequence[int], kernel: Sequence[int], mode: str) -> Any:
    if region is None:
        return None
    slices = region_slices(region, whole_output(image, kernel, mode))
    return [(0, 1)] * (3 - len(slices)) + [(s.start, s.stop) for s in slices]


def hashable(value: Any) -> Any:
    """Something hashable that means the same."""
    if isinstance(value, slice):
        return (value.start, value.stop, value.step)
    if isinstance(value, (list, tuple)):
        return tuple(hashable(v) for v in value)
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value

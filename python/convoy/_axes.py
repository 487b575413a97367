"""Which axes of an image are convolved or restored; the others are a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _arrays


def count(array: Any) -> int:
    """Without looking at the voxels."""
    return len(array.shape) if hasattr(array, "shape") else np.ndim(array)


def moved(run: Callable[..., Any], image: Any, kernel: Any, axes: int | Sequence[int], *, out: Any, **call: Any) -> Any:
    """Has `run(image, kernel, number of axes, out=...)` take the image's last axes, after moving those named there, and back."""
    ndim = count(image)
    named = [axes] if isinstance(axes, int) else list(axes)
    wanted = [axis + ndim if axis < 0 else axis for axis in named]
    if any(not 0 <= axis < ndim for axis in wanted) or len(set(wanted)) != len(wanted):
        raise ValueError(f"axes {tuple(named)} are not {len(named)} of the image's {ndim}")
    order = [axis for axis in range(ndim) if axis not in wanted] + wanted
    kernel_ndim, is_last = count(kernel), order == list(range(ndim))
    if kernel_ndim == len(wanted) + 1:
        if not is_last:
            raise ValueError(f"with several kernels, the axes that are convolved are the last ones, and `axes` is {tuple(named)}; move them there")
    elif kernel_ndim != len(wanted):
        raise ValueError(f"kernel has {kernel_ndim} axes and `axes` names {len(wanted)}")
    if is_last:
        return run(image, kernel, len(wanted), out=out, **call)
    if _arrays.on_device(image) is None and not hasattr(image, "__array_namespace__") and not hasattr(image, "permute"):
        image = np.asarray(image)
    result = run(_permuted(image, order), kernel, len(wanted), out=None if out is None else _permuted(out, order), **call)
    return out if out is not None else _permuted(result, np.argsort(order).tolist())


def _permuted(array: Any, order: list[int]) -> Any:
    if hasattr(array, "permute"):  # torch
        return array.permute(order)
    if isinstance(array, np.ndarray) or not hasattr(array, "__array_namespace__"):
        return np.transpose(array, order)
    return array.__array_namespace__().permute_dims(array, tuple(order))

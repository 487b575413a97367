"""Derivatives of a convolution, for any array library: what _torch.py and jax.py hand on.

A convolution is linear in image and kernel. Its derivative by the image is the adjoint, which convoy computes as
``operation='correlate'``; its derivative by the kernel is the correlation of what the output saw of the image with the output's
gradient, cropped to the kernel: a convolution in mode valid, whose output has the kernel's shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _api, _spec
from ._convolver import Convolver

_REVERSED = slice(None, None, -1)


class Linear:
    """The convolution of `words` (the arguments of `convolve`) as two derivatives. Arrays are NumPy's or what convolve() takes."""

    def __init__(self, image_shape: tuple[int, ...], kernel_shape: tuple[int, ...], words: dict[str, Any]) -> None:
        self.image, self.kernel, self.words = tuple(image_shape), tuple(kernel_shape), dict(words)
        if words["normalize"]:
            raise ValueError("gradients want the kernel as it is: divide it by its sum first, where gradients are recorded")
        if words["nan"] != "error" or words["boundary"] == "constant" and words["cval"] != words["cval"] or words["no_data"] is not None:
            raise ValueError("gradients want images without missing data: nan='error', and no no_data")
        if words["mode"] == "full" and words["boundary"] != "zero":
            raise ValueError("gradients of mode 'full' want boundary 'zero': pad the image, where gradients are recorded, and convolve that")
        if words["origin"] == "peak":
            raise ValueError("gradients want another origin than 'peak', which depends on the kernel's voxels")
        self.whole = _spec.whole_output(self.image, self.kernel, words["mode"])
        self.region = None if words["region"] is None else _spec.region_slices(words["region"], self.whole)

    def _run(self, image: Any, kernel: Any, **changes: Any) -> Any:
        words = {**self.words, "region": None, **changes}
        if words["boundary"] == "constant":  # an affine map, whose derivative sees zeros outside
            words.update(boundary="zero", cval=0.0)
        return _api._convolve(image, kernel, words, batched=True)

    def placed(self, gradient: Any, empty: Any) -> Any:
        """The output's gradient on the whole output; `empty(shape)` makes zeros of its library."""
        if self.region is None:
            return gradient
        whole = empty(tuple(gradient.shape)[: gradient.ndim - len(self.whole)] + self.whole)
        whole[(..., *self.region)] = gradient
        return whole

    def by_image(self, gradient: Any, kernel: np.ndarray) -> Any:
        """The adjoint of the output's gradient (whole). Axes before the image's are a batch."""
        operation, origin, mode = self.words["operation"], self.words["origin"], self.words["mode"]
        if operation == "flip":  # the adjoint of a convolution with the mirrored kernel
            kernel = np.ascontiguousarray(kernel[(_REVERSED,) * kernel.ndim])
            origin = tuple(k - 1 - o for k, o in zip(self.kernel, self._origin()))
        back = "convolve" if operation == "correlate" else "correlate"
        if mode in ("full", "valid"):
            return self._cut_of_full(gradient, kernel, back)
        return self._run(gradient, kernel, operation=back, origin=origin)

    def _cut_of_full(self, gradient: Any, kernel: np.ndarray, back: str) -> Any:
        """The adjoint of modes full and valid, whichever of image and kernel is larger: a window of the full convolution with the
        reversed kernel."""
        if back == "correlate":
            kernel = np.ascontiguousarray(kernel[(_REVERSED,) * kernel.ndim])
        full = self.words["mode"] == "full"
        begins = [k - 1 if full else max(0, k - n) for n, k in zip(self.image, self.kernel)]
        spans = tuple((begin, begin + n, None) for begin, n in zip(begins, self.image))
        return self._run(gradient, kernel, region=spans, mode="full", operation="convolve", origin="center")

    def by_kernel(self, image: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Of host arrays, the gradient's whole. Images of a batch are added up."""
        operation = self.words["operation"]
        batch = image.shape[: image.ndim - len(self.image)]
        if operation == "correlate":  # <g, A'x> = <A g, x>: image and gradient swap their parts
            image, gradient = gradient, image
        extended = self._extended(image, gradient.shape[len(batch) :], operation)
        if not batch:
            return self._correlated(extended, gradient, operation)
        extended = extended.reshape((-1, *extended.shape[len(batch) :]))
        gradient = gradient.reshape((-1, *gradient.shape[len(batch) :]))
        if len(self.image) < 3:  # the batch is one more axis, along which valid has one output: the sum
            return self._correlated(extended, gradient, operation)[0]
        return np.sum([self._correlated(e, g, operation) for e, g in zip(extended, gradient)], axis=0)

    def _correlated(self, extended: np.ndarray, gradient: np.ndarray, operation: str) -> np.ndarray:
        options = {k: self.words[k] for k in ("precision", "device", "memory_limit", "host_memory_limit", "deterministic")}
        extended, gradient = np.ascontiguousarray(extended), np.ascontiguousarray(gradient)
        with Convolver(gradient, extended.shape, mode="valid", operation="correlate", **options) as correlate:
            found = correlate(extended)
        return found if operation == "flip" else found[(..., *(_REVERSED,) * len(self.kernel))]

    def _origin(self) -> tuple[int, ...]:
        """Of the kernel as given."""
        origin, mode = self.words["origin"], self.words["mode"]
        if mode == "full":
            return (0,) * len(self.kernel)
        if mode == "valid":
            return tuple(min(n, k) - 1 for n, k in zip(self.image, self.kernel))
        if not isinstance(origin, str):
            return tuple(origin) if isinstance(origin, (tuple, list)) else (origin,)
        flip = self.words["operation"] == "flip"
        rules = {"center": lambda k: k // 2, "first": lambda k: 0, "scipy": lambda k: k // 2 if flip else (k - 1) // 2}
        return tuple(rules[origin](k) for k in self.kernel)

    def _extended(self, image: np.ndarray, output: tuple[int, ...], operation: str) -> np.ndarray:
        """What the output saw of the image: output + kernel - 1 voxels of each axis, the boundary filled in."""
        mode = self.words["mode"]
        boundary = "wrap" if mode == "circular" else self.words["boundary"] if mode == "same" else "zero"
        leading = image.ndim - len(self.kernel)
        origin = self._origin()
        if operation == "correlate" and mode in ("full", "valid"):  # the adjoint is of the other mode
            origin = tuple(k - 1 if mode == "full" else max(0, k - n) for n, k in zip(self.image, self.kernel))
        elif operation == "flip" and mode in ("full", "valid"):
            origin = tuple(k - 1 - o for k, o in zip(self.kernel, origin))
        for axis, (n, k, at) in enumerate(zip(output, self.kernel, origin)):
            before = at if operation == "flip" else k - 1 - at
            positions = np.arange(n + k - 1) - before
            image = _taken(image, leading + axis, positions, boundary, self.words["cval"])
        return image


def _taken(image: np.ndarray, axis: int, positions: np.ndarray, boundary: str, cval: float) -> np.ndarray:
    """The image's voxels at positions along an axis, through the boundary."""
    n = image.shape[axis]
    inside = (positions >= 0) & (positions < n)
    if boundary == "wrap":
        index = positions % n
    elif boundary == "reflect":
        index = positions % (2 * n)
        index = np.minimum(index, 2 * n - 1 - index)
    elif boundary == "mirror":
        index = positions % max(2 * n - 2, 1)
        index = np.minimum(index, 2 * n - 2 - index) if n > 1 else index * 0
    else:
        index = np.clip(positions, 0, n - 1)
    taken = np.take(image, index, axis)
    if boundary in ("zero", "constant"):
        taken[(slice(None),) * axis + (~inside,)] = cval if boundary == "constant" else 0
    return taken

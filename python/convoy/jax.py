"""Convolution under `jax.jit`, `jax.grad` and `jax.vmap`, of arrays in host memory.

    import convoy.jax
    blurred = convoy.jax.convolve(image, kernel, boundary="reflect")
    gradient = jax.grad(lambda k: convoy.jax.convolve(image, k).sum())(kernel)
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import _api, _spec
from ._gradients import Linear

_DEFAULTS: dict[str, Any] = dict(
    boundary="zero", cval=0.0, origin="center", operation="convolve", normalize=False, nan="error", preserve_nan=False, no_data=None, region=None,
    method="auto", path="auto", device="cpu", memory_limit=None, host_memory_limit=None, tune="model", deterministic=False,
)  # fmt: skip


def convolve(image: Any, kernel: Any, mode: str = "same", **options: Any) -> jax.Array:
    """`convoy.convolve` as a function that JAX can differentiate by image and kernel (custom_vjp), compile and batch.

    Parameters
    ----------
    image, kernel : array
        1 to 3 axes, as many of each. Computed in the image's dtype: float32, or float64 where JAX has it switched on.
    mode, **options
        As for `convoy.convolve`; no `axes` (jax.vmap does that), `out`, `dtype` or `progress`. Device: ``'cpu'`` by default.

    Returns
    -------
    jax.Array
        Of the image's dtype.

    Raises
    ------
    ValueError, TypeError
        As `convoy.convolve` does; what is found when it runs, such as NaN, comes out as JAX's runtime error.
    """
    unknown = set(options) - set(_DEFAULTS)
    if unknown:
        raise TypeError(f"convoy.jax.convolve has no {', '.join(sorted(unknown))}")
    image, kernel = jnp.asarray(image), jnp.asarray(kernel)
    if jnp.iscomplexobj(image) or jnp.iscomplexobj(kernel):
        raise TypeError("convoy.jax convolves real arrays; convolve real and imaginary part apart")
    if not jnp.issubdtype(image.dtype, jnp.floating):
        image = image.astype(jnp.result_type(float))
    words = {**_DEFAULTS, **options, "mode": mode, "precision": "float64" if image.dtype == np.float64 else "float32"}
    if words["normalize"]:  # by JAX, which then knows its derivative
        kernel, words["normalize"] = kernel / kernel.sum(), False
    return _convolution(image, kernel, tuple((name, _spec.hashable(value)) for name, value in words.items()))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolution(image: jax.Array, kernel: jax.Array, words: tuple[Any, ...]) -> jax.Array:
    options = dict(words)
    spatial = _spec.spatial_shape(image.shape, kernel.ndim, "kernel")
    whole = _spec.whole_output(spatial, kernel.shape, options["mode"])
    shape = whole if options["region"] is None else tuple(s.stop - s.start for s in _spec.region_slices(options["region"], whole))

    def run(x: Any, k: Any) -> np.ndarray:
        return _api._convolve(np.asarray(x), np.asarray(k), options, batched=True, dtype=image.dtype)

    return jax.pure_callback(run, jax.ShapeDtypeStruct(shape, image.dtype), image, kernel, vmap_method="sequential")


def _forward(image: jax.Array, kernel: jax.Array, words: tuple[Any, ...]) -> tuple[jax.Array, Any]:
    return _convolution(image, kernel, words), (image, kernel)


def _backward(words: tuple[Any, ...], saved: Any, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    image, kernel = saved
    linear = Linear(image.shape, kernel.shape, dict(words))

    def whole(g: Any) -> np.ndarray:
        g = np.ascontiguousarray(g)
        return linear.placed(g, lambda shape: np.zeros(shape, g.dtype))

    def by_image(g: Any, k: Any) -> np.ndarray:
        return np.asarray(linear.by_image(whole(g), np.array(k)), image.dtype)

    def by_kernel(g: Any, x: Any) -> np.ndarray:
        return np.ascontiguousarray(linear.by_kernel(np.asarray(x), whole(g)), kernel.dtype)

    image_like = jax.ShapeDtypeStruct(image.shape, image.dtype)
    kernel_like = jax.ShapeDtypeStruct(kernel.shape, kernel.dtype)
    return (
        jax.pure_callback(by_image, image_like, gradient, kernel, vmap_method="sequential"),
        jax.pure_callback(by_kernel, kernel_like, gradient, image, vmap_method="sequential"),
    )


_convolution.defvjp(_forward, _backward)

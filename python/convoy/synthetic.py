"""Test scenes and point spread functions (PSFs) by formula. Positions and distances are in the order of the axes: ([[z,] y,] x)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _core, _spec

__all__ = ["gaussian_psf", "spheres", "widefield_psf"]


def _volume(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """With three axes, as the extension has them."""
    if not 1 <= len(shape) <= 3:
        raise ValueError(f"shape has {len(shape)} axes; convoy draws in 1 to 3")
    return np.zeros(_spec.padded(shape), dtype)


def _triple(values: Any, ndim: int, fill: float) -> tuple[float, ...]:
    given = [float(v) for v in np.broadcast_to(values, ndim)]
    return (*[fill] * (3 - ndim), *given)


def spheres(
    shape: Sequence[int], *, centers: Sequence[Sequence[float]] | None = None, radius: float | None = None, value: float = 1.0, dtype: Any = "float32"
) -> np.ndarray:
    """An empty volume with solid spheres.

    Parameters
    ----------
    shape : tuple of int
        1 to 3 axes.
    centers : sequence of sequence of float, optional
        In voxels. Default: three, all of which reach beyond the volume.
    radius : float, optional
        In voxels. Default: 50 for 512 voxels along x, and in proportion.
    value : float
        Inside.
    dtype : dtype

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        `dtype` does not hold the value, or the radius is negative.
    """
    image = _volume(shape, dtype)
    places = None if centers is None else [_triple(center, len(shape), 0.0) for center in centers]
    _core.draw_spheres(image, places, radius, float(value))
    return image.reshape(tuple(shape))


def gaussian_psf(shape: Sequence[int], sigma: float | Sequence[float], *, dtype: Any = "float32") -> np.ndarray:
    """A Gaussian of sum 1 around floor(k/2).

    Parameters
    ----------
    shape : tuple of int
        1 to 3 axes.
    sigma : float or sequence of float
        Standard deviations in voxels; 0 for a single plane, row or column of that axis.
    dtype : {'float32', 'float64'}

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        A sigma that is negative or infinite.
    """
    psf = _volume(shape, dtype)
    _core.fill_gaussian_psf(psf, _triple(sigma, len(shape), 0.0))
    return psf.reshape(tuple(shape))


def widefield_psf(
    shape: Sequence[int],
    *,
    numerical_aperture: float = 1.2,
    wavelength: float = 0.52,
    refractive_index: float = 1.33,
    voxel: Sequence[float] = (0.3, 0.1, 0.1),
    oversampling: int = 10,
    dtype: Any = "float32",
) -> np.ndarray:
    """A widefield microscope's PSF without aberrations, of sum 1 around floor(k/2): the scalar Debye integral (Born and Wolf, 8.8).

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    numerical_aperture, refractive_index : float
    wavelength : float
        In vacuum, of the light that is detected; in the unit of `voxel`, say micrometres.
    voxel : sequence of float
        Size of a voxel, (z, y, x).
    oversampling : int
        Samples of the radial profile a voxel; between them it is interpolated.
    dtype : {'float32', 'float64'}

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        Optics that cannot be.
    """
    psf = _volume(shape, dtype)
    if len(shape) != 3:
        raise ValueError(f"shape has {len(shape)} axes; this PSF has z, y and x")
    _core.fill_widefield_psf(psf, numerical_aperture, wavelength, refractive_index, _triple(voxel, 3, 1.0), oversampling)
    return psf

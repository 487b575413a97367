from __future__ import annotations

from typing import Any

import convoy
import numpy as np


def spheres() -> list[tuple[Any, dict[str, Any]]]:
    """Three spheres, blurred and with the noise of photons, and the PSF."""
    psf = convoy.synthetic.widefield_psf((33, 49, 49))
    truth = convoy.synthetic.spheres((40, 160, 160), value=100)
    image = np.random.default_rng(1).poisson(np.maximum(convoy.convolve(truth, psf), 0) + 5).astype(np.float32)
    scale = (3, 1, 1)
    return [(image, {"name": "spheres, blurred", "scale": scale}), (psf, {"name": "PSF", "visible": False, "scale": scale})]

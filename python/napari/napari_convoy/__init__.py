"""napari's plugin of convoy."""

from ._sample import spheres
from ._widgets import ConvolveWidget, DeconvolveWidget

__all__ = ["ConvolveWidget", "DeconvolveWidget", "spheres"]

"""convoy: convolution and deconvolution of images of any size, on NVIDIA, AMD and other GPUs or on the CPU."""

from . import synthetic
from ._api import clear_cache, convolve, deconvolve, input_box, plan
from ._convolver import Convolver
from ._core import version as __version__
from ._deconvolver import Deconvolver
from ._errors import (
    BackendUnavailable,
    Cancelled,
    CompileFailed,
    DeviceLost,
    Error,
    FileError,
    InvalidArgument,
    OutOfMemory,
    Unsupported,
)
from ._libraries import name_libraries
from ._machine import devices, num_threads, selftest, set_variable
from ._plan import Device, Devices, Plan, Progress, SelftestReport

name_libraries()

__all__ = [
    "BackendUnavailable",
    "Cancelled",
    "CompileFailed",
    "Convolver",
    "Deconvolver",
    "Device",
    "DeviceLost",
    "Devices",
    "Error",
    "FileError",
    "InvalidArgument",
    "OutOfMemory",
    "Plan",
    "Progress",
    "SelftestReport",
    "Unsupported",
    "__version__",
    "clear_cache",
    "convolve",
    "deconvolve",
    "devices",
    "input_box",
    "num_threads",
    "plan",
    "selftest",
    "set_variable",
    "synthetic",
]

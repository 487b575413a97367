"""Libraries that pip has installed beside convoy: NVIDIA's NVRTC (``convoy-fft[cuda12]``, ``[cuda13]``) and MKL (``[mkl]``)."""

from __future__ import annotations

import glob
import os
import sys

from . import _core, _errors

_NVRTC = "nvidia/*/lib/libnvrtc.so.*"


def folders() -> list[str]:
    """Where they lie, of the environments that this Python imports from. The newest NVRTC comes first."""
    sites = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    nvrtc = [name for site in sites for name in glob.glob(os.path.join(site, _NVRTC))]
    found = [os.path.dirname(name) for name in sorted(nvrtc, key=os.path.basename, reverse=True)]
    if any(glob.glob(os.path.join(site, "mkl-*.dist-info")) for site in sites):
        found += [os.path.dirname(name) for name in glob.glob(os.path.join(sys.prefix, "lib", "libmkl_rt.so.*"))]
    return list(dict.fromkeys(found))


def name_libraries() -> None:
    """Lets convoy look there for what the system's loader does not find."""
    path = os.pathsep.join(filter(None, [os.environ.get("CONVOY_LIBRARY_PATH"), *folders()]))
    if not path:
        return
    try:
        _core.set_variable("CONVOY_LIBRARY_PATH", path)
    except _errors.Error:  # a library was opened already, by another copy of this package
        pass

"""This machine: its devices, whether to trust them, convoy's variables."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import _core
from ._plan import Device, Devices, SelftestReport
from ._progress import telling


def devices() -> Devices:
    """This machine's devices.

    Returns
    -------
    Devices
        In the order of backends in which ``device='auto'`` tries them; ``.unavailable`` says why others have none,
        ``.libraries`` where each driver was looked for.
    """
    found: list[Device] = []
    missing: dict[str, str] = {}
    for name, why, infos in _core.devices():
        if why:
            missing[name] = why
        found += [Device(**info) for info in infos]
    result = Devices(found)
    result.unavailable = missing
    result.libraries = json.loads(_core.libraries())
    return result


def selftest(device: str = "auto", *, method: str = "auto", progress: Callable[..., Any] | bool | None = None) -> SelftestReport:
    """Whether to trust a device: small and odd convolutions against direct sums in double precision.

    Parameters
    ----------
    device : str
    method : {'auto', 'fft', 'direct', 'separable'}
    progress : callable, tqdm bar or True, optional

    Returns
    -------
    SelftestReport
        True where it passed.
    """
    with telling(progress, "check") as tell:
        passed, text = _core.selftest(device, method, tell)
    return SelftestReport(passed, json.loads(text))


def set_variable(name: str, value: str | int | None) -> None:
    """Give one of convoy's environment variables a value for this process.

    Parameters
    ----------
    name : str
        ``'CONVOY_THREADS'``, ``'CONVOY_FFTW3F_LIBRARY'``, ``'CONVOY_CACHE_DIR'`` ...: README has the table.
    value : str, int or None
        None: the environment's again.

    Raises
    ------
    InvalidArgument
        For unknown names, and for a variable that was read once and for all: libraries are named before their first use.
    """
    _core.set_variable(name, None if value is None else str(value))


def num_threads() -> int:
    """Threads of the cpu backend and of copies, for what is made now: ``CONVOY_THREADS``, else the scheduler's, else all."""
    return int(_core.num_threads())

"""What objects that hold a device's memory have in common: they can be closed, pickled and used as context managers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from ._device_calls import DeviceCalls
from ._plan import Plan

_Self = TypeVar("_Self", bound="Lasting")

_MOST_CORES = 4  # for numbers of images, or dtypes of device arrays, that alternate


class Lasting:
    """Keeps the extension's objects that do the work, which are not pickled: each for one way of calling this one."""

    _not_pickled = ("_calls", "_cores", "_ran", "_lock", "report")

    def __init__(self) -> None:
        self.report: dict[str, Any] | None = None
        self._closed = False
        self._forget()

    def _forget(self) -> None:
        self._cores: OrderedDict[Any, Any] = OrderedDict()
        self._calls = DeviceCalls()  # of these
        self._ran = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the device's memory back. Runs of other threads are waited for; calls from then on raise ValueError."""
        with self._lock:
            self._closed = True
            self._cores.clear()
            self._calls.clear()

    def _core_of(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if self._closed:
                raise ValueError(f"this {type(self).__name__} is closed")
            self._calls.last = None
            core = self._cores.pop(key, None)
            if core is None:
                if not self._ran:
                    self._cores.clear()  # made ready for what did not come
                while len(self._cores) >= _MOST_CORES:
                    self._calls.clear()
                    self._cores.popitem(last=False)
                core = make()
            self._cores[key] = core
            return core

    def _first_core(self) -> Any:
        """Where no call has come yet."""
        raise NotImplementedError

    @property
    def plan(self) -> Plan:
        core = self._calls.last
        if core is None:
            core = next(reversed(self._cores.values())) if self._cores else self._first_core()
        return Plan(*core.plan())

    @property
    def _device_bytes(self) -> int:
        return sum(core.footprint_bytes() for core in self._cores.values())

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in self._not_pickled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, report=None)
        self._forget()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

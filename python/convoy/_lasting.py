"""What objects that hold a device's memory have in common: they can be closed, pickled and used as context managers."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

_Self = TypeVar("_Self", bound="Lasting")


class Lasting:
    """Of `close()` and `_forget()`, which makes all that is not pickled anew."""

    _not_pickled: ClassVar[tuple[str, ...]] = ()

    def close(self) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in (*self._not_pickled, "_lock", "report")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, report=None)
        self._forget()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

"""What callers give as `progress`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ._plan import Progress

Tell = Callable[[int, int, float, float], Any]


@contextlib.contextmanager
def telling(progress: Any, unit: str) -> Iterator[Tell | None]:
    """A function for the extension, of None or False, True (a bar of tqdm's), a bar, or a function of a `Progress`."""
    if progress is None or progress is False:
        yield None
        return
    bar = None
    if progress is True:
        from tqdm.auto import tqdm

        bar = progress = tqdm(unit=unit, leave=False)
    try:
        yield _of_bar(progress) if hasattr(progress, "update") and hasattr(progress, "total") else _of_function(progress)
    finally:
        if bar is not None:
            bar.close()


def _of_bar(bar: Any) -> Tell:
    def tell(done: int, total: int, seconds: float, fraction: float) -> None:
        bar.total = total
        bar.update(max(done, round(fraction * total, 2)) - bar.n)

    return tell


def _of_function(function: Callable[[Progress], Any]) -> Tell:
    return lambda *standing: function(Progress(*standing))

"""The graph: for each block of the output the parts of the image that it needs, put together, and the work on them."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.array.core import concatenate3
from dask.highlevelgraph import HighLevelGraph

Slices = tuple[slice, ...]
# Of one axis: (block of the image, slice of it, whether that is all of it).
Part = tuple[int, slice, bool]


def _ends(sizes: Sequence[int]) -> list[int]:
    return [0, *itertools.accumulate(sizes)]


def _parts(ends: list[int], begin: int, end: int) -> list[Part]:
    """The blocks that begin ... end - 1 lie in."""
    found = []
    for block, (low, high) in enumerate(itertools.pairwise(ends)):
        a, b = max(begin, low), min(end, high)
        if a < b:
            found.append((block, slice(a - low, b - low), (a, b) == (low, high)))
    return found


def _run(work: Any, parts: Any, region: tuple[tuple[int, int], ...]) -> np.ndarray:
    """On a worker."""
    image = parts if isinstance(parts, np.ndarray) else concatenate3(parts)
    return work(image, tuple(slice(begin, end) for begin, end in region))


def blockwise(image: da.Array, whole: tuple[int, ...], chunks: tuple[tuple[int, ...], ...], box: Callable[[Slices], Slices], work: Any,
              shift: tuple[int, ...]) -> da.Array:  # fmt: skip
    """work(part of the image, region of its output) for each block of the output.

    `box(region)` says what a region needs; positions of the part's output are those of the whole, moved by `shift`, less where the part
    begins. Only what a block needs moves between workers.
    """
    ndim = len(whole)
    first = image.ndim - ndim
    name = "convoy-" + dask.base.tokenize(work, image.name, chunks, shift)
    key_of_work = "convoy-work-" + dask.base.tokenize(work)
    graph: dict[Any, Any] = {key_of_work: work}
    ends_in = [_ends(sizes) for sizes in image.chunks[first:]]
    ends_out = [_ends(sizes) for sizes in chunks]
    leading = list(np.ndindex(tuple(len(c) for c in image.chunks[:first])))
    for place in np.ndindex(tuple(len(c) for c in chunks)):
        region = tuple(slice(ends[p], ends[p + 1]) for ends, p in zip(ends_out, place))
        needed = box(region)
        inside = tuple((r.start + s - b.start, r.stop + s - b.start) for r, s, b in zip(region, shift, needed))
        parts = [_parts(ends, b.start, b.stop) for ends, b in zip(ends_in, needed)]
        for before in leading:
            graph[(name, *before, *place)] = (_run, key_of_work, _nested(graph, image.name, name, before, (), parts), inside)
    layer = HighLevelGraph.from_collections(name, graph, dependencies=[image])
    return da.Array(layer, name, image.chunks[:first] + chunks, dtype=work.dtype, meta=np.empty((0,) * image.ndim, work.dtype))


def _nested(graph: dict[Any, Any], source: str, name: str, before: tuple[int, ...], chosen: tuple[Part, ...], parts: list[list[Part]]) -> Any:
    """Keys of the parts, as nested lists that concatenate3 takes; leading axes have one block each."""
    if parts:
        return _wrap([_nested(graph, source, name, before, (*chosen, part), parts[1:]) for part in parts[0]], before if not chosen else ())
    block = (source, *before, *(number for number, _, _ in chosen))
    if all(whole for _, _, whole in chosen):
        return block
    cuts = tuple(cut for _, cut, _ in chosen)
    key = ("part-" + name, *block[1:], *(n for cut in cuts for n in (cut.start, cut.stop)))
    graph[key] = (operator.getitem, block, (*(slice(None),) * len(before), *cuts))
    return key


def _wrap(nested: Any, leading: tuple[int, ...]) -> Any:
    for _ in leading:
        nested = [nested]
    return nested

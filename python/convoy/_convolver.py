"""Convolver: a kernel made ready on a device."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _arrays, _core, _sliced, _spec
from ._lasting import Lasting
from ._progress import telling


class Convolver(Lasting):
    """A kernel made ready on a device: plan, compiled code and spectrum, for any number of images of one shape.

    Threads may share one and take turns; for runs beside each other make one per thread. Can be pickled: the copy is made ready
    where it is first used. A context manager, which ends with `close`.

    Parameters
    ----------
    kernel : array_like
        Of 1 to 3 axes. With an axis more than `shape` has: several kernels, numbered by the first. Read before this returns.
    shape : tuple of int
        Of the images, in the order of their axes: ([[z,] y,] x). As many axes as the kernel has.
    mode, boundary, cval, origin, operation, normalize, nan, preserve_nan, no_data, region, pairing, weights
        As for `convolve`.
    precision : {'float32', 'float64'}
        Of the arithmetic.
    method, path, device, memory_limit, host_memory_limit, tune, deterministic
        As for `convolve`.

    Attributes
    ----------
    shape, output_shape : tuple of int
        Of one image and one output.
    plan : Plan
        What the last run did, or the next will do.
    report : dict or None
        What the last run of arrays in host memory did: ``'elapsed_seconds'``, ``'num_tiles'``, ``'saturated_voxels'``,
        ``'non_finite_voxels'``, ``'devices'`` ...

    Raises
    ------
    InvalidArgument
        Spec and kernel disagree, or the kernel holds NaN. A ValueError.
    OutOfMemory
        Not even the smallest tiles fit. A MemoryError.
    BackendUnavailable, Unsupported, CompileFailed, DeviceLost
        As the device answers.

    Examples
    --------
    >>> import numpy as np, convoy
    >>> with convoy.Convolver(np.ones((3, 3)), (5, 7)) as blur:
    ...     blurred = blur(np.eye(5, 7, dtype=np.float32))
    >>> int(blurred[2, 2])
    3
    """

    def __init__(
        self,
        kernel: Any,
        shape: Sequence[int],
        *,
        mode: str = "same",
        boundary: str = "zero",
        cval: float = 0.0,
        origin: Any = "center",
        operation: str = "convolve",
        normalize: bool = False,
        nan: str = "error",
        preserve_nan: bool = False,
        no_data: float | None = None,
        region: Any = None,
        pairing: str = "all",
        weights: Any = None,
        precision: Any = "float32",
        method: str = "auto",
        path: str = "auto",
        device: str | Sequence[str] = "auto",
        memory_limit: int | str | None = None,
        host_memory_limit: int | str | None = None,
        tune: str = "model",
        deterministic: bool = False,
        _min_tiles: int = 1,
        _lazy: bool = False,
    ) -> None:
        self._kernel = _arrays.kernel(kernel, "kernel")
        ndim = len(shape)
        self._num_kernels = self._kernel.shape[0] if self._kernel.ndim == ndim + 1 else 0  # 0: one, without an axis for it
        extents = self._kernel.shape[1:] if self._num_kernels else self._kernel.shape
        self.shape = _spec.spatial_shape(shape, len(extents), "kernel")
        self._weights = None if weights is None else _arrays.kernel(weights, "weights", real=True)
        if self._weights is not None and pairing != "sum":
            raise ValueError(f"weights are for pairing 'sum', and it is {pairing!r}")
        words: dict[str, Any] = dict(
            mode=mode, boundary=boundary, cval=float(cval), operation=operation, normalize=bool(normalize), nan=nan,
            preserve_nan=bool(preserve_nan), no_data=no_data,
        )  # fmt: skip
        self._spec = _spec.convolution(
            self.shape, extents, origin=origin, region=region, precision=precision, num_kernels=max(1, self._num_kernels), pairing=pairing,
            batch=max(1, self._num_kernels) if pairing == "each" else 1, **words,
        )  # fmt: skip
        self._options = _spec.plan_options(
            memory_limit=memory_limit, host_memory_limit=host_memory_limit, method=method, path=path, tune=tune,
            deterministic=deterministic, min_tiles=_min_tiles,
        )  # fmt: skip
        self._arguments = dict(
            words, origin=origin, region=region, pairing=pairing, precision=self._spec["precision"], method=method, path=path,
            device=device if isinstance(device, str) else tuple(device), memory_limit=memory_limit, host_memory_limit=host_memory_limit,
            tune=tune, deterministic=deterministic,
        )  # fmt: skip
        self._devices = _spec.devices(device)
        self.output_shape: tuple[int, ...] = tuple(_core.output_shape(self._spec))[3 - len(self.shape) :]
        super().__init__()
        if not _lazy:
            self._first_core()

    def _first_core(self) -> Any:
        return self._host_core(self._spec["batch"])

    def _host_core(self, batch: int) -> Any:
        def make() -> Any:
            return _core.Convolver(dict(self._spec, batch=batch), self._kernel, self._weights, self._devices, self._options)

        return self._core_of(("host", batch), make)

    def _device_core(self, device: str, image: str, output: str, batch: int) -> Any:
        def make() -> Any:
            return _core.ResidentConvolver(dict(self._spec, batch=batch), self._kernel, self._weights, device, self._options, image, output)

        return self._core_of((device, image, output, batch), make)

    def _words(self) -> dict[str, Any]:
        """The arguments, hashable."""
        return {name: _spec.hashable(value) for name, value in self._arguments.items()}

    def __repr__(self) -> str:
        state = " closed" if self._closed else ""
        return f"<convoy.Convolver{state}: {self._kernel.shape} over {self.shape} on {', '.join(self._devices)}>"

    def __call__(self, image: Any, *, out: Any = None, dtype: Any = None, progress: Any = None, stream: int | None = None) -> Any:
        """Convolve one image, or a stack of them in one batch.

        Blocks until the output is written, unless the image lies on a GPU. Ctrl-C stops it, within a tile too.

        Parameters
        ----------
        image : array
            In memory, or one that is read by slices (of zarr, h5py ...), box by box as tiles need it. Of shape ``(..., *shape)`` (with
            pairing 'each', and for the adjoint of 'all', ``(..., kernels, *shape)``), of any dtype: of NumPy, or in host memory of what speaks
            DLPack; or on the GPU of `device` (torch, CuPy), at any strides, where it stays: then the work is queued and this returns at once.
            Strides other than those of the last call make the kernel ready anew.
        out : array, optional
            Where the result goes, of shape ``(..., *output_shape)`` (with several kernels and pairing 'all' ``(..., kernels, *output_shape)``, with
            'each' likewise); returned itself. Must not overlap `image`. May be written by slices, too (zarr, h5py ...): then neither image nor
            output need fit in memory.
        dtype : dtype, optional
            Of a new output, by default `precision`; integers are rounded to nearest (ties to even) and clipped.
        progress : callable, tqdm bar or True, optional
            Called on this thread with a `Progress` after every tile, and on the CPU within long ones; answering False stops the run with `Cancelled`, and what
            it raises comes out here. True shows a bar of tqdm's. Not for images on a GPU.
        stream : int, optional
            For images on a GPU: the address of the CUDA or HIP stream; by default the array library's current one.

        Returns
        -------
        array
            `out`, or a new array of the image's library.

        Raises
        ------
        ValueError
            Other shapes; with ``nan='error'``, NaN or infinite voxels (InvalidArgument).
        TypeError
            A dtype that convoy does not read; images of a stack on a GPU that lie at uneven distances.
        """
        again = self._calls.run(image, out, dtype, stream)
        if again is not None:
            return again
        if getattr(image, "requires_grad", False):
            from . import _torch

            if out is not None:
                raise ValueError("out cannot be given where gradients are recorded")
            return _torch.apply_convolver(self, image, dtype=dtype, progress=progress, stream=stream)
        device = _arrays.on_device(image)
        if device is not None:
            return self._run_on_device(device, image, out, dtype, stream)
        return self._run_on_host(image, out, dtype, progress)

    def _leading(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Axes before the image's."""
        leading = len(shape) - len(self.shape)
        if leading < 0 or shape[leading:] != self.shape:
            raise ValueError(f"image has shape {shape}; this Convolver was made for images of {self.shape}")
        return shape[:leading]

    def _layout(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Of an image of that shape: the output's, axes that are runs of their own, and the batch of a run."""
        leading = self._leading(shape)
        kernels, pairing = self._num_kernels, self._spec["pairing"]
        if not kernels or pairing == "sum":
            return leading + self.output_shape, (), math.prod(leading)
        adjoint = self._spec["operation"] == "correlate"
        if pairing == "all" and not adjoint:
            return leading + (kernels,) + self.output_shape, (), math.prod(leading)
        if not leading or leading[-1] != kernels:
            raise ValueError(f"image has shape {shape}; with {kernels} kernels, pairing {pairing!r} and operation {self._spec['operation']!r} it is (..., {kernels}, *{self.shape})")
        if pairing == "all":
            return leading[:-1] + self.output_shape, (), math.prod(leading[:-1])
        return leading + self.output_shape, leading[:-1], kernels

    def _run_sliced(self, image: Any, out: Any, dtype: Any, progress: Any) -> Any:
        """Box by box, of arrays of which one at least is not in memory."""
        source = _sliced.Source(image, len(self.shape))
        shape, _, _ = self._layout(source.array.shape)
        if out is None:
            out = np.empty(shape, _arrays.output_dtype(dtype, self._spec["precision"], "c" in (np.dtype(source.dtype).kind, self._kernel.dtype.kind)))
        sink = _sliced.Sink(out, shape, len(self.shape))
        if math.prod(shape):
            adjoint_of_all = self._num_kernels and self._spec["pairing"] == "all" and self._spec["operation"] == "correlate"
            images = self._spec["batch"] * (self._num_kernels if adjoint_of_all else 1)
            reads = source.functions()
            streaming = dict(read=source.dtype, write=sink.dtype, read_chunk=source.chunk, write_chunk=sink.chunk, num_groups=len(reads) // images)

            def make() -> Any:
                return _core.Convolver(self._spec, self._kernel, self._weights, self._devices, dict(self._options, streaming=streaming))

            core = self._core_of(("sliced", *(_spec.hashable(how) for how in streaming.values())), make)
            with telling(progress, "tile") as tell:
                self.report = core.run_sliced(reads, sink.functions(), tell)
            self._ran = True
        return out

    def _run_on_host(self, image: Any, out: Any, dtype: Any, progress: Any) -> Any:
        if _sliced.is_sliced(image) or _sliced.is_sliced(out):
            return self._run_sliced(image, out, dtype, progress)
        bits = _arrays.bfloat16_bits(image)
        array = _arrays.host(image, "image") if bits is None else bits
        shape, runs, batch = self._layout(array.shape)
        array = _arrays.placed(array, len(self.shape))
        made = _arrays.output_dtype(dtype, self._spec["precision"], "c" in (array.dtype.kind, self._kernel.dtype.kind))
        output = _arrays.HostOutput(out, shape, made, image, len(self.shape))
        output.require_apart(array)
        if batch and math.prod(runs):
            core = self._host_core(batch)
            with telling(progress, "tile") as tell:
                for index in np.ndindex(runs):
                    self.report = core.run(array[index], output.array[index], tell, bits is not None, output.is_bfloat16)
            self._ran = True
        return output.result()

    def _run_on_device(self, device: str, image: Any, out: Any, dtype: Any, stream: int | None) -> Any:
        _arrays.require_here(device, self._devices, "Convolver")
        shape, runs, batch = self._layout(tuple(image.shape))
        if math.prod(runs) != 1:
            raise ValueError(f"image has shape {tuple(image.shape)}; on a GPU, pairing 'each' takes as many images as there are kernels: loop over the others")
        is_complex = self._kernel.dtype.kind == "c" or _arrays.dtype_name(image).startswith("complex")
        given_out = out
        out = _arrays.output_on_device(device, image, out, shape, _arrays.output_dtype(dtype, self._spec["precision"], is_complex))
        if not batch:
            return out
        stream = _arrays.stream_of(image) if stream is None else stream
        core = self._device_core(device, _arrays.dtype_name(image), _arrays.dtype_name(out), batch)
        core.run(_arrays.capsule(image, device, stream), _arrays.capsule(out, device, stream), stream)
        self._ran = True
        self._calls.add(core, math.prod(image.shape) // math.prod(self.shape), image, out, given_out, dtype)
        return out


class _Kept:
    """The objects of the last calls of a function, told apart by everything that determines them. At least `least` of them stay, whatever they hold."""

    def __init__(self, most: int | None = None, least: int = 0) -> None:
        self._objects: OrderedDict[Any, Any] = OrderedDict()
        self._most, self._least = most, least
        self._lock = threading.Lock()

    def renew_lock(self) -> None:
        self._lock = threading.Lock()  # another thread may have held it when the process was forked

    def clear(self) -> None:
        with self._lock:
            self._objects.clear()

    def get(self, key: Any, make: Any) -> Any:
        with self._lock:
            found = self._objects.get(key)
            if found is not None:
                self._objects.move_to_end(key)
                return found
        return make()

    def put(self, key: Any, made: Any) -> None:
        with self._lock:
            self._objects[key] = made
            while len(self._objects) > self._least and (len(self._objects) > (self._most or KEPT_CONVOLVERS) or self._bytes() > KEPT_BYTES):
                self._objects.popitem(last=False)

    def _bytes(self) -> int:
        return sum(getattr(one, "_device_bytes", 0) for one in self._objects.values())


KEPT_CONVOLVERS = 8
KEPT_BYTES = 1 << 28  # of device memory that calls of a function may hold back

kept = _Kept()
os.register_at_fork(after_in_child=kept.renew_lock)

"""Arrays of the caller: what they are, where they lie, and how convoy's outputs are made like them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

VOXELS = ("uint8", "uint16", "float32", "float64", "int8", "int16", "uint32", "int32", "float16", "complex64", "complex128")
BFLOAT16 = "bfloat16"
_CUDA, _CUDA_MANAGED, _ROCM = 2, 13, 10  # DLDeviceType


def on_device(array: Any) -> str | None:
    """``'cuda:0'``, ``'hip:1'`` ... of an array on a GPU, None of others."""
    if isinstance(array, np.ndarray):
        return None
    ask = getattr(array, "__dlpack_device__", None)
    if ask is None:
        return None
    kind, index = ask()
    if int(kind) in (_CUDA, _CUDA_MANAGED):
        return f"cuda:{int(index)}"
    return f"hip:{int(index)}" if int(kind) == _ROCM else None


def dtype_name(array: Any) -> str:
    """As NumPy calls it: torch's dtypes are called ``torch.float32``."""
    dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
    return dtype.name if isinstance(dtype, np.dtype) else str(dtype).rpartition(".")[2]


def bfloat16_bits(array: Any) -> np.ndarray | None:
    """Of an array of bfloat16 in host memory, for which NumPy has no type of its own: its bits as uint16, where they lie. None of others."""
    if not hasattr(array, "dtype") or dtype_name(array) != "bfloat16" or on_device(array) is not None:
        return None
    if hasattr(array, "untyped_storage"):  # torch
        return np.from_dlpack(array.detach().view(sys.modules["torch"].int16)).view(np.uint16)
    return np.asarray(array).view(np.uint16)


def host(array: Any, what: str, real: bool = False) -> np.ndarray:
    """As NumPy's, without a copy where there is a way: itself, DLPack, the buffer protocol, ``__array__``.

    Its dtype is one that convoy reads: bool becomes uint8 in place; integers of 64 bits become float64 and other byte orders
    this machine's, by copies.
    """
    if isinstance(array, np.ndarray):
        result = array
    elif hasattr(array, "__dlpack__"):
        device = on_device(array)
        if device is not None:
            raise ValueError(f"{what} lies on {device}, where host memory is wanted; copy it there")
        result = np.from_dlpack(array)
    else:
        result = np.asarray(array)
    name = result.dtype.name
    if real and result.dtype.kind == "c":
        raise TypeError(f"{what} is complex ({name}), where real numbers are wanted")
    if name in VOXELS:
        return result if result.dtype.isnative else result.astype(result.dtype.newbyteorder("="))
    if name == "bool":
        return result.view(np.uint8)
    if name in ("int64", "uint64"):
        return result.astype(np.float64)
    raise TypeError(f"{what} has dtype {name}; convoy reads bool, integers, float16, float32, float64, complex64 and complex128")


def dense(array: np.ndarray) -> np.ndarray:
    """C-contiguous, and a copy where it is not yet."""
    return np.ascontiguousarray(array) if array.ndim else array


def is_placed(array: np.ndarray, ndim: int) -> bool:
    """Whether the library takes the array where it lies: any strides of its last `ndim` axes, and images at even distances."""
    if array.flags.c_contiguous:
        return True
    if not array.flags.aligned or any(s % array.itemsize for s in array.strides):
        return False
    leading = [(n, s) for n, s in zip(array.shape[: array.ndim - ndim], array.strides) if n > 1]
    return all(s == n2 * s2 for (_, s), (n2, s2) in zip(leading, leading[1:]))


def placed(array: np.ndarray, ndim: int) -> np.ndarray:
    """The array, or a dense copy where the library cannot take it as it lies."""
    return array if is_placed(array, ndim) else dense(array)


class HostOutput:
    """Where a run writes, and how that becomes what the caller gave or gets. The last `ndim` axes are an output's."""

    def __init__(self, out: Any, shape: tuple[int, ...], dtype: np.dtype | str, image: Any, ndim: int) -> None:
        self._out = out
        self._image = image
        self._elsewhere = None
        bits = bfloat16_bits(out)
        self.is_bfloat16 = bits is not None or (out is None and dtype == BFLOAT16)
        if out is None:
            self.array = np.empty(shape, np.uint16 if self.is_bfloat16 else dtype)
            return
        given = bits if bits is not None else out if isinstance(out, np.ndarray) else _writable(out)
        if given.shape != shape:
            raise ValueError(f"out has shape {given.shape}, not {shape}")
        if given.dtype.name not in VOXELS:
            raise TypeError(f"out has dtype {given.dtype}; outputs are of {', '.join(VOXELS)}")
        if not given.flags.writeable:
            raise ValueError("out is read-only")
        if given.dtype.isnative and is_placed(given, ndim):
            self.array = given
        else:
            self._elsewhere = given
            self.array = np.empty(shape, given.dtype.newbyteorder("="))

    def require_apart(self, image: np.ndarray) -> None:
        """Raises ValueError where the run would write what it still reads."""
        if self._out is None or not np.may_share_memory(image, self.array):
            return
        try:
            overlap = np.shares_memory(image, self.array, max_work=1_000_000)
        except RuntimeError:  # too hard to tell
            overlap = True
        if overlap:
            raise ValueError("out overlaps image; convoy writes elsewhere than it reads")

    def result(self) -> Any:
        if self._elsewhere is not None:
            self._elsewhere[...] = self.array
        if self._out is not None:
            return self._out
        return like_bfloat16(self._image, self.array) if self.is_bfloat16 else like(self._image, self.array)


def _writable(out: Any) -> np.ndarray:
    if hasattr(out, "__dlpack__") and on_device(out) is None:
        module = type(out).__module__.split(".")[0]
        if module in ("jax", "jaxlib"):
            raise ValueError("out is an array of JAX, which cannot be written; leave it out")
        return np.from_dlpack(out)
    raise TypeError(f"out is a {type(out).__name__}, which is no array that can be written in host memory")


def kernel(array: Any, what: str, real: bool = False) -> np.ndarray:
    """A kernel in host memory: dense and of a dtype that convoy reads. One that lies on a GPU is copied from there."""
    array = copied_to_host(array)
    if hasattr(array, "detach"):
        array = array.detach()
    if hasattr(array, "dtype") and dtype_name(array) == "bfloat16":
        array = array.float() if hasattr(array, "float") else np.asarray(array).astype(np.float32)
    return dense(host(array, what, real))


def copied_to_host(array: Any) -> Any:
    """An array of a GPU in host memory, when all that its library has queued for it is done; others as they are."""
    if on_device(array) is None:
        return array
    for name in ("get", "cpu"):  # of CuPy, of torch
        if hasattr(array, name):
            return getattr(array, name)()
    return np.asarray(array)


def copied_to_device(array: Any, image: Any, out: Any) -> Any:
    """Into `out`, or a new array of the image's library beside it. `array` lies in host memory: of torch's images a tensor, else of NumPy."""
    module = type(image).__module__.split(".")[0]
    library = sys.modules[module]
    if module == "torch":
        return array.to(image.device) if out is None else out.copy_(array)
    if module == "cupy":
        if out is None:
            return library.asarray(array)
        out.set(array)
        return out
    if out is not None:
        raise ValueError(f"convoy does not know how arrays of {module} are written; leave `out` away")
    return image.__array_namespace__().asarray(array, device=image.device)


def psfs(array: Any) -> np.ndarray:
    """As `kernel`; a list of arrays of one shape becomes one array, with an axis in front that numbers them."""
    if not (isinstance(array, (list, tuple)) and array and all(getattr(one, "ndim", 0) for one in array)):
        return kernel(array, "psf", real=True)
    each = [kernel(one, "psf", real=True) for one in array]
    if len({one.shape for one in each}) > 1:
        raise ValueError(f"the PSFs have shapes {', '.join(str(one.shape) for one in each)}; pad them to one")
    return np.stack(each)


def like(image: Any, result: np.ndarray) -> Any:
    """`result` in the library of `image`, without a copy where it can: torch tensors come back as torch tensors."""
    if isinstance(image, np.ndarray) or not hasattr(image, "__dlpack__"):
        return result
    module = type(image).__module__.split(".")[0]
    if module == "torch":
        return sys.modules["torch"].from_numpy(result)
    if module in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.asarray(result)
    if hasattr(image, "__array_namespace__"):
        return image.__array_namespace__().from_dlpack(result)
    return result


def like_bfloat16(image: Any, bits: np.ndarray) -> Any:
    """Bits of bfloat16 as an array of the image's library."""
    if type(image).__module__.split(".")[0] == "torch":
        torch = sys.modules["torch"]
        return torch.from_numpy(bits.view(np.int16)).view(torch.bfloat16)
    try:
        result = bits.view(np.dtype("bfloat16"))  # of ml_dtypes, where that is imported
    except TypeError:
        raise TypeError("NumPy has no bfloat16 of its own; import ml_dtypes, or give another dtype") from None
    return sys.modules["jax"].numpy.asarray(result) if type(image).__module__.split(".")[0] in ("jax", "jaxlib") else result


def output_dtype(dtype: Any, precision: str, is_complex: bool = False) -> np.dtype | str:
    """Of a new output; `BFLOAT16` of bfloat16."""
    if dtype is None:
        return np.result_type(precision, np.complex64) if is_complex else np.dtype(precision)
    name = str(dtype).rpartition(".")[2] if "torch" in str(dtype) else dtype if dtype == BFLOAT16 else np.dtype(dtype).name
    if name == BFLOAT16:
        return BFLOAT16
    if name not in VOXELS:
        raise TypeError(f"dtype is {name}; outputs are of {', '.join(VOXELS)}")
    return np.dtype(name)


def natural_precision(array: Any) -> str:
    """What `precision` is by default: what NumPy would compute an image of this dtype with a float32 number in."""
    return "float64" if dtype_name(array) in ("float64", "complex128", "int32", "uint32", "int64", "uint64") else "float32"


def empty_on_device(image: Any, shape: tuple[int, ...], dtype: np.dtype | str) -> Any:
    """A new array of the image's library, on its device."""
    name = dtype if isinstance(dtype, str) else dtype.name
    module = type(image).__module__.split(".")[0]
    if module == "torch":
        return image.new_empty(shape, dtype=getattr(sys.modules["torch"], name))
    if module == "cupy":
        return sys.modules["cupy"].empty(shape, dtype)
    if hasattr(image, "__array_namespace__"):
        xp = image.__array_namespace__()
        return xp.empty(shape, dtype=getattr(xp, name), device=image.device)
    raise TypeError(f"convoy does not know how {type(image).__module__} makes arrays; give `out`")


def require_here(device: str, devices: list[str], what: str) -> None:
    """Raises ValueError unless an object for those devices takes an image that lies on this one."""
    if len(devices) > 1 or devices[0] not in ("auto", device, device.partition(":")[0]):
        raise ValueError(f"image lies on {device}, and this {what} is for {', '.join(devices)}")


def output_on_device(device: str, image: Any, out: Any, shape: tuple[int, ...], dtype: np.dtype | str) -> Any:
    """`out`, checked, or a new array."""
    if out is None:
        return empty_on_device(image, shape, dtype)
    if on_device(out) != device:
        raise ValueError(f"image lies on {device} and out {on_device(out) or 'in host memory'}; move one of them")
    if tuple(out.shape) != shape:
        raise ValueError(f"out has shape {tuple(out.shape)}, not {shape}")
    return out


def stream_of(array: Any) -> int:
    """The stream in which the array's library queues its work now, as an address; 0, the default stream, of libraries that
    convoy does not know."""
    module = type(array).__module__.split(".")[0]
    if module == "cupy":
        return int(sys.modules["cupy"].cuda.get_current_stream().ptr)
    return torch_stream(array.device) if module == "torch" else 0


def torch_stream(device: Any) -> int:
    torch = sys.modules["torch"]
    raw = getattr(torch._C, "_cuda_getCurrentRawStream", None)  # 0.3 us, where the stream as an object takes 10
    return int(torch.cuda.current_stream(device).cuda_stream if raw is None else raw(device.index))


def capsule(array: Any, device: str, stream: int) -> Any:
    """DLPack with the consumer's stream: the producer has it wait for what the array still has to become."""
    if type(array).__module__ == "torch" and not (array.dtype.is_complex or array.requires_grad or array.is_neg()):
        # `stream` is the one in which torch queues its work: there is nothing to wait for. __dlpack__ asks for that with
        # 14 us of Python.
        return sys.modules["torch"].utils.dlpack.to_dlpack(array)
    number = stream
    if not stream:  # the default stream is 0 to HIP; to CUDA it is 1 in DLPack, where 0 is forbidden
        number = 0 if device.startswith("hip") else 1
    try:
        return array.__dlpack__(stream=number, max_version=(1, 1))
    except TypeError:  # before the array API of 2023
        return array.__dlpack__(stream=number)

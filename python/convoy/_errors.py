"""What convoy raises. Each class is also the built-in that code written for NumPy or SciPy would catch."""

__all__ = [
    "BackendUnavailable",
    "Cancelled",
    "CompileFailed",
    "DeviceLost",
    "Error",
    "FileError",
    "InvalidArgument",
    "OutOfMemory",
    "Unsupported",
]


class Error(Exception):
    """Base of all. The message says what, where, the numbers and the remedy."""

    code = "error"


class InvalidArgument(Error, ValueError):
    """Shapes, values or words that make no sense; nothing was done."""

    code = "invalid_argument"


class OutOfMemory(Error, MemoryError):
    """A plan, allocation or load that does not fit.

    Attributes
    ----------
    requested_bytes, limit_bytes : int
        What was asked for (when planning, the least that any tiling takes), and what there was.
    limit_name : str
        Which limit that is: ``'free device memory'``, ``'memory limit'`` ...
    """

    code = "out_of_memory"
    requested_bytes: int = 0
    limit_bytes: int = 0
    limit_name: str = ""


class DeviceLost(Error, RuntimeError):
    """The device stopped answering. What was made on it is useless; other devices are not."""

    code = "device_lost"


class Unsupported(Error, RuntimeError):
    """Sensible, but this device or build cannot do it."""

    code = "unsupported"


class BackendUnavailable(Error, RuntimeError):
    """No driver, no library or no device; the message says which."""

    code = "backend_unavailable"


class CompileFailed(Error, RuntimeError):
    """A kernel text was refused by the device's compiler; the message holds its log."""

    code = "compile_failed"


class FileError(Error, OSError):
    """A file could not be read or written."""

    code = "io"


class Cancelled(Error):
    """The progress function answered False."""

    code = "cancelled"


_classes = (InvalidArgument, OutOfMemory, DeviceLost, Unsupported, BackendUnavailable, CompileFailed, FileError, Cancelled)
_by_code = {c.code: c for c in _classes}


def by_code(code: str) -> type[Error]:
    """The class of a code of convoy::Errc; the extension asks for it."""
    return _by_code.get(code, Error)

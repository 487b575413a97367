"""What tests share. The cpu is tested unless CONVOY_TEST_DEVICES names others ("cpu,vulkan:0")."""

import os
import signal

import numpy as np
import pytest

# Programs that a shell starts in the background ignore it, and so would the tests of Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

DEVICES = os.environ.get("CONVOY_TEST_DEVICES", "cpu").split(",")


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


@pytest.fixture
def rng(request):
    return np.random.default_rng(abs(hash(request.node.name)) % 2**32 if os.environ.get("CONVOY_TEST_RANDOM") else 1)


def direct(image, kernel, mode="same", boundary="constant", cval=0.0):
    """Sums over the kernel in double precision, by other means than convoy's: numpy.pad and explicit loops."""
    image, kernel = np.asarray(image, np.float64), np.asarray(kernel, np.float64)
    if mode == "same":
        before = [k - 1 - k // 2 for k in kernel.shape]
        width = [(b, k - 1 - b) for b, k in zip(before, kernel.shape)]
    elif mode == "full":
        width = [(k - 1, k - 1) for k in kernel.shape]
    else:
        width = [(0, 0)] * image.ndim
    word = {"constant": "constant", "reflect": "symmetric", "nearest": "edge", "wrap": "wrap", "mirror": "reflect"}[boundary]
    values = {"constant_values": cval} if word == "constant" else {}
    padded = np.pad(image, width, word, **values)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.tensordot(windows, kernel[(slice(None, None, -1),) * kernel.ndim], kernel.ndim)


def assert_close(found, wanted, dtype=None):
    """Of zero-mean data: largest difference over the largest value."""
    assert found.shape == wanted.shape
    precision = 1e-13 if (dtype or np.asarray(found).dtype) == np.float64 else 2e-6
    largest = np.abs(wanted).max()
    assert np.abs(np.asarray(found, np.float64) - wanted).max() <= precision * largest * 20

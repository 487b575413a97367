"""`convoy convolve` against SciPy, on the CPU and on a Vulkan device where there is one."""
import itertools
import json
import sys

from program import image, np, relative_l2, succeed

try:
    from scipy import ndimage, signal
except ImportError:
    print("SKIPPED: this Python has no SciPy")
    sys.exit(0)

TOLERANCE = 5e-6
NDIMAGE_MODE = {"zero": "constant", "constant": "constant", "reflect": "reflect", "nearest": "nearest", "wrap": "wrap"}


def check(backend, expected, *words):
    succeed("convolve", "image.npy", "kernel.npy", "out.npy", "--backend", backend, "--no-normalize", "--quiet", *words)
    result = np.load("out.npy")
    assert result.shape == expected.shape, (backend, words, result.shape, expected.shape)
    error = relative_l2(result, expected)
    assert error <= TOLERANCE, (backend, words, expected.shape, error)


def make(image_shape, kernel_shape):
    return (image("image.npy", *image_shape, seed=sum(image_shape)).astype(float),
            image("kernel.npy", *kernel_shape, seed=sum(kernel_shape)).astype(float))


def check_modes(backend, image_shape, kernel_shape):
    values, kernel = make(image_shape, kernel_shape)
    check(backend, signal.fftconvolve(values, kernel, "full"), "--mode", "full")
    check(backend, signal.fftconvolve(values, kernel, "same"), "--mode", "same", "--origin", "scipy")
    if all(n >= k for n, k in zip(image_shape, kernel_shape)):
        check(backend, signal.fftconvolve(values, kernel, "valid"), "--mode", "valid")
    check(backend, signal.correlate(values, kernel, "full"), "--mode", "full", "--correlate")
    spectrum = np.fft.rfftn(values) * np.fft.rfftn(wrapped(kernel, image_shape), image_shape)
    check(backend, np.fft.irfftn(spectrum, image_shape), "--mode", "circular")


def wrapped(kernel, shape):
    """The kernel added up modulo the image's size, its centre floor(k/2) at index 0."""
    result = np.zeros(shape)
    for index in np.ndindex(*kernel.shape):
        place = tuple((i - k // 2) % n for i, k, n in zip(index, kernel.shape, shape))
        result[place] += kernel[index]
    return result


def check_boundaries(backend, image_shape, kernel_shape, boundaries):
    values, kernel = make(image_shape, kernel_shape)
    for boundary in boundaries:
        constant = 1.5 if boundary == "constant" else 0.0
        expected = ndimage.convolve(values, kernel, mode=NDIMAGE_MODE[boundary], cval=constant)
        words = ("--constant", constant) if boundary == "constant" else ()
        check(backend, expected, "--boundary", boundary, *words)


BOUNDARIES = list(NDIMAGE_MODE)
for shapes in [((40,), (7,)), ((17, 23), (5, 4)), ((9, 14, 15), (3, 4, 5)), ((6, 7, 8), (6, 8, 3)), ((5, 5, 5), (1, 1, 1))]:
    check_modes("cpu", *shapes)
for shapes in [((40,), (7,)), ((17, 23), (5, 4)), ((9, 14, 15), (3, 4, 5)), ((9, 14, 15), (5, 3, 7))]:
    check_boundaries("cpu", *shapes, BOUNDARIES)

backends = json.loads(succeed("devices", "--json").stdout)["backends"]
if any(backend["name"] == "vulkan" and backend["devices"] for backend in backends):
    check_modes("vulkan", (9, 14, 15), (3, 4, 5))
    check_boundaries("vulkan", (17, 23), (5, 4), ["reflect", "constant"])
else:
    print("not run: no Vulkan device")

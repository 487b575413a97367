"""`convoy convolve` against SciPy, on the CPU and on a Vulkan device where there is one."""
import itertools
import json
import sys

from program import fail, image, np, relative_l2, succeed

try:
    from scipy import ndimage, signal
except ImportError:
    print("SKIPPED: this Python has no SciPy")
    sys.exit(0)

TOLERANCE = 5e-6
NDIMAGE_MODE = {"zero": "constant", "constant": "constant", "reflect": "reflect", "nearest": "nearest", "wrap": "wrap",
                "mirror": "mirror"}


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


def check_full_through_boundaries(backend, image_shape, kernel_shape):
    values, kernel = make(image_shape, kernel_shape)
    for boundary, theirs in (("constant", "fill"), ("reflect", "symm"), ("wrap", "wrap")):
        constant = ("--constant", "1.5") if boundary == "constant" else ()
        words = ("--mode", "full", "--boundary", boundary, *constant)
        rules = dict(mode="full", boundary=theirs, fillvalue=1.5)
        check(backend, signal.convolve2d(values, kernel, **rules), *words)
        check(backend, signal.correlate2d(values, kernel, **rules), "--flip", *words)


def check_named_conventions(backend, image_shape, kernel_shape):
    """What README's table says of scipy.signal and scipy.ndimage, for even and odd kernels."""
    values, kernel = make(image_shape, kernel_shape)
    check(backend, signal.correlate(values, kernel, "same"), "--flip", "--origin", "scipy")
    check(backend, signal.convolve(values, kernel, "same"), "--origin", "scipy")
    check(backend, signal.correlate(values, kernel, "full"), "--flip", "--mode", "full")
    if all(n >= k for n, k in zip(image_shape, kernel_shape)):
        check(backend, signal.correlate(values, kernel, "valid"), "--flip", "--mode", "valid")
    for boundary in BOUNDARIES:
        constant = 1.5 if boundary == "constant" else 0.0
        words = ("--boundary", boundary, *(("--constant", constant) if boundary == "constant" else ()))
        with_rules = dict(mode=NDIMAGE_MODE[boundary], cval=constant)
        check(backend, ndimage.correlate(values, kernel, **with_rules), "--flip", *words)
        moved = [(-1) ** axis * min(1, (k - 1) // 2) for axis, k in enumerate(kernel_shape)]
        at = [0] * (3 - len(kernel_shape)) + [k // 2 + shift for k, shift in zip(kernel_shape, moved)]
        expected = ndimage.correlate(values, kernel, origin=moved, **with_rules)
        check(backend, expected, "--flip", "--origin", ",".join(map(str, at)), *words)


def check_adjoint_of_scipy_same(image_shape, kernel_shape):
    """<A x, y> = <x, A' y> for A of scipy.signal.convolve's same: --correlate keeps its meaning, and warns where it is
    not what scipy.signal.correlate gives."""
    x, kernel = make(image_shape, kernel_shape)
    words = ("--backend", "cpu", "--no-normalize", "--origin", "scipy", "--quiet")
    y = np.random.default_rng(9).random(image_shape)
    np.save("y.npy", y)
    done = succeed("convolve", "y.npy", "kernel.npy", "out.npy", "--correlate", "--precision", "f64", *words)
    left, right = np.vdot(signal.convolve(x, kernel, "same"), y), np.vdot(x, np.load("out.npy"))
    assert abs(left - right) <= 1e-9 * abs(left), (left, right)
    assert ("--flip" in done.stderr) == any(k % 2 == 0 for k in kernel_shape), done.stderr


def check_kernel_axes():
    """A kernel's file of fewer axes than the image is placed as it is said, and refused if nothing is said."""
    values, kernel = make((9, 14, 15), (4, 5))
    fail(2, "--kernel-axes YX", "convolve", "image.npy", "kernel.npy", "out.npy")
    fail(2, "--kernel-axes YX", "deconvolve", "image.npy", "kernel.npy", "out.npy")
    for axes in ("YX", "ZX", "ZY"):
        shape = [k for k in kernel.shape]
        shape.insert("ZYX".index(*set("ZYX") - set(axes)), 1)
        check("cpu", ndimage.convolve(values, kernel.reshape(shape), mode="constant"), "--kernel-axes", axes)
    for axes in ("XY", "YY", "AB", "Y", "ZYX"):
        fail(2, "--kernel-axes", "convolve", "image.npy", "kernel.npy", "out.npy", "--kernel-axes", axes)
    make((9, 1, 15), (3,))
    fail(2, "--kernel-axes X", "convolve", "image.npy", "kernel.npy", "out.npy")
    make((1, 14, 15), (4, 5))  # one plane is an image of two axes
    succeed("convolve", "image.npy", "kernel.npy", "out.npy", "--quiet")


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


def check_complex(backend, image_shape, kernel_shape):
    """Complex images and kernels; correlations take the kernel's conjugate, as SciPy's do."""
    def some(shape, seed, kind):
        values = np.random.default_rng(seed).normal(size=(2, *shape))
        return values[0] + (1j * values[1] if kind == "c" else 0)

    for kinds in ("cc", "cf", "fc"):
        values, kernel = some(image_shape, 1, kinds[0]), some(kernel_shape, 2, kinds[1])
        np.save("image.npy", values.astype("c8" if kinds[0] == "c" else "f4"))
        np.save("kernel.npy", kernel)
        check(backend, signal.fftconvolve(values, kernel, "full"), "--mode", "full")
        assert np.load("out.npy").dtype == "c8"
        check(backend, signal.fftconvolve(values, kernel, "same"), "--origin", "scipy")
        check(backend, signal.fftconvolve(values, kernel, "same"), "--origin", "scipy", "--memory-limit", "1MiB", "--dtype", "c128")
        check(backend, signal.correlate(values, kernel, "full"), "--mode", "full", "--correlate")
        check(backend, signal.correlate(values, kernel, "same"), "--flip", "--origin", "scipy")
        check(backend, ndimage.correlate(values, kernel, mode="reflect"), "--flip", "--boundary", "reflect")
        check(backend, ndimage.convolve(values, kernel, mode="nearest"), "--boundary", "nearest")
    fail(1, "--dtype c64", "convolve", "image.npy", "kernel.npy", "no.npy", "--dtype", "f32", "--quiet")
    fail(1, "--nan interpolate", "convolve", "image.npy", "kernel.npy", "no.npy", "--nan", "interpolate", "--quiet", "--no-normalize")


BOUNDARIES = list(NDIMAGE_MODE)
for shapes in [((40,), (7,)), ((17, 23), (5, 4)), ((9, 14, 15), (3, 4, 5)), ((6, 7, 8), (6, 8, 3)), ((5, 5, 5), (1, 1, 1))]:
    check_modes("cpu", *shapes)
for shapes in [((40,), (7,)), ((17, 23), (5, 4)), ((9, 14, 15), (3, 4, 5)), ((9, 14, 15), (5, 3, 7))]:
    check_boundaries("cpu", *shapes, BOUNDARIES)
for shapes in [((40,), (7,)), ((41,), (6,)), ((17, 23), (5, 4)), ((17, 22), (4, 4)), ((9, 14, 15), (3, 4, 5)), ((6, 9, 8), (2, 3, 4)),
               ((5, 6), (11, 14))]:
    check_named_conventions("cpu", *shapes)
    if len(shapes[0]) == 2:
        check_full_through_boundaries("cpu", *shapes)
    check_adjoint_of_scipy_same(*shapes)
check_kernel_axes()
for shapes in [((40,), (7,)), ((17, 23), (5, 3)), ((9, 14, 15), (3, 5, 3))]:
    check_complex("cpu", *shapes)

backends = json.loads(succeed("devices", "--json").stdout)["backends"]
if any(backend["name"] == "vulkan" and backend["devices"] for backend in backends):
    check_modes("vulkan", (9, 14, 15), (3, 4, 5))
    check_boundaries("vulkan", (17, 23), (5, 4), ["reflect", "mirror", "constant"])
    check_named_conventions("vulkan", (9, 14, 15), (3, 4, 5))
    check_full_through_boundaries("vulkan", (17, 23), (5, 4))
    check_complex("vulkan", (17, 23), (5, 3))
else:
    print("not run: no Vulkan device")

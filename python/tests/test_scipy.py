"""convoy.scipy against SciPy and scikit-image: values, shapes and dtypes of random calls, what is refused, patched(), and SciPy's own tests.

CONVOY_TEST_CALLS: random calls (2000). CONVOY_SCIPY_TESTS=1: run SciPy's own test_signaltools and test_filters, too (minutes).
"""

import os
import subprocess
import sys

import numpy as np
import pytest

scipy = pytest.importorskip("scipy")
import scipy.ndimage
import scipy.signal

import convoy.scipy as ours

CALLS = int(os.environ.get("CONVOY_TEST_CALLS", "2000"))
DTYPES = ["u1", "u2", "i1", "i2", "i4", "i8", "f4", "f8", "f4", "f8"]
MODES = ["full", "same", "valid"]
NDIMAGE_MODES = ["reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant", "grid-wrap"]


def random_array(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    low = 0 if np.dtype(dtype).kind == "u" else -9
    return rng.integers(low, 10, shape).astype(dtype)


def signal_call(rng):
    ndim = int(rng.integers(1, 4))
    extent = (40, 14, 8)[ndim - 1]
    name = str(rng.choice(["fftconvolve", "oaconvolve", "convolve", "correlate", "convolve2d", "correlate2d"]))
    if name.endswith("2d"):
        ndim = 2
    mode = str(rng.choice(MODES))
    first, second = rng.integers(1, extent, ndim), rng.integers(1, extent // 2 if rng.random() < 0.8 else extent, ndim)
    if mode == "valid":
        first, second = np.maximum(first, second), np.minimum(first, second)
        if rng.random() < 0.3:
            first, second = second, first
    arrays = random_array(rng, first, rng.choice(DTYPES)), random_array(rng, second, rng.choice(DTYPES))
    keywords = {"mode": mode}
    if name.endswith("2d"):
        keywords["boundary"] = str(rng.choice(["fill", "wrap", "symm"]))
        if keywords["boundary"] == "fill":
            keywords["fillvalue"] = int(rng.integers(-3, 4))
    return "signal", name, arrays, keywords


def ndimage_call(rng):
    ndim = int(rng.integers(1, 4))
    image = random_array(rng, rng.integers(1, (40, 14, 8)[ndim - 1], ndim), rng.choice(DTYPES))
    name = str(rng.choice([n for n in ours.ndimage.__all__]))
    mode = str(rng.choice(NDIMAGE_MODES))
    keywords = {"mode": mode, "cval": float(rng.integers(-3, 4))}
    if name in ("convolve", "correlate"):
        extents = rng.integers(1, 6, ndim)
        keywords["origin"] = [int(rng.integers(-((k - 1) // 2), k // 2 + 1)) if rng.random() < 0.3 else 0 for k in extents]
        if name == "correlate":
            keywords["origin"] = [-o for o in keywords["origin"]]
        arguments = image, random_array(rng, extents, rng.choice(DTYPES))
    elif name in ("convolve1d", "correlate1d"):
        arguments = image, random_array(rng, rng.integers(1, 6, 1), rng.choice(DTYPES))
        keywords["axis"] = int(rng.integers(-ndim, ndim))
    elif name.startswith("gaussian"):
        arguments = image, float(rng.uniform(0.4, 1.5))
        keywords["truncate"] = float(rng.uniform(1, 4))
    else:
        arguments = image, int(rng.integers(1, 5))
    if rng.random() < 0.2:
        keywords["output"] = rng.choice(["f4", "f8"])
    return "ndimage", name, arguments, keywords


def outcome(function, arguments, keywords):
    try:
        return function(*arguments, **keywords)
    except Exception as error:  # both must refuse the same
        return error


def assert_equal(found, wanted, label, inputs=()):
    if isinstance(wanted, Exception):
        assert type(found) is type(wanted) and str(found) == str(wanted), label
        return
    assert isinstance(found, np.ndarray) and found.shape == wanted.shape and found.dtype == wanted.dtype, (label, found, wanted)
    if wanted.dtype.kind in "iu":
        assert np.array_equal(found, wanted), label
    elif wanted.size:
        single = wanted.dtype == np.float32 or any(getattr(a, "dtype", None) == np.float32 for a in inputs)  # SciPy's, too
        limit = 2e-5 if single else 1e-12
        assert np.abs(found - wanted).max() <= limit * max(np.abs(wanted).max(), 1), label


@pytest.mark.parametrize("part", range(4))
def test_random_calls(part):
    rng = np.random.default_rng([7, part])
    ours.calls.clear()
    for number in range(CALLS // 4):
        module, name, arguments, keywords = (signal_call if number % 2 else ndimage_call)(rng)
        label = f"{module}.{name} {[getattr(a, 'shape', a) for a in arguments]} {[getattr(a, 'dtype', '') for a in arguments]} {keywords}"
        wanted = outcome(getattr(getattr(scipy, module), name), arguments, keywords)
        assert_equal(outcome(getattr(getattr(ours, module), name), arguments, keywords), wanted, label, arguments)
    served = sum(n for (_, who), n in ours.calls.items() if who == "convoy")
    print(f"{served} of {CALLS // 4} calls computed by convoy, the others left to SciPy")
    assert served > 0.6 * (CALLS // 4)


def test_what_scipy_refuses_is_refused_alike():
    cases = [
        (ours.signal.fftconvolve, scipy.signal.fftconvolve, ([1, 2], [[1]]), {}),
        (ours.signal.fftconvolve, scipy.signal.fftconvolve, ([1, 2], [1, 2]), {"mode": "bad"}),
        (ours.signal.convolve, scipy.signal.convolve, (np.ones((3, 5)), np.ones((5, 3))), {"mode": "valid"}),
        (ours.signal.convolve2d, scipy.signal.convolve2d, ([1.0], [1.0]), {}),
        (ours.ndimage.convolve, scipy.ndimage.convolve, ([1.0, 2.0], [1.0, 1.0]), {"origin": 5}),
        (ours.ndimage.convolve, scipy.ndimage.convolve, ([1.0, 2.0], [1.0, 1.0]), {"mode": "bad"}),
        (ours.ndimage.correlate, scipy.ndimage.correlate, ([1.0, 2.0], [[1.0, 1.0]]), {}),
        (ours.ndimage.gaussian_filter, scipy.ndimage.gaussian_filter, ([1.0, 2.0], -1), {"radius": -3}),
    ]
    for function, theirs, arguments, keywords in cases:
        assert_equal(outcome(function, arguments, keywords), outcome(theirs, arguments, keywords), theirs.__name__)


def test_what_convoy_does_not_do_is_scipys(rng):
    image, kernel = rng.standard_normal((6, 7)), rng.standard_normal((3, 3))
    image[2, 2] = np.nan
    ours.calls.clear()
    cases = [
        ("signal", "convolve2d", (image, kernel), {}),
        ("signal", "fftconvolve", (kernel + 1j, kernel), {}),
        ("signal", "fftconvolve", (np.ones((2, 3, 4, 5)), np.ones((1, 2, 2, 2))), {"axes": (1, 2, 3)}),
        ("signal", "convolve", (np.array([2**40, 1]), np.array([2**20, 3])), {}),
        ("signal", "convolve", (np.array([200, 100], "u1"), np.array([2, 3], "u1")), {}),
        ("ndimage", "convolve", (np.ones((2, 2, 2, 2)), np.ones((1, 2, 2, 2))), {}),
        ("ndimage", "gaussian_filter", (np.arange(9), 1.0), {}),
        ("ndimage", "gaussian_filter", (kernel, 1.0), {"order": 1}),
    ]
    for module, name, arguments, keywords in cases:
        found = getattr(getattr(ours, module), name)(*arguments, **keywords)
        wanted = getattr(getattr(scipy, module), name)(*arguments, **keywords)
        np.testing.assert_array_equal(found, wanted)
    assert sum(n for (_, who), n in ours.calls.items() if who == "scipy") == len(cases)


def test_outputs(rng):
    image = rng.standard_normal((6, 7))
    out = np.empty((6, 7), np.float32)
    assert ours.ndimage.convolve(image, np.ones((3, 3)), output=out) is out
    np.testing.assert_allclose(out, scipy.ndimage.convolve(image, np.ones((3, 3))), rtol=1e-5, atol=1e-5)
    copy = image.copy()
    ours.ndimage.uniform_filter(image, output=image)
    np.testing.assert_allclose(image, scipy.ndimage.uniform_filter(copy), rtol=1e-12, atol=1e-13)


def test_patched(rng):
    image, kernel = rng.standard_normal((6, 7)), rng.standard_normal((3, 3))
    before = scipy.signal.fftconvolve
    wanted = before(image, kernel)
    with ours.patched(device="cpu"):
        assert scipy.signal.fftconvolve is ours.signal.fftconvolve
        with ours.patched():
            np.testing.assert_allclose(scipy.signal.fftconvolve(image, kernel), wanted, rtol=1e-12, atol=1e-13)
        assert scipy.signal.fftconvolve(image + 1j, kernel).dtype == complex  # falls through to SciPy's, not to itself
    assert scipy.signal.fftconvolve is before
    with pytest.raises(ZeroDivisionError), ours.patched():
        1 / 0
    assert scipy.signal.fftconvolve is before


def test_signatures_are_theirs():
    import inspect

    for module in (ours.signal, ours.ndimage):
        theirs = scipy.signal if module is ours.signal else scipy.ndimage
        for name in module.__all__:
            wanted = list(inspect.signature(getattr(theirs, name)).parameters)
            found = list(inspect.signature(getattr(module, name)).parameters)
            assert [p for p in found if p in wanted] == wanted, name


def test_richardson_lucy(rng):
    restoration = pytest.importorskip("skimage.restoration")
    image, psf = rng.random((20, 30)), rng.random((5, 4))
    psf /= psf.sum()
    for dtype in (np.float64, np.float32):
        found = ours.restoration.richardson_lucy(image.astype(dtype), psf.astype(dtype), num_iter=10)
        wanted = restoration.richardson_lucy(image.astype(dtype), psf.astype(dtype), num_iter=10)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-9 if dtype is np.float64 else 1e-3)
    found = ours.restoration.wiener(image, psf, 0.1)
    np.testing.assert_array_equal(found, restoration.wiener(image, psf, 0.1))


RUNNER = """
import sys, pytest, scipy._lib._array_api as api, convoy.scipy
from convoy.scipy import _fallback
with convoy.scipy.patched(device="cpu"):
    table = getattr(api, "xp_capabilities_table", {})  # SciPy's tests look functions up in it
    for name, theirs in _fallback.originals.items():
        module, function = name.split(".")
        if theirs in table:
            table[getattr(getattr(convoy.scipy, module), function)] = table[theirs]
    status = pytest.main(["-q", "-p", "no:cacheprovider", "-W", "ignore", "--tb=short", *sys.argv[1:]])
totals = {}
for (name, who), n in sorted(convoy.scipy.calls.items()):
    totals.setdefault(name, {"convoy": 0, "scipy": 0})[who] += n
print("CALLS", totals)
sys.exit(status)
"""


def scipys_own(*arguments):
    """Outcome and output of SciPy's own tests under patched()."""
    done = subprocess.run([sys.executable, "-c", RUNNER, *arguments], capture_output=True, text=True, timeout=1500, cwd="/")
    return done.returncode, done.stdout


@pytest.mark.skipif(not os.environ.get("CONVOY_SCIPY_TESTS"), reason="SciPy's own tests take minutes; CONVOY_SCIPY_TESTS=1")
@pytest.mark.parametrize("suite", ["scipy.signal.tests.test_signaltools", "scipy.ndimage.tests.test_filters"])
def test_scipys_own_tests(suite):
    status, output = scipys_own("--pyargs", suite)
    print(output[-3000:])
    assert status == 0, output[-5000:]

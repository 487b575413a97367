"""--nan interpolate, --preserve-nan and --constant nan against astropy.convolution where this Python has it, else against its
definition; in memory limits, and on every backend that has a device."""
import json
import warnings

from program import backends_with_devices, fail, np, relative_l2, succeed

try:
    from astropy.convolution import convolve as astropy_convolve
except ImportError:
    astropy_convolve = None
    print("not run against astropy, which this Python has not: against the definition alone")

rng = np.random.default_rng(3)
BOUNDARIES = {"zero": "fill", "nearest": "extend", "wrap": "wrap"}
PAD = {"zero": "constant", "nearest": "edge", "wrap": "wrap"}


def by_definition(values, kernel, boundary, preserve, outside=0.0):
    """The sum over known voxels, over the kernel's sum over them."""
    half = [k // 2 for k in kernel.shape]
    words = dict(constant_values=outside) if boundary == "zero" else {}
    padded = np.pad(values, [(h, h) for h in half], mode=PAD[boundary], **words)
    known = np.isfinite(padded)
    padded = np.where(known, padded, 0.0)
    flipped = kernel[tuple(slice(None, None, -1) for _ in kernel.shape)]
    windows = np.lib.stride_tricks.sliding_window_view
    axes = tuple(range(-kernel.ndim, 0))
    top = (windows(padded, kernel.shape) * flipped).sum(axis=axes)
    bottom = (windows(known.astype(float), kernel.shape) * flipped).sum(axis=axes)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.where(bottom > 1e-12, top / bottom, np.nan)
    return np.where(np.isnan(values), np.nan, result) if preserve else result


def compare(result, expected, words):
    assert result.shape == expected.shape and np.array_equal(np.isnan(result), np.isnan(expected)), words
    error = relative_l2(np.nan_to_num(result), np.nan_to_num(expected))
    assert error <= 2e-5, (words, error)


def make(shape, kernel_shape, holes):
    values = rng.normal(size=shape)
    values[rng.random(shape) < holes] = np.nan
    kernel = rng.random(kernel_shape) + 0.1
    np.save("image.npy", values)
    np.save("kernel.npy", kernel)
    return values, kernel


def convolve(*words):
    succeed("convolve", "image.npy", "kernel.npy", "out.npy", "--quiet", "--report", "r.json", *words)
    return np.load("out.npy"), json.load(open("r.json"))


for backend in backends_with_devices():
    for shape, kernel_shape, holes in [((60,), (7,), 0.3), ((17, 23), (5, 3), 0.4), ((17, 23), (3, 3), 0.95), ((9, 14, 15), (3, 5, 3), 0.3)]:
        values, kernel = make(shape, kernel_shape, holes)
        for boundary, theirs in BOUNDARIES.items():
            for preserve in (False, True):
                words = ("--backend", backend, "--boundary", boundary, "--nan", "interpolate", *(["--preserve-nan"] if preserve else []))
                result, report = convolve(*words)
                compare(result, by_definition(values, kernel, boundary, preserve), words)
                assert report["nan_voxels"] == np.isnan(result).sum() and report["non_finite_voxels"] == np.isnan(values).sum(), report
                if astropy_convolve is None:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    compare(result, astropy_convolve(values, kernel, boundary=theirs, nan_treatment="interpolate", preserve_nan=preserve), words)
        # What astropy calls nan_treatment='fill' is --nan zero.
        result, _ = convolve("--backend", backend, "--nan", "zero", "--preserve-nan", "--boundary", "nearest")
        filled = np.where(np.isnan(values), np.nan, by_definition(np.nan_to_num(values), kernel, "nearest", False))
        compare(result, filled, "zero")
        # Outside is missing, too.
        result, _ = convolve("--backend", backend, "--nan", "interpolate", "--boundary", "constant", "--constant", "nan")
        compare(result, by_definition(values, kernel, "zero", False, np.nan), "constant nan")
        if astropy_convolve is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = astropy_convolve(values, kernel, boundary="fill", fill_value=np.nan, nan_treatment="interpolate")
            compare(result, theirs, "constant nan")

# Outputs that see NaN outside are NaN, as where astropy fills with it.
np.save("image.npy", np.ones((9, 10)))
np.save("kernel.npy", np.ones((3, 5)))
result, report = convolve("--boundary", "constant", "--constant", "nan")
expected = np.full((9, 10), np.nan)
expected[1:-1, 2:-2] = 1
compare(result, expected, "edges")
assert report["nan_voxels"] == np.isnan(expected).sum(), report

# The kernel as it is: without missing voxels nothing but the convolution.
values, kernel = make((17, 23), (5, 3), 0.0)
result, _ = convolve("--nan", "interpolate", "--no-normalize")
plain, _ = convolve("--no-normalize")
assert np.array_equal(result, plain)

# A region of the output, integer outputs, and what is refused.
values, kernel = make((20, 30, 31), (3, 5, 3), 0.3)
whole, _ = convolve("--nan", "interpolate", "--preserve-nan")
part, _ = convolve("--nan", "interpolate", "--preserve-nan", "--region", "3:9,:12,7:30")
compare(part, whole[3:9, :12, 7:30], "region")
small, report = convolve("--nan", "interpolate", "--preserve-nan", "--memory-limit", "150KiB")
compare(small, whole, "tiles")
assert report["num_tiles"] > 1, report
numbers, report = convolve("--nan", "interpolate", "--preserve-nan", "--dtype", "i16")
assert np.array_equal(numbers, np.nan_to_num(np.rint(whole)).astype("i2")) and report["nan_voxels"] == np.isnan(values).sum(), report
assert any("0 for NaN" in text for text in report["warnings"]), report
np.save("kernel.npy", np.ones((3, 5, 3)))
fail(1, "--nan interpolate", "convolve", "image.npy", "kernel.npy", "no.npy", "--quiet")
fail(1, "--flip", "convolve", "image.npy", "kernel.npy", "no.npy", "--quiet", "--nan", "interpolate", "--correlate")
fail(1, "--nan zero", "convolve", "image.npy", "kernel.npy", "no.npy", "--quiet", "--preserve-nan")
fail(1, "same and circular", "convolve", "image.npy", "kernel.npy", "no.npy", "--quiet", "--preserve-nan", "--nan", "zero", "--mode", "full")

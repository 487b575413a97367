"""Every kind of voxel, in every format that holds it: read, convolved and written as NumPy rounds and clips."""
import json
import os

from program import fail, np, succeed

NUMPY = {"u8": "u1", "u16": "u2", "f32": "f4", "f64": "f8", "i8": "i1", "i16": "i2", "u32": "u4", "i32": "i4", "f16": "f2"}
WORDS = ("--backend", "cpu", "--quiet", "--overwrite", "--precision", "f64", "--report", "r.json")
rng = np.random.default_rng(1)
delta = np.ones((1, 1, 1))
np.save("delta.npy", delta)
copy = ("delta.npy",)


def convolve(image, output, *words):
    succeed("convolve", image, "delta.npy", output, *WORDS, *words)
    return json.load(open("r.json"))


def as_written(values, kind):
    """What NumPy says that rounding to even and clipping gives."""
    kind = np.dtype(kind)
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(kind)
    return np.clip(np.rint(values), np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)


def extremes(kind):
    kind = np.dtype(kind)
    if kind.kind == "f":
        facts = np.finfo(kind)
        special = [facts.max, -facts.max, facts.tiny, facts.smallest_subnormal, -facts.smallest_subnormal, 3 * facts.smallest_subnormal, 0, -0.0, 1]
        if kind == "f8":
            special = [1, -1, 1e6, 1e-6, 0]  # beyond, the arithmetic itself gives up
    else:
        special = [np.iinfo(kind).min, np.iinfo(kind).max, 0, 1, np.iinfo(kind).max - 1]
    return np.array(special, kind)


def values_of(kind):
    kind = np.dtype(kind)
    values = rng.integers(0, 100, (3, 4, 5)).astype(kind)
    special = extremes(kind)
    values.reshape(-1)[:len(special)] = special
    return values


def read_back(path, kind, shape):
    if path.endswith(".npy"):
        return np.load(path)
    if path.endswith(".raw"):
        return np.fromfile(path, "<" + kind).reshape(shape)
    succeed("convolve", path, "delta.npy", "back.npy", *WORDS, "--dtype", NAMES[kind])
    return np.load("back.npy")


NAMES = {kind: name for name, kind in NUMPY.items()}
FORMATS = [("o.npy", ()), ("o.tif", ()), ("o.raw", ()), ("o4.ome.zarr", ("--ome-zarr", "0.4")), ("o5.ome.zarr", ("--ome-zarr", "0.5"))]

# Exact round trips, and what other programs read.
for name, kind in NUMPY.items():
    values = values_of(kind)
    tolerance = 1e-9 * float(np.abs(values.astype("f8")).max())  # of the transforms, where voxels are as unlike as these
    np.save("i.npy", values)
    for path, words in FORMATS:
        report = convolve("i.npy", path, "--dtype", name, *words)
        assert report["image"]["dtype"] == name and report["output"]["dtype"] == name, report
        got = read_back(path, kind, values.shape)
        assert got.dtype == np.dtype(kind), (name, path, got.dtype)
        if np.dtype(kind).kind == "f":
            assert np.abs(got.astype("f8") - values.astype("f8")).max() <= tolerance, (name, path)
        else:
            assert np.array_equal(got, values), (name, path, got, values)
    if name == "f64":
        continue
    # Small numbers alone come back exactly: their transforms do not round at the scale of the voxels.
    if name == "f16":
        small = np.array([1, 2, 3, 1023, 1024, 1025], "u2").view("f2").reshape(1, 1, 6)  # around the smallest normal number
        np.save("small.npy", small)
        convolve("small.npy", "o.npy", "--dtype", "f16")
        assert np.array_equal(np.load("o.npy").view("u2"), small.view("u2")), np.load("o.npy")

# Rounding and clipping
for name, kind in NUMPY.items():
    if name in ("f32", "f64"):
        continue
    high = 65520.0 if name == "f16" else float(np.iinfo(kind).max)
    low = -high if name == "f16" else float(np.iinfo(kind).min)
    # Quarters off the ties, which the transform's rounding could tip.
    wanted = np.array([[[0.25, 1.75, 2.25, low, high, high + 0.25, high + 0.75, 2 * high, 1.5 * low - 3, -0.25, -0.75, 100.25]]])
    np.save("w.npy", wanted)
    report = convolve("w.npy", "o.npy", "--dtype", name)
    got = np.load("o.npy")
    expected = as_written(wanted, kind)
    if name == "f16":  # 65520 itself is a tie
        expected, got = np.delete(expected, (3, 4)), np.delete(got, (3, 4))
    assert np.array_equal(got, expected), (name, got, expected)
    if name != "f16":
        assert report["saturated_voxels"] == np.count_nonzero(np.rint(wanted) != expected.astype("f8")), (name, report)

# NaN and infinity of f16
odd = np.array([[1, np.nan, np.inf, -np.inf, 2]], "f2")
np.save("odd.npy", odd)
np.save("line.npy", np.ones((1, 1)))
fail(1, "NaN or infinite", "convolve", "odd.npy", "line.npy", "o.npy", *WORDS)
succeed("convolve", "odd.npy", "line.npy", "o.npy", *WORDS, "--nan", "zero", "--dtype", "f16")
assert np.array_equal(np.load("o.npy"), np.array([[1, 0, 0, 0, 2]], "f2")), np.load("o.npy")
assert json.load(open("r.json"))["non_finite_voxels"] == 3
# No data is compared as the image stores it
np.save("hole.npy", np.array([[1, 0.1, 2]], "f2"))
succeed("convolve", "hole.npy", "line.npy", "o.npy", *WORDS, "--no-data", "0.1")
assert json.load(open("r.json"))["no_data_voxels"] == 1
# What a format has no type for
fail(1, "OME-TIFF", "convolve", "i.npy", "delta.npy", "o.ome.tif", *WORDS, "--dtype", "f16")
for name in ("i8", "i16", "u32", "i32", "u8"):
    values = values_of(NUMPY[name])
    np.save("i.npy", values)
    convolve("i.npy", "o.ome.tif", "--dtype", name)
    assert np.array_equal(read_back("o.ome.tif", NUMPY[name], values.shape), values), name

# bfloat16, the upper half of a float: raw files and Zarr version 3 hold it, the others have no type for it.
some = np.array([1, -2.5, 3.140625, 1e30, 2 ** -130, 0], "f4").reshape(1, 2, 3)
(some.view("u4") >> 16).astype("<u2").tofile("brain.raw")
some = (some.view("u4") & 0xFFFF0000).view("f4")
succeed("convolve", "brain.raw", "delta.npy", "o.npy", *WORDS, "--raw", "1,2,3,bf16", "--dtype", "f64", "--method", "direct")
assert np.array_equal(np.load("o.npy").reshape(some.shape), some), np.load("o.npy")
halves = np.array([[[1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -40, -1 - 2 ** -9]]])  # ties, and what is no tie in f64
np.save("i.npy", halves)
for path, words in (("o.raw", ()), ("o5.ome.zarr", ("--ome-zarr", "0.5"))):
    report = convolve("i.npy", path, "--dtype", "bf16", "--method", "direct", *words)
    assert report["output"]["dtype"] == "bf16", report
    if path == "o.raw":
        got = (np.fromfile(path, "<u2").astype("u4") << 16).view("f4")
    else:
        convolve(path, "back.npy", "--dtype", "f64", "--method", "direct")
        got = np.load("back.npy").reshape(-1)
    assert np.array_equal(got, [1, 1 + 2 ** -6, 1 + 2 ** -7, -1]), (path, got)
assert json.load(open("o5.ome.zarr/0/zarr.json"))["data_type"] == "bfloat16"
for path, words in (("no.npy", ()), ("no.tif", ()), ("no.ome.zarr", ("--ome-zarr", "0.4"))):
    fail(1, "bf16", "convolve", "i.npy", "delta.npy", path, "--quiet", "--dtype", "bf16", *words)

# Complex numbers, in every format; a real kernel leaves them complex, whatever the arithmetic.
for name, kind in (("c64", "c8"), ("c128", "c16")):
    values = (rng.integers(-50, 50, (3, 4, 5)) + 1j * rng.integers(-50, 50, (3, 4, 5))).astype(kind)
    np.save("i.npy", values)
    for path, words in [*FORMATS, ("o.ome.tif", ())]:
        report = convolve("i.npy", path, "--dtype", name, "--method", "direct", *words)
        assert report["image"]["dtype"] == name and report["output"]["dtype"] == name, report
        if path.endswith(".npy"):
            got = np.load(path)
        elif path.endswith(".raw"):
            got = np.fromfile(path, "<" + kind).reshape(values.shape)
        else:
            convolve(path, "back.npy", "--dtype", name, "--method", "direct")
            got = np.load("back.npy")
        assert got.dtype == np.dtype(kind) and np.array_equal(got, values), (name, path, got)
    np.save("i.npy", values.astype(">" + kind))
    convolve("i.npy", "o.npy", "--method", "direct")  # by --precision f64
    assert np.load("o.npy").dtype == "c16" and np.array_equal(np.load("o.npy"), values), name
    fail(1, "complex", "deconvolve", "i.npy", "delta.npy", "no.npy", "--quiet", "--iterations", "1")
fail(1, "real", "convolve", "hole.npy", "line.npy", "no.npy", "--quiet", "--dtype", "c64")

try:
    import tifffile
except ImportError:
    tifffile = None
if tifffile is not None:
    for name, kind in (*NUMPY.items(), ("c64", "c8"), ("c128", "c16")):
        values = values_of(kind) if kind[0] != "c" else np.full((2, 3, 4), 3 - 4j, kind)
        np.save("i.npy", values)
        convolve("i.npy", "o.tif", "--dtype", name)
        got = tifffile.imread("o.tif")
        assert got.dtype == np.dtype(kind), (name, got.dtype)
# Other commands
for name, kind in NUMPY.items():
    succeed("phantom", "spheres", "p.npy", "--size", "8,8,8", "--dtype", name, "--value", "7", "--overwrite", "--quiet")
    assert np.load("p.npy").dtype == np.dtype(kind) and np.load("p.npy").max() == 7, name
fail(1, "whole number from -128 to 127", "phantom", "spheres", "p.npy", "--size", "8,8,8", "--dtype", "i8", "--value", "200", "--overwrite", "--quiet")

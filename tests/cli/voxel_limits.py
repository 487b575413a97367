"""Values that arithmetic in single precision does not hold: refused, replaced or warned of, never NaN in silence."""
import json

from program import fail, image, np, succeed

CONVOLVE = ("convolve", "f.npy", "k.npy", "o.npy", "--backend", "cpu", "--quiet")


def convolve(values, *words, kernel=np.ones((3, 3), np.float32)):
    np.save("f.npy", values)
    np.save("k.npy", kernel)
    done = succeed(*CONVOLVE, "--normalize", "--report", "r.json", *words)
    return done.stderr, json.load(open("r.json")), np.load("o.npy")


def refuse(part, values, *words, kernel=np.ones((3, 3), np.float32)):
    np.save("f.npy", values)
    np.save("k.npy", kernel)
    fail(1, part, *CONVOLVE, *words)


ones = np.ones((64, 64), np.float32)

# No data, and what is beyond the arithmetic
hole = ones.copy()
hole[0, 0] = hole[7, 5] = -3.4028235e38
refuse("2 voxel(s) so large", hole)
refuse("z,y,x = 0,0,0", hole)
refuse("--no-data -3.40282347e+38", hole)
warning, report, output = convolve(hole, "--no-data", "-3.4028235e38", "--boundary", "nearest")
assert "2 image voxels" in warning and report["no_data_voxels"] == 2, (warning, report)
assert np.isfinite(output).all() and abs(output[40, 40] - 1) < 1e-6 and abs(output[7, 5] - 8 / 9) < 1e-6
refuse("4096 voxel(s)", np.full((64, 64), 1e300))
refuse("--precision f64", np.full((64, 64), 1e300))
warning, report, output = convolve(np.full((64, 64), 1e300), "--precision", "f64", "--boundary", "nearest")
assert warning == "" and np.allclose(output, 1e300), warning
warning, report, output = convolve(np.full((64, 64), 1e300), "--precision", "f64", "--dtype", "f32")
assert "4096 output voxels are beyond the range of f32" in warning and report["saturated_voxels"] == 4096, warning
refuse("--precision f64", ones, "--no-normalize", kernel=np.full((3, 3), 1e300))
refuse("too large", ones, "--normalize", kernel=np.full((3, 3), 1e308))
fail(2, "--no-data", *CONVOLVE, "--no-data", "none")
refuse("no_data", ones, "--no-data", "nan")

# A voxel that spoils its tile
hot = ones.copy()
hot[0, 0] = 1e9
warning, report, output = convolve(hot)
assert "--precision f64" in warning and report["dynamic_range"] > 1e6, (warning, report["dynamic_range"])
error = np.abs(output[8:-8, 8:-8] - 1).max()
assert error <= report["rounding_error"] <= 1000, (error, report["rounding_error"])
assert convolve(hot, "--precision", "f64")[0] == ""

# Large offsets, and integers of 32 bits
rng = np.random.default_rng(1)
for values in ((2**31 + rng.integers(0, 100, (40, 40))).astype(np.uint32), (2**25 + rng.integers(0, 100, (40, 40))).astype(np.int32),
               1e9 + rng.random((40, 40))):
    warning, report, output = convolve(values)
    assert "differ by no more than" in warning and "--precision f64" in warning, warning
    assert "beyond 2^24" in warning and report["inexact_voxels"] > 700, warning
    warning, report, output = convolve(values, "--precision", "f64")
    assert warning == "" and report["inexact_voxels"] == 0, warning

# Nothing to warn of
for values in (rng.random((40, 40)), rng.poisson(100, (40, 40)).astype(np.uint16), np.eye(64, dtype=np.float32), np.zeros((5, 5)), 1e-30 * ones,
               1e20 * ones):
    warning, report, output = convolve(values)
    assert warning == "" and np.isfinite(output).all(), warning

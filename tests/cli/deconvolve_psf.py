"""`--psf-voxel-size` and `--psf-crop`: a measured PSF made ready for the image, against the same done in NumPy."""
import json
import sys

from program import FOLDER, fail, np, relative_l2, succeed

try:
    import tifffile
except ImportError:
    print("SKIPPED: this Python has no tifffile")
    sys.exit(0)

CPU = ("--backend", "cpu", "--iterations", 5)
RNG = np.random.default_rng(8)
image = RNG.poisson(80, (6, 20, 24)).astype(np.float32)
image[:, :, :8] = 0  # which no camera's offset leaves
np.save("image.npy", image)
grid = np.meshgrid(*(np.arange(n) - n // 2 for n in (5, 13, 15)), indexing="ij")
psf = np.exp(-0.5 * (grid[0] ** 2 + (grid[1] / 1.8) ** 2 + (grid[2] / 2) ** 2)).astype(np.float32)
np.save("psf.npy", psf)


def hat_integral(t):
    t = np.clip(t, -1, 1)
    return np.where(t < 0, 0.5 * (1 + t) ** 2, 1 - 0.5 * (1 - t) ** 2)


def resampled(values, steps):
    for axis, step in enumerate(steps):
        size = values.shape[axis]
        if step == 1:
            continue
        reach = int(np.ceil((size // 2 + 1) / step - 0.5))
        middle = np.arange(-reach, reach + 1)[:, None] * step - (np.arange(size) - size // 2)[None, :]
        weights = hat_integral(middle + step / 2) - hat_integral(middle - step / 2)
        values = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
    return values


def restore(*words, psf="psf.npy"):
    done = succeed("deconvolve", "image.npy", psf, "out.npy", *CPU, "--overwrite", "--report", "run.json", *words)
    return np.load("out.npy"), json.loads((FOLDER / "run.json").read_text()), done


# The PSF at the image's voxels, whatever the units
np.save("ready.npy", resampled(psf, (1, 2, 2.5)).astype(np.float32))
expected, _, _ = restore(psf="ready.npy")
result, report, done = restore("--voxel-size", "0.3,0.2,0.25,um", "--psf-voxel-size", "300,100,100,nm")
assert report["psf"]["shape"] == list(np.load("ready.npy").shape) and done.stderr == ""
assert relative_l2(result, expected) < 1e-6, relative_l2(result, expected)

# Both files say how large their voxels are: a warning that names the remedy
tifffile.imwrite("image.tif", np.load("image.npy"), imagej=True, resolution=(4, 5), metadata={"spacing": 0.3, "unit": "um", "axes": "ZYX"})
tifffile.imwrite("psf.tif", psf, imagej=True, resolution=(10, 10), metadata={"spacing": 0.3, "unit": "um", "axes": "ZYX"})
done = succeed("deconvolve", "image.tif", "psf.tif", "out.tif", *CPU)
assert "--psf-voxel-size 0.3,0.1,0.1,micron" in done.stderr and done.stderr.count("\n") == 1, done.stderr
done = succeed("deconvolve", "image.tif", "psf.tif", "out.tif", *CPU, "--overwrite", "--psf-voxel-size", "0.3,0.1,0.1,micron")
assert done.stderr == "" and relative_l2(tifffile.imread("out.tif"), expected) < 1e-5
tifffile.imwrite("psf.tif", psf, imagej=True, resolution=(4, 5.01), metadata={"spacing": 0.3, "unit": "um", "axes": "ZYX"})
assert succeed("deconvolve", "image.tif", "psf.tif", "out.tif", *CPU, "--overwrite").stderr == ""

# Cut: smaller, with at least that part of the light, and nearly the same result
whole, _, _ = restore()
for part in (0.99, 0.8):
    result, report, _ = restore("--psf-crop", part)
    shape = report["psf"]["shape"]
    cut = tuple(slice((n - k) // 2, (n + k) // 2) for n, k in zip(psf.shape, shape))
    assert all(k < n for k, n in zip(shape[1:], psf.shape[1:])) and psf[cut].sum() >= part * psf.sum()
    np.save("cut.npy", psf[cut])
    assert relative_l2(result, restore(psf="cut.npy")[0]) < 1e-6
    assert relative_l2(result, whole) < 2 * (1 - part)
moved = np.roll(psf, (1, 2, -3), (0, 1, 2))
np.save("moved.npy", moved)
for origin in ("peak", "3,8,4"):
    one, _, _ = restore("--psf-crop", 0.9, "--origin", origin, psf="moved.npy")
    two, _, _ = restore("--psf-crop", 0.9, "--origin", "3,8,4", psf="moved.npy")
    assert np.array_equal(one, two), origin

# What cannot be
fail(2, "--psf-voxel-size: the image does not say", "deconvolve", "image.npy", "psf.npy", "no.npy", *CPU, "--psf-voxel-size", "1,1,1,um")
fail(2, "cannot be compared", "deconvolve", "image.npy", "psf.npy", "no.npy", *CPU, "--psf-voxel-size", "1,1,1,um", "--voxel-size", "1,1,1,furlong")
fail(2, "--psf-voxel-size", "deconvolve", "image.npy", "psf.npy", "no.npy", *CPU, "--psf-voxel-size", "1,1")
fail(2, "--psf-crop", "deconvolve", "image.npy", "psf.npy", "no.npy", *CPU, "--psf-crop", "1.5")
fail(2, "--psf-crop", "deconvolve", "image.npy", "psf.npy", "no.npy", *CPU, "--psf-crop", "0")

"""`convoy deconvolve` from disk to disk: time points and channels, masks, memory limits by fast tiles, and runs that are killed."""
import json
import pathlib
import signal
import subprocess
import time

from program import FOLDER, PROGRAM, fail, np, relative_l2, succeed

CPU = ("--backend", "cpu", "--quiet")
RNG = np.random.default_rng(9)
SHAPE, PSF = (8, 40, 48), (3, 7, 7)
ITERATIONS = ("--iterations", 4)


def gaussian(shape):
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    psf = np.exp(-0.5 * (z**2 + (y / 1.5) ** 2 + (x / 1.5) ** 2))
    return (psf / psf.sum()).astype(np.float32)


def scene(*shape):
    values = np.zeros(shape, np.float32)
    values.ravel()[RNG.integers(0, values.size, values.size // 200)] = RNG.uniform(500, 2000, values.size // 200)
    return RNG.poisson(values + 10).astype(np.uint16)


def report_of(name):
    return json.loads((FOLDER / name).read_text())


np.save("psf.npy", gaussian(PSF))

# Time points and channels are what each is alone, with a mask for all and with one for each
movie = scene(3, 2, *SHAPE)
masks = (RNG.random((3, 2, *SHAPE)) > 0.02).astype(np.uint8)
np.save("movie.npy", movie)
np.save("mask.npy", masks[0, 0])
for words, mask_of in (((), None), (("--mask", "mask.npy"), lambda t, c: masks[0, 0])):
    succeed("deconvolve", "movie.npy", "psf.npy", "restored.npy", *CPU, *ITERATIONS, "--axes", "TCZYX", "--report", "run.json", *words)
    restored = np.load("restored.npy")
    assert restored.shape == movie.shape and restored.dtype == np.float32
    report = report_of("run.json")
    assert report["num_images"] == 6 and report["iterations"] == 4 and report["skipped_tiles"] == 0
    assert abs(report["input_sum"] - (movie if mask_of is None else movie[:, :, masks[0, 0] > 0]).sum(dtype=float)) < 1
    for t, c in ((0, 0), (1, 1), (2, 0)):
        np.save("one.npy", movie[t, c])
        succeed("deconvolve", "one.npy", "psf.npy", "alone.npy", *CPU, *ITERATIONS, *words)
        assert np.array_equal(np.load("alone.npy"), restored[t, c]), (t, c)
np.save("wrong.npy", masks[0, 0, 1:])
fail(1, "the mask is 7x40x48", "deconvolve", "movie.npy", "psf.npy", "none.npy", *CPU, "--axes", "TCZYX", "--mask", "wrong.npy")
for name in ("restored.zarr", "restored.ome.tif"):
    succeed("deconvolve", "movie.npy", "psf.npy", name, *CPU, *ITERATIONS, "--axes", "TCZYX")
    succeed("deconvolve", name, "psf.npy", "again.npy", *CPU, "--iterations", 0)  # it can be read again, with its axes
    assert np.load("again.npy").shape == movie.shape

# What does not fit --ram-limit goes in fast tiles, within the limit, with a warning and a seam error
LARGE = (48, 320, 320)
large = scene(*LARGE)
np.save("large.npy", large)
whole = ("deconvolve", "large.npy", "psf.npy")
succeed(*whole, "whole.npy", *CPU, *ITERATIONS, "--report", "whole.json")
limit = int(report_of("whole.json")["planned_host_bytes"] * 0.6)
done = succeed(*whole, "tiles.npy", *CPU, *ITERATIONS, "--ram-limit", limit, "--report", "tiles.json")
report = report_of("tiles.json")
assert report["plan"]["tiling"] == "fast" and report["plan"]["num_tiles"] > 1, report["plan"]["tiling"]
assert "host memory" in done.stderr and "--ram-limit" in done.stderr, done.stderr
assert report["peak_host_bytes"] <= report["planned_host_bytes"] <= limit, report
error = relative_l2(np.load("tiles.npy"), np.load("whole.npy"))
assert 0 < report["seam"]["voxels"] and error <= report["seam"]["relative_l2"] < 0.1, (error, report["seam"])
fail(1, "fast tiles do not go together", *whole, "none.npy", *CPU, "--edges", "zero", "--ram-limit", limit)
fail(1, "--ram-limit", *whole, "none.npy", *CPU, "--ram-limit", "20MiB")

# Killed, it goes on: whole images of a series, and fast tiles of one image
def begun(output):
    journal = pathlib.Path(f".{output}.convoy-journal")
    return journal.exists() and journal.read_text().count("\n") >= 4


def killed_when_begun(words, output):
    for _ in range(20):
        process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not begun(output):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            assert not pathlib.Path(output).exists() and begun(output)
            return
        pathlib.Path(output).unlink()
    raise AssertionError("every run ended before it was killed")


# Fast tiles are cut as the limit allows, which is less than --ram-limit by what the program holds at that moment.
for words, output, expected in ((("deconvolve", "movie.npy", "psf.npy", "resumed.npy", "--axes", "TCZYX", "--iterations", 40), "resumed.npy", None),
                                ((*whole, "resumed_tiles.npy", *ITERATIONS, "--ram-limit", limit), "resumed_tiles.npy", "tiles.npy")):
    words = (*words, *CPU, "--resume")
    if expected is None:
        succeed(*(w if w != output else "uninterrupted.npy" for w in words))
        expected = "uninterrupted.npy"
    killed_when_begun(words, output)
    fail(1, "iterations was", *(w if w not in (4, 40) else w + 1 for w in words))
    succeed(*words, "--report", "resumed.json")
    assert report_of("resumed.json")["skipped_tiles"] > 0
    allowed = 1e-6 if expected == "uninterrupted.npy" else report["seam"]["relative_l2"]
    assert relative_l2(np.load(output), np.load(expected)) <= allowed
    assert not list(FOLDER.glob(f".{output}*"))
print("deconvolved from disk to disk")

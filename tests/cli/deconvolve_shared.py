"""`convoy deconvolve` with a PSF for each channel, and on several devices that share images and fast tiles."""
import json

from program import FOLDER, backends_with_devices, fail, np, relative_l2, succeed

QUIET = ("--quiet", "--iterations", 3)
RNG = np.random.default_rng(4)
SHAPE, PSF = (8, 24, 31), (3, 5, 5)


def gaussian(width):
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in PSF), indexing="ij")
    return np.exp(-0.5 * (z**2 + (y**2 + x**2) / width**2)).astype(np.float32)


def report_of(name):
    return json.loads((FOLDER / name).read_text())


np.save("narrow.npy", gaussian(0.8))
np.save("wide.npy", gaussian(1.6))
np.save("small.npy", gaussian(1.6)[:, 1:-1])
movie = RNG.poisson(RNG.uniform(5, 50, (3, 2, *SHAPE))).astype(np.uint16)
np.save("movie.npy", movie)

# Each channel has its PSF, in exact and in fast tiles, and in a run that is continued
TCZYX = ("--axes", "TCZYX")
for more in ((), ("--tiles", "fast"), ("--resume",), ("--devices", "cpu,cpu"), ("--devices", "cpu,cpu", "--tiles", "fast", "--ram-limit", "300MiB")):
    done = succeed("deconvolve", "movie.npy", "narrow.npy,wide.npy", "restored.npy", *QUIET, *TCZYX, "--report", "run.json", *more)
    restored = np.load("restored.npy")
    report = report_of("run.json")
    assert [round(1 / psf["factor"], 3) for psf in report["psfs"]] == [round(float(gaussian(w).sum()), 3) for w in (0.8, 1.6)]
    for t, c in ((0, 0), (0, 1), (2, 1)):
        np.save("one.npy", movie[t, c])
        succeed("deconvolve", "one.npy", ("narrow.npy", "wide.npy")[c], "alone.npy", *QUIET)
        assert relative_l2(restored[t, c], np.load("alone.npy")) < 1e-6, (t, c, more)
    shares = report["devices"]
    assert len(shares) == (2 if "--devices" in more else 1)
    tiles = report["plan"]["num_tiles"] if report["plan"]["tiling"] == "fast" else 1
    assert sum(share["num_tiles"] for share in shares) == 6 * tiles, shares
np.save("series.npy", movie[:2, 0])
succeed("deconvolve", "series.npy", "narrow.npy,wide.npy", "restored.npy", *QUIET, "--axes", "TZYX")
fail(2, "3 PSFs are named, but the image has 2 channels", "deconvolve", "movie.npy", "narrow.npy,wide.npy,wide.npy", "none.npy", *TCZYX)
fail(2, "must be of one shape", "deconvolve", "movie.npy", "narrow.npy,small.npy", "none.npy", *TCZYX)
np.save("wide.npy", -gaussian(1.6))
fail(1, "PSF 2 of 2: the PSF's sum is 0", "deconvolve", "movie.npy", "narrow.npy,wide.npy", "none.npy", *TCZYX)
succeed("deconvolve", "movie.npy", "narrow.npy", "movie.zarr", *QUIET, *TCZYX)

# Devices of several kinds share fast tiles of one image
LARGE = (16, 96, 128)
np.save("large.npy", RNG.poisson(RNG.uniform(5, 50, LARGE)).astype(np.float32))
work = ("deconvolve", "large.npy", "narrow.npy")
succeed(*work, "whole.npy", *QUIET)
whole = np.load("whole.npy")
for team in ("cpu,cpu", *(f"cpu,{backend}:0" for backend in backends_with_devices()[1:])):
    done = succeed(*work, "tiles.npy", *QUIET, "--devices", team, "--tiles", "fast", "--halo", 2, "--report", "tiles.json")
    report = report_of("tiles.json")
    assert report["plan"]["num_tiles"] >= 2 and report["plan"]["tiling"] == "fast"
    assert sum(share["num_tiles"] for share in report["devices"]) == report["plan"]["num_tiles"]
    assert relative_l2(np.load("tiles.npy"), whole) < 1e-3
    succeed(*work, "exact.npy", *QUIET, "--devices", team, "--memory-limit", "4MiB", "--report", "exact.json")
    assert report_of("exact.json")["plan"]["tiling"] == "exact"
    assert relative_l2(np.load("exact.npy"), whole) < 1e-5
fail(2, "--backend", *work, "none.npy", "--devices", "cpu,cpu", "--backend", "cpu")
fail(1, "cpu:7", *work, "none.npy", "--devices", "cpu,cpu:7")
print("PSFs by channel, and devices that share")

"""`convoy deconvolve --region`: in tiles of the same cores it is, bit by bit, what the whole has there, and --split cuts the image into such
jobs; cut otherwise it differs by what fast tiles differ by. Usage: deconvolve_regions.py PROGRAM [CASES]"""
import json
import os
import re
import sys

from program import FOLDER, fail, np, relative_l2, succeed

CASES = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("CONVOY_TEST_CASES", 6))
RNG = np.random.default_rng(11)
CPU = ("--backend", "cpu", "--quiet", "--iterations", 3)


def part(region):
    return tuple(slice(*map(int, axis.split(":"))) for axis in region.split(","))


def restore(*words):
    succeed("deconvolve", "image.npy", "psf.npy", "out.npy", *CPU, *words, "--report", "run.json")
    return np.load("out.npy"), json.loads((FOLDER / "run.json").read_text())


def new_problem(shape, psf):
    np.save("image.npy", RNG.poisson(RNG.uniform(5, 50, shape)).astype(np.uint16))
    grid = np.meshgrid(*(np.arange(n) - n // 2 for n in psf), indexing="ij")
    np.save("psf.npy", np.exp(-0.5 * sum(axis**2 for axis in grid)).astype(np.float32))


# Jobs together are the whole
new_problem((14, 40, 51), (3, 5, 7))
jobs = json.loads(succeed("plan", "image.npy", "psf.npy", "--deconvolve", "--split", 6, "--json", *CPU[:2]).stdout)
lines = succeed("plan", "image.npy", "psf.npy", "--deconvolve", "--split", 6, *CPU[:2]).stdout.splitlines()[2:]
assert len(jobs) == len(lines) == 6 and all("device memory" in line for line in lines), lines
cores = {job["core"] for job in jobs}
assert len(cores) == 1
whole, report = restore("--tiles", "fast", "--core", cores.pop())
assert report["plan"]["num_tiles"] == sum(job["num_tiles"] for job in jobs)
together = np.full_like(whole, np.nan)
for job, line in zip(jobs, lines):
    words = re.match(r"(--region) (\S+) +(--core) (\S+) ", line).groups()
    assert (words[1], words[3]) == (job["region"], job["core"]), line
    assert np.isnan(together[part(job["region"])]).all()
    together[part(job["region"])], report = restore(*words)
    assert report["plan"]["footprint_bytes"] == job["footprint_bytes"] and report["peak_device_bytes"] <= job["footprint_bytes"]
assert np.array_equal(together, whole)
assert relative_l2(whole, restore()[0]) < 0.05  # in one

# Random regions of random tiles, of images that are read in several types and with a mask
for case in range(CASES):
    shape = [int(n) for n in RNG.integers((1, 8, 12), (20, 40, 60))]
    new_problem(shape, [int(RNG.integers(1, min(n, 8) + 1)) for n in shape])
    core = ",".join(str(int(RNG.integers(max(1, n // 3), n + 3))) for n in shape)
    ends = [sorted(int(n) for n in RNG.choice(n + 1, 2, replace=False)) for n in shape]
    region = ",".join(f"{begin}:{end}" for begin, end in ends)
    more = ["--halo", float(RNG.choice((0.5, 1, 2)))]
    if RNG.random() < 0.5:
        np.save("mask.npy", (RNG.random(shape) > 0.1).astype(np.uint8))
        more += ["--mask", "mask.npy"]
    if RNG.random() < 0.3:
        more += ["--devices", "cpu,cpu"]
    words = CPU[2:] if "--devices" in more else CPU
    succeed("deconvolve", "image.npy", "psf.npy", "whole.npy", *words, *more, "--tiles", "fast", "--core", core)
    succeed("deconvolve", "image.npy", "psf.npy", "part.npy", *words, *more, "--region", region, "--core", core, "--report", "run.json")
    cut = np.load("whole.npy")[part(region)]
    assert np.array_equal(np.load("part.npy"), cut), (shape, core, region, more)
    report = json.loads((FOLDER / "run.json").read_text())
    assert report["output"]["shape"] == list(cut.shape) and report["plan"]["spec"]["region"] == region, report["output"]
    assert abs(report["output_sum"] - cut.sum(dtype=float)) <= 1e-4 * abs(report["output_sum"])

# Without cores it is cut as it fits, and differs by little from what the whole has there; series, PSFs, and files of other kinds
new_problem((2, 2, 12, 60, 70), (1, 1, 3, 5, 5))
np.save("psf.npy", np.load("psf.npy")[0, 0])
series = ("--axes", "TCZYX")
whole, _ = restore(*series)
region = "3:9,20:50,:41"
some, report = restore(*series, "--region", region)
expected = whole[..., 3:9, 20:50, :41]
assert report["plan"]["num_tiles"] == 1 and not any("seams" in text for text in report["warnings"]), report["warnings"]
assert some.shape == expected.shape and relative_l2(some, expected) < 0.02, relative_l2(some, expected)
tiled, report = restore(*series, "--region", region, "--memory-limit", "500KB")
assert report["plan"]["num_tiles"] > 1 and report["seam"]["voxels"] > 0
assert relative_l2(tiled, expected) < 0.05
succeed("deconvolve", "image.npy", "psf.npy", "out.zarr", *CPU, *series, "--region", region, "--resume")
succeed("deconvolve", "out.zarr", "psf.npy", "again.npy", *CPU[:3], "--iterations", 0)
assert np.load("again.npy").shape == expected.shape

WORK = ("deconvolve", "image.npy", "psf.npy", "none.npy", *CPU, *series)
for bad in ("0:15,0:1,0:1", "3:3,:,:", "5:4,:,:", "a:b,:,:", ":,:,:,:"):
    fail(1, "region", *WORK, f"--region={bad}")
fail(2, "--region", *WORK, "--region", region, "--tiles", "exact")
fail(2, "--core", *WORK, "--core", "4,4,4")
fail(2, "--core", *WORK, "--tiles", "fast", "--core", "0,4,4")
fail(1, "fast tiles do not go together with other edges", *WORK, "--region", region, "--edges", "zero")
fail(1, "smaller cores", *WORK, "--tiles", "fast", "--core", "12,60,70", "--memory-limit", "100KB")
fail(1, "cannot be cut into", "plan", "--image", "4,4,4", "--kernel", "1,1,1", "--deconvolve", "--split", "1009", *CPU[:2])
print("regions of deconvolutions")

"""Random deconvolutions in exact tiles, fast tiles and at once under --ram-limit and --memory-limit. Peak resident memory, as the system
counts it, is at most 1.05 of the limit, and the device's is within its own; or the job is refused with numbers before anything is left.
Usage: deconvolve_ram_limit.py PROGRAM [--jobs N] [--seed N] [--largest VOXELS]"""
import argparse
import json
import random

from peak_memory import require_refusal, run_measured
from program import FOLDER, listing, np

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--jobs", type=int, default=10)
parser.add_argument("--seed", type=int, default=18)
parser.add_argument("--largest", type=float, default=3e6)
WANTED = parser.parse_args()
MOST = 1.05
MEBI = 2**20
ARRAYS = {"none": 5, "momentum": 6, "biggs": 7}  # of the frame, between exact tiles


def gaussian(shape):
    z, y, x = np.meshgrid(*(np.linspace(-2, 2, n) if n > 1 else np.zeros(1) for n in shape), indexing="ij")
    return np.exp(-(z**2 + y**2 + x**2)).astype(np.float32)


def shape_of(dice, is_series):
    voxels = WANTED.largest * (0.3 if is_series else dice.choice((0.3, 0.6, 1)))
    planes = dice.choice((1, 7, 32))
    rows = int(dice.choice(((voxels / planes)**0.5, 65)))
    return planes, rows, int(voxels / planes / rows)


def write_images(shape, dice, is_series):
    count = 20 if is_series else dice.choice((1, 1, 3))
    dtype = dice.choice(("u1", "u2", "f4", "f8"))
    images = np.lib.format.open_memmap("image.npy", "w+", dtype, (count, *shape) if count > 1 else shape)
    images.reshape(-1)[:] = (np.arange(images.size) // 7 % 97 + 3).astype(dtype)
    images.flush()
    return ("--axes", "TZYX") if count > 1 else ()


def job(number):
    dice = random.Random(f"{WANTED.seed} {number}")
    is_series = number % 5 == 0  # whose images must leave nothing behind
    shape = shape_of(dice, is_series)
    psf = tuple(min(n, dice.choice(sizes)) for n, sizes in zip(shape, ((1, 5, 15), (7, 15, 40), (7, 15, 40))))
    np.save("psf.npy", gaussian(psf))
    edges = dice.choice(("noncirculant", "zero", "reflect"))
    acceleration = dice.choice(tuple(ARRAYS))
    precision = dice.choice(("f32", "f32", "f64"))
    words = ["deconvolve", "image.npy", "psf.npy", "out.npy", "--backend", "cpu", "--quiet", "--iterations", 2, "--edges", edges,
             "--acceleration", acceleration, "--precision", precision, *write_images(shape, dice, is_series), "--report", "run.json"]
    if not is_series and dice.random() < 0.3 and acceleration != "biggs":
        words += ["--stop", "gradient-consensus"]
    frame = np.prod([n + k - 1 for n, k in zip(shape, psf)]) * (8 if precision == "f64" else 4)
    if dice.random() < 0.7:
        words += ["--memory-limit", int(frame * dice.choice((1, 2, 3)))]
    limit = int(dice.choice((0.9, 1.3, 1.7, 2.5)) * frame * ARRAYS[acceleration]) + 64 * MEBI
    words += ["--ram-limit", limit]
    if number % 2 == 0:
        words += ["--scratch", "."]
    before = listing()
    code, peak, stderr = run_measured(words)
    seen = {"image": shape, "psf": psf, "words": words[8:], "limit": limit, "peak": peak, "ratio": peak / limit, "tiling": "refused"}
    if code != 0:
        seen["refusal"] = require_refusal(code, stderr)
        assert listing() == before, ("something is left", seen)
        return seen
    report = json.loads((FOLDER / "run.json").read_text())
    seen["tiling"] = report["plan"]["tiling"]
    seen["tiling"] += " in a scratch file" if report["plan"]["scratch_bytes"] > 0 else ""
    assert report["peak_device_bytes"] <= report["plan"]["footprint_bytes"] <= (report["plan"]["budget_bytes"] or 1e18), (seen, report)
    assert report["planned_host_bytes"] <= limit and peak <= MOST * report["planned_host_bytes"], (seen, report["planned_host_bytes"])
    return seen


results = []
for number in range(WANTED.jobs):
    one = job(number)
    results.append(one)
    print(f"{one['ratio']:.3f} of {one['limit'] // MEBI} MiB, {one['tiling']}: image {one['image']}, PSF {one['psf']}, "
          f"{' '.join(map(str, one['words']))} {one.get('refusal', '')}", flush=True)
    for path in FOLDER.iterdir():
        path.unlink()
over = [one for one in results if one["ratio"] > MOST]
assert not over, over
kinds = [one["tiling"] for one in results]
assert 2 * kinds.count("refused") < len(kinds) and kinds.count("exact") > 0, kinds
print(f"{len(kinds)} jobs, {kinds.count('exact')} in exact tiles, {kinds.count('fast')} in fast ones, {kinds.count('none')} at once; "
      f"at most {max(one['ratio'] for one in results):.3f} of the limit")

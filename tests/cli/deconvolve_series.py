"""A series of two channels with a PSF each, deconvolved from OME-Zarr to OME-Zarr within memory limits, killed twice and resumed, is what
its images are one by one in memory, but for what differs at the seams of fast tiles, which is told.

Scaled by arguments behind the program: time points, and z, y, x of an image; `--ram-limit` and `--memory-limit` of the large run."""
import json
import pathlib
import signal
import subprocess
import sys
import time

from program import FOLDER, PROGRAM, np, succeed

TIMES, SHAPE = (int(sys.argv[2]), tuple(map(int, sys.argv[3:6]))) if len(sys.argv) > 5 else (4, (24, 160, 256))
LIMITS = sys.argv[6:8] if len(sys.argv) > 7 else ("120MiB", "24MiB")
CHANNELS, PSF, ITERATIONS = 2, (5, 9, 9), ("--iterations", 10)
QUIET = ("--backend", "cpu", "--quiet")
RNG = np.random.default_rng(12)


def gaussian(width):
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in PSF), indexing="ij")
    return np.exp(-0.5 * (z**2 + (y**2 + x**2) / width**2)).astype(np.float32)


def scene():
    values = np.zeros(SHAPE, np.float32)
    values.ravel()[RNG.integers(0, values.size, values.size // 500)] = RNG.uniform(500, 2000, values.size // 500)
    return RNG.poisson(values + 10).astype(np.uint16)


np.save("psf0.npy", gaussian(1.0))
np.save("psf1.npy", gaussian(1.6))
movie = np.lib.format.open_memmap("movie.npy", mode="w+", dtype=np.uint16, shape=(TIMES, CHANNELS, *SHAPE))
for t, c in np.ndindex(TIMES, CHANNELS):
    movie[t, c] = scene()
movie.flush()
np.save("point.npy", np.ones((1, 1, 1), np.float32))
succeed("convolve", "movie.npy", "point.npy", "movie.zarr", *QUIET, "--axes", "TCZYX", "--dtype", "u16")  # as it is
WORK = ("deconvolve", "movie.zarr", "psf0.npy,psf1.npy", "restored.zarr", *QUIET, *ITERATIONS, "--resume",
        "--ram-limit", LIMITS[0], "--memory-limit", LIMITS[1])  # fmt: skip


def num_records():
    journals = list(FOLDER.glob(".restored.zarr*journal*"))
    return journals[0].read_text(errors="replace").count("\n") if journals else 0


for _ in range(2):
    before = num_records()
    process = subprocess.Popen([PROGRAM, *map(str, WORK)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and num_records() < before + 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    assert not pathlib.Path("restored.zarr").exists()
succeed(*WORK, "--report", "run.json")
report = json.loads((FOLDER / "run.json").read_text())
assert report["skipped_tiles"] > 0 and len(report["psfs"]) == 2
assert report["plan"]["tiling"] == "fast" and report["plan"]["num_tiles"] > 1, report["plan"]["tiling"]
assert report["peak_host_bytes"] <= 1.05 * report["ram_limit_bytes"], (report["peak_host_bytes"], report["ram_limit_bytes"])
assert report["peak_device_bytes"] <= 1.05 * report["plan"]["budget_bytes"]

# One by one in memory
succeed("convolve", "restored.zarr", "point.npy", "restored.npy", *QUIET)
restored = np.load("restored.npy", mmap_mode="r")
assert restored.shape == movie.shape
worst = 0.0
for t, c in {(0, 0), (0, 1), (TIMES - 1, 0), (TIMES - 1, 1)}:
    np.save("one.npy", movie[t, c])
    succeed("deconvolve", "one.npy", f"psf{c}.npy", "alone.npy", *QUIET, *ITERATIONS)
    alone = np.load("alone.npy")
    worst = max(worst, float(np.linalg.norm(restored[t, c] - alone) / np.linalg.norm(alone)))
assert 0 < worst <= report["seam"]["relative_l2"], (worst, report["seam"])
print(f"peak {report['peak_host_bytes'] >> 20} MiB of {report['ram_limit_bytes'] >> 20}, device {report['peak_device_bytes'] >> 20} MiB; "
      f"{report['plan']['num_tiles']} tiles an image, {report['skipped_tiles']} were there already; differs by {worst:.1e} from images one by one, "
      f"seam error told {report['seam']['relative_l2']:.1e}")
